"""Two people in the same second, on two connections: one of them wins, nothing doubles."""

from collections.abc import Callable

import pytest
from django.db import transaction

from awards.actions import appeals, applications, subsidies
from awards.models import SubsidyCase, SubsidyRound
from awards.states import CaseState, RoundState
from tests.awards import test_applications as steps
from tests.awards.roster import model_worker, rule_set
from tests.awards.test_subsidies import check_all, checker, open_fund, propose
from tests.cast import TODAY, Cast, make_account
from tests.kernel.races import Other, at_once, waits_for_lock
from union_portal import withdrawals
from union_portal.access import Role
from union_portal.kit.refusals import Refused
from union_portal.models import Decision
from welfare.disbursement import ledger
from welfare.disbursement.models import Entitlement

pytestmark = pytest.mark.django_db(transaction=True)


def race(first: Callable[[], object], second: Callable[[], object]) -> Other:
    """The second begins before the first commits, and waits for it; how the second ended."""
    with at_once(second) as other, transaction.atomic():
        first()
        other.start()
        waits_for_lock(other)
    return other


def test_two_applications_in_one_second_become_one_case(cast: Cast):
    open_fund(cast)
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")

    def apply() -> None:
        applications.apply(
            ground="illness",
            stated=steps.ILLNESS,
            asked_fen=None,
            documents=[],
            by=cast.lin,
            today=TODAY,
        )

    assert "X7" in str(race(apply, apply).error)
    assert SubsidyCase.objects.count() == 1


def test_two_deciders_in_one_second_decide_once(cast: Cast):
    fund = open_fund(cast)
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    case = steps.reviewed(cast)
    other = make_account("nie", role=Role.CITY_DECIDER, at=cast.tree.city)

    def decide(by, amount_fen):
        mine = SubsidyCase.objects.get(pk=case.pk)
        return lambda: steps.decide(cast, mine, amount_fen, by=by)

    late = race(decide(cast.decider, 200_000), decide(other, 400_000))
    assert isinstance(late.error, Refused)
    assert Decision.objects.count() == Entitlement.objects.count() == 1
    assert ledger.figures(fund).reserved_fen == Entitlement.objects.get().amount_fen


def test_one_round_is_decided_once(cast: Cast):
    fund = open_fund(cast)
    for _ in range(5):
        model_worker(cast)
    round_ = check_all(cast, propose(cast))
    other = make_account("nie", role=Role.CITY_DECIDER, at=cast.tree.city)

    def decide(by):
        mine = SubsidyRound.objects.get(pk=round_.pk)
        return lambda: subsidies.decide_round(round=mine, by=by, today=TODAY)

    late = race(decide(cast.decider), decide(other))
    assert isinstance(late.error, Refused)
    assert Entitlement.objects.count() == 5
    assert ledger.figures(fund).reserved_fen == 150_000


def test_the_last_two_counties_move_the_round_on_whichever_comes_last(cast: Cast):
    model_worker(cast)
    model_worker(cast, union=cast.tree.other_union)
    round_ = propose(cast)

    def check(county):
        mine, by = SubsidyRound.objects.get(pk=round_.pk), checker(cast, county)
        return lambda: subsidies.check_county(round=mine, county=county, by=by)

    assert race(check(cast.tree.county), check(cast.tree.other_county)).error is None
    round_.refresh_from_db()
    assert round_.state == RoundState.CHECKED
    assert set(round_.cases.values_list("state", flat=True)) == {CaseState.CONFIRMED}


def test_two_proposals_in_one_second_open_one_round(cast: Cast):
    model_worker(cast)
    rule_set(cast, "festival_gift")
    other = make_account("nie", role=Role.CITY_OFFICER, at=cast.tree.city)

    def propose_by(by):
        return lambda: subsidies.propose(scheme="festival_gift", period="2026", by=by, today=TODAY)

    assert "open already" in str(race(propose_by(cast.officer), propose_by(other)).error)
    assert SubsidyCase.objects.count() == 1


def test_an_upheld_appeal_holds_the_money_before_the_case_as_a_withdrawal_does(cast: Cast):
    """Held the other way round, the two would wait for each other for ever."""
    open_fund(cast)
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    case = steps.reviewed(cast)
    decision = steps.decide(cast, case, 200_000)
    appeal = steps._appeal(cast, decision)

    def uphold() -> None:
        appeals.uphold(
            appeal=appeal, amount_fen=400_000, answer="right", by=cast.reviewer, today=TODAY
        )

    def withdraw() -> None:
        withdrawals.withdraw(decision=decision, by=cast.decider, reason="Objection 1")

    with at_once(uphold) as first, at_once(withdraw) as second, transaction.atomic():
        SubsidyCase.objects.select_for_update().get(pk=case.pk)
        first.start()
        waits_for_lock(first)
        second.start()
        waits_for_lock(second)
    assert first.error is None
    assert second.error is None or isinstance(second.error, Refused)
    assert Entitlement.objects.filter(state="granted").count() == 1


def test_a_double_click_on_return_asks_once(cast: Cast):
    open_fund(cast)
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    case = steps.apply(cast)

    def give_back():
        mine = SubsidyCase.objects.get(pk=case.pk)
        return lambda: applications.return_(case=mine, message="invoice missing", by=cast.qiao)

    assert isinstance(race(give_back(), give_back()).error, Refused)
    assert case.returns.count() == 1
