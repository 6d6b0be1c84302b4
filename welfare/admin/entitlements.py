"""What is owed to whom, whether it is paid, and everything that happened to it."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import Person
from members.queries import in_an_address, matches
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every, export_button, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.filters import in_words, scheme_titles
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step
from union_portal.downloads import download_sheet
from union_portal.kit import money
from union_portal.kit.sheets import SheetData, write_xlsx
from union_portal.models import Account
from welfare import queries
from welfare.actions import exports
from welfare.admin.shown import (
    column,
    link,
    masked,
    shown_state,
    titled,
    with_scheme_title,
    yuan,
)
from welfare.disbursement import candidates, entitlements
from welfare.disbursement.models import Entitlement, PayoutLine
from welfare.disbursement.states import IN_TRANSIT, UNPAID, EntitlementState, LineState, MotionState
from welfare.models import MerchantStatement

_TONES = {LineState.PAID: "good", LineState.FAILED: "bad", LineState.RETURNED: "bad"}
_ROWS_AT_ONCE = 2000


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


def _payment_under_way(entitlement: Entitlement, account: Account) -> Text | None:
    if not Entitlement.objects.unpaid().filter(pk=entitlement.pk).exists():
        return _("A payment is under way or was made.")
    return None


def _moved_already(entitlement: Entitlement, account: Account) -> Text | None:
    if entitlement.motions.filter(state=MotionState.MOVED).exists():
        return _("It is moved already and waits for a second person.")
    return None


def _withdrawn(entitlement: Entitlement) -> Text:
    """Where its decision was withdrawn or replaced, that was the other person's act."""
    entitlement.refresh_from_db(fields=["state"])
    if entitlement.state == EntitlementState.WITHDRAWN:
        return _("It has ended, as its decision has; the money is back in the fund.")
    return _("The withdrawal waits for a second person: see “Acts of two people” below.")


_ENDABLE = every(only_in(EntitlementState.GRANTED), _payment_under_way, _moved_already)


