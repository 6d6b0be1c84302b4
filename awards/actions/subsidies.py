"""Subsidies in bulk: proposed from the roster, checked by the counties, decided (X4, X5, X8)."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from awards.actions import telling
from awards.actions.refusals import AwardsRefused, once_more, require_other
from awards.models import CountyCheck, SubsidyRound
from awards.queries import Candidates, Summary, candidates, measured_again
from awards.rules import ParameterMissing
from awards.rules.steps import step
from awards.states import CaseState, CheckState, RoundState
from union_portal import access, audit, decisions, lifecycle, notices, notifications, sets
from union_portal.access import Permission
from union_portal.kit.refusals import require_sentence, require_text
from union_portal.models import Account, Decision, Organization, OrganizationLevel, RuleSet
from welfare.disbursement import entitlements
from welfare.disbursement.models import Fund

SUBJECT_TYPE = "awards.subsidycase"
COUNTY_CLAUSE = "county"
_EXCLUDED = gettext_noop("Left out by the county: %(reason)s")

# Ordered, so that everybody is measured before the first row is written: otherwise each
# look at the table reads past the rows this statement has just added.
_INSERT_CASES = """
    INSERT INTO awards_subsidycase (person_id, scheme, period, round_id, organization_id,
        county_id, ground, amount_fen, steps, refusal_clause, reason, created_by_id, created_at,
        returned_from, state)
    SELECT q.person_id, %s, %s, %s, q.organization_id, q.county_id, '', q.awarded_fen, q.steps,
        q.refusal_clause, '', %s, %s, '',
        CASE WHEN q.is_entitled THEN 'proposed' ELSE 'ineligible' END
    FROM ({candidates}) q ORDER BY q.person_id
"""
_INSERT_CHECKS = """
    INSERT INTO awards_countycheck (round_id, county_id, confirmed_count, excluded_count, note,
        state)
    SELECT DISTINCT round_id, county_id, 0, 0, '', 'open' FROM awards_subsidycase
    WHERE round_id = %s
"""
_LINK_DECISIONS = """
    UPDATE awards_subsidycase c SET decision_id = d.id FROM union_portal_decision d
    WHERE c.round_id = %s AND c.decision_id IS NULL
      AND d.subject_type = %s AND d.subject_id = c.id
"""
# Facts change between proposal and decision: who is no longer entitled gets the clause.
_NO_LONGER = """
    UPDATE awards_subsidycase c
    SET steps = q.steps, refusal_clause = q.refusal_clause, amount_fen = 0
    FROM ({candidates}) q
    WHERE c.round_id = %s AND c.state = 'confirmed' AND c.person_id = q.person_id
      AND q.refusal_clause <> ''
