"""A ceiling holds over all schemes it names, even against raw SQL and in the same second."""

from __future__ import annotations

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import F, Value

from members.models import Person
from tests.cast import make_payee, make_rule_set
from tests.disbursement.conftest import SCHEME, Office
from tests.disbursement.race import meanwhile, together
from tests.disbursement.test_invariants import broken, damage
from tests.disbursement.test_sql_attacks import attack
from union_portal import withdrawals
from union_portal.models import AuditEntry, Decision, RuleSet
from welfare.disbursement import caps, entitlements, ledger, motions
from welfare.disbursement.caps import CapReached
from welfare.disbursement.models import Cap, Entitlement
from welfare.disbursement.refusals import PayoutRefused

OTHER = "special_hardship"


def put(office: Office, *people: Person, fen: int = 50_000, **more) -> int:
    """A ceiling over both schemes of the fund for the year."""
    fields = {
        "purpose": "living_relief",
        "period": "2026",
        "schemes": [SCHEME, OTHER],
        "clause": "总工发〔2015〕20号 art. 5",
        "organization": office.cast.tree.city,
        "by": office.cast.feng,
    }
    rows = Person.objects.filter(pk__in=[person.pk for person in people])
    return caps.put(rows=rows.values(person_id=F("pk"), ceiling_fen=Value(fen)), **(fields | more))


def owe(office: Office, person: Person, scheme: str = SCHEME, **more) -> Entitlement:
    rules = office.rule_set if scheme == SCHEME else make_rule_set(office.cast, scheme)
    decision = office.clear_decision(person, rule_set=rules, **more)
    return entitlements.grant(decision=decision, person=person, by=office.cast.officer)


def of_another_fund(office: Office) -> RuleSet:
    """A rule set of the other scheme, paid from a fund of its own."""
    fund = ledger.open_fund(
        code="relief",
        name="Relief fund",
        year=2026,
        organization=office.cast.tree.city,
        schemes=[OTHER],
        payer_name="榆林市总工会",
        payer_account="99990000000000000001",
        by=office.cast.feng,
    )
    ledger.appropriate(
        fund=fund, amount_fen=1_000_000, by=office.cast.feng, reason="budget", key="relief"
    )
    return make_rule_set(office.cast, OTHER, fund_code=fund.code)


def used() -> int:
    return Cap.objects.get().used_fen


def test_two_schemes_count_under_one_ceiling(office):
    person = make_payee(office.cast)
    put(office, person)
    owe(office, person)
    owe(office, person, OTHER, amount_fen=20_000)
    assert used() == 50_000


def test_what_goes_past_the_ceiling_is_refused_with_its_clause(office):
    person = make_payee(office.cast)
    put(office, person)
    owe(office, person)
    with pytest.raises(CapReached, match=r"art\. 5") as refused:
        owe(office, person, OTHER)
    assert "500.00" in str(refused.value) and "200.00" in str(refused.value)
    assert (used(), Entitlement.objects.count()) == (30_000, 1)


def test_months_count_under_the_ceiling_of_their_year(office):
    person = make_payee(office.cast)
    put(office, person)
    owe(office, person, period="2026-03")
    with pytest.raises(CapReached):
        owe(office, person, period="2026-04")


def test_another_year_scheme_or_person_has_its_own_room(office):
    person, other = make_payee(office.cast), make_payee(office.cast)
    put(office, person, schemes=[SCHEME])
    owe(office, person)
    owe(office, person, OTHER)
    owe(office, person, period="2025")
    owe(office, person, period="20261")
    owe(office, other)
    assert used() == 30_000


def test_a_new_ceiling_counts_what_was_granted_before(office):
    person = make_payee(office.cast)
    owe(office, person)
    put(office, person)
    assert used() == 30_000


def test_a_ceiling_below_what_was_granted_is_refused(office):
    person = make_payee(office.cast)
    owe(office, person)
    with pytest.raises(PayoutRefused, match="ceiling allows"):
        put(office, person, fen=29_999)


def test_a_ceiling_is_raised_and_the_same_again_changes_nothing(office):
    person = make_payee(office.cast)
    assert put(office, person) == 1
    assert put(office, person) == 0
    assert put(office, person, fen=90_000) == 1
    assert Cap.objects.get().ceiling_fen == 90_000


def test_what_two_people_withdraw_is_given_back(office):
    person = make_payee(office.cast)
    put(office, person)
    owed = owe(office, person)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved away")
    motions.second(motion=motion, by=office.cast.feng_checker)
    assert used() == 0


