"""Form parts that staff pages share."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from union_portal import access
from union_portal.access import Permission
from union_portal.models import Account, Organization


class ReasonForm(forms.Form):
    """Why: kept in the log for good."""

    reason = forms.CharField(
        label=_("Reason"), min_length=2, max_length=400, widget=forms.Textarea(attrs={"rows": 3})
    )


class DateInput(forms.DateInput):
    """The browser's own date field."""

    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


def unions_for(account: Account, permission: Permission) -> QuerySet[Organization]:
    return Organization.objects.filter(access.scope(account, permission, "path"), is_active=True)


class UnionChoice(forms.ModelChoiceField):
    """A union of the tree, indented by its level."""

    def label_from_instance(self, obj: Organization) -> str:
        depth = obj.path.count("/") - 1
        return "　" * depth + obj.name


def union_field(account: Account, permission: Permission) -> UnionChoice:
    """The unions for which the account holds the permission; the only one is chosen already."""
    unions = unions_for(account, permission)
    first, *others = unions[:2] or [None]
    return UnionChoice(label=_("Union"), queryset=unions, initial=None if others else first)
