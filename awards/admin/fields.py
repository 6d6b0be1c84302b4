"""Form parts of the awards pages."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members import queries
from members.models import Person
from union_portal.models import Account


class PersonField(forms.CharField):
    """A person within reach, named by the whole identity number, or by a name only one has."""

    def __init__(self, *, account: Account, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Person"))
        kwargs.setdefault(
            "help_text", gettext_lazy("Identity number, or the name if nobody shares it.")
        )
        kwargs.setdefault("max_length", 60)
        super().__init__(**kwargs)
        self.account = account

    def clean(self, value: Any) -> Person:
        text = super().clean(value)
        found = list(queries.search(text, self.account).order_by("pk")[:2])
        if not found:
            raise ValidationError(_("Nobody within your reach fits. Register the person first."))
        if len(found) > 1:
            raise ValidationError(_("Several people fit: type the whole identity number."))
        return found[0]
