"""Merchants' statements: issued for a month, disputed by the line, approved, and owed.

What is approved becomes an entitlement of the merchant and goes the way of all money.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, F, Sum
from django.utils import timezone
from django.utils.translation import gettext_noop

from members.actions.redemptions import UNDO_WITHIN
from members.models import Merchant
from union_portal import access, audit, decisions, lifecycle, notices, turns
from union_portal.access import Permission
from union_portal.kit.refusals import Refused, require_text
from union_portal.models import Account, Decision, DecisionOutcome
from welfare.disbursement import entitlements
from welfare.models import MerchantStatement, StatementLine
from welfare.rules import settlements as rules
from welfare.sample_rules import MERCHANTS
from welfare.states import StatementLineState, StatementState

decisions.check_parameters(MERCHANTS, rules.check)

_SHORTEST_REASON: Final = 10

# Uses of the month that no standing statement holds, of merchants within reach.
_DUE: Final = """
    SELECT r.id, r.merchant_id, r.programme_id, r.subsidy_fen, m.organization_id,
           row_number() OVER (PARTITION BY r.merchant_id, r.programme_id
                              ORDER BY r.redeemed_at, r.id) AS position
    FROM members_redemption r
    JOIN members_merchant m ON m.id = r.merchant_id
    JOIN union_portal_organization o ON o.id = m.organization_id
    WHERE r.state = 'done' AND r.subsidy_fen > 0
      AND r.redeemed_at >= %(first)s AND r.redeemed_at < %(end)s
      AND EXISTS (SELECT 1 FROM unnest(%(reach)s::text[]) AS p WHERE starts_with(o.path, p))
"""
_ISSUE: Final = f"""
    INSERT INTO welfare_merchantstatement (number, merchant_id, programme_id, organization_id,
        month, lines_count, total_fen, disputes_until, prepared_by_id, prepared_at, reason, state)
    SELECT 'S' || to_char(%(month)s::date, 'YYYYMM') || '-' || lpad(d.merchant_id::text, 6, '0')
               || CASE WHEN d.nth > 1 THEN '-' || d.nth ELSE '' END,
           d.merchant_id, d.programme_id, d.organization_id, %(month)s, count(*),
           sum(d.subsidy_fen), %(disputes_until)s, %(by)s, %(now)s, '', 'issued'
    FROM (SELECT due.*, dense_rank() OVER (PARTITION BY due.merchant_id
                                           ORDER BY due.programme_id)
                        + (SELECT count(*) FROM welfare_merchantstatement s
                           WHERE s.merchant_id = due.merchant_id AND s.month = %(month)s) AS nth
          FROM ({_DUE}) due) d
    WHERE NOT EXISTS (SELECT 1 FROM welfare_merchantstatement s
                      WHERE s.merchant_id = d.merchant_id AND s.programme_id = d.programme_id
                        AND s.month = %(month)s AND s.state <> 'cancelled')
    GROUP BY d.merchant_id, d.programme_id, d.organization_id, d.nth
    ORDER BY d.merchant_id
    RETURNING id
"""  # noqa: S608
_LINES: Final = f"""
    INSERT INTO welfare_statementline (statement_id, position, redemption_id, amount_fen,
        words, answer, state)
    SELECT s.id, d.position, d.id, d.subsidy_fen, '', '', 'counted'
    FROM ({_DUE}) d
    JOIN welfare_merchantstatement s ON s.id = ANY(%(made)s)
         AND s.merchant_id = d.merchant_id AND s.programme_id = d.programme_id
    ORDER BY s.id, d.position
"""  # noqa: S608


class SettlementRefused(Refused):
    """A statement can't be issued, disputed or approved as asked."""


