"""Funds, their ledger, and what is owed from them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text
from union_portal.admin.fields import ReasonForm, union_field
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.models import Account
from welfare import queries
from welfare.disbursement import entitlements, ledger
from welfare.disbursement.models import BankFormat, Entitlement, Entry, EntryKind, Fund
from welfare.disbursement.states import EntitlementState, LineState

ENTRIES_SHOWN = 30


def yuan(fen: int | None) -> str:
    return "" if fen is None else f"¥{money.yuan(fen)}"


def fund_form(obj: None, by: Account) -> type[forms.Form]:
    class FundForm(forms.Form):
        code = forms.SlugField(label=_("Code"), max_length=40)
        name = forms.CharField(label=_("Name"), max_length=120)
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
    list_display = ("name", "code", "year", "available", "reserved", "in_transit", "spent")
    list_filter = ("year", "is_active")
    search_fields = ("name", "code")
    fields = (
        "name",
        "code",
        "year",
        "organization",
        "source",
        "schemes",
        "bank_format",
        "payer_name",
        "shown_account",
        "approval_tiers",
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fund]:
        return super().get_queryset(request).prefetch_related("ledger_accounts")

    def _balance(self, fund: Fund, kind: str) -> str:
        held = {account.kind: account.balance_fen for account in fund.ledger_accounts.all()}
        return yuan(held.get(kind, 0))

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
        return f"************{fund.payer_account[-4:]}"

    def facts(self, request: HttpRequest, obj: Fund) -> list[Fact]:
        now = ledger.figures(obj)
        return [
            Fact(_("appropriated"), yuan(now.appropriated_fen)),
            Fact(_("available"), yuan(now.available_fen), "good" if now.available_fen else "wait"),
            Fact(_("reserved"), yuan(now.reserved_fen)),
            Fact(_("in transit"), yuan(now.in_transit_fen)),
            Fact(_("spent"), yuan(now.spent_fen)),
        ]

    def panels(self, request: HttpRequest, obj: Fund) -> list[Panel]:
        entries = obj.entries.select_related("recorded_by", "batch").prefetch_related("postings")
        rows = [
            (
                entry.recorded_at.strftime("%Y-%m-%d %H:%M"),
                entry.get_kind_display(),
                yuan(sum(p.amount_fen for p in entry.postings.all() if p.amount_fen > 0)),
                entry.batch or "",
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
    list_display = ("recorded_at", "kind", "fund", "amount", "batch", "recorded_by", "reason")
    list_filter = ("kind", "fund")
    list_select_related = ("fund__organization", "batch", "recorded_by")
    search_fields = ("=key",)
    fields = ("fund", "kind", "key", "batch", "amount", "reason", "recorded_by", "recorded_at")
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).prefetch_related("postings")

    @admin.display(description=_("amount"))
    def amount(self, entry: Entry) -> str:
        return yuan(sum(p.amount_fen for p in entry.postings.all() if p.amount_fen > 0))


@admin.register(Entitlement)
class EntitlementAdmin(ScopedModelAdmin):
    section = "money"
    icon = "request_quote"
    order = 20
    view_permissions = (Permission.BATCH_VIEW, Permission.FUND_VIEW)
    list_display = (
        "__str__",
        "person",
        "scheme",
        "period",
        "amount",
        "organization",
        "payment",
        "state",
    )
    list_filter = ("state", "scheme", "period", "fund")
    list_select_related = ("person", "organization", "fund")
    search_fields = ("person__name__startswith", "=person__national_id_shown", "=id")
    fields = (
        "person",
        "scheme",
        "period",
        "amount",
        "fund",
        "organization",
        "decision",
        "adjusts",
        "granted_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="withdraw",
            label=_("Withdraw"),
            permission=Permission.BATCH_MAKE,
            act=lambda obj, by, data: (
                entitlements.withdraw(entitlement=obj, by=by, **data) and None
            ),
            explain=_("The money goes back to the fund. It takes a second person."),
            done=_("The withdrawal waits for a second person."),
            why_not=lambda obj, account: _gone(obj),
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
        Button(
            name="write-off",
            label=_("Write off"),
            permission=Permission.BATCH_MAKE,
            act=lambda obj, by, data: (
                entitlements.write_off(entitlement=obj, by=by, **data) and None
            ),
            explain=_("For money that can't reach the person. It takes a second person."),
            done=_("The write-off waits for a second person."),
            why_not=lambda obj, account: _gone(obj),
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        within = super().get_queryset(request)
        return Entitlement.objects.with_last_line().filter(pk__in=within.values("pk"))

    @admin.display(description=_("amount"))
    def amount(self, entitlement: Entitlement) -> str:
        return yuan(entitlement.amount_fen)

    @admin.display(description=_("payment"))
    def payment(self, entitlement: Any) -> Any:
        state = entitlement.line_state
        return str(LineState(state).label) if state else "–"

    def panels(self, request: HttpRequest, obj: Entitlement) -> list[Panel]:
        lines = obj.lines.select_related("batch").order_by("attempt")
        rows = [
            (
                line.attempt,
                format_html(
                    '<a href="{}">{}</a>',
                    reverse("admin:disbursement_payoutbatch_change", args=[line.batch_id]),
                    line.batch.number,
                ),
                line.e2e,
                f"{line.bank_name} …{line.account_last_four}",
                line.get_state_display(),
            )
            for line in lines
        ]
        columns = (_("Attempt"), _("Batch"), _("Payment"), _("Account"), _("State"))
        steps = [
            (step["clause"], told(step), yuan(step["amount_fen"])) for step in obj.decision.steps
        ]
        return [
            Panel(_("Attempts to pay"), columns, rows),
            Panel(_("How the sum came about"), (_("Clause"), _("Why"), _("Amount")), steps),
        ]

    def trail(self, request: HttpRequest, obj: Entitlement) -> list[Step]:
        return [
            Step(event.at, event.who, event.title, event.text)
            for event in queries.timeline(obj.decision)
        ]


def told(step: dict[str, Any]) -> str:
    """A step of an explained sum as a sentence; steps are kept as message ids."""
    if "text" in step:
        return str(step["text"])
    values = {
        name: money.yuan(value) if name.endswith("_fen") else str(value)
        for name, value in step.get("values", {}).items()
    }
    text = gettext(step["message"])
    return text % values if values else text


def _gone(entitlement: Entitlement) -> Text | None:
    if entitlement.state != EntitlementState.GRANTED:
        return _("Not possible while it is “%(state)s”.") % {
            "state": entitlement.get_state_display()
        }
    if not Entitlement.objects.unpaid().filter(pk=entitlement.pk).exists():
        return _("A payment is under way or was made.")
    return None
