"""Funds and their ledger: where every yuan of them stands."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.access import Permission
from union_portal.admin.buttons import Button
from union_portal.admin.fields import union_field
from union_portal.admin.filters import scheme_titles
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step, trail_of
from union_portal.forms import YuanField
from union_portal.kit.plain_text import enumerated
from union_portal.kit.shares import thousandths
from union_portal.models import Account
from welfare.admin.entries import ENTRIES_SHOWN
from welfare.admin.shown import column, link, masked, stamp, yuan
from welfare.disbursement import ledger
from welfare.disbursement.models import (
    BankFormat,
    BatchStep,
    Fund,
    LedgerKind,
)


def fund_form(obj: None, by: Account) -> type[forms.Form]:
    class FundForm(forms.Form):
        code = forms.SlugField(label=pgettext_lazy("of a thing", "Code"), max_length=40)
        name = forms.CharField(label=_("Name of the fund"), max_length=120)
        year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2199)
        organization = union_field(by, Permission.FUND_APPROPRIATE)
        schemes = forms.CharField(
            label=_("Uses"),
            help_text=_("Codes of the schemes, separated by commas; other uses are refused."),
            initial="festival_gift, special_hardship, living_allowance",
        )
        payer_name = forms.CharField(label=_("Payer"), max_length=120)
        payer_account = forms.CharField(label=_("Payer's account"), max_length=34)
        source = forms.CharField(label=_("Source of the money"), max_length=200, required=False)
        bank_format = forms.ModelChoiceField(
            label=_("Bank format"),
            queryset=BankFormat.objects.filter(is_active=True),
            to_field_name="code",
        )

        def clean_schemes(self) -> list[str]:
            typed = self.cleaned_data["schemes"].replace("，", ",")
            return [part.strip() for part in typed.split(",") if part.strip()]

        def clean_bank_format(self) -> str:
            code: str = self.cleaned_data["bank_format"].code
            return code

    return FundForm


@dataclass(frozen=True)
class Segment:
    """One part of a fund's bar, in per mille of what was appropriated."""

    label: str | Promise
    sum: str
    start: int
    width: int
    colour: str


# Dark enough to be told apart on white, and named in the table beside.
_COLOURS = (
    (LedgerKind.SPENT, "#14532d"),
    (LedgerKind.TRANSIT, "#b45309"),
    (LedgerKind.RESERVED, "#1d4ed8"),
    (LedgerKind.AVAILABLE, "#9aa3ad"),
)


def segments(figures: ledger.Figures) -> list[Segment]:
    """Where the appropriated money stands, side by side; whole numbers only."""
    parts = {
        LedgerKind.SPENT: figures.spent_fen,
        LedgerKind.TRANSIT: figures.in_transit_fen,
        LedgerKind.RESERVED: figures.reserved_fen,
        LedgerKind.AVAILABLE: figures.available_fen,
    }
    whole = figures.appropriated_fen
    drawn, before = [], 0
    for kind, colour in _COLOURS:
        start, end = thousandths(before, whole), thousandths(before + parts[kind], whole)
        drawn.append(Segment(kind.label, yuan(parts[kind]), start, end - start, colour))
        before += parts[kind]
    return drawn


class AppropriationForm(forms.Form):
    amount_fen = YuanField(label=_("Amount"))
    key = forms.CharField(
        label=_("Number of the document"),
        max_length=80,
        help_text=_("The budget document; the same number is booked once only."),
    )
    reason = forms.CharField(label=_("What it is for"), max_length=300)


def _open_fund(obj: None, by: Account, data: dict[str, Any]) -> str:
    fund = ledger.open_fund(by=by, **data)
    return reverse("admin:disbursement_fund_change", args=[fund.pk])


