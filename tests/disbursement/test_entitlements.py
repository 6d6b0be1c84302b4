"""What is owed: once, from the right fund, and ended by two."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from tests.cast import make_decision, make_payee, make_rule_set
from tests.disbursement.conftest import SCHEME
from union_portal import lifecycle, withdrawals
from union_portal.models import AuditEntry, Decision
from union_portal.states import DecisionState
from welfare.disbursement import batches, entitlements, motions
from welfare.disbursement.locks import _FUND_LOCKS as FUND_LOCKS
from welfare.disbursement.models import Entitlement
from welfare.disbursement.models.caps import CAPS_LOCK
from welfare.disbursement.refusals import NoCover, PayoutRefused


def rows():
    """Every decision of the scheme, as a set to grant."""
    return Decision.objects.filter(scheme=SCHEME).values(
        decision_id=F("id"), person_id=F("subject_id")
    )


def decide(office, person, **more) -> Decision:
    """A clear decision whose subject is the person."""
    return office.clear_decision(person, **{"subject_id": person.pk, **more})


def test_a_set_is_granted_in_one_go(office):
    for _ in range(5):
        decide(office, make_payee(office.cast))
    assert entitlements.grant_set(rows=rows(), fund=office.fund, by=office.cast.officer) == 5
    assert office.figures()["reserved_fen"] == 150_000


def test_granting_a_set_again_adds_nothing(office):
    decide(office, make_payee(office.cast))
    entitlements.grant_set(rows=rows(), fund=office.fund, by=office.cast.officer)
    decide(office, make_payee(office.cast))
    assert entitlements.grant_set(rows=rows(), fund=office.fund, by=office.cast.officer) == 1
    assert entitlements.grant_set(rows=rows(), fund=office.fund, by=office.cast.officer) == 0
    assert office.figures()["reserved_fen"] == 60_000


def test_two_decisions_on_one_claim_are_owed_once(office):
    person = make_payee(office.cast)
    decide(office, person)
    decide(office, person, subject_type="tests.another_case")
    assert entitlements.grant_set(rows=rows(), fund=office.fund, by=office.cast.officer) == 1


def test_an_empty_set_is_no_error(office):
    none = rows().none()
    assert entitlements.grant_set(rows=none, fund=office.fund, by=office.cast.officer) == 0


def test_a_set_without_cover_is_refused_whole(office):
    for _ in range(2):
        decide(office, make_payee(office.cast), amount_fen=6_000_000)
    with pytest.raises(NoCover):
        entitlements.grant_set(rows=rows(), fund=office.fund, by=office.cast.officer)
    assert not Entitlement.objects.exists()


def test_a_rule_set_of_an_unopened_fund_is_told(office):
    rules = make_rule_set(office.cast, "special_hardship", fund_code="unheard-of")
    person = make_payee(office.cast)
    decision = office.clear_decision(person, rule_set=rules)
    with pytest.raises(PayoutRefused, match="unheard-of"):
        entitlements.grant(decision=decision, person=person, by=office.cast.officer)


def test_a_scheme_the_fund_is_not_meant_for_is_refused(office):
    rules = make_rule_set(office.cast, "holiday_trip")
    person = make_payee(office.cast)
    decision = office.clear_decision(person, rule_set=rules)
    with pytest.raises(PayoutRefused, match="not meant for this use"):
        entitlements.grant(decision=decision, person=person, by=office.cast.officer)


def test_the_same_claim_twice_is_refused_with_words(office):
    (owed,) = office.owe(1)
    decision = office.clear_decision(owed.person)
    with pytest.raises(PayoutRefused, match="nobody is paid twice"):
        entitlements.grant(decision=decision, person=owed.person, by=office.cast.officer)


def test_two_people_withdraw(office):
    (owed,) = office.owe(1)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved away")
    owed.refresh_from_db()
    assert owed.state == "granted"
    motions.second(motion=motion, by=office.cast.feng_checker)
    owed.refresh_from_db()
    assert owed.state == "withdrawn"
    assert office.figures()["available_fen"] == 10_000_000


def test_the_mover_does_not_second(office):
    (owed,) = office.owe(1)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved away")
    with pytest.raises(PayoutRefused, match="second person"):
        motions.second(motion=motion, by=office.cast.feng)


def test_a_stranger_does_not_second(office):
    (owed,) = office.owe(1)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved away")
    for stranger in (office.cast.gao, office.cast.decider, office.cast.wei):
        with pytest.raises(PermissionDenied):
            motions.second(motion=motion, by=stranger)


def test_a_declined_motion_does_nothing(office):
    (owed,) = office.owe(1)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved away")
    motions.decline(motion=motion, by=office.cast.feng_checker, reason="still here")
    owed.refresh_from_db()
    assert owed.state == "granted"
    entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved after all")


def test_two_people_write_off(office):
    (owed,) = office.owe(1)
    motion = entitlements.write_off(entitlement=owed, by=office.cast.feng, reason="untraceable")
    motions.second(motion=motion, by=office.cast.feng_releaser)
    owed.refresh_from_db()
    assert owed.state == "written_off"
    assert office.figures()["reserved_fen"] == 0


def take_back(office, owed: Entitlement) -> None:
    decision = Decision.objects.get(pk=owed.decision_id)
    withdrawals.withdraw(decision=decision, by=office.cast.decider, reason="objection 1 upheld")
    owed.refresh_from_db()


def test_a_withdrawn_decision_ends_what_it_owes_in_the_same_step(office):
    (owed,) = office.owe(1)
    take_back(office, owed)
    assert owed.state == "withdrawn"
    assert office.figures()["reserved_fen"] == 0
    ended = AuditEntry.objects.get(action="entitlement.withdrawn")
    assert (ended.actor, ended.reason) == (str(office.cast.decider), "objection 1 upheld")


def test_ceilings_are_held_before_the_fund_by_whoever_takes_a_decision_back(office):
    """Whoever grants in its place holds them in this order: the other one is a deadlock."""
    (owed,) = office.owe(1)
    with CaptureQueriesContext(connection) as asked:
        take_back(office, owed)
    held = [one["sql"] for one in asked if "advisory_xact_lock" in one["sql"]]
    assert str(CAPS_LOCK) in held[0] and str(FUND_LOCKS) in held[1]


def test_a_set_of_withdrawn_decisions_owes_nothing_either(office):
    office.owe(3)
    withdrawals.withdraw_set(
        decisions=Decision.objects.all(), by=office.cast.officer, reason="honour revoked"
    )
    assert set(Entitlement.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert office.figures()["reserved_fen"] == 0


def test_what_is_on_its_way_when_its_decision_ends_is_owed_until_the_bank_speaks(office):
    batch = office.delivered(2)
    paid, failed = (office.line(batch, at).entitlement for at in (0, 1))
    for owed in (paid, failed):
        take_back(office, owed)
        assert owed.state == "granted"
    office.answer(batch, *office.says(batch, "paid", "failed"))
    paid.refresh_from_db()
    failed.refresh_from_db()
    assert (paid.state, failed.state) == ("granted", "withdrawn")
    assert office.figures()["reserved_fen"] == 0


def test_what_stands_in_a_draft_when_its_decision_ends_is_left_out_and_ends(office):
    going, staying = office.owe(2)
    batch = office.assemble()
    take_back(office, going)
    assert going.state == "granted"
    batches.seal(batch=batch, by=office.cast.feng)
    going.refresh_from_db()
    assert (going.state, batch.lines.counted().get().entitlement) == ("withdrawn", staying)
    assert office.figures()["reserved_fen"] == staying.amount_fen


def test_what_an_old_withdrawal_left_behind_is_ended_by_one(office):
    (owed,) = office.owe(1)
    lifecycle.advance(owed.decision, to=DecisionState.WITHDRAWN, by=office.cast.decider)
    done = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="objection upheld")
    assert done is None
    assert office.figures()["reserved_fen"] == 0


def test_what_is_on_its_way_is_not_withdrawn(office):
    office.delivered(1)
    owed = Entitlement.objects.get()
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="too late")
    with pytest.raises(PayoutRefused, match="on its way"):
        motions.second(motion=motion, by=office.cast.feng_checker)


def replacing(office, old: Entitlement, amount_fen: int) -> Decision:
    decision = make_decision(
        office.cast, office.rule_set, old.person, amount_fen=amount_fen, replaces=old.decision
    )
    lifecycle.advance(decision, to=DecisionState.CLEAR, by=office.cast.decider)
    return decision


def test_a_decision_on_appeal_replaces_what_was_not_paid(office):
    (owed,) = office.owe(1)
    more = entitlements.grant(
        decision=replacing(office, owed, 50_000), person=owed.person, by=office.cast.officer
    )
    owed.refresh_from_db()
    assert owed.state == "withdrawn"
    assert (more.amount_fen, office.figures()["reserved_fen"]) == (50_000, 50_000)


def test_a_decision_on_appeal_adds_the_difference_to_what_was_paid(office):
    office.settled("paid")
    owed = Entitlement.objects.get()
    decision = replacing(office, owed, 50_000)
    more = entitlements.grant(decision=decision, person=owed.person, by=office.cast.officer)
    assert (more.amount_fen, more.adjusts) == (20_000, owed)
    batch = office.release(batches_seal(office))
    assert [line.amount_fen for line in batch.lines.all()] == [20_000]


def batches_seal(office):
    from welfare.disbursement import batches

    return batches.seal(batch=office.assemble(), by=office.cast.feng)


def test_less_than_was_paid_is_not_owed_again(office):
    office.settled("paid")
    owed = Entitlement.objects.get()
    decision = replacing(office, owed, 20_000)
    with pytest.raises(PayoutRefused, match="paid already"):
        entitlements.grant(decision=decision, person=owed.person, by=office.cast.officer)


def test_claim_key_names_scheme_person_and_period(office):
    (owed,) = office.owe(1)
    assert owed.claim_key == f"{SCHEME}:{owed.person.national_id_index}:2026"


def test_paid_and_unpaid_are_told_by_the_lines(office):
    batch = office.settled("paid", "failed")
    paid, failed = (line.entitlement for line in batch.lines.order_by("e2e"))
    assert list(Entitlement.objects.paid()) == [paid]
    assert list(Entitlement.objects.unpaid()) == [failed]
    states = {row.pk: row.line_state for row in Entitlement.objects.with_last_line()}
    assert states == {paid.pk: "paid", failed.pk: "failed"}