class PaymentFilter(admin.SimpleListFilter):
    """Where the newest attempt to pay stands."""

    title = _("payment")
    parameter_name = "payment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("waits", _("waits for a batch")),
            ("under-way", _("under way")),
            ("paid", _("paid")),
            ("failed", _("failed, to be issued again")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        granted = Q(state=EntitlementState.GRANTED)
        conditions = {
            "waits": granted & Q(line_state=None),
            "under-way": Q(line_state__in=[LineState.READY, *IN_TRANSIT]),
            "paid": Q(line_state=LineState.PAID),
            "failed": granted & Q(line_state__in=UNPAID),
        }
        chosen = self.value()
        return queryset.filter(conditions[chosen]) if chosen in conditions else None


def known_by(entitlement: Entitlement) -> str:
    """The masked identity number, or a merchant's credit code."""
    if entitlement.merchant is not None:
        return entitlement.merchant.uscc
    return entitlement.person.national_id_shown if entitlement.person else ""


@transaction.atomic
def _export(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
    rows = exports.begin(
        rows=Entitlement.objects.with_last_line(), by=by, path="organization__path"
    )
    sheet = BytesIO()
    headers = (
        gettext("Entitlement"), gettext("Person"), gettext("Identity number"), gettext("Union"),
        gettext("Scheme"), gettext("Period"), gettext("Amount"), gettext("State"),
        gettext("Payment"),
    )  # fmt: skip
    widths = (14, 14, 22, 36, 24, 10, 14, 12, 18)
    write_xlsx(sheet, [SheetData(gettext("Entitlements"), headers, _sheet_rows(rows), widths)])
    return download_sheet(sheet, name=f"entitlements-{timezone.localdate():%Y%m%d}.xlsx")


def _sheet_rows(rows: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
    """Identity numbers only as masked."""
    titles = scheme_titles()
    for row in rows.select_related("person", "merchant", "organization").iterator(_ROWS_AT_ONCE):
        yield (
            str(row),
            str(row.payee_row),
            known_by(row),
            row.organization.name,
            titles.get(row.scheme, row.scheme),
            row.period,
            money.yuan(row.amount_fen),
            str(row.get_state_display()),
            str(LineState(row.line_state).label) if row.line_state else "",
        )


@admin.register(Entitlement)
class EntitlementAdmin(ScopedModelAdmin):
    section = "money"
    icon = "request_quote"
    order = 20
    view_permissions = (Permission.BATCH_VIEW, Permission.FUND_VIEW)
    list_display = (
        "__str__",
        "shown_name",
        "national_id",
        "shown_scheme",
        "period",
        "amount",
        "shown_organization",
        "payment",
        shown_state,
    )
    list_filter = (
        PaymentFilter,
        ("state", titled(_("state"), admin.ChoicesFieldListFilter)),
        ("scheme", in_words(_("scheme"), scheme_titles)),
        "period",
        ("fund", titled(_("fund"))),
    )
    list_select_related = ("person", "merchant", "organization", "fund")
    search_fields = ("person__name",)
    fields = (
        "shown_person",
        "national_id",
        "shown_scheme",
        "period",
        "amount",
        "shown_fund",
        "shown_organization",
        "shown_decision",
        "shown_adjusts",
        "shown_granted",
    )
    readonly_fields = fields
    list_buttons = (export_button(_export),)
    buttons = (
        Button(
            name="withdraw",
            label=_("Withdraw"),
            permission=Permission.BATCH_MAKE,
            act=lambda obj, by, data: (
                entitlements.withdraw(entitlement=obj, by=by, **data) and None
            ),
            explain=_("The money goes back to the fund. It takes a second person."),
            done=_withdrawn,
            why_not=_ENDABLE,
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
            why_not=_ENDABLE,
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
    )

    shown_organization = column("organization", _("union"))
    shown_decision = column("decision", _("decision"))
    shown_granted = column("granted_at", _("granted at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return with_scheme_title(rows.with_last_line())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the person's name, pinyin, initials, exact identity number or phone; by E00000001,
        or by S202610-000001, a merchant's statement."""
        typed = search_term.strip()
        if not typed:
            return queryset, False
        if typed[0] in "Ee" and typed[1:].isdecimal():
            return queryset.filter(pk=int(typed[1:])), False
        if typed[0] in "Ss" and typed[1:2].isdecimal():
            owed = {"decision__merchant_statement__number__startswith": typed.upper()}
            return queryset.filter(**owed), False
        return queryset.filter(person__in=Person.objects.filter(matches(typed)).values("pk")), False

    def in_an_address(self, searched: str) -> str:
        return in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _(
            "Name, pinyin, initials, a whole identity number or phone, E and digits, or the"
            " number of a statement"
        )

    @admin.display(description=_("payee"), ordering=Coalesce("person__name", "merchant__name"))
    def shown_name(self, entitlement: Entitlement) -> str:
        return str(entitlement.payee_row)

    @admin.display(description=_("ID or credit code"))
    def national_id(self, entitlement: Entitlement) -> str:
        return known_by(entitlement)

    @admin.display(description=_("scheme"), ordering="scheme")
    def shown_scheme(self, entitlement: Any) -> str:
        return str(entitlement.scheme_title)

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, entitlement: Entitlement) -> str:
        return yuan(entitlement.amount_fen)

    @admin.display(description=_("payment"))
    def payment(self, entitlement: Any) -> str:
        return str(LineState(entitlement.line_state).label) if entitlement.line_state else "–"

    @admin.display(description=_("payee"))
    def shown_person(self, entitlement: Entitlement) -> Any:
        """A merchant in words alone: its own page is closed to finance, its statement is not."""
        return entitlement.merchant or link(entitlement.payee_row)

    @admin.display(description=_("fund"))
    def shown_fund(self, entitlement: Entitlement) -> Any:
        return link(entitlement.fund)

    @admin.display(description=_("adds to"))
    def shown_adjusts(self, entitlement: Entitlement) -> Any:
        return link(entitlement.adjusts) if entitlement.adjusts else "–"

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        return [
            Fact(_("Amount"), yuan(obj.amount_fen)),
            Fact(_("Sum in words"), money.in_words(obj.amount_fen, prefix=True)),
            Fact(_("State"), obj.get_state_display()),
            _payment(obj),
            *_statement(obj),
        ]

    def panels(self, request: HttpRequest, obj: Entitlement) -> list[Panel]:
        lines = PayoutLine.objects.filter(entitlement=obj).select_related("batch")
        rows = [
            (
                line.attempt,
                link(line.batch),
                link(line),
                f"{line.bank_name} {masked(line.account_last_four)}",
                line.get_state_display(),
            )
            for line in lines.defer("account_number").order_by("attempt")
        ]
        columns = (_("Attempt"), _("Batch"), _("Payment"), _("Account"), _("State"))
        steps = [
            (step["clause"], told(step), yuan(step["amount_fen"])) for step in obj.decision.steps
        ]
        moved = [
            (link(motion), motion.reason, motion.moved_by, motion.get_state_display())
            for motion in obj.motions.select_related("moved_by")
        ]
        panels = [
            Panel(_("How the sum came about"), (_("Clause"), _("Why"), _("Amount")), steps),
            Panel(_("Attempts to pay"), columns, rows),
        ]
        if moved:
            heads = (_("Act of two people"), _("Reason"), _("Moved by"), _("State"))
            panels.append(Panel(_("Acts of two people"), heads, moved))
        return panels

    def trail(self, request: HttpRequest, obj: Entitlement) -> list[Step]:
        return steps_of(obj)


def _statement(entitlement: Entitlement) -> list[Fact]:
    """The merchant's statement that became this, use by use."""
    if entitlement.merchant_id is None:
        return []
    found = MerchantStatement.objects.filter(decision=entitlement.decision_id)
    return [Fact(_("Statement of a merchant"), link(statement)) for statement in found]


def _payment(entitlement: Any) -> Fact:
    """Where the money is: the newest attempt, else what it waits for, else that it has ended."""
    state = entitlement.line_state
    if entitlement.state != EntitlementState.GRANTED:
        return Fact(_("Payment"), _("none: it has ended, the money is back in the fund"))
    if state:
        return Fact(_("Payment"), LineState(state).label, _TONES.get(state, "wait"))
    held_back = candidates.held_back(entitlement)
    waits_for = held_back.label if held_back else _("waits for a batch")
    return Fact(_("Payment"), waits_for, "wait")


def steps_of(entitlement: Entitlement) -> list[Step]:
    """The whole way of one entitlement's decision, as staff see it."""
    return [
        Step(event.at, event.who, event.title, event.text)
        for event in queries.timeline(entitlement.decision)
    ]