@transaction.atomic
def issue(*, month: date, by: Account, now: datetime, today: date) -> int:
    """Issue the statements of a month for every merchant within reach; how many were made.

    Set-based. Merchants who have a standing statement of the month are passed over, so running
    again adds nothing. Errors: PermissionDenied; SettlementRefused for a month that is not over.
    """
    access.require(by, Permission.SETTLEMENT_PREPARE)
    first = rules.first_of_month(month)
    start, end = _bounds(first)
    # A use can be taken back for a few minutes: a month is settled once its last ones are fast.
    if now < end + UNDO_WITHIN:
        raise SettlementRefused(
            gettext_noop("The month %(month)s is not over yet."),
            gettext_noop("Issue its statements from the first day of the next month on."),
            {"month": f"{first:%Y-%m}"},
        )
    days = rules.dispute_days(decisions.rule_set_in_force(MERCHANTS, today).parameters)
    values: dict[str, Any] = {
        "first": start,
        "end": end,
        "month": first,
        "reach": access.reach(by, Permission.SETTLEMENT_PREPARE),
        "disputes_until": today + timedelta(days=days),
        "by": by.pk,
        "now": now,
    }
    # One issues at a time: two at once would each see the same uses.
    turns.take("welfare_settlement")
    with connection.cursor() as cursor:
        cursor.execute(_ISSUE, values)
        values["made"] = [row[0] for row in cursor.fetchall()]
        cursor.execute(_LINES, values)
        count = cursor.rowcount
    made = MerchantStatement.objects.filter(pk__in=values["made"])
    if values["made"]:
        audit.record_ref(
            "merchantstatement.issue",
            MerchantStatement._meta.label_lower,
            "set",
            by=by,
            month=f"{first:%Y-%m}",
            count=len(values["made"]),
            lines=count,
            fen=made.aggregate(fen=Sum("total_fen"))["fen"],
        )
    return len(values["made"])


@transaction.atomic
def dispute(*, line: StatementLine, words: str, by: Account, now: datetime, today: date) -> None:
    """Say what is wrong with a line: the merchant until the last day, staff until approval.

    Errors: PermissionDenied; SettlementRefused; Stale for a line that is disputed already.
    """
    statement = _held(line.statement_id)
    is_merchants = _acts_for(by, statement.merchant)
    if not is_merchants:
        access.require(by, Permission.SETTLEMENT_PREPARE, statement.organization)
    _require_issued(statement)
    if is_merchants and today > statement.disputes_until:
        raise SettlementRefused(
            gettext_noop("Lines could be disputed until %(day)s."),
            gettext_noop("Call the union that looks after you."),
            {"day": statement.disputes_until.isoformat()},
        )
    lifecycle.advance(
        line,
        to=StatementLineState.DISPUTED,
        by=by,
        words=_words(words),
        disputed_by=by,
        disputed_at=now,
        answer="",
        answered_by=None,
        answered_at=None,
    )


@transaction.atomic
def answer(*, line: StatementLine, is_kept: bool, words: str, by: Account, now: datetime) -> None:
    """Answer a dispute: the line counts on, or is taken off. Not by whoever disputed it."""
    statement = _held(line.statement_id)
    access.require(by, Permission.SETTLEMENT_PREPARE, statement.organization)
    _require_issued(statement)
    if line.disputed_by_id == by.pk:
        raise SettlementRefused(
            gettext_noop("You disputed this line yourself."),
            gettext_noop("Ask a colleague to answer it."),
        )
    lifecycle.advance(
        line,
        to=StatementLineState.COUNTED if is_kept else StatementLineState.REMOVED,
        by=by,
        answer=_words(words),
        answered_by=by,
        answered_at=now,
    )


@transaction.atomic
def accept(*, statement: MerchantStatement, by: Account, now: datetime) -> None:
    """The merchant agrees before the last day, so that it need not be waited for."""
    held = _held(statement.pk)
    if not _acts_for(by, held.merchant):
        access.require(by, Permission.SETTLEMENT_PREPARE, held.organization)
        raise SettlementRefused(
            gettext_noop("Only the merchant accepts a statement."),
            gettext_noop("Without it, wait until %(day)s."),
            {"day": held.disputes_until.isoformat()},
        )
    _require_issued(held)
    if held.accepted_at is None:
        MerchantStatement.objects.filter(pk=held.pk).update(accepted_at=now, accepted_by=by)
        audit.record("merchantstatement.accept", held, by=by)
    statement.refresh_from_db()


