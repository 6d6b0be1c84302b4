"""What staff enter at each step of a case."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from awards.actions import applications
from awards.admin.rounds import NoticeForm, notice_title
from awards.forms import EvidenceField, OneFileField
from awards.models import Scheme, SubsidyCase
from union_portal.admin.fields import DateInput
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.models import Account


class VisitForm(forms.Form):
    visited_on = forms.DateField(
        label=_("Visited on"), initial=timezone.localdate, widget=DateInput()
    )
    visitors = forms.CharField(
        label=_("Visitors"), max_length=160, help_text=_("Names of everyone who went.")
    )
    findings = forms.CharField(
        label=_("Findings"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("What you saw and which papers you were shown."),
    )
    is_confirmed = forms.TypedChoiceField(
        label=_("Is the need confirmed?"),
        choices=[("yes", _("yes")), ("no", _("no"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    photos = EvidenceField(
        label=_("Photos"), help_text=_("Several at once; JPG, PNG or PDF, at most 20 MB each.")
    )
    signature = OneFileField(
        label=_("Signature"), help_text=_("Photo of the visit sheet signed by the member.")
    )


class ReviewForm(forms.Form):
    opinion = forms.CharField(
        label=_("Opinion of the county"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What the county checked and what it thinks."),
    )
    recommended_fen = YuanField(label=_("Amount recommended (yuan)"), required=False)


class ReturnForm(forms.Form):
    message = forms.CharField(
        label=_("What is missing"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The member reads it and is told at once."),
    )


class RefuseForm(forms.Form):
    clause = forms.ChoiceField(
        label=_("Clause"), choices=[(clause, clause) for clause in applications.CLAUSES]
    )
    reason = forms.CharField(
        label=_("Reason"),
        min_length=2,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The member reads it and may appeal."),
    )


def decide_form(case: SubsidyCase, by: Account) -> type[forms.Form]:
    class DecideForm(forms.Form):
        amount_fen = YuanField(label=_("Amount (yuan)"), initial=_plain(case.recommended_fen))
        reason = forms.CharField(
            label=_("Reason for the amount"),
            min_length=2,
            max_length=1000,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("The degree of hardship in your words; the member reads it."),
        )

    return DecideForm


class HardshipNoticeForm(NoticeForm):
    period = forms.RegexField(
        label=_("Year"), regex=r"^20\d\d$", initial=lambda: str(timezone.localdate().year)
    )
    field_order = ("period", "title", "place", "contact", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        year = str(timezone.localdate().year)
        kwargs["initial"] = {"title": notice_title(Scheme.SPECIAL_HARDSHIP, year)}
        super().__init__(*args, **kwargs)


def _plain(fen: int | None) -> str:
    return "" if fen is None else money.plain_yuan(fen)
