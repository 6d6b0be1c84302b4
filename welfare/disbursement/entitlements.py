"""Entitlements: what is owed, reserved in its fund from the moment it is granted."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from members.models import Merchant, Person
from union_portal import audit, lifecycle, readers, sets
from union_portal.access import Permission
from union_portal.models import Account, Decision
from union_portal.readers import Door
from union_portal.states import DecisionState
from welfare.disbursement import acting, caps, ledger, locks, motions, statistics
from welfare.disbursement.acting import Actor
from welfare.disbursement.models import (
    Entitlement,
    EntryKind,
    Fund,
    Motion,
    MotionKind,
    PayoutLine,
)
from welfare.disbursement.refusals import NoCover, PayoutRefused, explained
from welfare.disbursement.states import LIVE_OR_PAID, EntitlementState

Recheck = Callable[[QuerySet[Entitlement]], QuerySet[Entitlement]]
_rechecks: dict[str, Recheck] = {}


def recheck(scheme: str) -> Callable[[Recheck], Recheck]:
    """Register who may no longer be paid under a scheme (X3: alive, honour retained).

    The function gets entitlements and returns those that may not be paid now, annotated
    with `reason`, a text for staff. It is asked when a batch is assembled, sealed, checked,
    released and written.
    """

    def register(function: Recheck) -> Recheck:
        _rechecks[scheme] = function
        return function

    return register


def stopped(scheme: str, entitlements: QuerySet[Entitlement]) -> QuerySet[Entitlement]:
    """Those of the set that the scheme's recheck stops, with `reason`."""
    function = _rechecks.get(scheme)
    return function(entitlements) if function else entitlements.none()


def fund_of(decision: Decision) -> Fund:
    """The fund that the decision's rule set names. Refuses if it is not opened yet."""
    code = decision.rule_set.fund_code
    fund = Fund.objects.select_related("organization").filter(code=code).first()
    if fund is None:
        raise PayoutRefused(
            _("The rule set names the fund “%(code)s”, which is not opened yet."),
            _("Have finance open that fund and record its appropriation."),
            {"code": code},
        )
    return fund


@readers.seeing(Door.GRANTING)
@transaction.atomic
def grant(
    *,
    decision: Decision,
    by: Actor,
    person: Person | None = None,
    merchant: Merchant | None = None,
) -> Entitlement:
    """Owe a person, or a merchant, what was decided, and reserve it in the fund.

    A decision that replaces an earlier one ends the earlier entitlement if nothing of it
    was paid; if it was paid or is on its way, only the difference is owed. Errors: NoCover;
    CapReached; PayoutRefused if nothing more is owed, the claim exists, or the decision does
    not stand.
    """
    fund = fund_of(decision)
    locks.caps()
    locks.funds([fund.pk])
    if person is not None:
        caps.hold([person.pk])
    earlier = Entitlement.objects.filter(
        decision=decision.replaces_id, state=EntitlementState.GRANTED
    ).first()
    adjusts = None
    if decision.replaces_id and earlier is not None:
        if PayoutLine.objects.filter(entitlement=earlier, state__in=LIVE_OR_PAID).exists():
            adjusts = earlier
        else:
            _end(earlier, EntitlementState.WITHDRAWN, by=by, reason=f"{decision.number}")
    owed = decision.amount_fen - (adjusts.decision.amount_fen if adjusts else 0)
    if owed <= 0:
        raise PayoutRefused(
            _("No more is owed than was paid already."),
            _("What was paid too much is claimed back outside the portal."),
        )
    key = claim_key(decision, person or merchant)
    _free_claims(Entitlement.objects.filter(claim_key=key), by=by)
    if person is not None:
        caps.require_room(
            person=person, scheme=decision.scheme, period=decision.period, amount_fen=owed
        )
    with explained():
        made = Entitlement.objects.create(
            decision=decision,
            person=person,
            merchant=merchant,
            fund=fund,
            organization_id=decision.organization_id,
            scheme=decision.scheme,
            period=decision.period,
            amount_fen=owed,
            claim_key=f"{key}:+{decision.pk}" if adjusts else key,
            adjusts=adjusts,
        )
    _reserve(fund, owed, key=f"grant:{made.pk}", by=by)
    audit.record("entitlement.grant", made, by=by, fen=owed, decision=decision.pk)
    return made


