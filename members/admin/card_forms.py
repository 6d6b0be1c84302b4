"""What staff fill in about service cards."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.actions.card_results import MOST_BYTES
from members.models import CardBank
from union_portal.access import Permission
from union_portal.admin.fields import union_field
from union_portal.forms import IdentityField
from union_portal.kit.identity import read_national_id
from union_portal.kit.refusals import Refused
from union_portal.models import Account

MEBIBYTE = 1024 * 1024
FAULTS_SHOWN = 10
ACCEPTED = "image/jpeg,image/png,image/webp,application/pdf"


def bank_field() -> forms.ModelChoiceField:
    return forms.ModelChoiceField(label=_("Bank"), queryset=CardBank.objects.filter(is_active=True))


def apply_form(obj: None, by: Account) -> type[forms.Form]:
    class ApplyForm(forms.Form):
        national_id = IdentityField(
            help_text=_("The member has agreed to giving the data to the bank before."),
        )
        bank = bank_field()

    return ApplyForm


def apply_many_form(obj: None, by: Account) -> type[forms.Form]:
    class ApplyManyForm(forms.Form):
        organization = union_field(by, Permission.CARD_APPLY)
        bank = bank_field()
        numbers = forms.CharField(
            label=_("Only these identity numbers, one a line"),
            required=False,
            max_length=400_000,
            widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off"}),
            help_text=_("Left empty: everybody of the union who may have a card."),
        )

        def clean_numbers(self) -> set[str]:
            """Each line's number. Errors for lines that hold none, the first ones by name."""
            read, faults = set(), []
            for place, line in enumerate(self.cleaned_data["numbers"].splitlines(), start=1):
                try:
                    if line.strip():
                        read.add(read_national_id(line, today=timezone.localdate()).number)
                except Refused as fault:
                    faults.append(_("Line %(line)s: %(fault)s") % {"line": place, "fault": fault})
            if faults:
                raise ValidationError(faults[:FAULTS_SHOWN])
            return read

    return ApplyManyForm


def union_form(permission: Permission) -> Any:
    """A form that asks for a union and nothing else."""

    def form_for(obj: Any, by: Account) -> type[forms.Form]:
        class UnionForm(forms.Form):
            organization = union_field(by, permission)

        return UnionForm

    return form_for


class ReceiptForm(forms.Form):
    receipt = forms.FileField(
        label=_("Signed receipt (photo or PDF)"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
    )


def hand_out_form(obj: None, by: Account) -> type[forms.Form]:
    class HandOutForm(forms.Form):
        organization = union_field(by, Permission.CARD_APPLY)
        signed_list = forms.FileField(
            label=_("The signed list (photo or PDF)"),
            widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
        )
        unsigned = forms.CharField(
            label=_("Applications without a signature"),
            required=False,
            max_length=20_000,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("Their numbers, such as C00000012, with spaces between them."),
        )

        def clean_unsigned(self) -> list[int]:
            """Numbers of applications. Errors for a word that is none."""
            words = self.cleaned_data["unsigned"].upper().replace(",", " ").split()
            digits = [word.removeprefix("C") for word in words]
            if not all(one.isascii() and one.isdigit() and len(one) < 18 for one in digits):
                raise ValidationError(
                    _("Write the numbers of applications, such as C00000012, and spaces.")
                )
            return [int(one) for one in digits]

    return HandOutForm


class NumberForm(forms.Form):
    number = forms.CharField(
        label=_("Card number"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("All the digits on the card that the member holds in hand."),
    )


class ActivatedForm(forms.Form):
    content = forms.FileField(
        label=_("The bank's list (XLSX or CSV)"),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.csv,.txt"}),
        help_text=_("One column is called “卡号”; the others are not read."),
    )


class ResultForm(forms.Form):
    content = forms.FileField(
        label=_("Result file"), help_text=_("As the bank gave it, in the layout of this bank.")
    )

    def clean_content(self) -> Any:
        """A file that is too large is refused before it is read."""
        upload = self.cleaned_data["content"]
        if upload.size > MOST_BYTES:
            raise ValidationError(
                _("The file is larger than %(megabytes)s MB. A bank's answer is a short list.")
                % {"megabytes": MOST_BYTES // MEBIBYTE}
            )
        return upload


class ExportForm(forms.Form):
    kind = forms.ChoiceField(label=_("Format"), choices=[("xlsx", "XLSX"), ("csv", "CSV")])