@admin.register(Fund)
class FundAdmin(ScopedModelAdmin):
    section = "money"
    icon = "savings"
    order = 10
    view_permissions = (Permission.FUND_VIEW,)
    list_display = (
        "shown_name",
        "code",
        "year",
        "appropriated",
        "reserved",
        "in_transit",
        "spent",
        "available",
    )
    list_filter = ("year", "is_active")
    list_select_related = ("organization",)
    search_fields = ("name", "code")
    change_form_outer_before_template = "disbursement/fund_head.html"
    fields = (
        "shown_name",
        "code",
        "year",
        "shown_organization",
        "source",
        "shown_schemes",
        "bank_format",
        "payer_name",
        "shown_account",
        "shown_tiers",
        "is_active",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="open",
            label=_("Open a fund"),
            permission=Permission.FUND_APPROPRIATE,
            act=_open_fund,
            explain=_("Earmarked money for the uses that you name, and for no other."),
            done=_("The fund is open."),
            form_for=fund_form,
            reauth=True,
        ),
    )
    buttons = (
        Button(
            name="appropriate",
            label=_("Record an appropriation"),
            permission=Permission.FUND_APPROPRIATE,
            act=lambda obj, by, data: ledger.appropriate(fund=obj, by=by, **data) and None,
            explain=_("Money that the budget gave to the fund. It is booked, never edited."),
            done=_("The appropriation is booked."),
            form=AppropriationForm,
            reauth=True,
        ),
    )

    shown_name = column("name", _("fund"))
    shown_organization = column("organization", _("union"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fund]:
        return super().get_queryset(request).prefetch_related("ledger_accounts")

    def _balance(self, fund: Fund, kind: str) -> str:
        held = {account.kind: account.balance_fen for account in fund.ledger_accounts.all()}
        return yuan(held.get(kind, 0))

    @admin.display(description=_("appropriated"))
    def appropriated(self, fund: Fund) -> str:
        held = {account.kind: account.balance_fen for account in fund.ledger_accounts.all()}
        return yuan(-held.get(LedgerKind.SOURCE, 0))

    @admin.display(description=_("available"))
    def available(self, fund: Fund) -> str:
        return self._balance(fund, "available")

    @admin.display(description=_("reserved"))
    def reserved(self, fund: Fund) -> str:
        return self._balance(fund, "reserved")

    @admin.display(description=_("in transit"))
    def in_transit(self, fund: Fund) -> str:
        return self._balance(fund, "transit")

    @admin.display(description=_("spent"))
    def spent(self, fund: Fund) -> str:
        return self._balance(fund, "spent")

    @admin.display(description=_("payer's account"))
    def shown_account(self, fund: Fund) -> str:
        return masked(fund.payer_account[-4:])

    @admin.display(description=_("uses"))
    def shown_schemes(self, fund: Fund) -> str:
        titles = scheme_titles()
        return enumerated(titles.get(code, code) for code in fund.schemes)

    @admin.display(description=_("approval tiers"))
    def shown_tiers(self, fund: Fund) -> str:
        told = [
            f"≥ {yuan(tier['from_fen'])}: "
            + enumerated(BatchStep(step).label for step in tier["steps"])
            for tier in fund.approval_tiers
        ]
        return "；".join(told) or "–"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        fund = self.get_object(request, object_id)
        now = ledger.figures(fund) if isinstance(fund, Fund) else None
        context = {
            "segments": segments(now) if now else [],
            "appropriated": yuan(now.appropriated_fen) if now else "",
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def facts(self, request: HttpRequest, obj: Fund) -> list[Fact]:
        now = ledger.figures(obj)
        return [
            Fact(_("appropriated"), yuan(now.appropriated_fen)),
            Fact(_("available"), yuan(now.available_fen), "good" if now.available_fen else "wait"),
        ]

    def trail(self, request: HttpRequest, obj: Fund) -> list[Step]:
        return trail_of(obj)

    def panels(self, request: HttpRequest, obj: Fund) -> list[Panel]:
        entries = obj.entries.select_related("recorded_by", "batch").prefetch_related("postings")
        rows = [
            (
                stamp(entry.recorded_at),
                entry.get_kind_display(),
                yuan(sum(p.amount_fen for p in entry.postings.all() if p.amount_fen > 0)),
                link(entry.batch) if entry.batch else "",
                entry.recorded_by or "",
                entry.reason,
            )
            for entry in entries[:ENTRIES_SHOWN]
        ]
        columns = (_("When"), _("Kind"), _("Amount"), _("Batch"), _("By"), _("Reason"))
        return [
            Panel(
                _("Latest ledger entries"),
                columns,
                rows,
                link=reverse("admin:disbursement_entry_changelist") + f"?fund__id__exact={obj.pk}",
                link_text=_("All entries"),
            )
        ]
