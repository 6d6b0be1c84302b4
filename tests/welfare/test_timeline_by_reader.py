"""Whoever may read a case reads what the bank said of its money: the member as well as the auditor.

The database shows each reader their own rows. A timeline that joins a table closed to its reader
would lose what stands behind the join, and nobody would miss it.
"""

import pytest

from tests.cast import make_bank_account
from tests.disbursement.conftest import Office, office  # noqa: F401  (a fixture)
from tests.kernel.test_row_security import page_of
from union_portal.models import Decision
from welfare import queries
from welfare.disbursement import batches, claims, motions, unknowns
from welfare.disbursement.models import PayoutBatch
from welfare.queries import Event

READERS = ("lin", "qiao", "shi", "officer", "decider", "feng", "gao")


def sent_to_lin(office: Office) -> tuple[PayoutBatch, Decision]:  # noqa: F811
    """A batch of the bank's that pays Lin."""
    cast = office.cast
    make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    owed = office.owe_one(
        cast.lin_person, subject_type="members.person", subject_id=cast.lin_person.pk
    )
    batch = office.release(batches.seal(batch=office.assemble(), by=cast.feng))
    claims.wake()
    batch.refresh_from_db()
    return batch, owed.decision


def told(office: Office, decision: Decision) -> dict[str, list[Event]]:  # noqa: F811
    """The timeline as each of them reads it on a page."""
    seen = {}
    for name in READERS:
        with page_of(getattr(office.cast, name).pk):
            seen[name] = queries.timeline(Decision.objects.get(pk=decision.pk))
    return seen


def assert_alike(seen: dict[str, list[Event]], last: str) -> None:
    assert seen["gao"][-1].title == last
    for name in READERS:
        assert seen[name] == seen["gao"], name


@pytest.mark.parametrize(
    ("says", "last"),
    [
        (["paid"], "The bank says: paid"),
        (["failed"], "The bank says: failed"),
        (["paid", "returned"], "The bank says: returned"),
        (["unknown"], "The bank says: being processed"),
    ],
)
def test_everybody_reads_what_the_bank_said(office, says, last):  # noqa: F811
    batch, decision = sent_to_lin(office)
    for number, word in enumerate(says):
        office.answer(batch, *office.says(batch, word, ref=f"R{number}"))
    assert_alike(told(office, decision), last)


def test_everybody_reads_of_the_second_payment_after_a_failed_one(office):  # noqa: F811
    batch, decision = sent_to_lin(office)
    office.answer(batch, *office.says(batch, "failed"))
    motion = batches.retry(line=office.line(batch), by=office.cast.feng, reason="was frozen")
    motions.second(motion=motion, by=office.cast.feng_checker)
    batch.refresh_from_db()
    again = batches.reissue(batch=batch, by=office.cast.feng, today=batch.pay_on)
    office.release(batches.seal(batch=again, by=office.cast.feng))
    claims.wake()
    again.refresh_from_db()
    office.answer(again, *office.says(again, "paid"))
    assert_alike(told(office, decision), "The bank says: paid")


def test_everybody_reads_of_the_banks_certificate(office):  # noqa: F811
    batch, decision = sent_to_lin(office)
    office.answer(batch, *office.says(batch, "unknown"))
    motion = unknowns.certify(
        line=office.line(batch),
        result="paid",
        bank_ref="C1",
        by=office.cast.feng,
        reason="paper of the bank",
    )
    motions.second(motion=motion, by=office.cast.feng_checker)
    assert_alike(told(office, decision), "carried out: enter the bank's certificate")