def test_what_is_written_off_is_given_back(office):
    person = make_payee(office.cast)
    put(office, person)
    owed = owe(office, person)
    motion = entitlements.write_off(entitlement=owed, by=office.cast.feng, reason="untraceable")
    motions.second(motion=motion, by=office.cast.feng_releaser)
    assert used() == 0


def test_a_higher_decision_counts_in_place_of_the_one_it_replaces(office):
    from tests.disbursement.test_entitlements import replacing

    person = make_payee(office.cast)
    put(office, person)
    owed = owe(office, person)
    entitlements.grant(
        decision=replacing(office, owed, 50_000), person=person, by=office.cast.officer
    )
    assert used() == 50_000


def granted_set(office: Office) -> int:
    rows = Decision.objects.values(decision_id=F("id"), person_id=F("subject_id"))
    return entitlements.grant_set(rows=rows, fund=office.fund, by=office.cast.officer)


def test_a_set_leaves_out_whom_a_ceiling_stops_and_names_the_clause(office):
    poor, rich = make_payee(office.cast), make_payee(office.cast)
    put(office, poor, fen=29_999)
    put(office, rich, fen=30_000)
    decisions = [
        office.clear_decision(person, subject_id=person.pk)
        for person in (poor, rich, make_payee(office.cast))
    ]
    rows = Decision.objects.values(decision_id=F("id"), person_id=F("subject_id"))
    (over,) = caps.over(rows)
    assert (over.decision_id, over.person_id, over.left_fen) == (decisions[0].pk, poor.pk, 29_999)
    assert over.clause == "总工发〔2015〕20号 art. 5"
    assert granted_set(office) == 2
    said = AuditEntry.objects.get(action="entitlement.over_cap").detail
    assert (said["count"], said["clauses"]) == (1, [over.clause])
    assert said["first_decisions"] == [decisions[0].pk]


def test_a_set_counts_a_persons_own_cases_one_after_another(office):
    person = make_payee(office.cast)
    put(office, person, fen=60_000, period="2026")
    for month in ("2026-01", "2026-02", "2026-03"):
        office.clear_decision(person, subject_id=person.pk, period=month)
    assert granted_set(office) == 2
    assert list(Entitlement.objects.values_list("period", flat=True)) == ["2026-01", "2026-02"]


def test_whom_a_ceiling_stopped_is_granted_when_it_is_raised(office):
    person = make_payee(office.cast)
    put(office, person, fen=10_000)
    office.clear_decision(person, subject_id=person.pk)
    assert granted_set(office) == 0
    put(office, person, fen=30_000)
    assert granted_set(office) == 1


def test_only_finance_of_the_place_sets_ceilings(office):
    person = make_payee(office.cast)
    for stranger in (office.cast.qiao, office.cast.gao, office.cast.wei):
        with pytest.raises(PermissionDenied):
            put(office, person, by=stranger)


def test_people_of_another_county_are_passed_over(office):
    person = make_payee(office.cast, office.cast.tree.other_union)
    assert put(office, person, organization=office.cast.tree.county) == 0


@pytest.mark.parametrize(
    ("sql", "refused_by"),
    [
        ("UPDATE disbursement_cap SET used_fen = 0", "cap_used_counted"),
        ("UPDATE disbursement_cap SET ceiling_fen = used_fen - 1", "cap_ceiling"),
        ("UPDATE disbursement_cap SET period = '2027'", "cap_frozen"),
        ("UPDATE disbursement_cap SET schemes = '[\"x\"]'", "cap_frozen"),
        ("UPDATE disbursement_cap SET person_id = person_id + 1", "cap_frozen"),
        ("UPDATE disbursement_cap SET clause = ''", "cap_with_clause"),
        ("DELETE FROM disbursement_cap", "cap_no_delete"),
        ("TRUNCATE disbursement_cap", "cap_no_truncate"),
        (
            "INSERT INTO disbursement_cap (person_id, purpose, period, schemes, clause,"
            " ceiling_fen, used_fen) SELECT person_id, 'x', '2026', '[]', 'art. 1', 9, 0"
            " FROM disbursement_cap",
            "cap_names_schemes",
        ),
        (
            "INSERT INTO disbursement_cap (person_id, purpose, period, schemes, clause,"
            " ceiling_fen, used_fen) SELECT person_id, 'x', '2026', schemes, 'art. 1', 9, 0"
            " FROM disbursement_cap",
            "cap_ceiling",
        ),
        (
            "INSERT INTO disbursement_cap (person_id, purpose, period, schemes, clause,"
            " ceiling_fen, used_fen) SELECT person_id, purpose, period, schemes, 'art. 1',"
            " 90000, 0 FROM disbursement_cap",
            "cap_once",
        ),
    ],
)
def test_a_ceiling_is_not_bent_by_hand(office, sql, refused_by):
    person = make_payee(office.cast)
    put(office, person)
    owe(office, person)
    assert attack(sql) == refused_by