@transaction.atomic
def grant_set(*, rows: QuerySet[Any, Any], fund: Fund, by: Actor) -> int:
    """Grant every decision of `rows` (values decision_id, person_id); returns how many.

    One INSERT … SELECT … ON CONFLICT DO NOTHING and one reservation: a decision or a claim
    that has its entitlement is passed over, so that running again adds nothing; so is a claim
    that the person has under a number that was merged into theirs. Whoever
    would pass a ceiling is left out and named in the log with its clause; `caps.over` lists
    them. Refuses the whole set without cover (NoCover).
    """
    locks.caps()
    locks.funds([fund.pk])
    caps.hold(rows.order_by().values("person_id"))
    _free_claims(
        Entitlement.objects.filter(fund=fund, person__in=rows.order_by().values("person_id")),
        by=by,
    )
    over = caps.over(rows)
    chosen = sets.source(rows.order_by(), "decision_id", "person_id")
    if chosen is None:
        return 0
    with explained(), connection.cursor() as cursor:
        statistics.make_room(cursor)
        cursor.execute(
            f"""
            WITH made AS (
                INSERT INTO disbursement_entitlement (decision_id, person_id, fund_id,
                    organization_id, scheme, period, amount_fen, claim_key, state)
                SELECT d.id, p.id, %s, d.organization_id, d.scheme, d.period, d.amount_fen,
                       d.scheme || ':' || p.national_id_index || ':' || d.period, 'granted'
                FROM ({chosen.sql}) chosen (decision_id, person_id)
                JOIN union_portal_decision d ON d.id = chosen.decision_id
                JOIN members_person p ON p.id = chosen.person_id
                WHERE NOT EXISTS (SELECT 1 FROM disbursement_entitlement e
                                  WHERE e.decision_id = d.id)
                  AND d.id <> ALL(%s)
                  AND p.merged_into_id IS NULL
                  AND NOT EXISTS (SELECT 1 FROM members_person m
                                  JOIN disbursement_entitlement o
                                    ON o.person_id = m.id AND o.state = 'granted'
                                  WHERE m.merged_into_id = p.id AND o.scheme = d.scheme
                                    AND o.period = d.period)
                ORDER BY d.id
                ON CONFLICT DO NOTHING
                RETURNING id, amount_fen
            )
            SELECT count(*), COALESCE(sum(amount_fen), 0)::bigint, min(id), max(id) FROM made
            """,  # noqa: S608
            [fund.pk, *chosen.parameters, [left.decision_id for left in over]],
        )
        count, total, first, last = cursor.fetchone()
    if over:
        _record_left_out(over, fund, by)
    if count:
        sets.refresh(Entitlement, count)
        _reserve(fund, total, key=f"grant:{first}-{last}", by=by)
        audit.record(
            "entitlement.grant_set", fund, by=by, count=count, fen=total, first=first, last=last
        )
    return int(count)


def _free_claims(asked: QuerySet[Entitlement], *, by: Actor, reason: str = "") -> None:
    """End what is still owed by withdrawn decisions: its money and its claim are free again.

    The caller holds the fund. What is on its way or paid stays, and keeps its claim. Each is
    ended alone, with its own entry: a decision is withdrawn one by one, after an objection.
    """
    owed = asked.filter(
        pk__in=Entitlement.objects.unpaid().values("pk"), decision__state=DecisionState.WITHDRAWN
    )
    for stale in owed.select_related("fund", "decision").order_by("pk"):
        _end(stale, EntitlementState.WITHDRAWN, by=by, reason=reason or stale.decision.number)


@readers.seeing(Door.GRANTING)
def hold_of_decisions(chosen: QuerySet[Decision]) -> None:
    """Hold the funds of the decisions' rule sets: nothing is granted from them meanwhile.

    And the ceilings first, as their order asks: the caller may grant something in the place.
    """
    locks.caps()
    codes = chosen.order_by().values("rule_set__fund_code")
    locks.funds(Fund.objects.filter(code__in=codes).values_list("pk", flat=True))


@readers.seeing(Door.GRANTING)
def end_with_decisions(*, decisions: Sequence[int], by: Actor, reason: str) -> None:
    """What withdrawn decisions owed ends with them, in their own transaction.

    The caller holds the funds (`hold_of_decisions`). A payment that is on its way goes on; if
    it fails, `end_freed` ends the rest.
    """
    _free_claims(Entitlement.objects.filter(decision__in=decisions), by=by, reason=reason)


