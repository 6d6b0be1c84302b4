"""Special hardship: apply, visit, review, decide, each by another person."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from PIL import Image

from awards import queries
from awards.actions import appeals, applications
from awards.actions.applications import Upload
from awards.actions.refusals import AwardsRefused, RuleRefused
from awards.models import SubsidyCase
from awards.states import CaseState
from tests.awards.roster import model_worker, rule_set, verify
from tests.awards.test_subsidies import open_fund
from tests.cast import TODAY, Cast, give_role, make_account, make_person
from union_portal import appeals as kernel_appeals
from union_portal import files, lifecycle, withdrawals
from union_portal.access import Role
from union_portal.kit.refusals import Refused
from union_portal.models import Decision, Message, StoredFile
from welfare.disbursement import invariants, ledger
from welfare.disbursement.models import Entitlement, Fund

ILLNESS = {
    "text": "透析治疗",
    "patient": "self",
    "is_serious": True,
    "costs": "30000",
    "basic": "12000.50",
    "major_illness": "3000",
    "assistance": "0",
    "worker_aid": "0",
}


@pytest.fixture
def fund(cast: Cast) -> Fund:
    return open_fund(cast)


@pytest.fixture
def lin(cast: Cast, fund: Fund) -> Cast:
    """The cast, with Lin a model worker and the rules in force."""
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    return cast


def photo() -> Upload:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(content, "JPEG")
    return Upload("诊断.jpg", content.getvalue())


def apply(cast: Cast, **changes: Any) -> SubsidyCase:
    asked = {
        "ground": "illness",
        "stated": ILLNESS,
        "asked_fen": None,
        "documents": [],
        "by": cast.lin,
        "today": TODAY,
        **changes,
    }
    case = applications.apply(**asked)
    with connection.cursor() as cursor:  # the visits below are dated by TODAY
        cursor.execute(
            "UPDATE awards_subsidycase SET created_at = %s WHERE id = %s", [TODAY, case.pk]
        )
    case.refresh_from_db()
    return case


def visit(cast: Cast, case: SubsidyCase, **changes: Any) -> None:
    asked = {
        "visited_on": TODAY,
        "visitors": "Qiao, Bao",
        "findings": "bills seen",
        "is_confirmed": True,
        "by": cast.qiao,
        "today": TODAY,
        **changes,
    }
    applications.visit(case=case, **asked)


def review(cast: Cast, case: SubsidyCase) -> None:
    applications.review(
        case=case, opinion="agreed as stated", recommended_fen=300_000, by=cast.shi, today=TODAY
    )


def reviewed(cast: Cast, **changes: Any) -> SubsidyCase:
    case = apply(cast, **changes)
    visit(cast, case)
    review(cast, case)
    return case


def decide(cast: Cast, case: SubsidyCase, amount_fen: int = 300_000, **more: Any) -> Decision:
    asked = {"reason": "long dialysis", "by": cast.decider, "today": TODAY, **more}
    return applications.decide(case=case, amount_fen=amount_fen, **asked)


def test_an_application_goes_all_the_way_to_reserved_money(lin: Cast, fund: Fund):
    case = reviewed(lin, documents=[photo()])
    decision = decide(lin, case)
    case.refresh_from_db()
    assert (case.state, case.amount_fen, case.decision) == (CaseState.GRANTED, 300_000, decision)
    assert Entitlement.objects.get().amount_fen == 300_000
    assert ledger.figures(fund).reserved_fen == 300_000
    titles = [event.title for event in queries.timeline(case)]
    for title in ("Applied", "Reviewed by the county", "Granted: 3,000.00 yuan"):
        assert title in titles
    assert any(title.startswith("Home visit") for title in titles)


def test_details_are_sealed_in_the_table(lin: Cast):
    case = apply(lin)
    with connection.cursor() as cursor:
        cursor.execute("SELECT details FROM awards_subsidycase WHERE id = %s", [case.pk])
        raw = bytes(cursor.fetchone()[0])
    assert "透析".encode() not in raw
    assert "透析" in str(case.details)


def test_only_a_member_applies_and_only_a_model_worker_may(cast: Cast, fund: Fund):
    rule_set(cast, "special_hardship")
    with pytest.raises(PermissionDenied):
        apply(cast, by=cast.qiao)
    with pytest.raises(RuleRefused, match="X3"):
        apply(cast)


@pytest.mark.parametrize(
    ("changes", "clause"),
    [
        ({"patient": "uncle"}, r"X6\(a\)"),
        ({"is_serious": False}, r"X6\(a\)"),
        ({"worker_aid": ""}, r"X6\(a\)"),
        ({"basic": "29000"}, r"X6\(a\)"),
    ],
)
def test_an_illness_that_is_not_covered_is_refused_with_the_clause(
    lin: Cast, changes: dict[str, Any], clause: str
):
    with pytest.raises(RuleRefused, match=clause):
        apply(lin, stated={**ILLNESS, **changes})


def test_bad_amounts_and_an_empty_description_are_named(lin: Cast):
    with pytest.raises(Exception, match="more than two decimals"):
        apply(lin, stated={**ILLNESS, "costs": "1.234"})
    with pytest.raises(Exception, match="below zero"):
        apply(lin, stated={**ILLNESS, "costs": "-1"})
    with pytest.raises(Exception, match="not described"):
        apply(lin, stated={**ILLNESS, "text": " "})
    with pytest.raises(AwardsRefused, match="outside what may be paid"):
        apply(lin, asked_fen=500_001)


def test_every_step_needs_its_role_at_its_place(lin: Cast):
    case = apply(lin)
    for account in (lin.shi, lin.decider, lin.wei, lin.lin, lin.feng, lin.gao):
        with pytest.raises(PermissionDenied):
            visit(lin, case, by=account)
    visit(lin, case)
    for account in (lin.qiao, lin.decider, lin.wei, lin.lin):
        with pytest.raises(PermissionDenied):
            applications.review(
                case=case, opinion="agreed as stated", recommended_fen=None, by=account, today=TODAY
            )
    review(lin, case)
    for account in (lin.qiao, lin.shi, lin.officer, lin.wei, lin.lin):
        with pytest.raises(PermissionDenied):
            decide(lin, case, by=account)


def test_visitor_reviewer_and_decider_are_three_people(lin: Cast):
    case = apply(lin)
    give_role(lin.qiao, Role.COUNTY_CHECKER, lin.tree.county)
    give_role(lin.qiao, Role.CITY_DECIDER, lin.tree.city)
    visit(lin, case)
    with pytest.raises(AwardsRefused, match="earlier step"):
        applications.review(
            case=case, opinion="agreed as stated", recommended_fen=None, by=lin.qiao, today=TODAY
        )
    review(lin, case)
    with pytest.raises(AwardsRefused, match="earlier step"):
        decide(lin, case, by=lin.qiao)
    with pytest.raises(IntegrityError), transaction.atomic():
        SubsidyCase.objects.filter(pk=case.pk).update(decided_by=lin.qiao)


def test_a_clerk_can_not_take_steps_in_the_own_case(lin: Cast):
    give_role(lin.lin, Role.GRASSROOTS_CLERK, lin.tree.union)
    case = apply(lin)
    with pytest.raises(AwardsRefused, match="earlier step"):
        visit(lin, case, by=lin.lin)


def test_steps_can_not_be_skipped(lin: Cast):
    case = apply(lin)
    with pytest.raises(AwardsRefused, match="X11"):
        decide(lin, case)
    with pytest.raises(lifecycle.Stale):
        review(lin, case)


def test_a_visit_lies_between_application_and_today(lin: Cast):
    from datetime import timedelta

    case = apply(lin)
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        with pytest.raises(AwardsRefused, match="future"):
            visit(lin, case, visited_on=day)


def test_an_unconfirmed_need_can_only_be_refused(lin: Cast):
    case = apply(lin)
    visit(lin, case, is_confirmed=False)
    review(lin, case)
    with pytest.raises(RuleRefused, match="X11"):
        decide(lin, case)
    decision = applications.refuse(
        case=case, clause="X11", reason="nobody ill", by=lin.decider, today=TODAY
    )
    case.refresh_from_db()
    assert (case.state, case.refusal_clause) == (CaseState.REFUSED, "X11")
    assert decision.outcome == "refused"
    assert Message.objects.filter(template="special_hardship_refused").exists()


def test_refusing_needs_a_clause_and_a_reason(lin: Cast):
    case = reviewed(lin)
    for changes in (
        {"clause": "X99", "reason": "nobody is ill"},
        {"clause": "", "reason": "nobody is ill"},
        {"clause": "X6", "reason": "too short"},
    ):
        with pytest.raises(Refused):
            applications.refuse(case=case, by=lin.decider, today=TODAY, **changes)


@pytest.mark.parametrize("fen", [-500, 0, 99_999, 500_001])
def test_the_county_recommends_an_amount_within_the_band_or_none(lin: Cast, fen: int):
    case = apply(lin)
    visit(lin, case)
    with pytest.raises(AwardsRefused, match=r"outside the band of 1,000\.00 to 5,000\.00 yuan"):
        applications.review(
            case=case, opinion="agreed as stated", recommended_fen=fen, by=lin.shi, today=TODAY
        )
    applications.review(
        case=case, opinion="agreed as stated", recommended_fen=None, by=lin.shi, today=TODAY
    )
    assert (case.state, case.recommended_fen) == (CaseState.REVIEWED, None)


def test_what_a_member_depends_on_is_said_in_a_sentence(lin: Cast):
    """One character tells nobody later why somebody was helped, or was not."""
    case = apply(lin)
    steps: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (visit, {"cast": lin, "findings": "x"}),
        (applications.return_, {"message": "x", "by": lin.qiao}),
    ]
    assert_refused(case, steps)
    visit(lin, case)
    opinion = {"opinion": "x", "recommended_fen": None, "by": lin.shi, "today": TODAY}
    assert_refused(case, [(applications.review, opinion)])
    review(lin, case)
    refusal = {"clause": "X6", "reason": "x", "by": lin.decider, "today": TODAY}
    assert_refused(case, [(decide, {"cast": lin, "reason": "x"}), (applications.refuse, refusal)])


def assert_refused(
    case: SubsidyCase, steps: list[tuple[Callable[..., Any], dict[str, Any]]]
) -> None:
    for act, said in steps:
        with pytest.raises(Refused, match="ten characters"):
            act(case=case, **said)


def test_each_step_can_return_the_application_and_the_member_hears_of_it(lin: Cast):
    case = apply(lin)
    for account, step in ((lin.qiao, visit), (lin.shi, review), (lin.decider, None)):
        before = case.state
        with pytest.raises(Refused, match="message"):
            applications.return_(case=case, message="", by=account)
        applications.return_(case=case, message="invoice missing", by=account)
        assert case.state == CaseState.RETURNED
        with pytest.raises(PermissionDenied):
            applications.resubmit(case=case, answer="x", by=lin.wei, today=TODAY)
        applications.resubmit(
            case=case, answer="added", by=lin.lin, today=TODAY, documents=[photo()]
        )
        assert case.state == before
        if step:
            step(lin, case)
    assert case.returns.filter(answered_at__isnull=True).count() == 0
    told = Message.objects.filter(template="application_returned")
    assert told.filter(channel="portal").count() == 3
    assert told.exclude(channel="portal").count() == 3


def test_only_the_step_whose_turn_it_is_returns(lin: Cast):
    case = apply(lin)
    for account in (lin.shi, lin.decider, lin.lin):
        with pytest.raises(PermissionDenied):
            applications.return_(case=case, message="x", by=account)


def test_a_changed_statement_starts_again_with_the_visit(lin: Cast):
    case = reviewed(lin)
    applications.return_(case=case, message="which bills?", by=lin.decider)
    applications.resubmit(
        case=case,
        answer="more bills",
        by=lin.lin,
        today=TODAY,
        stated={**ILLNESS, "costs": "40000"},
    )
    assert (case.state, case.visited_by, case.reviewed_by) == (CaseState.SUBMITTED, None, None)


def test_taken_back_leaves_room_for_another(lin: Cast):
    case = apply(lin)
    with pytest.raises(PermissionDenied):
        applications.take_back(case=case, by=lin.wei)
    applications.take_back(case=case, by=lin.lin)
    assert apply(lin).state == CaseState.SUBMITTED


def test_a_withdrawn_decision_ends_the_case_and_leaves_room_for_another(lin: Cast, fund: Fund):
    case = reviewed(lin)
    decision = decide(lin, case)
    withdrawals.withdraw(decision=decision, by=lin.decider, reason="Objection 1: forged bills")
    case.refresh_from_db()
    assert case.state == CaseState.WITHDRAWN
    (ended,) = [event for event in queries.timeline(case) if event.title.startswith("Ended")]
    assert (ended.text, ended.who) == ("Objection 1: forged bills", str(lin.decider))
    again = reviewed(lin)
    decide(lin, again)
    again.refresh_from_db()
    assert again.state == CaseState.GRANTED
    states = Entitlement.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["withdrawn", "granted"]
    assert ledger.figures(fund).reserved_fen == 300_000
    assert [result for result in invariants.check_all() if not result.holds] == []


def test_an_appeal_brings_a_withdrawn_case_back(lin: Cast):
    case = reviewed(lin)
    decision = decide(lin, case)
    withdrawals.withdraw(decision=decision, by=lin.decider, reason="Objection 1")
    appeals.uphold(
        appeal=_appeal(lin, decision),
        amount_fen=400_000,
        answer="the bills are genuine",
        by=lin.reviewer,
        today=TODAY,
    )
    case.refresh_from_db()
    assert (case.state, case.amount_fen) == (CaseState.GRANTED, 400_000)
    states = Entitlement.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["withdrawn", "granted"]


def test_a_stale_form_does_not_decide_twice(lin: Cast):
    case = reviewed(lin)
    other = SubsidyCase.objects.get(pk=case.pk)
    decide(lin, case)
    with pytest.raises(Exception, match=r"decided already|changed by somebody"):
        decide(lin, other)
    assert Entitlement.objects.count() == 1


def test_only_those_with_a_part_in_the_case_fetch_its_documents(lin: Cast):
    apply(lin, documents=[photo()])
    file = StoredFile.objects.get()
    may = {
        name: files.may_fetch(account, file)
        for name, account in {**lin.staff, "lin": lin.lin, "wei": lin.wei}.items()
    }
    allowed = {name for name, is_allowed in may.items() if is_allowed}
    assert allowed == {"lin", "qiao", "shi", "officer", "decider", "reviewer", "gao"}


def test_each_sees_what_waits_for_them(lin: Cast):
    case = apply(lin)
    assert list(queries.waiting_for(lin.qiao)) == [case]
    assert not queries.waiting_for(lin.shi).exists()
    visit(lin, case)
    assert list(queries.waiting_for(lin.shi)) == [case]
    review(lin, case)
    assert list(queries.waiting_for(lin.decider)) == [case]
    assert not queries.waiting_for(lin.wei).exists()
    elsewhere = make_account("ou", role=Role.GRASSROOTS_CLERK, at=lin.tree.other_union)
    assert not queries.cases_for(elsewhere).exists()
    assert list(queries.cases_of(lin.lin_person)) == [case]


def _appeal(cast: Cast, decision: Decision) -> Any:
    appeal = kernel_appeals.file(
        decision=decision, text="more", asked_fen=None, by=cast.lin, today=TODAY
    )
    kernel_appeals.take(appeal=appeal, by=cast.reviewer)
    return appeal


def test_an_upheld_appeal_raises_the_amount_and_owes_no_more_than_the_new_sum(
    lin: Cast, fund: Fund
):
    case = reviewed(lin)
    first = decide(lin, case, 200_000)
    appeal = _appeal(lin, first)
    with pytest.raises(RuleRefused, match="X7"):
        appeals.uphold(appeal=appeal, amount_fen=500_001, answer="y", by=lin.reviewer, today=TODAY)
    with pytest.raises(AwardsRefused, match="not higher"):
        appeals.uphold(appeal=appeal, amount_fen=200_000, answer="y", by=lin.reviewer, today=TODAY)
    outcome = appeals.uphold(
        appeal=appeal, amount_fen=400_000, answer="right", by=lin.reviewer, today=TODAY
    )
    case.refresh_from_db()
    assert (case.decision, case.amount_fen) == (outcome, 400_000)
    assert outcome.replaces == first
    granted = Entitlement.objects.filter(state="granted")
    assert [e.amount_fen for e in granted] == [400_000]
    assert ledger.figures(fund).reserved_fen == 400_000


def test_an_upheld_appeal_turns_a_refusal(lin: Cast):
    case = reviewed(lin)
    refused = applications.refuse(
        case=case, clause="X6", reason="no need shown", by=lin.decider, today=TODAY
    )
    appeal = _appeal(lin, refused)
    outcome = appeals.uphold(
        appeal=appeal, amount_fen=150_000, answer="right", by=lin.reviewer, today=TODAY
    )
    case.refresh_from_db()
    assert (case.state, case.refusal_clause, case.amount_fen) == (CaseState.GRANTED, "", 150_000)
    assert Entitlement.objects.get().decision == outcome
    with pytest.raises(RuleRefused, match="X7"):
        apply(lin)


def test_an_appeal_does_not_grant_what_the_rules_refuse(cast: Cast, fund: Fund):
    from awards.actions import subsidies
    from tests.awards.test_subsidies import check_all, propose

    worker = model_worker(cast, cast.lin_person, verified=None)
    model_worker(cast, make_person(cast.tree.union))
    round_ = check_all(cast, propose(cast))
    subsidies.decide_round(round=round_, by=cast.decider, today=TODAY)
    case = round_.cases.get(person=cast.lin_person)
    appeal = _appeal(cast, case.decision)
    with pytest.raises(RuleRefused, match="X3"):
        appeals.uphold(appeal=appeal, amount_fen=None, answer="y", by=cast.reviewer, today=TODAY)
    verify(cast, worker)
    appeals.uphold(appeal=appeal, amount_fen=None, answer="y", by=cast.reviewer, today=TODAY)
    case.refresh_from_db()
    assert (case.state, case.amount_fen) == (CaseState.GRANTED, 30_000)
