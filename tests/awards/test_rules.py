"""The Measures, clause by clause (X1 to X16): each test fails when its rule is broken."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import Error, IntegrityError, transaction
from django.utils import translation

from awards import queries, sample_rules
from awards.actions import applications, honours, model_workers, rule_sets, subsidies
from awards.models import HomeVisit, Honour, Scheme, SubsidyCase
from awards.rules import (
    FESTIVAL_GIFT,
    HARDSHIP_APPLICATION,
    LIVING_ALLOWANCE,
    SCHEMES,
    SPECIAL_HARDSHIP,
    Assessment,
    ParameterMissing,
    assess,
    check,
    prepare,
    render,
)
from awards.rules.parameters import PARAMETERS, ParameterWrong, age, reference_day
from awards.states import CASE, CaseState
from members.rules.rows import RowError, require_own_account
from tests.awards import test_applications as steps
from tests.awards.roster import model_worker, rule_set
from tests.awards.test_subsidies import decided, open_fund
from tests.cast import NOW, TODAY, Cast, make_bank_account
from union_portal import access, appeals, decisions, notifications
from union_portal.access import Permission, Role
from union_portal.models import AuditEntry, Message, RuleSet
from welfare.disbursement import batches, entitlements
from welfare.disbursement.models import Entitlement, Fund, PayoutLine

XIAN = {sample.scheme: sample for sample in sample_rules.XIAN_2019}
STANDING = {
    "is_municipal": True,
    "is_alive": True,
    "retains_honour": True,
    "is_verified": True,
    "in_hardship": False,
    "is_farmer": True,
    "is_male": True,
    "age": 61,
    "has_lost_work_capacity": False,
    "has_other_case": False,
}
NEED = {
    **STANDING,
    "ground": "illness",
    "patient": "self",
    "cause": "",
    "is_serious": True,
    "are_reliefs_stated": True,
    "remaining_fen": 1,
    "is_school_in_china": False,
    "is_visited": True,
    "is_reviewed": True,
    "amount_fen": 300_000,
}


def ask(scheme: str, facts: dict[str, Any], **changes: Any) -> Assessment:
    """Assess under Xi'an's parameters of 2019, with changed parameters if any."""
    parameters = {**XIAN[scheme].parameters, **changes}
    givens = prepare(scheme, parameters, period="2019", on=date(2019, 5, 1))
    return assess(SCHEMES[scheme], facts, givens)


def refusal(told: Assessment) -> str:
    return told.refusal["clause"] if told.refusal else ""


@pytest.fixture
def fund(cast: Cast) -> Fund:
    return open_fund(cast)


def test_x01_the_measures_hold_from_2019_to_2023_and_not_a_day_longer(cast: Cast, fund: Fund):
    rule_sets.install_samples(by=cast.rules_clerk, second=cast.decider, now=NOW)
    lapsed = RuleSet.objects.in_force("festival_gift", date(2023, 12, 31)).get()
    assert (lapsed.place, lapsed.is_sample) == ("西安", True)
    for day in (date(2018, 12, 31), date(2024, 1, 1)):
        with pytest.raises(decisions.NoRuleInForce):
            decisions.rule_set_in_force("festival_gift", day)
        with pytest.raises(decisions.NoRuleInForce):
            subsidies.propose(scheme="festival_gift", period="2024", by=cast.officer, today=day)
    model_worker(cast)
    round_ = subsidies.propose(scheme="festival_gift", period="2026", by=cast.officer, today=TODAY)
    assert round_.rule_set.place == "榆林（演示）"


def test_x02_the_money_has_three_uses_only(cast: Cast):
    assert set(Scheme.values) == set(SCHEMES) == set(PARAMETERS) == set(XIAN)
    model_worker(cast)
    rule_set(cast, "festival_gift")
    round_ = subsidies.propose(scheme="festival_gift", period="2026", by=cast.officer, today=TODAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        SubsidyCase.objects.create(
            person=cast.lin_person,
            scheme="office_party",
            period="2026",
            round=round_,
            organization=cast.tree.union,
            county=cast.tree.county,
            created_by=cast.officer,
            state=CaseState.PROPOSED,
        )


@pytest.mark.parametrize("fact", ["is_municipal", "is_alive", "retains_honour"])
@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_x03_only_a_living_municipal_model_worker_who_keeps_the_honour(scheme: str, fact: str):
    facts = NEED if scheme == "special_hardship" else STANDING
    assert ask(scheme, facts).is_entitled
    assert refusal(ask(scheme, {**facts, fact: False})) == "X3"


def test_x03_a_rule_set_may_ask_for_the_yearly_verification():
    unverified = {**STANDING, "is_verified": False}
    assert ask("festival_gift", unverified).is_entitled
    assert refusal(ask("festival_gift", unverified, requires_verification=True)) == "X3"


def test_x03_is_asked_again_before_payment(cast: Cast, fund: Fund):
    dead, dishonoured, found_dead, fine = (model_worker(cast) for _ in range(4))
    decided(cast)
    model_workers.record_death(model_worker=dead, died_on=TODAY, by=cast.officer, today=TODAY)
    honours.revoke(
        honour=Honour.objects.get(person=dishonoured.person),
        reason="doc",
        revoked_on=TODAY,
        by=cast.officer,
        today=TODAY,
    )
    model_workers.verify(
        model_worker=found_dead,
        year=2026,
        is_alive=False,
        honour_retained=True,
        evidence="call",
        by=cast.qiao,
        today=TODAY,
    )
    stopped = entitlements.stopped("festival_gift", Entitlement.objects.all())
    assert {e.person_id for e in stopped} == {
        dead.person_id,
        dishonoured.person_id,
        found_dead.person_id,
    }
    assert fine.person_id not in {e.person_id for e in stopped}
    assert all(e.reason.startswith("X3") for e in stopped)


def test_x04_the_festival_gift_is_300_yuan_for_everybody():
    told = ask("festival_gift", {**STANDING, "is_farmer": False})
    assert (told.is_entitled, told.amount_fen) == (True, 30_000)
    assert told.steps[-1]["clause"] == "X4"
    assert render(told.steps[-1]) == "Festival gift of 300.00 yuan."


def test_x05_in_hardship_the_years_standard_comes_instead():
    needy = {**STANDING, "in_hardship": True}
    told = ask("festival_gift", needy, hardship_standard_fen={"2019": 80_000})
    assert (told.is_entitled, told.amount_fen) == (True, 80_000)
    assert [step["clause"] for step in told.steps if step["amount_fen"]] == ["X5"]


def test_x05_a_missing_standard_blocks_and_is_named():
    needy = {**STANDING, "in_hardship": True}
    told = ask("festival_gift", needy, hardship_standard_fen={"2018": 80_000})
    assert (told.is_entitled, told.amount_fen, told.refusals) == (False, 0, ())
    assert told.missing == "hardship_standard_fen"
    assert ask("festival_gift", STANDING, hardship_standard_fen={}).is_entitled


@pytest.mark.parametrize("patient", ["self", "parent", "spouse", "child"])
def test_x06a_illness_in_the_closest_family_counts(patient: str):
    assert ask("special_hardship", {**NEED, "patient": patient}).is_entitled


@pytest.mark.parametrize(
    "changes",
    [
        {"patient": "sibling"},
        {"patient": ""},
        {"is_serious": False},
        {"are_reliefs_stated": False},
        {"remaining_fen": 0},
    ],
)
def test_x06a_counts_heavy_cost_after_four_other_reliefs_only(changes: dict[str, Any]):
    assert refusal(ask("special_hardship", {**NEED, **changes})) == "X6(a)"


def test_x06a_all_four_reliefs_come_off_the_cost():
    from awards.rules.grounds import facts, read_details

    stated = {"text": "x", "patient": "self", "is_serious": True, "costs": "1000"}
    reliefs = {"basic": "400", "major_illness": "300", "assistance": "200", "worker_aid": "99.99"}
    told = facts("illness", read_details("illness", {**stated, **reliefs}))
    assert (told["are_reliefs_stated"], told["remaining_fen"]) == (True, 1)
    for name in reliefs:
        left = {key: value for key, value in reliefs.items() if key != name}
        told = facts("illness", read_details("illness", {**stated, **left}))
        assert told["are_reliefs_stated"] is False


@pytest.mark.parametrize("cause", ["lay_off", "unemployment", "lost_work_capacity", "schooling"])
def test_x06b_names_four_causes_and_schooling_in_china_only(cause: str):
    facts = {**NEED, "ground": "livelihood", "patient": "", "is_school_in_china": True}
    assert ask("special_hardship", {**facts, "cause": cause}).is_entitled
    abroad = {**facts, "cause": cause, "is_school_in_china": False}
    assert ask("special_hardship", abroad).is_entitled is (cause != "schooling")
    assert refusal(ask("special_hardship", {**facts, "cause": "debt"})) == "X6(b)"


@pytest.mark.parametrize("cause", ["natural_disaster", "family_accident"])
def test_x06c_names_disaster_and_accident(cause: str):
    facts = {**NEED, "ground": "disaster", "patient": ""}
    assert ask("special_hardship", {**facts, "cause": cause}).is_entitled
    assert refusal(ask("special_hardship", {**facts, "cause": "inflation"})) == "X6(c)"


def test_x06_there_is_no_fourth_ground():
    assert refusal(ask("special_hardship", {**NEED, "ground": "wish"})) == "X6"


@pytest.mark.parametrize(
    ("amount_fen", "is_entitled"),
    [(99_999, False), (100_000, True), (500_000, True), (500_001, False), (0, False)],
)
def test_x07_a_payment_lies_between_1000_and_5000_yuan_inclusive(
    amount_fen: int, is_entitled: bool
):
    told = ask("special_hardship", {**NEED, "amount_fen": amount_fen})
    assert told.is_entitled is is_entitled
    assert refusal(told) == ("" if is_entitled else "X7")


def test_x07_once_per_person_and_year(cast: Cast, fund: Fund):
    assert refusal(ask("special_hardship", {**NEED, "has_other_case": True})) == "X7"
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    case = steps.apply(cast)
    with pytest.raises(applications_refusal(), match="X7"):
        steps.apply(cast)
    with pytest.raises(IntegrityError, match="case_one_live"), transaction.atomic():
        SubsidyCase.objects.create(
            person=case.person,
            scheme=case.scheme,
            period=case.period,
            organization=case.organization,
            county=case.county,
            ground="disaster",
            created_by=cast.lin,
        )
    steps.visit(cast, case)
    steps.review(cast, case)
    steps.decide(cast, case)
    with pytest.raises(applications_refusal(), match="X7"):
        steps.apply(cast)


def applications_refusal() -> type[Exception]:
    from awards.actions.refusals import RuleRefused

    return RuleRefused


@pytest.mark.parametrize(
    ("changes", "is_entitled"),
    [
        ({"is_male": True, "age": 60}, True),
        ({"is_male": True, "age": 59}, False),
        ({"is_male": False, "age": 55}, True),
        ({"is_male": False, "age": 54}, False),
        ({"is_male": True, "age": 30, "has_lost_work_capacity": True}, True),
        ({"is_farmer": False}, False),
        ({"is_farmer": False, "has_lost_work_capacity": True}, False),
    ],
)
def test_x08_farmers_of_age_or_without_work_capacity_get_2000(
    changes: dict[str, Any], is_entitled: bool
):
    told = ask("living_allowance", {**STANDING, **changes})
    assert told.amount_fen == (200_000 if is_entitled else 0)
    assert refusal(told) == ("" if is_entitled else "X8")


def test_x08_the_year_of_conferral_does_not_matter(cast: Cast):
    for year in (1960, 2025):
        worker = model_worker(cast, is_farmer=True)
        Honour.objects.filter(person=worker.person).update(conferred_on=date(year, 5, 1))
    rules = rule_set(cast, "living_allowance")
    found = queries.candidates("living_allowance", "2026", rules, TODAY, within=cast.tree.city)
    assert found.summary().entitled == 2


def test_x09_the_day_on_which_the_age_counts_is_a_parameter():
    born = date(1959, 12, 31)
    on = date(2019, 5, 1)
    days = {text: reference_day(text, period="2019", on=on) for text in ("12-31", "decision_day")}
    assert {text: age(born, day) for text, day in days.items()} == {
        "12-31": 60,
        "decision_day": 59,
    }
    assert age(date(1960, 2, 29), date(2020, 2, 28)) == 59
    assert age(date(1960, 2, 29), date(2021, 2, 28)) == 60
    assert age(date(1960, 2, 29), date(2021, 3, 1)) == 61


def test_x10_the_three_uses_stack_to_7300_yuan():
    told = [
        ask("festival_gift", STANDING),
        ask("special_hardship", {**NEED, "amount_fen": 500_000}),
        ask("living_allowance", STANDING),
    ]
    assert sum(one.amount_fen for one in told) == 730_000


def test_x11_application_visit_review_decision_in_this_order():
    way = [CaseState.SUBMITTED, CaseState.VISITED, CaseState.REVIEWED, CaseState.GRANTED]
    for place, state in enumerate(way):
        ahead = {other for other in way[place + 1 :] if CASE.allows(state, other)}
        assert ahead == set(way[place + 1 : place + 2])
    for fact in ("is_visited", "is_reviewed"):
        assert refusal(ask("special_hardship", {**NEED, fact: False})) == "X11"


def test_x11_nothing_is_payable_before_the_public_notice_ended(cast: Cast, fund: Fund):
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    steps.decide(cast, steps.reviewed(cast))
    with pytest.raises(Exception, match="Nobody is ready to be paid"):
        batches.assemble(
            fund=fund,
            scheme="special_hardship",
            period="2026",
            organization=cast.tree.city,
            by=cast.feng,
            today=TODAY,
        )


def test_x12_money_goes_to_the_persons_own_account(cast: Cast, fund: Fund):
    with pytest.raises(RowError):
        require_own_account("别人", cast.lin_person.name)
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship", notice_days=0)
    steps.decide(cast, steps.reviewed(cast))
    own = make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    batches.assemble(
        fund=fund,
        scheme="special_hardship",
        period="2026",
        organization=cast.tree.city,
        by=cast.feng,
        today=TODAY,
    )
    line = PayoutLine.objects.get()
    assert (line.bank_account, line.bank_account.holder) == (own, cast.lin_person.name)


def test_x13_each_recipient_is_told_and_when_and_how_is_kept(cast: Cast, fund: Fund):
    phoned = model_worker(cast)
    posted = model_worker(cast)
    type(posted.person).objects.filter(pk=posted.person_id).update(
        phone=None, phone_index=None, phone_shown=""
    )
    decided(cast)
    notifications.send_pending()
    by_person = {message.recipient: message for message in Message.objects.all()}
    assert by_person[phoned.person_id].channel == "sms"
    assert by_person[phoned.person_id].sent_at is not None
    assert by_person[posted.person_id].channel == "letter"
    with translation.override("en"):
        case = SubsidyCase.objects.get(person=phoned.person)
        assert any("SMS" in event.title for event in queries.timeline(case))


def test_x14_the_auditor_reads_everything_and_writes_nothing(cast: Cast, fund: Fund):
    writes = set(Permission) - {
        Permission.STAFF_SITE,
        Permission.PERSON_VIEW,
        Permission.JOB_VIEW,
        Permission.FUND_VIEW,
        Permission.BATCH_VIEW,
        Permission.REPORT_DISBURSEMENT,
        Permission.BENEFIT_VIEW,
        Permission.TRAIL_VIEW,
        Permission.AUDIT_VIEW,
        Permission.AUDIT_EXPORT,
    }
    assert not access.GRANTS[Role.AUDITOR] & writes
    model_worker(cast)
    round_ = decided(cast)
    assert set(queries.cases_for(cast.gao)) == set(round_.cases.all())
    assert list(queries.rounds_for(cast.gao)) == [round_]
    with pytest.raises(PermissionDenied):
        subsidies.cancel(round=round_, by=cast.gao, reason="x")


def test_x15_what_was_reported_reviewed_and_decided_can_not_be_removed(cast: Cast, fund: Fund):
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    case = steps.reviewed(cast)
    for rows in (SubsidyCase.objects.filter(pk=case.pk), HomeVisit.objects.filter(case=case)):
        with pytest.raises(Error), transaction.atomic():
            rows._raw_delete(rows.db)
    with pytest.raises(Error), transaction.atomic():
        HomeVisit.objects.filter(case=case).update(is_confirmed=False)


def test_x16_a_member_can_appeal_ask_and_trace(cast: Cast, fund: Fund):
    model_worker(cast, cast.lin_person)
    rule_set(cast, "special_hardship")
    case = steps.reviewed(cast)
    decision = applications.refuse(
        case=case, clause="X6", reason="no need shown", by=cast.decider, today=TODAY
    )
    appeal = appeals.file(
        decision=decision, text="please", asked_fen=None, by=cast.lin, today=TODAY
    )
    with pytest.raises(PermissionDenied):
        appeals.take(appeal=appeal, by=cast.decider)
    titles = [event.title for event in queries.timeline(case)]
    assert titles[0] == "Applied"
    assert "Refused" in titles
    trail = AuditEntry.objects.filter(subject_type="awards.subsidycase", subject_id=str(case.pk))
    assert list(trail.order_by("id").values_list("action", flat=True)) == [
        "subsidycase.submitted",
        "subsidycase.visited",
        "subsidycase.reviewed",
        "subsidycase.refused",
    ]


def test_every_sample_states_all_its_parameters_and_says_that_it_is_a_sample():
    for sample in (*sample_rules.XIAN_2019, *sample_rules.DEMO):
        check(sample.scheme, sample.parameters)
        assert sample.is_sample
        assert "样例" in sample.title or "演示" in sample.title
    assert all("演示" in sample.place for sample in sample_rules.DEMO)


def test_installing_the_samples_twice_adds_nothing_and_takes_two_people(cast: Cast):
    made = rule_sets.install_samples(by=cast.rules_clerk, second=cast.decider, now=NOW)
    assert len(made) == 6
    assert rule_sets.install_samples(by=cast.rules_clerk, second=cast.decider, now=NOW) == []
    assert all(one.written_by != one.adopted_by for one in RuleSet.objects.all())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowance_fen", 0),
        ("allowance_fen", -1),
        ("allowance_fen", True),
        ("allowance_fen", "200000"),
        ("male_from_age", 200),
        ("age_reference", "02-30"),
        ("age_reference", "02-29"),
        ("age_reference", "today"),
        ("requires_verification", 1),
        ("bonus_fen", 5),
    ],
)
def test_a_parameter_that_can_not_be_meant_is_named(name: str, value: Any):
    parameters = {**XIAN["living_allowance"].parameters, name: value}
    with pytest.raises(ParameterWrong, match=name):
        check("living_allowance", parameters)


def test_a_missing_parameter_is_named():
    parameters = dict(XIAN["living_allowance"].parameters)
    del parameters["female_from_age"]
    with pytest.raises(ParameterMissing, match="female_from_age"):
        prepare("living_allowance", parameters, period="2019", on=date(2019, 1, 1))


def test_an_application_is_asked_the_same_clauses_as_the_decision():
    asked = [clause for clause in SPECIAL_HARDSHIP.clauses if clause.clause[:2] in {"X3", "X6"}]
    assert [c for c in HARDSHIP_APPLICATION.clauses if c in asked] == asked
    for rules in (FESTIVAL_GIFT, LIVING_ALLOWANCE, SPECIAL_HARDSHIP):
        assert rules.awards