@readers.seeing(Door.GRANTING)
def end_freed(batch_ids: Sequence[int], *, by: Actor) -> None:
    """End what withdrawn decisions still owe now that its payment was voided or did not arrive.

    The caller holds the batches, and with them their funds.
    """
    _free_claims(Entitlement.objects.filter(lines__batch__in=batch_ids).distinct(), by=by)


def _record_left_out(over: list[caps.OverCap], fund: Fund, by: Actor) -> None:
    audit.record(
        "entitlement.over_cap",
        fund,
        by=by,
        count=len(over),
        fen=sum(left.amount_fen for left in over),
        clauses=sorted({left.clause for left in over}),
        first_decisions=[left.decision_id for left in over[:100]],
    )


def claim_key(decision: Decision, payee: Person | Merchant | None) -> str:
    """Scheme, keyed hash of the identity number, period (for a claim: settlement number).

    A merchant stands there by its credit code. Errors: TypeError without a payee.
    """
    if payee is None:
        raise TypeError("an entitlement is of a person or of a merchant")
    known_by = f"uscc-{payee.uscc}" if isinstance(payee, Merchant) else payee.national_id_index
    return f"{decision.scheme}:{known_by}:{decision.period}"


@transaction.atomic
def withdraw(*, entitlement: Entitlement, by: Account, reason: str) -> Motion | None:
    """End an entitlement that was not paid; its money becomes available again.

    If its decision was withdrawn or replaced, that was the other person's act and it ends
    at once (None). Otherwise the motion is returned that a second person carries out.
    """
    decision = entitlement.decision
    replaced = Decision.objects.filter(replaces=decision).exclude(state=DecisionState.WITHDRAWN)
    if decision.state == DecisionState.WITHDRAWN or replaced.exists():
        acting.require(by, Permission.BATCH_MAKE, entitlement.fund.organization)
        locks.funds([entitlement.fund_id])
        _end(entitlement, EntitlementState.WITHDRAWN, by=by, reason=reason)
        return None
    return motions.move(kind=MotionKind.WITHDRAW, entitlement=entitlement, by=by, reason=reason)


def write_off(*, entitlement: Entitlement, by: Account, reason: str) -> Motion:
    """Move to give up paying an entitlement (nobody can be reached, say). Appealable."""
    return motions.move(kind=MotionKind.WRITE_OFF, entitlement=entitlement, by=by, reason=reason)


@motions.performs(MotionKind.WITHDRAW)
def _withdraw(motion: Motion, by: Account) -> None:
    _end_moved(motion, EntitlementState.WITHDRAWN, by)


@motions.performs(MotionKind.WRITE_OFF)
def _write_off(motion: Motion, by: Account) -> None:
    _end_moved(motion, EntitlementState.WRITTEN_OFF, by)


def _end_moved(motion: Motion, to: EntitlementState, by: Account) -> None:
    if motion.entitlement is None:
        raise PayoutRefused(_("The motion names no entitlement."))
    locks.funds([motion.entitlement.fund_id])
    _end(motion.entitlement, to, by=by, reason=motion.reason)


def _end(entitlement: Entitlement, to: EntitlementState, *, by: Actor, reason: str) -> None:
    """The caller holds the fund. The trigger asks for two people or an ended decision."""
    with explained():
        lifecycle.advance(entitlement, to=to, by=by, reason=reason)
        written_off = to == EntitlementState.WRITTEN_OFF
        ledger.book(
            fund=entitlement.fund,
            kind=EntryKind.WRITE_OFF if written_off else EntryKind.WITHDRAW,
            key=f"{to}:{entitlement.pk}",
            amount_fen=entitlement.amount_fen,
            by=by,
            reason=reason,
        )


def _reserve(fund: Fund, amount_fen: int, *, key: str, by: Actor) -> None:
    available = ledger.figures(fund).available_fen
    if available < amount_fen:
        raise NoCover(fund, needed_fen=amount_fen, available_fen=available)
    ledger.book(fund=fund, kind=EntryKind.GRANT, key=key, amount_fen=amount_fen, by=by)
