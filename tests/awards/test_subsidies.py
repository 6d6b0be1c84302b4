"""From the roster to decided cases: festival gift and living allowance in bulk."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from awards.actions import honours, model_workers, publicity, subsidies
from awards.actions.refusals import AwardsRefused
from awards.models import CountyCheck, Honour, ModelWorker, SubsidyCase, SubsidyRound
from awards.queries import timeline
from awards.rules import ParameterMissing, render
from awards.rules.parameters import ParameterWrong
from awards.states import CaseState, RoundState
from members.models import Person
from tests.awards.roster import model_worker, rule_set
from tests.cast import NOW, TODAY, Cast, give_role, make_account, make_person
from union_portal import audit, decisions, notices, withdrawals
from union_portal.access import Role
from union_portal.kit.masks import mask_name
from union_portal.kit.refusals import Refused
from union_portal.models import (
    Account,
    AuditEntry,
    Decision,
    Message,
    NoticeEntry,
    Organization,
    RuleSet,
)
from union_portal.states import DecisionState
from welfare.disbursement import entitlements, ledger
from welfare.disbursement.models import Entitlement, Fund
from welfare.disbursement.refusals import NoCover

PERIOD = "2026"


@pytest.fixture
def fund(cast: Cast) -> Fund:
    return open_fund(cast)


def open_fund(cast: Cast, amount_fen: int = 100_000_000) -> Fund:
    fund = ledger.open_fund(
        code="model-workers",
        name="Earmarked",
        year=2026,
        organization=cast.tree.city,
        schemes=["festival_gift", "special_hardship", "living_allowance"],
        payer_name="榆林市总工会",
        payer_account="99990000610800000001",
        by=cast.feng,
    )
    ledger.appropriate(
        fund=fund, amount_fen=amount_fen, by=cast.feng, reason="budget", key="budget-2026"
    )
    return fund


def checker(cast: Cast, county: Organization) -> Account:
    if county == cast.tree.county:
        return cast.shi
    return make_account(f"checker{county.pk}", role=Role.COUNTY_CHECKER, at=county)


def propose(cast: Cast, scheme: str = "festival_gift", **changes: Any) -> SubsidyRound:
    rule_set(cast, scheme, **changes)
    return subsidies.propose(scheme=scheme, period=PERIOD, by=cast.officer, today=TODAY)


def check_all(cast: Cast, round_: SubsidyRound) -> SubsidyRound:
    for check in round_.checks.all():
        subsidies.check_county(round=round_, county=check.county, by=checker(cast, check.county))
    return round_


def decided(cast: Cast, scheme: str = "festival_gift", **changes: Any) -> SubsidyRound:
    round_ = check_all(cast, propose(cast, scheme, **changes))
    subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)
    return round_


def test_propose_writes_a_case_for_everybody_and_says_why(cast: Cast):
    model_worker(cast)
    model_worker(cast, is_revoked=True)
    model_worker(cast, level="national")
    model_worker(cast, union=cast.tree.other_union, in_hardship=True)
    round_ = propose(cast)
    cases = {case.state: case for case in round_.cases.all()}
    assert (round_.entitled_count, round_.refused_count, round_.amount_fen) == (2, 2, 110_000)
    assert set(cases) == {CaseState.PROPOSED, CaseState.INELIGIBLE}
    assert cases[CaseState.INELIGIBLE].refusal_clause == "X3"
    assert {check.county for check in round_.checks.all()} == {
        cast.tree.county,
        cast.tree.other_county,
    }


def test_a_second_open_round_is_refused_and_nobody_is_proposed_twice(cast: Cast, fund: Fund):
    model_worker(cast)
    round_ = propose(cast)
    with pytest.raises(AwardsRefused, match="open already"):
        subsidies.propose(scheme="festival_gift", period=PERIOD, by=cast.officer, today=TODAY)
    check_all(cast, round_)
    subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)
    with pytest.raises(AwardsRefused, match="Nobody on the roll"):
        subsidies.propose(scheme="festival_gift", period=PERIOD, by=cast.officer, today=TODAY)
    model_worker(cast)
    later = subsidies.propose(scheme="festival_gift", period=PERIOD, by=cast.officer, today=TODAY)
    assert later.cases.count() == 1


def test_an_application_scheme_is_not_proposed_in_bulk(cast: Cast):
    model_worker(cast)
    rule_set(cast, "special_hardship")
    with pytest.raises(AwardsRefused, match="on application"):
        subsidies.propose(scheme="special_hardship", period=PERIOD, by=cast.officer, today=TODAY)


def test_only_the_city_officer_proposes(cast: Cast):
    for account in (cast.qiao, cast.shi, cast.decider, cast.feng, cast.gao, cast.wei, cast.lin):
        with pytest.raises(PermissionDenied):
            subsidies.propose(scheme="festival_gift", period=PERIOD, by=account, today=TODAY)


def test_a_county_checks_its_own_part_only(cast: Cast):
    model_worker(cast)
    other = model_worker(cast, union=cast.tree.other_union)
    round_ = propose(cast)
    with pytest.raises(PermissionDenied):
        subsidies.check_county(round=round_, county=cast.tree.other_county, by=cast.shi)
    foreign = round_.cases.get(person=other.person)
    with pytest.raises(AwardsRefused, match="does not wait for this county"):
        subsidies.check_county(
            round=round_,
            county=cast.tree.county,
            by=cast.shi,
            exclusions={foreign.pk: "moved far away"},
        )
    subsidies.check_county(round=round_, county=cast.tree.county, by=cast.shi)
    assert round_.state == RoundState.PROPOSED
    foreign.refresh_from_db()
    assert foreign.state == CaseState.PROPOSED
    check_all_left = CountyCheck.objects.get(round=round_, county=cast.tree.other_county)
    subsidies.check_county(
        round=round_, county=check_all_left.county, by=checker(cast, check_all_left.county)
    )
    assert round_.state == RoundState.CHECKED


def test_a_county_excludes_with_a_reason_that_the_person_reads(cast: Cast, fund: Fund):
    worker = model_worker(cast)
    model_worker(cast)
    round_ = propose(cast)
    case = round_.cases.get(person=worker.person)
    with pytest.raises(Refused, match="without a reason"):
        subsidies.check_county(
            round=round_, county=cast.tree.county, by=cast.shi, exclusions={case.pk: " "}
        )
    subsidies.check_county(
        round=round_, county=cast.tree.county, by=cast.shi, exclusions={case.pk: "moved to Xi'an"}
    )
    subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)
    case.refresh_from_db()
    assert (case.state, case.refusal_clause, case.amount_fen) == (CaseState.REFUSED, "county", 0)
    assert case.decision is not None and case.decision.outcome == "refused"
    assert "moved to Xi'an" in render(case.decision.steps[-1])
    assert case.reason == "moved to Xi'an"
    (said,) = [event for event in timeline(case) if event.title == "Left out by the county"]
    assert said.text == "moved to Xi'an"
    assert Message.objects.get(recipient=worker.person_id).template == "festival_gift_refused"


def test_whoever_proposed_neither_checks_nor_decides(cast: Cast):
    model_worker(cast)
    round_ = propose(cast)
    give_role(cast.officer, Role.COUNTY_CHECKER, cast.tree.county)
    with pytest.raises(AwardsRefused, match="earlier step"):
        subsidies.check_county(round=round_, county=cast.tree.county, by=cast.officer)
    check_all(cast, round_)
    give_role(cast.officer, Role.CITY_DECIDER, cast.tree.city)
    give_role(cast.shi, Role.CITY_DECIDER, cast.tree.city)
    for account in (cast.officer, cast.shi):
        with pytest.raises(AwardsRefused, match="earlier step"):
            subsidies.decide_round(round=round_, by=account, today=TODAY)


def test_an_unchecked_round_is_not_decided(cast: Cast, fund: Fund):
    model_worker(cast)
    round_ = propose(cast)
    with pytest.raises(Exception, match="can't become"):
        subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)


def test_deciding_records_decisions_reserves_money_and_tells_people(cast: Cast, fund: Fund):
    workers = [model_worker(cast), model_worker(cast, in_hardship=True)]
    refused = model_worker(cast, is_revoked=True)
    round_ = decided(cast)
    assert round_.state == RoundState.DECIDED
    made = {decision.subject_id: decision for decision in Decision.objects.all()}
    assert len(made) == 3
    for case in round_.cases.all():
        assert case.decision == made[case.pk]
        assert case.decision.steps == case.steps
    assert sorted(e.amount_fen for e in Entitlement.objects.all()) == [30_000, 80_000]
    assert ledger.figures(fund).reserved_fen == 110_000
    messages = Message.objects.all()
    assert {m.recipient for m in messages} == {w.person_id for w in workers}
    assert {timezone.localdate(m.created_at) for m in messages} == {TODAY}
    assert SubsidyCase.objects.get(person=refused.person).state == CaseState.REFUSED


def test_without_cover_nothing_at_all_is_decided(cast: Cast):
    open_fund(cast, amount_fen=30_000)
    model_worker(cast)
    model_worker(cast)
    round_ = check_all(cast, propose(cast))
    with pytest.raises(NoCover):
        subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)
    assert Decision.objects.count() == 0
    assert SubsidyRound.objects.get().state == RoundState.CHECKED


def test_who_dies_between_proposal_and_decision_is_refused_with_the_clause(cast: Cast, fund: Fund):
    worker = model_worker(cast)
    model_worker(cast)
    round_ = check_all(cast, propose(cast))
    model_workers.record_death(
        model_worker=worker, died_on=TODAY, by=cast.officer, today=TODAY, reason="certificate"
    )
    assert subsidies.decide_round(round=round_, by=cast.decider, today=TODAY) == 1
    case = round_.cases.get(person=worker.person)
    assert (case.state, case.refusal_clause) == (CaseState.REFUSED, "X3")
    assert not Message.objects.filter(recipient=worker.person_id).exists()


def test_a_cancelled_round_ends_its_cases(cast: Cast):
    model_worker(cast)
    model_worker(cast, is_revoked=True)
    round_ = propose(cast)
    with pytest.raises(Refused, match="reason"):
        subsidies.cancel(round=round_, by=cast.officer, reason="")
    subsidies.cancel(round=round_, by=cast.officer, reason="wrong year")
    assert set(round_.cases.values_list("state", flat=True)) == {CaseState.CANCELLED}
    again = subsidies.propose(scheme="festival_gift", period=PERIOD, by=cast.officer, today=TODAY)
    assert again.cases.count() == 2


def test_the_notice_shows_masked_names_and_no_ground(cast: Cast, fund: Fund):
    for name in ("张三丰", "李四", "阿依古丽·买买提"):
        model_worker(cast, make_person(cast.tree.union, name=name, born_on=date(1955, 5, 1)))
    round_ = decided(cast)
    notice = publicity.draft_notice(
        rule_set=round_.rule_set, period=PERIOD, title="List", place="Hall", contact="Office",
        by=cast.officer,
    )  # fmt: skip
    shown = set(NoticeEntry.objects.values_list("shown_name", flat=True))
    assert shown == {mask_name(name) for name in ("张三丰", "李四", "阿依古丽·买买提")}
    assert set(NoticeEntry.objects.values_list("shown_ground", flat=True)) == {""}
    assert notice.days == round_.rule_set.notice_days
    notices.publish(notice=notice, by=cast.officer, today=TODAY)
    assert set(Decision.objects.values_list("state", flat=True)) == {DecisionState.PUBLISHED}


def test_a_scheme_without_notice_is_clear_at_once(cast: Cast, fund: Fund):
    model_worker(cast)
    rule_set(cast, "festival_gift", notice_days=0)
    round_ = subsidies.propose(scheme="festival_gift", period=PERIOD, by=cast.officer, today=TODAY)
    check_all(cast, round_)
    subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)
    assert set(Decision.objects.values_list("state", flat=True)) == {DecisionState.CLEAR}


def test_revoking_the_last_municipal_honour_withdraws_what_is_unpaid(cast: Cast, fund: Fund):
    worker = model_worker(cast)
    decided(cast)
    honour = Honour.objects.get(person=worker.person)
    with pytest.raises(PermissionDenied):
        honours.revoke(honour=honour, reason="x", revoked_on=TODAY, by=cast.qiao, today=TODAY)
    ended = honours.revoke(
        honour=honour, reason="doc 12", revoked_on=TODAY, by=cast.officer, today=TODAY
    )
    assert (ended.withdrawn, ended.on_their_way) == (1, 0)
    assert Decision.objects.get().state == DecisionState.WITHDRAWN
    assert SubsidyCase.objects.get().state == CaseState.WITHDRAWN


def test_after_an_upheld_objection_another_round_of_the_year_takes_the_person_up(
    cast: Cast, fund: Fund
):
    model_worker(cast)
    decided(cast)
    withdrawals.withdraw(decision=Decision.objects.get(), by=cast.decider, reason="Objection 1")
    decided(cast)
    states = Entitlement.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["withdrawn", "granted"]
    cases = SubsidyCase.objects.order_by("pk").values_list("state", flat=True)
    assert list(cases) == [CaseState.WITHDRAWN, CaseState.GRANTED]


@pytest.mark.parametrize(
    "parameters",
    [
        {"gift_fen": 30_000, "requires_verification": False},
        {"gift_fen": "300", "hardship_standard_fen": {}, "requires_verification": False},
        {"gift_fen": 1, "hardship_standard_fen": {}, "requires_verification": False, "x": 1},
    ],
)
def test_a_rule_set_is_refused_when_it_is_written_without_what_its_scheme_needs(
    cast: Cast, parameters: dict[str, Any]
):
    standing = rule_set(cast, "festival_gift")
    with pytest.raises((ParameterMissing, ParameterWrong)):
        decisions.draft_successor(
            rule_set=standing, by=cast.rules_clerk, parameters=parameters, valid_from=TODAY
        )
    good = {"gift_fen": 1, "hardship_standard_fen": {}, "requires_verification": False}
    made = decisions.draft_successor(
        rule_set=standing, by=cast.rules_clerk, parameters=good, valid_from=TODAY
    )
    with pytest.raises((ParameterMissing, ParameterWrong)):
        decisions.edit_draft(rule_set=made, by=cast.rules_clerk, parameters=parameters)
    # Written past the doors: the adoption asks again.
    RuleSet.objects.filter(pk=made.pk).update(parameters=parameters)
    with pytest.raises((ParameterMissing, ParameterWrong)):
        decisions.adopt(rule_set=made, by=cast.decider, now=NOW)


def test_every_step_leaves_an_entry(cast: Cast, fund: Fund):
    model_worker(cast)
    decided(cast)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {
        "subsidyround.proposed",
        "countycheck.confirmed",
        "subsidycase.confirmed",
        "subsidyround.checked",
        "subsidyround.decided",
        "decision.made_set",
        "subsidycase.granted",
    } <= actions


def test_raw_sql_can_neither_skip_a_step_nor_edit_a_decided_case(cast: Cast, fund: Fund):
    model_worker(cast)
    round_ = propose(cast)
    case = round_.cases.get()
    for attack in (
        {"state": "granted"},
        {"state": "refused"},
        {"person_id": cast.lin_person.pk},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            SubsidyCase.objects.filter(pk=case.pk).update(**attack)
    check_all(cast, round_)
    subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)
    for attack in ({"amount_fen": 1}, {"steps": []}, {"reason": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SubsidyCase.objects.filter(pk=case.pk).update(**attack)


def test_enroll_set_adds_updates_and_changes_nothing_the_second_time(cast: Cast):
    from django.db.models import CharField, DateField, F, Value
    from django.db.models.functions import Cast as To

    people = [make_person(cast.tree.union) for _ in range(3)]

    def rows(kind: str) -> Any:
        return Person.objects.filter(pk__in=[p.pk for p in people]).values(
            person_id=F("pk"),
            worker_kind=Value(kind),
            is_farmer=Value(True),
            lost_on=Value(None, output_field=DateField()),
            title=Value("榆林市劳动模范"),
            level=Value("municipal"),
            conferred_on=Value(date(2001, 5, 1)),
            certificate=To("pk", CharField()),
        )

    first = model_workers.enroll_set(rows=rows("rural"), by=cast.officer)
    assert (first.model_workers, first.honours) == (3, 3)
    again = model_workers.enroll_set(rows=rows("rural"), by=cast.officer)
    assert (again.model_workers, again.honours) == (0, 0)
    changed = model_workers.enroll_set(rows=rows("culture"), by=cast.officer)
    assert (changed.model_workers, changed.honours) == (3, 0)
    with pytest.raises(PermissionDenied):
        model_workers.enroll_set(rows=rows("rural"), by=cast.qiao)


def test_verify_set_verifies_the_living_within_reach_once(cast: Cast):
    near = model_worker(cast, verified=None)
    model_worker(cast, union=cast.tree.other_union, verified=None)
    model_worker(cast, make_person(cast.tree.union, died_on=date(2025, 1, 1)), verified=None)
    assert model_workers.verify_set(year=2026, by=cast.qiao, today=TODAY) == 1
    assert near.verifications.get().is_alive
    assert model_workers.verify_set(year=2026, by=cast.officer, today=TODAY) == 1
    assert model_workers.verify_set(year=2026, by=cast.officer, today=TODAY) == 0


def test_a_later_finding_of_the_year_overrides_the_earlier(cast: Cast, fund: Fund):
    worker = model_worker(cast)
    decided(cast)
    assert not entitlements.stopped("festival_gift", Entitlement.objects.all()).exists()
    model_workers.verify(
        model_worker=worker,
        year=2026,
        is_alive=True,
        honour_retained=False,
        evidence="letter",
        by=cast.qiao,
        today=TODAY,
    )
    stopped = entitlements.stopped("festival_gift", Entitlement.objects.all()).get()
    assert stopped.reason.startswith("X3")


def test_the_missing_yearly_standard_blocks_and_names_where_to_enter_it(cast: Cast):
    model_worker(cast, in_hardship=True)
    with pytest.raises(ParameterMissing, match=r"hardship_standard_fen.*2026"):
        propose(cast, hardship_standard_fen={"2025": 80_000})
    assert SubsidyRound.objects.count() == 0


def test_model_worker_changes_are_scoped(cast: Cast):
    worker: ModelWorker = model_worker(cast, union=cast.tree.other_union)
    with pytest.raises(PermissionDenied):
        model_workers.verify(
            model_worker=worker,
            year=2026,
            is_alive=True,
            honour_retained=True,
            evidence="x",
            by=cast.qiao,
            today=TODAY,
        )
    assert audit.verify() == []
