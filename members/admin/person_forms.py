"""What staff fill in about a person."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from members.actions import people
from members.models import Person
from members.rules.rows import read_bank, read_employer, require_own_account
from union_portal.access import Permission
from union_portal.admin.fields import ReasonForm, union_field
from union_portal.forms import IdentityField, ReadField, judge
from union_portal.kit.bank_card import read_account
from union_portal.kit.names import read_name
from union_portal.kit.phone import read_mobile
from union_portal.models import Account


def register_form(obj: None, by: Account) -> type[forms.Form]:
    class RegisterForm(forms.Form):
        name = ReadField(reader=read_name, label=_("Name"), max_length=60)
        national_id = IdentityField(
            help_text=_("18 characters; sex and birth date follow from it.")
        )
        phone = ReadField(reader=read_mobile, label=_("Phone"), max_length=30, required=False)
        employer = ReadField(
            reader=read_employer, label=_("Employer"), max_length=120, required=False
        )
        address = forms.CharField(label=_("Address"), max_length=200, required=False)
        organization = union_field(by, Permission.PERSON_EDIT)

    return RegisterForm


def change_form(person: Person, by: Account) -> type[forms.Form]:
    """Sealed columns are not shown: what is left empty stays as it is."""

    class ChangeForm(forms.Form):
        name = ReadField(reader=read_name, label=_("Name"), max_length=60, initial=person.name)
        phone = ReadField(
            reader=read_mobile,
            label=_("New phone"),
            max_length=30,
            required=False,
            help_text=_("Left empty it stays as it is."),
        )
        address = forms.CharField(
            label=_("New address"),
            max_length=200,
            required=False,
            help_text=_("Left empty it stays as it is."),
        )
        employer = ReadField(
            reader=read_employer,
            label=_("Employer"),
            max_length=120,
            required=False,
            initial=person.employer,
        )
        organization = union_field(by, Permission.PERSON_EDIT)
        reason = forms.CharField(
            label=_("Reason"),
            max_length=400,
            required=False,
            help_text=_("Needed for a change of name: which document shows it."),
        )

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {"organization": person.organization_id}
            super().__init__(*args, **kwargs)

        def clean(self) -> dict[str, Any]:
            super().clean()
            if self.cleaned_data.get("name", person.name) != person.name:
                judge(self, "reason", people.require_document, self.cleaned_data.get("reason", ""))
            return self.cleaned_data

    return ChangeForm


class UnmaskForm(ReasonForm):
    field = forms.ChoiceField(
        label=_("What"),
        choices=[
            ("national_id", _("identity number")),
            ("phone", _("phone")),
            ("address", _("address")),
        ],
    )


class ExportForm(forms.Form):
    kind = forms.ChoiceField(label=_("Format"), choices=[("xlsx", "XLSX"), ("csv", "CSV")])
    whole = forms.BooleanField(
        label=_("With whole numbers (needs the right to unmask, and a reason)"), required=False
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class AccountForm(forms.Form):
    number = ReadField(
        reader=read_account,
        label=_("Account number"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    bank_name = ReadField(reader=read_bank, label=_("Bank"), max_length=80)
    holder = ReadField(
        reader=read_name,
        label=_("Account holder"),
        max_length=60,
        required=False,
        help_text=_("Only if it is not the person; then give the reason."),
    )
    evidence = forms.FileField(
        label=_("Evidence (photo or PDF)"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "image/*,application/pdf"}),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


def account_form(person: Person, by: Account) -> type[forms.Form]:
    """Another holder than the person takes a reason."""

    class OwnAccountForm(AccountForm):
        def clean(self) -> dict[str, Any]:
            super().clean()
            holder = self.cleaned_data.get("holder")
            if holder and not self.cleaned_data.get("reason", "").strip():
                judge(self, "holder", require_own_account, holder, person.name)
            return self.cleaned_data

    return OwnAccountForm
