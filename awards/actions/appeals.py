"""What an upheld appeal does to a subsidy: a new decision, never an edit (X16)."""

import json
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from awards.actions import telling
from awards.actions.refusals import AwardsRefused, RuleRefused
from awards.models import SubsidyCase
from awards.queries import person_facts
from awards.rules import SCHEMES, Assessment, assess, prepare
from awards.rules.grounds import facts
from awards.rules.schemes import HARDSHIP
from awards.rules.steps import Step, step
from awards.states import CaseState
from union_portal import access, appeals, decisions, lifecycle, notices, withdrawals
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account, Appeal, Decision, DecisionOutcome
from welfare.disbursement import entitlements

_AFTER = gettext_noop("Decided anew after appeal %(appeal)s.")


@transaction.atomic
def uphold(
    *, appeal: Appeal, amount_fen: int | None, answer: str, by: Account, today: date
) -> Decision:
    """Decide the case anew in the member's favour; the difference or the whole is owed.

    The rules are asked again, over the facts as they are now: what they refuse is not
    granted on appeal either. For a special hardship `amount_fen` is the new total, within
    the band; for the other schemes the rules give it. A refusal by the county or by the
    city is a judgement, and the reviewer's takes its place. Errors: PermissionDenied,
    RuleRefused with the clause, AwardsRefused for an amount that is no higher, NoCover.
    """
    # Money before case and decision, in the order of whoever withdraws one.
    withdrawals.hold(Decision.objects.filter(pk=appeal.decision_id))
    case = SubsidyCase.objects.select_for_update().get(pk=appeal.decision.subject_id)
    access.require(by, Permission.APPEAL_REVIEW, case.organization)
    why = require_text(
        answer,
        gettext_noop("The answer is missing."),
        gettext_noop("Write why the appeal is right; the member reads it."),
    )
    old = appeal.decision
    told = _assess(case, old, amount_fen, today)
    if told.refusal is not None:
        raise RuleRefused(
            told.refusal, gettext_noop("Have the register corrected first, if it is wrong.")
        )
    if told.amount_fen <= old.amount_fen:
        raise AwardsRefused(
            gettext_noop("The new amount is not higher than the old one."),
            gettext_noop("Dismiss the appeal, or enter the higher amount."),
        )
    steps = [step("X16", _AFTER, {"appeal": str(appeal)}), *told.steps]
    outcome = _record(case, old, steps, told.amount_fen, why, by=by, today=today)
    appeals.uphold(appeal=appeal, outcome=outcome, answer=why, by=by)
    _settle(case, outcome, steps, why, by)
    return outcome


def _assess(case: SubsidyCase, old: Decision, amount_fen: int | None, today: date) -> Assessment:
    on = case.round.reference_on if case.round else today
    givens = prepare(case.scheme, old.rule_set.parameters, period=case.period, on=on)
    asked: dict[str, Any] = person_facts(case.person, case.scheme, givens, on, except_case=case.pk)
    if case.scheme == HARDSHIP:
        last = case.visits.order_by("-pk").first()
        asked |= facts(case.ground, json.loads(str(case.details or "{}")))
        asked["is_visited"] = last is not None and last.is_confirmed
        asked["is_reviewed"] = case.reviewed_by_id is not None
        asked["amount_fen"] = amount_fen or 0
    return assess(SCHEMES[case.scheme], asked, givens)


def _record(
    case: SubsidyCase,
    old: Decision,
    steps: list[Step],
    amount_fen: int,
    reason: str,
    *,
    by: Account,
    today: date,
) -> Decision:
    return decisions.record(
        scheme=case.scheme,
        period=case.period,
        rule_set=old.rule_set,
        outcome=DecisionOutcome.GRANTED,
        amount_fen=amount_fen,
        steps=steps,
        subject=case,
        organization=case.organization,
        by=by,
        today=today,
        reason=reason,
        replaces=old,
    )


def _settle(
    case: SubsidyCase, outcome: Decision, steps: list[Step], reason: str, by: Account
) -> None:
    changes: dict[str, Any] = {
        "decision": outcome,
        "amount_fen": outcome.amount_fen,
        "steps": steps,
        "refusal_clause": "",
        "reason": reason,
    }
    if case.state != CaseState.GRANTED:
        lifecycle.advance(case, to=CaseState.GRANTED, by=by, **changes)
    else:
        SubsidyCase.objects.filter(pk=case.pk).update(**changes)
        case.refresh_from_db()
    entitlements.grant(decision=outcome, person=case.person, by=by)
    if outcome.rule_set.notice_days == 0:
        notices.clear_without_notice(decisions=Decision.objects.filter(pk=outcome.pk), by=by)
    telling.tell_decided(SubsidyCase.objects.filter(pk=case.pk), occasion=f"{outcome.pk}")