@transaction.atomic
def approve(*, statement: MerchantStatement, by: Account, now: datetime, today: date) -> Decision:
    """Owe the merchant what still counts, and reserve it in the programme's fund.

    By another than who issued it; once no line is disputed and the merchant has accepted or let
    the days pass. Errors: PermissionDenied; SettlementRefused; NoCover; NoRuleInForce.
    """
    held = _held(statement.pk)
    access.require(by, Permission.SETTLEMENT_APPROVE, held.organization)
    _require_issued(held)
    _require_ripe(held, by, today)
    counted = _counted(held)
    steps = rules.steps(counted)
    owed = sum(one.count * one.each_fen for one in counted)
    if owed == 0:
        raise SettlementRefused(
            gettext_noop("Every line was taken off: nothing is owed."),
            gettext_noop("Cancel the statement."),
        )
    rule_set = decisions.rule_set_in_force(MERCHANTS, today)
    decision = decisions.record(
        scheme=MERCHANTS,
        period=_period(held),
        rule_set=rule_set,
        outcome=DecisionOutcome.GRANTED,
        amount_fen=owed,
        steps=steps,
        subject=held,
        organization=held.organization,
        by=by,
        today=today,
    )
    lifecycle.advance(
        held,
        to=StatementState.APPROVED,
        by=by,
        decision=decision,
        approved_by=by,
        approved_at=now,
    )
    entitlements.grant(decision=decision, merchant=held.merchant, by=by)
    notices.clear_without_notice(decisions=Decision.objects.filter(pk=decision.pk), by=by)
    statement.refresh_from_db()
    decision.refresh_from_db()
    return decision


@transaction.atomic
def cancel(*, statement: MerchantStatement, reason: str, by: Account) -> None:
    """Take a statement back that was not approved; its uses may stand in another one."""
    held = _held(statement.pk)
    access.require(by, Permission.SETTLEMENT_PREPARE, held.organization)
    why = _words(reason)
    lifecycle.advance_set(
        StatementLine.objects.filter(statement=held), to=StatementLineState.REMOVED, by=by
    )
    lifecycle.advance(held, to=StatementState.CANCELLED, by=by, reason=why)
    statement.refresh_from_db()


def _period(statement: MerchantStatement) -> str:
    """The month; a second statement of it, of another programme, is owed beside the first."""
    month = f"{statement.month:%Y-%m}"
    before = MerchantStatement.objects.filter(
        merchant=statement.merchant, month=statement.month, state=StatementState.APPROVED
    ).count()
    return f"{month}-{before + 1}" if before else month


def _bounds(first: date) -> tuple[datetime, datetime]:
    """The instants at which the month begins and the next one does, at the office's clock."""
    zone = timezone.get_default_timezone()
    start, end = first, rules.month_after(first)
    return (
        datetime(start.year, start.month, 1, tzinfo=zone),
        datetime(end.year, end.month, 1, tzinfo=zone),
    )


def _held(pk: int) -> MerchantStatement:
    return (
        MerchantStatement.objects.select_for_update(of=("self",))
        .select_related("merchant", "organization", "programme")
        .get(pk=pk)
    )


def _acts_for(account: Account, merchant: Merchant) -> bool:
    return merchant.logins.filter(account=account, ended_at__isnull=True).exists()


def _require_issued(statement: MerchantStatement) -> None:
    if statement.state != StatementState.ISSUED:
        raise SettlementRefused(
            gettext_noop("The statement %(number)s is closed: nothing is changed in it."),
            gettext_noop("What is wrong in an approved one is settled with the next."),
            {"number": statement.number},
        )


def _require_ripe(statement: MerchantStatement, by: Account, today: date) -> None:
    if statement.prepared_by_id == by.pk:
        raise SettlementRefused(
            gettext_noop("You issued this statement yourself."),
            gettext_noop("Ask a colleague who may approve statements."),
        )
    disputed = statement.lines.filter(state=StatementLineState.DISPUTED).count()
    if disputed:
        raise SettlementRefused(
            gettext_noop("%(count)s lines are disputed."),
            gettext_noop("Have each dispute answered first."),
            {"count": disputed},
        )
    if statement.accepted_at is None and today <= statement.disputes_until:
        raise SettlementRefused(
            gettext_noop("The merchant may dispute lines until %(day)s."),
            gettext_noop("Wait for that day, or for the merchant to accept."),
            {"day": statement.disputes_until.isoformat()},
        )


def _counted(statement: MerchantStatement) -> list[rules.Uses]:
    rows = (
        statement.lines.filter(state=StatementLineState.COUNTED)
        .order_by()
        .values(title=F("redemption__offer__title"), each=F("amount_fen"))
        .annotate(n=Count("pk"))
        .order_by("title", "each")
    )
    return [rules.Uses(row["title"], row["n"], row["each"]) for row in rows]


def _words(text: str) -> str:
    return require_text(
        text,
        gettext_noop("The reason is missing or too short."),
        gettext_noop("Write at least ten characters; the merchant reads them."),
        shortest=_SHORTEST_REASON,
    )
