"""What people type to join, to move to another union, and of themselves."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from members.actions import profiles
from members.models import (
    Education,
    Employment,
    HukouType,
    PoliticalStatus,
    TechnicalGrade,
)
from union_portal.forms import IdentityField, ReadField
from union_portal.kit.ethnicities import NAMES, ROMANIZED
from union_portal.kit.names import read_name
from union_portal.kit.phone import read_mobile

_NOT_SAID = ("", "–")


def ethnicities() -> list[tuple[str, str]]:
    """The 56 by their Chinese names; in English with the standard's spelling."""
    if (get_language() or "").startswith("en"):
        return [_NOT_SAID, *((name, f"{name} {ROMANIZED[name]}") for name in NAMES)]
    return [_NOT_SAID, *((name, name) for name in NAMES)]


def _choice(label: Any, kind: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[_NOT_SAID, *kind.choices])


class ProfileForm(forms.Form):
    """The further real-name fields; none of them has to be answered."""

    ethnicity = forms.ChoiceField(label=_("Ethnicity"), required=False, choices=ethnicities)
    education = _choice(_("Education"), Education)
    political_status = _choice(_("Political status"), PoliticalStatus)
    hukou_type = _choice(_("Hukou"), HukouType)
    employment = _choice(_("Employment"), Employment)
    technical_grade = _choice(_("Technical grade"), TechnicalGrade)
    is_farmer_worker = forms.BooleanField(label=_("Farmer worker"), required=False)

    def profile(self) -> dict[str, Any]:
        """The answers, as the actions take them."""
        return {name: self.cleaned_data[name] for name in profiles.FIELDS}


class EmployerForm(ProfileForm):
    """What somebody who is logged in adds to what the register knows."""

    employer = forms.CharField(
        label=_("Employer"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    agrees = forms.BooleanField(label=_("I have read the text above and agree to it"))
    text = forms.IntegerField(required=False, widget=forms.HiddenInput)

    field_order: tuple[str, ...] = ("employer",)

    def values(self) -> dict[str, Any]:
        return {"employer": self.cleaned_data["employer"], "profile": self.profile()}


class JoinForm(EmployerForm):
    """An application by somebody without an account."""

    name = ReadField(
        label=_("Name"),
        max_length=60,
        reader=read_name,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    national_id = IdentityField(help_text=_("The 18 characters on your identity card."))
    phone = ReadField(
        label=_("Phone"),
        max_length=30,
        reader=read_mobile,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("You are told there how it goes on; with it you look the application up."),
    )
    is_by_other = forms.BooleanField(
        label=_("I fill this in for somebody else, who knows of it"), required=False
    )

    field_order = (
        "name",
        "national_id",
        "phone",
        "employer",
        *profiles.FIELDS,
        "is_by_other",
        "agrees",
    )

    def values(self) -> dict[str, Any]:
        own = ("name", "national_id", "phone")
        return {**super().values(), **{name: self.cleaned_data[name] for name in own}}


class CompletionForm(JoinForm):
    """The same once more, for an application that was returned; the number only if it changes."""

    agrees = None  # type: ignore[assignment]
    is_by_other = None  # type: ignore[assignment]
    text = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["national_id"].required = False
        self.fields["national_id"].help_text = _("Left empty it stays as it is.")


class ReceiptForm(forms.Form):
    """The two things that show an application to whoever sent it."""

    receipt = forms.CharField(
        label=_("Receipt number"),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("The number given with the application."),
    )


class TransferForm(forms.Form):
    """Why and whereto somebody moves."""

    employer = forms.CharField(label=_("New employer"), max_length=120)
    reason = forms.CharField(
        label=_("Reason"), min_length=2, max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )
