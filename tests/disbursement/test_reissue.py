"""Failed lines start again as new lines in a new batch; unanswered ones wait for paper."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.cast import TODAY
from union_portal import lifecycle
from union_portal.states import DecisionState
from welfare.disbursement import batches, claims, motions, unknowns
from welfare.disbursement.models import Entitlement, PayoutBatch
from welfare.disbursement.refusals import NothingToPay, PayoutRefused


def again(office, batch):
    return batches.reissue(batch=batch, by=office.cast.feng, today=TODAY)


def test_a_corrected_account_is_paid_in_a_new_batch_linked_to_the_old(office):
    batch = office.settled("paid", "failed")
    failed = office.line(batch, 1)
    office.correct_account(failed.entitlement.person)
    made = again(office, batch)
    line = made.lines.get()
    assert (made.corrects, line.entitlement, line.attempt) == (batch, failed.entitlement, 2)
    assert line.account_fingerprint != failed.account_fingerprint
    assert line.e2e != failed.e2e
    office.release(batches.seal(batch=made, by=office.cast.feng))
    claims.wake()
    made.refresh_from_db()
    office.answer(made, *office.says(made, "paid"), name="second.csv")
    assert office.states(batch) == ["paid", "failed"]
    assert office.figures()["spent_fen"] == 60_000


def test_an_uncorrected_account_is_not_tried_again(office):
    batch = office.settled("failed")
    with pytest.raises(PayoutRefused, match="corrected accounts"):
        again(office, batch)


def test_two_people_let_the_same_account_be_tried_again(office):
    batch = office.settled("failed")
    motion = batches.retry(line=office.line(batch), by=office.cast.feng, reason="was frozen")
    with pytest.raises(PayoutRefused):
        again(office, batch)
    motions.second(motion=motion, by=office.cast.feng_checker)
    assert again(office, batch).lines.count() == 1


def test_money_that_came_back_is_issued_again(office):
    batch = office.settled("paid")
    office.answer(batch, *office.says(batch, "returned", ref="T"), name="late.csv")
    office.correct_account(office.line(batch).entitlement.person)
    assert again(office, batch).lines.count() == 1


def test_a_line_is_taken_up_once(office):
    batch = office.settled("failed")
    office.correct_account(office.line(batch).entitlement.person)
    again(office, batch)
    with pytest.raises(PayoutRefused):
        again(office, batch)


def test_a_failed_payment_is_not_swept_into_the_next_ordinary_batch(office):
    batch = office.settled("failed")
    office.correct_account(office.line(batch).entitlement.person)
    with pytest.raises(NothingToPay) as caught:
        office.assemble()
    assert caught.value.reasons == {"failed_before": 1}


def test_a_second_failure_is_issued_again_from_its_own_batch(office):
    first = office.settled("failed")
    person = office.line(first).entitlement.person
    office.correct_account(person)
    second = office.release(batches.seal(batch=again(office, first), by=office.cast.feng))
    claims.wake()
    second.refresh_from_db()
    office.answer(second, *office.says(second, "failed"), name="second.csv")
    office.correct_account(person)
    with pytest.raises(PayoutRefused):
        again(office, first)
    assert again(office, second).lines.get().attempt == 3


def test_whoever_was_in_a_voided_reissue_can_be_issued_again(office):
    batch = office.settled("failed")
    office.correct_account(office.line(batch).entitlement.person)
    voided = office.release(batches.seal(batch=again(office, batch), by=office.cast.feng))
    motion = batches.void(batch=voided, by=office.cast.feng_checker, reason="changed our minds")
    motions.second(motion=motion, by=office.cast.feng_releaser)
    assert again(office, batch).lines.get().attempt == 3


def test_whoever_was_left_out_when_a_reissue_was_sealed_can_be_issued_again(office):
    batch = office.settled("failed", "failed")
    contested = office.line(batch).entitlement
    for line in batch.lines.all():
        office.correct_account(line.entitlement.person)
    draft = again(office, batch)
    lifecycle.advance(contested.decision, to=DecisionState.CONTESTED, by=office.cast.officer)
    batches.seal(batch=draft, by=office.cast.feng)
    lifecycle.advance(contested.decision, to=DecisionState.CLEAR, by=office.cast.officer)
    assert again(office, batch).lines.get().entitlement == contested


def unanswered(office):
    batch = office.delivered(2)
    PayoutBatch.objects.filter(pk=batch.pk).update(delivered_at=timezone.now() - timedelta(days=30))
    unknowns.mark(today=timezone.localdate())
    return batch


def test_lines_without_an_answer_become_unknown(office):
    batch = office.delivered(2)
    assert unknowns.mark(today=timezone.localdate()) == 0
    assert office.states(batch) == ["sent", "sent"]
    batch = unanswered(office)
    assert office.states(batch) == ["unknown", "unknown"]


def test_an_unknown_line_is_never_sent_again(office):
    batch = unanswered(office)
    for entitlement in Entitlement.objects.all():
        office.correct_account(entitlement.person)
    with pytest.raises(PayoutRefused):
        again(office, batch)
    with pytest.raises(NothingToPay):
        office.assemble()


@pytest.mark.parametrize(("result", "spent"), [("paid", 30_000), ("failed", 0)])
def test_a_certificate_of_the_bank_settles_it_by_two(office, result, spent):
    batch = unanswered(office)
    line = office.line(batch)
    motion = unknowns.certify(
        line=line, result=result, bank_ref="C1", by=office.cast.feng, reason="letter of 3 March"
    )
    assert office.states(batch) == ["unknown", "unknown"]
    motions.second(motion=motion, by=office.cast.feng_checker)
    assert office.states(batch) == [result, "unknown"]
    assert office.figures()["spent_fen"] == spent


def test_the_banks_row_after_its_certificate_is_a_repetition(office):
    batch = unanswered(office)
    motion = unknowns.certify(
        line=office.line(batch), result="paid", bank_ref="C1", by=office.cast.feng, reason="letter"
    )
    motions.second(motion=motion, by=office.cast.feng_checker)
    office.answer(batch, *office.says(batch, "paid", "paid"))
    batch.refresh_from_db()
    assert batch.state == "reconciled"
    assert office.figures()["spent_fen"] == 60_000


def test_a_return_that_waited_applies_with_the_certificate(office):
    batch = unanswered(office)
    office.answer(batch, *office.says(batch, "returned", ref="T"))
    motion = unknowns.certify(
        line=office.line(batch), result="paid", bank_ref="C1", by=office.cast.feng, reason="letter"
    )
    motions.second(motion=motion, by=office.cast.feng_checker)
    assert office.states(batch) == ["returned", "unknown"]


def test_a_certificate_needs_an_unanswered_line(office):
    batch = office.delivered(1)
    with pytest.raises(PayoutRefused, match="has not answered"):
        unknowns.certify(
            line=office.line(batch), result="paid", bank_ref="", by=office.cast.feng, reason="x"
        )