"""


@transaction.atomic
def propose(*, scheme: str, period: str, by: Account, today: date) -> SubsidyRound:
    """Measure the whole roster and write a case for everybody, entitled or refused.

    People with a live case of the scheme and year are left out. Errors: PermissionDenied;
    NoRuleInForce (X1); ParameterMissing (X5); AwardsRefused for a second open round or an
    empty roster.
    """
    federation = _federation()
    access.require(by, Permission.SUBSIDY_PROPOSE, federation)
    rules = decisions.rule_set_in_force(scheme, today)
    round_ = _open_round(
        scheme=scheme,
        period=period,
        rule_set=rules,
        organization=federation,
        reference_on=today,
        proposed_by=by,
    )
    asked = candidates(scheme, period, rules, today, within=federation)
    found = asked.summary()
    _require_complete(found, rules, period)
    round_.entitled_count = found.entitled
    round_.refused_count = found.refused
    round_.amount_fen = found.amount_fen
    round_.save(update_fields=["entitled_count", "refused_count", "amount_fen"])
    _write_cases(round_, asked)
    audit.record(
        "subsidyround.proposed",
        round_,
        by=by,
        entitled=found.entitled,
        refused=found.refused,
        amount_fen=found.amount_fen,
        rule_set=rules.pk,
    )
    return round_


@transaction.atomic
def check_county(
    *,
    round: SubsidyRound,
    county: Organization,
    by: Account,
    exclusions: Mapping[int, str] | None = None,
    note: str = "",
) -> CountyCheck:
    """Confirm a county's part, but for the cases (by id) that it excludes with a reason.

    The last county's word moves the round on. Errors: PermissionDenied; AwardsRefused for
    a missing reason, a case of another county, or the proposer; Stale for a second check.
    """
    access.require(by, Permission.SUBSIDY_REVIEW, county)
    held = SubsidyRound.objects.select_for_update().get(pk=round.pk)
    require_other(by, held.proposed_by)
    check = CountyCheck.objects.filter(round=held, county=county).first()
    if check is None or held.state != RoundState.PROPOSED:
        raise AwardsRefused(
            gettext_noop("The round is not waiting for this county."),
            gettext_noop("Reload the page; it may have been checked or cancelled meanwhile."),
        )
    excluded = _exclude(held, county, exclusions or {}, by)
    confirmed = lifecycle.advance_set(
        held.cases.filter(county=county, state=CaseState.PROPOSED),
        to=CaseState.CONFIRMED,
        by=by,
        reviewed_by=by.pk,
    )
    lifecycle.advance(
        check,
        to=CheckState.CONFIRMED,
        by=by,
        confirmed_count=confirmed,
        excluded_count=excluded,
        note=note.strip(),
        checked_by=by,
        checked_at=timezone.now(),
    )
    if not held.checks.filter(state=CheckState.OPEN).exists():
        lifecycle.advance(held, to=RoundState.CHECKED, by=by)
    round.refresh_from_db()
    return check


@transaction.atomic
def decide_round(*, round: SubsidyRound, by: Account, today: date) -> int:
    """Decide every case of a checked round and reserve the money; returns how many granted.

    Whoever lost the right since the proposal is refused with the clause (X3). The decider
    neither proposed nor checked. Where the rule set asks for no public notice the decisions
    are clear at once. Errors: PermissionDenied, AwardsRefused, RuleSetExpired (X1), NoCover.
    """
    held = SubsidyRound.objects.select_for_update().get(pk=round.pk)
    access.require(by, Permission.SUBSIDY_DECIDE, held.organization)
    require_other(by, held.proposed_by, *(check.checked_by for check in held.checks.all()))
    _leave_out_lapsed(held, by)
    lifecycle.advance(held, to=RoundState.DECIDED, by=by, decided_by=by, decided_at=timezone.now())
    decisions.record_set(
        scheme=held.scheme,
        period=held.period,
        rule_set=held.rule_set,
        rows=held.cases.order_by("pk").values(
            "organization_id", "amount_fen", "steps", subject_id=F("pk")
        ),
        subject_type=SUBJECT_TYPE,
        by=by,
        today=today,
    )
    with connection.cursor() as cursor:
        cursor.execute(_LINK_DECISIONS, [held.pk, SUBJECT_TYPE])
    granted = _settle(held, by, today)
    round.refresh_from_db()
    return granted


@transaction.atomic
def cancel(*, round: SubsidyRound, by: Account, reason: str) -> None:
    """Give a round up before it is decided; its cases end with it."""
    held = SubsidyRound.objects.select_for_update().get(pk=round.pk)
    access.require(by, Permission.SUBSIDY_PROPOSE, held.organization)
    why = require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Write why the round is given up."),
    )
    lifecycle.advance(held, to=RoundState.CANCELLED, by=by, reason=why)
    lifecycle.advance_set(held.cases.all(), to=CaseState.CANCELLED, by=by, reason=why)
    round.refresh_from_db()


def _federation() -> Organization:
    return Organization.objects.get(level=OrganizationLevel.FEDERATION)


def _require_complete(found: Summary, rules: RuleSet, period: str) -> None:
    if found.missing:
        raise ParameterMissing(
            gettext_noop(
                "%(count)s people would be paid by “%(names)s” of %(period)s, which the rule"
                " set “%(rules)s” does not state."
            ),
            gettext_noop(
                "Enter it at “%(names)s” in a new version of that rule set and have it adopted."
            ),
            {
                "count": found.blocked,
                "names": ", ".join(found.missing),
                "period": period,
                "rules": str(rules),
            },
        )
    if not found.entitled and not found.refused:
        raise AwardsRefused(
            gettext_noop("Nobody on the roll is without a case of this scheme and year."),
            gettext_noop("Import the model workers first, or open the earlier round."),
        )


def _open_round(**fields: Any) -> SubsidyRound:
    try:
        with transaction.atomic():
            return SubsidyRound.objects.create(**fields)
    except IntegrityError as error:
        once_more(
            error,
            subsidy_round_one_open=(
                gettext_noop("A round of this scheme and year is open already."),
                gettext_noop("Finish it or cancel it first."),
            ),
            subsidy_round_scheme_in_bulk=(
                gettext_noop("This scheme is paid on application, not in bulk."),
                gettext_noop("Model workers apply for it in the member portal."),
            ),
        )


def _write_cases(round_: SubsidyRound, asked: Candidates) -> None:
    values: list[Any] = [
        round_.scheme,
        round_.period,
        round_.pk,
        round_.proposed_by_id,
        timezone.now(),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_CASES.format(candidates=asked.sql.text), [*values, *asked.sql.params]
        )
        # The planner knows nothing yet of rows written a moment ago.
        sets.analyse("awards_subsidycase")
        cursor.execute(_INSERT_CHECKS, [round_.pk])


def _exclude(
    round_: SubsidyRound, county: Organization, exclusions: Mapping[int, str], by: Account
) -> int:
    """Exclude cases; those with one reason move together."""
    by_reason: dict[str, list[int]] = defaultdict(list)
    for case, reason in exclusions.items():
        text = require_sentence(
            reason,
            gettext_noop("A case is excluded without a reason, or with one that is too short."),
            gettext_noop("Write at least ten characters; the person reads it and may appeal."),
        )
        by_reason[text].append(case)
    moved = 0
    for reason, cases in by_reason.items():
        left_out = round_.cases.filter(pk__in=cases, county=county, state=CaseState.PROPOSED)
        # The reason of a step goes into the log; the case shows it to the person too.
        left_out.update(reason=reason)
        moved += lifecycle.advance_set(
            left_out,
            to=CaseState.EXCLUDED,
            by=by,
            amount_fen=0,
            refusal_clause=COUNTY_CLAUSE,
            reason=reason,
            reviewed_by=by.pk,
            steps=[step(COUNTY_CLAUSE, _EXCLUDED, {"reason": reason})],
        )
    if moved != len(exclusions):
        raise AwardsRefused(
            gettext_noop("A case on the list of exclusions does not wait for this county."),
            gettext_noop("Reload the page and choose again."),
        )
    return moved


def _leave_out_lapsed(round_: SubsidyRound, by: Account) -> None:
    now = measured_again(
        round_.scheme,
        round_.period,
        round_.rule_set,
        round_.reference_on,
        within=round_.organization,
    )
    with connection.cursor() as cursor:
        cursor.execute(_NO_LONGER.format(candidates=now.sql.text), [*now.sql.params, round_.pk])
    lifecycle.advance_set(
        round_.cases.filter(state=CaseState.CONFIRMED).exclude(refusal_clause=""),
        to=CaseState.EXCLUDED,
        by=by,
        reason="no longer entitled",
    )


def _settle(round_: SubsidyRound, by: Account, today: date) -> int:
    """Close the cases, reserve the money, tell the people."""
    granted = lifecycle.advance_set(
        round_.cases.filter(state=CaseState.CONFIRMED),
        to=CaseState.GRANTED,
        by=by,
        decided_by=by.pk,
    )
    lifecycle.advance_set(
        round_.cases.filter(state__in=[CaseState.INELIGIBLE, CaseState.EXCLUDED]),
        to=CaseState.REFUSED,
        by=by,
        decided_by=by.pk,
    )
    in_favour = round_.cases.filter(state=CaseState.GRANTED)
    if granted:
        entitlements.grant_set(
            rows=in_favour.values("decision_id", "person_id"),
            fund=fund_of(round_.rule_set),
            by=by,
        )
        if round_.rule_set.notice_days == 0:
            notices.clear_without_notice(
                decisions=Decision.objects.filter(subsidy_case__in=in_favour), by=by
            )
    telling.tell_decided(
        round_.cases.filter(Q(state=CaseState.GRANTED) | Q(refusal_clause=COUNTY_CLAUSE)),
        at=notifications.on_day(today),
    )
    return granted


def fund_of(rule_set: RuleSet) -> Fund:
    """The fund a rule set names. Errors: AwardsRefused where finance has not opened it."""
    fund = Fund.objects.filter(code=rule_set.fund_code).first()
    if fund is None:
        raise AwardsRefused(
            gettext_noop("The rule set names the fund “%(code)s”, which is not opened yet."),
            gettext_noop("Have finance open that fund and record its appropriation."),
            {"code": rule_set.fund_code},
        )
    return fund
