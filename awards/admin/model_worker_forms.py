"""What staff enter about a model worker."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from awards.models import (
    HonourTitle,
    ModelWorker,
    ModelWorkerKind,
)
from members.models import Person
from members.queries import matches, people_for
from union_portal.access import Permission
from union_portal.admin.fields import DateInput, ReasonForm
from union_portal.models import Account


def this_year() -> int:
    return timezone.localdate().year


def yes_or_no(label: Any) -> forms.Field:
    """A question that wants an answer: nothing is preset."""
    return forms.TypedChoiceField(
        label=label,
        choices=[("yes", _("yes")), ("no", _("no"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )


class YearForm(forms.Form):
    year = forms.IntegerField(label=_("Year"), initial=this_year)
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("How it was verified: visit, call, register."),
    )


class VerifyForm(YearForm):
    is_alive = yes_or_no(_("Alive"))
    honour_retained = yes_or_no(_("Keeps the honour"))
    field_order = ("year", "is_alive", "honour_retained", "evidence")


def change_form(worker: ModelWorker, by: Account) -> type[forms.Form]:
    class ChangeForm(forms.Form):
        kind = forms.ChoiceField(
            label=_("Class"), choices=ModelWorkerKind.choices, initial=worker.kind
        )
        is_farmer = forms.BooleanField(label=_("Farmer"), required=False, initial=worker.is_farmer)
        lost_work_capacity_on = forms.DateField(
            label=_("Lost work capacity on"),
            required=False,
            initial=worker.lost_work_capacity_on,
            widget=DateInput(),
            help_text=_("The day of the certificate; empty if able to work."),
        )

    return ChangeForm


def confer_form(worker: ModelWorker, by: Account) -> type[forms.Form]:
    class ConferForm(forms.Form):
        title = forms.ModelChoiceField(label=_("Title"), queryset=HonourTitle.objects.all())
        conferred_on = forms.DateField(label=_("Conferred on"), widget=DateInput())
        certificate_no = forms.CharField(
            label=_("Certificate number"), max_length=40, required=False
        )

    return ConferForm


def withdraw_form(worker: ModelWorker, by: Account) -> type[forms.Form]:
    class WithdrawForm(ReasonForm):
        hardship = forms.ModelChoiceField(
            label=_("Year of hardship"),
            queryset=worker.hardship_years.filter(is_withdrawn=False),
        )

    return WithdrawForm


def enroll_form(obj: None, by: Account) -> type[forms.Form]:
    class EnrollForm(forms.Form):
        who = forms.CharField(
            label=_("Person"),
            max_length=40,
            help_text=_("The whole identity number, or a name that only one person has."),
        )
        kind = forms.ChoiceField(label=_("Class"), choices=ModelWorkerKind.choices)
        is_farmer = forms.BooleanField(label=_("Farmer"), required=False)

        def clean_who(self) -> Person:
            found = people_for(by, Permission.HONOUR_EDIT).filter(
                matches(self.cleaned_data["who"])
            )[:2]
            if len(found) != 1:
                raise ValidationError(
                    _("Nobody in the register fits, or several do: enter the identity number.")
                )
            return found[0]

    return EnrollForm
