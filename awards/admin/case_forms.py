"""What staff enter at each step of a case."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards.admin.rounds import NoticeForm, notice_title
from awards.forms import EvidenceField, OneFileField
from awards.models import Scheme, SubsidyCase
from awards.queries import bands
from awards.rules.schemes import REFUSABLE
from union_portal.admin.fields import DateInput
from union_portal.forms import SentenceField, YuanField
from union_portal.kit import money
from union_portal.models import Account


class VisitForm(forms.Form):
    visited_on = forms.DateField(
        label=_("Visited on"), initial=timezone.localdate, widget=DateInput()
    )
    visitors = forms.CharField(
        label=_("Visitors"), max_length=160, help_text=_("Names of everyone who went.")
    )
    findings = SentenceField(
        label=_("Findings"),
        max_length=4000,
        rows=6,
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


class InBandField(YuanField):
    """An amount that the rules of today allow, told beside the form's other faults (X7)."""

    def clean(self, value: Any) -> int | None:
        fen = super().clean(value)
        band = bands.band_on(timezone.localdate())
        if fen is not None and band is not None and not band.holds(fen):
            raise ValidationError(
                _("X7: the rules allow %(least)s to %(most)s yuan.")
                % {"least": money.yuan(band.least_fen), "most": money.yuan(band.most_fen)}
            )
        return fen


class ReviewForm(forms.Form):
    opinion = SentenceField(
        label=_("Opinion of the county"),
        max_length=4000,
        rows=5,
        help_text=_("What the county checked and what it thinks."),
    )
    recommended_fen = InBandField(label=_("Amount recommended (yuan)"), required=False)


class ReturnForm(forms.Form):
    message = SentenceField(
        label=_("What is missing"),
        max_length=2000,
        help_text=_("The member reads it and is told at once."),
    )


def clauses() -> list[tuple[str, str]]:
    """Every clause that may be refused under, in words; none is chosen beforehand."""
    told = [(clause, f"{clause} {gettext(words)}") for clause, words in REFUSABLE.items()]
    return [("", gettext("Choose the clause")), *told]


class RefuseForm(forms.Form):
    clause = forms.ChoiceField(label=_("Clause"), choices=clauses)
    reason = SentenceField(
        label=_("Reason"), max_length=1000, help_text=_("The member reads it and may appeal.")
    )


def decide_form(case: SubsidyCase, by: Account) -> type[forms.Form]:
    class DecideForm(forms.Form):
        amount_fen = InBandField(label=_("Amount (yuan)"), initial=_plain(case.recommended_fen))
        reason = SentenceField(
            label=_("Reason for the amount"),
            max_length=1000,
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
