"""Merchants' statements as staff work on them: issued, answered, approved, printed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from union_portal import access, reports
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, every, not_by, only_in
from union_portal.admin.fields import DateInput
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.trail import name_acts
from union_portal.models import Account
from welfare.actions import settlements
from welfare.admin.shown import column, link, stamp, yuan
from welfare.disbursement.models import Entitlement
from welfare.models import MerchantStatement, StatementLine
from welfare.queries.settlements import by_offer, counted_fen
from welfare.states import StatementLineState, StatementState

LINES_SHOWN = 100
# Whoever looks after merchants, and whoever pays what a statement comes to.
READERS = (Permission.BENEFIT_VIEW, Permission.BATCH_VIEW)

name_acts(
    {
        "merchantstatement.issue": gettext_noop("Statements issued"),
        "merchantstatement.accept": gettext_noop("Accepted by the merchant"),
    }
)


class MonthForm(forms.Form):
    month = forms.DateField(
        label=_("Month"),
        widget=DateInput(),
        help_text=_("Any day of the month whose uses are settled; it must be over."),
    )


class WordsForm(forms.Form):
    words = forms.CharField(
        label=_("Reason"),
        min_length=10,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The merchant reads it."),
    )


class AnswerForm(WordsForm):
    is_kept = forms.TypedChoiceField(
        label=_("Outcome"),
        choices=[("", "—"), ("yes", _("the line counts")), ("no", _("the line is taken off"))],
        coerce=lambda chosen: chosen == "yes",
        empty_value=None,
    )
    field_order = ("is_kept", "words")


def _issue(obj: None, by: Account, data: dict[str, Any]) -> Told:
    count = settlements.issue(
        month=data["month"], by=by, now=timezone.now(), today=timezone.localdate()
    )
    return Told(
        _("Each merchant reads its own. Those issued before stay as they are."),
        gettext("%(count)s statements were issued.") % {"count": count},
    )


def _approve(obj: MerchantStatement, by: Account, data: dict[str, Any]) -> None:
    settlements.approve(statement=obj, by=by, now=timezone.now(), today=timezone.localdate())


def _waiting(account: Account, permission: Permission) -> QuerySet[MerchantStatement]:
    return MerchantStatement.objects.filter(
        access.scope(account, permission), state=StatementState.ISSUED
    )


def ripe(account: Account) -> QuerySet[MerchantStatement]:
    """Statements that may be approved today by this account."""
    disputed = Count("lines", filter=Q(lines__state=StatementLineState.DISPUTED))
    return (
        _waiting(account, Permission.SETTLEMENT_APPROVE)
        .annotate(disputed=disputed)
        .filter(
            Q(accepted_at__isnull=False) | Q(disputes_until__lt=timezone.localdate()), disputed=0
        )
        .exclude(prepared_by=account)
    )


def _paper(kind: str) -> Any:
    def ask(obj: MerchantStatement, by: Account, data: dict[str, Any]) -> str:
        run = reports.request(kind=kind, subject=obj, by=by, organization=obj.organization)
        return reverse("portal:job", args=[run.job_id])

    return ask


def _facts(statement: MerchantStatement, by: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Merchant"), statement.merchant),
        (_("Month"), f"{statement.month:%Y-%m}"),
        (_("Issued"), f"{statement.lines_count} · {yuan(statement.total_fen)}"),
        (_("Counts now"), yuan(counted_fen(statement))),
        (_("Budget left"), yuan(_left(statement))),
    ]


def _left(statement: MerchantStatement) -> int:
    return statement.programme.budget_fen - statement.programme.committed_fen


@admin.register(MerchantStatement)
class MerchantStatementAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "receipt_long"
    order = 60
    view_permissions = READERS
    list_display = (
        "number",
        "shown_merchant",
        "shown_month",
        "lines_count",
        "amount",
        "disputes_until",
        "state",
    )
    list_filter = ("state", "month", "organization")
    list_select_related = ("merchant", "organization")
    search_fields = ("number__startswith", "merchant__name", "=merchant__uscc")
    fields = (
        "number",
        "shown_merchant",
        "programme",
        "shown_month",
        "lines_count",
        "amount",
        "counted",
        "disputes_until",
        "accepted_at",
        "prepared_by",
        "prepared_at",
        "approved_by",
        "approved_at",
        "shown_decision",
        "reason",
        "state",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="issue",
            label=_("Issue a month's statements"),
            permission=Permission.SETTLEMENT_PREPARE,
            act=_issue,
            explain=_("One for every merchant with subsidised uses; those issued already stay."),
            form=MonthForm,
        ),
    )
    buttons = (
        Button(
            name="approve",
            label=_("Approve for payment"),
            permission=Permission.SETTLEMENT_APPROVE,
            act=_approve,
            explain=_("The merchant is owed what counts; the money is reserved at once."),
            done=_("Approved: finance can pay it with the next batch."),
            why_not=every(
                only_in(StatementState.ISSUED),
                not_by("prepared_by", _("You issued it yourself: a colleague approves it.")),
            ),
            facts=_facts,
        ),
        Button(
            name="pdf",
            label=_("Print the statement"),
            permission=Permission.BENEFIT_VIEW,
            act=_paper("merchant_statement_pdf"),
            explain=_("A PDF with the sums by offer and every use."),
            done=_("The report is being made."),
        ),
        Button(
            name="xlsx",
            label=_("Statement as spreadsheet"),
            permission=Permission.BENEFIT_VIEW,
            act=_paper("merchant_statement_xlsx"),
            explain=_("The same lines for machines."),
            done=_("The report is being made."),
        ),
        Button(
            name="cancel",
            label=_("Cancel the statement"),
            permission=Permission.SETTLEMENT_PREPARE,
            act=lambda obj, by, data: settlements.cancel(
                statement=obj, reason=data["words"], by=by
            ),
            explain=_("Its uses may stand in another statement of the month."),
            why_not=only_in(StatementState.ISSUED),
            form=WordsForm,
            danger=True,
        ),
    )

    shown_merchant = column("merchant", _("merchant"))
    shown_decision = column("decision", _("decision"))

    @admin.display(description=_("month"), ordering="month")
    def shown_month(self, statement: MerchantStatement) -> str:
        return f"{statement.month:%Y-%m}"

    @admin.display(description=_("amount"), ordering="total_fen")
    def amount(self, statement: MerchantStatement) -> str:
        return yuan(statement.total_fen)

    @admin.display(description=_("counts now"))
    def counted(self, statement: MerchantStatement) -> str:
        return yuan(counted_fen(statement))

    def facts(self, request: HttpRequest, obj: MerchantStatement) -> list[Fact]:
        disputed = obj.lines.filter(state=StatementLineState.DISPUTED).count()
        told = [Fact(_("Counts now"), yuan(counted_fen(obj)))]
        if disputed:
            told.append(Fact(_("Disputed lines"), disputed, "bad"))
        if obj.accepted_at:
            told.append(Fact(_("Accepted by the merchant"), stamp(obj.accepted_at), "good"))
        return [*told, *_owed(obj, reader(request))]

    def panels(self, request: HttpRequest, obj: MerchantStatement) -> list[Panel]:
        offers = [
            (row["title"], row["count"], yuan(row["each"]), yuan(row["fen"]))
            for row in by_offer(obj)
        ]
        lines = obj.lines.select_related("redemption__offer", "redemption__place")
        shown = [
            (
                link(line, str(line.position)),
                line.redemption,
                stamp(line.redemption.redeemed_at),
                line.redemption.offer,
                line.yuan,
                line.get_state_display(),
            )
            for line in lines.order_by("position")[:LINES_SHOWN]
        ]
        every_line = reverse("admin:welfare_statementline_changelist")
        return [
            Panel(
                _("By offer"),
                (_("Offer"), _("Times used"), _("Each (yuan)"), _("Amount (yuan)")),
                offers,
            ),
            Panel(
                _("Uses one by one"),
                (_("Line"), _("Use"), _("When"), _("Offer"), _("Amount (yuan)"), _("State")),
                shown,
                link=f"{every_line}?statement__id__exact={obj.pk}",
                link_text=_("Every line"),
            ),
        ]


def _owed(statement: MerchantStatement, account: Account) -> list[Fact]:
    """What an approved statement became, for those who follow the money from here on."""
    may_follow = any(
        access.may(account, permission, statement.organization)
        for permission in (Permission.BATCH_VIEW, Permission.FUND_VIEW)
    )
    if statement.decision_id is None or not may_follow:
        return []
    owed = Entitlement.objects.filter(decision=statement.decision_id)
    return [Fact(_("Entitlement"), link(one)) for one in owed]


@admin.register(StatementLine)
class StatementLineAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "list_alt"
    order = 61
    view_permissions = READERS
    scope_path = "statement__organization__path"
    list_display = ("shown_statement", "position", "redemption", "shown_offer", "amount", "state")
    list_filter = ("state",)
    list_select_related = ("statement", "redemption__offer")
    search_fields = ("statement__number__startswith",)
    fields = (
        "shown_statement",
        "position",
        "redemption",
        "shown_offer",
        "used_at",
        "amount",
        "words",
        "disputed_by",
        "disputed_at",
        "answer",
        "answered_by",
        "answered_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="dispute",
            label=_("Dispute the line"),
            permission=Permission.SETTLEMENT_PREPARE,
            act=lambda obj, by, data: settlements.dispute(
                line=obj, by=by, now=timezone.now(), today=timezone.localdate(), **data
            ),
            explain=_("Nothing of the statement is approved before somebody else has answered."),
            why_not=only_in(StatementLineState.COUNTED),
            form=WordsForm,
        ),
        Button(
            name="answer",
            label=_("Answer the dispute"),
            permission=Permission.SETTLEMENT_PREPARE,
            act=lambda obj, by, data: settlements.answer(
                line=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The line counts on, or is taken off."),
            why_not=every(
                only_in(StatementLineState.DISPUTED),
                not_by("disputed_by", _("You disputed it yourself: a colleague answers.")),
            ),
            form=AnswerForm,
        ),
    )

    shown_statement = column("statement", _("statement"))

    @admin.display(description=_("offer"))
    def shown_offer(self, line: StatementLine) -> str:
        return str(line.redemption.offer)

    @admin.display(description=_("used at"))
    def used_at(self, line: StatementLine) -> str:
        return stamp(line.redemption.redeemed_at)

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, line: StatementLine) -> str:
        return line.yuan


def _disputed(account: Account) -> QuerySet[StatementLine]:
    reach = access.scope(account, Permission.SETTLEMENT_PREPARE, "statement__organization__path")
    disputed = StatementLine.objects.filter(reach, state=StatementLineState.DISPUTED)
    return disputed.exclude(disputed_by=account)


desk.add_queue(
    desk.Queue(
        "statements",
        _("Statements to approve"),
        Permission.SETTLEMENT_APPROVE,
        MerchantStatement,
        ripe,
        icon="receipt_long",
    ),
    desk.Queue(
        "disputed-lines",
        _("Disputed lines to answer"),
        Permission.SETTLEMENT_PREPARE,
        StatementLine,
        _disputed,
        icon="gavel",
    ),
)
