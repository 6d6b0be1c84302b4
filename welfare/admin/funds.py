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

from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text
from union_portal.admin.fields import ReasonForm, union_field
from union_portal.admin.filters import scheme_titles
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step, trail_of
from union_portal.forms import YuanField
from union_portal.models import Account
from welfare.admin.shown import column, link, list_url, masked, stamp, titled, yuan
from welfare.disbursement import ledger
from welfare.disbursement.models import (
    BankFormat,
    BatchStep,
    Entry,
    EntryKind,
    Fund,
    LedgerAccount,
    LedgerKind,
    Posting,
)

ENTRIES_SHOWN = 30


def fund_form(obj: None, by: Account) -> type[forms.Form]:
    class FundForm(forms.Form):
        code = forms.SlugField(label=_("Code"), max_length=40)
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
    whole = figures.appropriated_fen or 1
    drawn, before = [], 0
    for kind, colour in _COLOURS:
        start, end = before * 1000 // whole, (before + parts[kind]) * 1000 // whole
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
        return "、".join(titles.get(code, code) for code in fund.schemes)

    @admin.display(description=_("approval tiers"))
    def shown_tiers(self, fund: Fund) -> str:
        told = [
            f"≥ {yuan(tier['from_fen'])}: "
            + "、".join(str(BatchStep(step).label) for step in tier["steps"])
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


def _not_reversible(entry: Entry, account: Account) -> Text | None:
    if entry.kind != EntryKind.APPROPRIATE:
        return _("Only an appropriation is reversed by hand; others follow their payments.")
    return None


@admin.register(Entry)
class EntryAdmin(ScopedModelAdmin):
    section = "money"
    icon = "menu_book"
    order = 60
    view_permissions = (Permission.FUND_VIEW,)
    scope_path = "fund__organization__path"
    list_display = (
        "shown_at",
        "kind",
        "shown_fund",
        "amount",
        "shown_batch",
        "shown_recorder",
        "reason",
    )
    list_filter = (
        "kind",
        ("fund", titled(_("fund"))),
        ("recorded_at", titled(_("recorded at"), admin.DateFieldListFilter)),
    )
    list_select_related = ("fund__organization", "batch", "recorded_by")
    search_fields = ("=key", "=batch__number")
    fields = (
        "shown_fund",
        "kind",
        "shown_key",
        "shown_batch",
        "amount",
        "reason",
        "shown_recorder",
        "shown_at",
    )
    readonly_fields = fields
    shows_trail = False
    buttons = (
        Button(
            name="reverse",
            label=_("Book it back"),
            permission=Permission.FUND_APPROPRIATE,
            act=lambda obj, by, data: ledger.reverse(entry=obj, by=by, **data) and None,
            explain=_("A reversing entry is added; this one stays as it is."),
            why_not=_not_reversible,
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
    )

    shown_at = column("recorded_at", _("recorded at"))
    shown_fund = column("fund", _("fund"))
    shown_key = column("key", _("document or event"))
    shown_batch = column("batch", _("batch"))
    shown_recorder = column("recorded_by", _("recorded by"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).prefetch_related("postings")

    @admin.display(description=_("amount"))
    def amount(self, entry: Entry) -> str:
        return yuan(sum(p.amount_fen for p in entry.postings.all() if p.amount_fen > 0))

    def panels(self, request: HttpRequest, obj: Entry) -> list[Panel]:
        rows = [
            (posting.position, posting.account.get_kind_display(), yuan(posting.amount_fen))
            for posting in obj.postings.select_related("account")
        ]
        return [Panel(_("Postings"), (_("No."), _("Ledger account"), _("Amount")), rows)]


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ScopedModelAdmin):
    section = "money"
    icon = "account_tree"
    order = 59
    view_permissions = (Permission.FUND_VIEW,)
    scope_path = "fund__organization__path"
    list_display = ("shown_fund", "kind", "balance")
    list_display_links = ("kind",)
    list_filter = ("kind", ("fund", titled(_("fund"))))
    list_select_related = ("fund__organization",)
    search_fields = ("fund__name", "=fund__code")
    ordering = ("fund", "id")
    fields = ("shown_fund", "kind", "balance")
    readonly_fields = fields
    shows_trail = False

    shown_fund = column("fund", _("fund"))

    @admin.display(description=_("balance"), ordering="balance_fen")
    def balance(self, account: LedgerAccount) -> str:
        return yuan(account.balance_fen)

    def panels(self, request: HttpRequest, obj: LedgerAccount) -> list[Panel]:
        posted = obj.postings.select_related("entry__batch").order_by("-entry_id")
        rows = [
            (
                stamp(posting.entry.recorded_at),
                link(posting.entry, posting.entry.get_kind_display()),
                yuan(posting.amount_fen),
                posting.entry.batch or "",
            )
            for posting in posted[:ENTRIES_SHOWN]
        ]
        columns = (_("When"), _("Kind"), _("Amount"), _("Batch"))
        return [
            Panel(
                _("Latest postings"),
                columns,
                rows,
                link=list_url(Posting, account__id__exact=obj.pk),
                link_text=_("All postings"),
            )
        ]


@admin.register(Posting)
class PostingAdmin(ScopedModelAdmin):
    section = "money"
    icon = "format_list_numbered"
    order = 61
    view_permissions = (Permission.FUND_VIEW,)
    scope_path = "entry__fund__organization__path"
    list_display = ("recorded_at", "entry_kind", "account_kind", "amount", "fund")
    list_filter = (
        ("account__kind", titled(_("ledger account"), admin.ChoicesFieldListFilter)),
        "entry__kind",
        ("entry__fund", titled(_("fund"))),
        ("entry__recorded_at", titled(_("recorded at"), admin.DateFieldListFilter)),
    )
    list_select_related = ("entry__fund__organization", "account")
    search_fields = ("=entry__key", "=entry__batch__number")
    ordering = ("-entry_id", "position")
    fields = ("shown_entry", "recorded_at", "account_kind", "amount", "fund")
    readonly_fields = fields
    shows_trail = False

    @admin.display(description=_("ledger entry"))
    def shown_entry(self, posting: Posting) -> Any:
        return link(posting.entry)

    @admin.display(description=_("recorded at"), ordering="entry__recorded_at")
    def recorded_at(self, posting: Posting) -> str:
        return stamp(posting.entry.recorded_at)

    @admin.display(description=_("kind"))
    def entry_kind(self, posting: Posting) -> str:
        return str(posting.entry.get_kind_display())

    @admin.display(description=_("ledger account"))
    def account_kind(self, posting: Posting) -> str:
        return str(posting.account.get_kind_display())

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, posting: Posting) -> str:
        return yuan(posting.amount_fen)

    @admin.display(description=_("fund"))
    def fund(self, posting: Posting) -> Any:
        return posting.entry.fund