def test_an_entitlement_written_by_hand_is_counted_and_refused(doomed_office):
    office = doomed_office
    person = make_payee(office.cast)
    put(office, person)
    owe(office, person)
    for fen, refused_by in ((20_001, "cap_ceiling"), (20_000, "")):
        decision = office.clear_decision(
            person, rule_set=make_rule_set(office.cast, OTHER), amount_fen=fen
        )
        # The refused one is rolled back with its statement; the other stays.
        assert (
            attack(
                "INSERT INTO disbursement_entitlement (decision_id, person_id, fund_id,"
                " organization_id, scheme, period, amount_fen, claim_key, state)"
                " SELECT d.id, e.person_id, e.fund_id, d.organization_id, d.scheme, d.period,"
                " d.amount_fen, replace(e.claim_key, e.scheme, d.scheme), 'granted'"
                " FROM disbursement_entitlement e, union_portal_decision d WHERE d.id = %s",
                decision.pk,
            )
            == refused_by
        )
    assert used() == 50_000


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE disbursement_cap SET used_fen = used_fen - 1",
        "UPDATE disbursement_entitlement SET state = 'withdrawn'",
    ],
)
def test_a_miscounted_ceiling_is_noticed(doomed_office, sql):
    person = make_payee(doomed_office.cast)
    put(doomed_office, person)
    owe(doomed_office, person)
    assert broken() == set()
    damage(sql)
    assert "I14" in broken()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("asks_first", [True, False])
def test_two_grants_in_the_same_second_stay_under_one_ceiling(office, monkeypatch, asks_first):
    """From two funds, so that no lock on a fund keeps them apart; also without the first look."""
    if not asks_first:
        monkeypatch.setattr(caps, "require_room", lambda **_given: None)
    person = make_payee(office.cast)
    put(office, person)
    decisions = [
        office.clear_decision(person),
        office.clear_decision(person, rule_set=of_another_fund(office)),
    ]
    acts = [
        lambda decision=decision: entitlements.grant(
            decision=decision, person=person, by=office.cast.officer
        )
        for decision in decisions
    ]
    error = meanwhile(*acts).error
    assert isinstance(error, CapReached if asks_first else PayoutRefused), error
    assert "ceiling" in str(error)
    assert (used(), Entitlement.objects.get().decision) == (30_000, decisions[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("as_set", [True, False])
def test_ceilings_are_held_lowest_first_before_what_is_stale_ends(office, as_set):
    """Whoever holds a person's first ceiling may go on to the next, and nobody dies of it."""
    early, late = make_payee(office.cast), make_payee(office.cast)
    put(office, early)
    put(office, late)
    if not as_set:  # two ceilings of one person; the stale money counts under the second alone
        early = late
        put(office, late, purpose="medical_relief", schemes=[SCHEME])
    stale = owe(office, late, subject_id=late.pk)
    withdrawals.withdraw(decision=stale.decision, by=office.cast.decider, reason="upheld")
    for person in {early, late}:
        again = office.clear_decision(person, subject_id=person.pk)
    mine = Cap.objects.filter(person__in=(early, late)).order_by("pk")

    def grant() -> None:
        if as_set:
            granted_set(office)
        else:
            entitlements.grant(decision=again, person=late, by=office.cast.officer)

    def lock(cap: Cap) -> None:
        Cap.objects.select_for_update().get(pk=cap.pk)

    first, last = mine
    runner = meanwhile(lambda: lock(first), grant, then=lambda: lock(last))
    assert runner.error is None
    stale.refresh_from_db()
    assert stale.state == "withdrawn"


@pytest.mark.django_db(transaction=True)
def test_of_two_grants_at_once_one_wins(office):
    person = make_payee(office.cast)
    put(office, person)
    decisions = [
        office.clear_decision(person),
        office.clear_decision(person, rule_set=of_another_fund(office)),
    ]
    runners = together(
        *(
            lambda decision=decision: entitlements.grant(
                decision=decision, person=person, by=office.cast.officer
            )
            for decision in decisions
        )
    )
    errors = [runner.error for runner in runners if runner.error is not None]
    assert [type(error) for error in errors] == [CapReached]
    assert used() == 30_000


@pytest.mark.django_db(transaction=True)
def test_a_ceiling_set_in_the_second_of_a_grant_counts_it(office):
    person = make_payee(office.cast)
    decision = office.clear_decision(person)
    act = partial(entitlements.grant, decision=decision, person=person, by=office.cast.officer)
    assert meanwhile(act, lambda: put(office, person)).error is None
    assert used() == 30_000
