"""What members fill in about their own data; actions decide."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.actions.corrections import FIELDS
from members.models import Relation
from members.rules.family import read_birth, require_guardian
from union_portal.forms import IdentityField, ReadField, judge
from union_portal.kit.identity import read_national_id
from union_portal.kit.names import read_name
from union_portal.kit.refusals import Refused

ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf"


class PaperField(forms.FileField):
    """One photo or PDF; what is in it is judged when it is stored."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.ClearableFileInput(attrs={"accept": ACCEPTED}))
        super().__init__(**kwargs)


class FieldForm(forms.Form):
    """Which field is wrong."""

    field = forms.ChoiceField(
        label=gettext_lazy("What is wrong?"),
        choices=[(name, field.label) for name, field in FIELDS.items()],
    )


class CorrectionForm(forms.Form):
    """What it should be, in the shape of the field that is wrong."""

    words = forms.CharField(
        label=gettext_lazy("How you know, or since when"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    evidence = PaperField(
        label=gettext_lazy("Evidence (photo or PDF)"), required=False,
        help_text=gettext_lazy("For example a photo of the page that shows what is right."),
    )  # fmt: skip
    field_order = ("wanted", "words", "evidence")

    def __init__(self, *args: Any, field: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = FIELDS[field]
        self.reader = known.read
        label = _("What it should be")
        self.fields["wanted"] = (
            forms.ChoiceField(label=label, choices=known.choices)
            if known.choices
            else forms.CharField(label=label, max_length=300)
        )
        self.order_fields(self.field_order)

    def clean_wanted(self) -> str:
        try:
            return self.reader(self.cleaned_data["wanted"])
        except Refused as refusal:
            raise ValidationError(str(refusal)) from refusal


class FamilyForm(forms.Form):
    """Somebody of one's family."""

    name = ReadField(reader=read_name, label=gettext_lazy("Name"), max_length=60)
    relation = forms.ChoiceField(label=gettext_lazy("Relation"), choices=Relation.choices)
    national_id = IdentityField(
        required=False,
        help_text=gettext_lazy("If it is known: the birth date follows from it."),
    )
    born_on = forms.DateField(
        label=gettext_lazy("Birth date"), required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )  # fmt: skip
    guardian = ReadField(
        reader=read_name, label=gettext_lazy("Guardian"), max_length=60, required=False,
        help_text=gettext_lazy("For a child under 14: the name of father, mother or guardian."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        super().clean()
        # What could not be read has its fault already, and nothing follows from it.
        if not any(map(self.has_error, ("national_id", "born_on", "guardian"))):
            judge(self, "born_on", _require_family, self.cleaned_data)
        return self.cleaned_data


def _require_family(read: dict[str, Any]) -> None:
    """A birth date, and a guardian if it is a child's. Errors: FamilyUnsound."""
    today = timezone.localdate()
    number = read["national_id"]
    numbered = read_national_id(number, today=today) if number else None
    born = read_birth(numbered, read["born_on"], today=today)
    require_guardian(born, read["guardian"], today=today)
