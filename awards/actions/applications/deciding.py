"""What the city does: grant an amount within the band, or refuse under a clause."""

import json
from datetime import date
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_noop

from awards.actions import telling
from awards.actions.applications.held import lock
from awards.actions.refusals import AwardsRefused, RuleRefused, require_other
from awards.models import SubsidyCase
from awards.queries import person_facts
from awards.rules import SPECIAL_HARDSHIP, Assessment, assess, prepare
from awards.rules.expressions import Givens
from awards.rules.grounds import facts
from awards.rules.schemes import HARDSHIP, REFUSABLE
from awards.rules.steps import Step, step
from awards.states import CaseState
from union_portal import access, decisions, lifecycle, notices
from union_portal.access import Permission
from union_portal.kit.refusals import require_sentence
from union_portal.models import (
    Account,
    Decision,
    DecisionOutcome,
    RuleSet,
)
from welfare.disbursement import entitlements

_REFUSED: Final = gettext_noop("Refused by the city: %(reason)s")
_DEGREE: Final = gettext_noop("Degree of hardship, in the words of the decision: %(reason)s")


@transaction.atomic
def decide(
    *, case: SubsidyCase, amount_fen: int, reason: str, by: Account, today: date
) -> Decision:
    """The city grants an amount within the band, with the reason for its height.

    The money is reserved in the same transaction. Errors: RuleRefused with the clause for
    an amount outside the band (X7) or a right lost meanwhile (X3); RuleSetExpired (X1);
    NoCover; Stale for a second decision.
    """
    rules = _ready_to_decide(case, by, today)
    why = _reason(reason)
    told = _assess(case, amount_fen, rules, today)
    if told.refusal is not None:
        raise RuleRefused(told.refusal)
    steps = [*told.steps[:-1], step("X7", _DEGREE, {"reason": why}), told.steps[-1]]
    decision = _record(
        case, rules, steps=steps, amount_fen=told.amount_fen, reason=why, by=by, today=today
    )
    lifecycle.advance(
        case,
        to=CaseState.GRANTED,
        by=by,
        decision=decision,
        decided_by=by,
        amount_fen=told.amount_fen,
        steps=steps,
        reason=why,
    )
    entitlements.grant(decision=decision, person=case.person, by=by)
    if rules.notice_days == 0:
        notices.clear_without_notice(decisions=Decision.objects.filter(pk=decision.pk), by=by)
    telling.tell_decided(SubsidyCase.objects.filter(pk=case.pk))
    return decision


@transaction.atomic
def refuse(*, case: SubsidyCase, clause: str, reason: str, by: Account, today: date) -> Decision:
    """The city refuses under a named clause, with a reason; the member may appeal."""
    rules = _ready_to_decide(case, by, today)
    why = _reason(reason)
    if clause not in REFUSABLE:
        raise AwardsRefused(
            gettext_noop("“%(clause)s” is no clause of this scheme."),
            gettext_noop("Choose one of: %(clauses)s."),
            {"clause": clause, "clauses": ", ".join(REFUSABLE)},
        )
    steps = [step(clause, _REFUSED, {"reason": why})]
    decision = _record(case, rules, steps=steps, amount_fen=0, reason=why, by=by, today=today)
    lifecycle.advance(
        case,
        to=CaseState.REFUSED,
        by=by,
        decision=decision,
        decided_by=by,
        steps=steps,
        refusal_clause=clause,
        reason=why,
    )
    telling.tell_decided(SubsidyCase.objects.filter(pk=case.pk))
    return decision


def _ready_to_decide(case: SubsidyCase, by: Account, today: date) -> RuleSet:
    access.require(by, Permission.SUBSIDY_DECIDE, case.organization)
    require_other(by, case.created_by, case.visited_by, case.reviewed_by)
    lock(case)
    if case.state != CaseState.REVIEWED:
        raise AwardsRefused(
            gettext_noop("The application has not gone through visit and review (X11)."),
            gettext_noop("Wait for the county, or reload the page."),
        )
    return decisions.rule_set_in_force(HARDSHIP, today)


def _reason(reason: str) -> str:
    return require_sentence(
        reason,
        gettext_noop("The reason is missing or too short."),
        gettext_noop("Write at least ten characters: why; the member reads it."),
    )


def _assess(case: SubsidyCase, amount_fen: int, rules: RuleSet, today: date) -> Assessment:
    givens: Givens = prepare(HARDSHIP, rules.parameters, period=case.period, on=today)
    last = case.visits.order_by("-pk").first()
    known = person_facts(case.person, HARDSHIP, givens, today, except_case=case.pk)
    asked = {
        **known,
        **facts(case.ground, json.loads(str(case.details or "{}"))),
        "is_visited": last is not None and last.is_confirmed,
        "is_reviewed": case.reviewed_by_id is not None,
        "amount_fen": amount_fen,
    }
    return assess(SPECIAL_HARDSHIP, asked, givens)


def _record(
    case: SubsidyCase,
    rules: RuleSet,
    *,
    steps: list[Step],
    amount_fen: int,
    reason: str,
    by: Account,
    today: date,
) -> Decision:
    return decisions.record(
        scheme=case.scheme,
        period=case.period,
        rule_set=rules,
        outcome=DecisionOutcome.GRANTED if amount_fen else DecisionOutcome.REFUSED,
        amount_fen=amount_fen,
        steps=steps,
        subject=case,
        organization=case.organization,
        by=by,
        today=today,
        reason=reason,
    )
