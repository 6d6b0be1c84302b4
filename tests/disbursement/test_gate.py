"""A database behind the sent register sends nothing, and is told what was sent."""

import json

import pytest
from django.core.exceptions import PermissionDenied

from tests.cast import TODAY, make_account
from union_portal.access import Role
from welfare.disbursement import archive, batches, claims, gate, motions, replay
from welfare.disbursement.models import (
    BankFile,
    Gate,
    PayoutBatch,
    PayoutLine,
    SentMark,
    StrayPayment,
)
from welfare.disbursement.refusals import NothingToPay, PayoutRefused
from welfare.disbursement.register import FILE_NAME, RegisterBroken


def lift(office):
    motion = replay.lift(by=office.cast.feng_checker, reason="checked with the bank")
    return motions.second(motion=motion, by=office.cast.feng_releaser)


def test_the_gate_stands_open_as_long_as_both_agree(office):
    office.delivered(1)
    assert not gate.look().is_shut
    assert Gate.objects.get().system_identifier


def test_a_delivery_under_way_is_no_gap(office, monkeypatch):
    from welfare.disbursement import delivery

    office.released(1)

    class Died(Exception):
        pass

    def die(*_args):
        raise Died

    monkeypatch.setattr(delivery.gate, "mirror", die)
    with pytest.raises(Died):
        claims.wake()
    monkeypatch.undo()
    assert gate.register().head() == 1 and not SentMark.objects.exists()
    assert not gate.look().is_shut


def test_a_mark_the_database_lacks_shuts_the_gate(office):
    office.released(1)
    gate.register().append(
        batch_number="P2026999", file_name="x.csv", content_sha256="0" * 64, lines=1,
        total_fen=1, sent_at="2026-03-02T00:00:00Z",
    )  # fmt: skip
    shut = gate.look()
    assert shut.is_shut and "P2026999" in shut.cause
    assert claims.wake() == 0
    assert PayoutBatch.objects.get().state == "approved"


def test_a_register_that_lost_a_mark_shuts_the_gate(doomed_office, settings):
    doomed_office.delivered(1)
    (settings.REGISTER_DIR / FILE_NAME).write_text("")
    assert gate.look().is_shut


def test_a_register_that_was_changed_shuts_the_gate(doomed_office, settings):
    doomed_office.delivered(1)
    path = settings.REGISTER_DIR / FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "total_fen": 1}) + "\n")
    assert gate.look().is_shut


@pytest.mark.parametrize("change", [{"system_identifier": "1"}, {"timeline": 99}])
def test_another_server_or_timeline_shuts_the_gate(office, change):
    gate.look()
    Gate.objects.update(**change)
    assert gate.look().is_shut


def test_two_people_lift_it_when_nothing_remains(office):
    gate.look()
    Gate.objects.update(timeline=99)
    gate.look()
    motion = replay.lift(by=office.cast.feng_checker, reason="restored on purpose")
    with pytest.raises(PayoutRefused, match="second person"):
        motions.second(motion=motion, by=office.cast.feng_checker)
    with pytest.raises(PermissionDenied):
        motions.second(motion=motion, by=office.cast.feng)
    motions.second(motion=motion, by=office.cast.feng_releaser)
    assert not gate.look().is_shut
    office.released(1)
    claims.wake()
    assert PayoutBatch.objects.get().state == "delivered"


def test_an_old_motion_does_not_lift_a_new_fault(office):
    gate.shut("first")
    lift(office)
    gate.shut("second")
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError), transaction.atomic():
        gate.open_again(by=office.cast.feng_checker, reason="by hand")


def test_a_motion_of_before_the_fault_lifts_nothing_and_says_so(office):
    motion = replay.lift(by=office.cast.feng_checker, reason="ahead of time")
    gate.shut("a fault nobody has looked at")
    with pytest.raises(PayoutRefused, match="shut after this was moved"):
        motions.second(motion=motion, by=office.cast.feng_releaser)
    assert gate.row().is_shut


# -- a restore, by rolling the database back to a savepoint --------------------------------


class Backup:
    """The database as it was: everything after it is undone, files and register stay."""

    def __enter__(self):
        from django.db import transaction

        self.savepoint = transaction.savepoint()
        return self

    def restore(self):
        from django.db import transaction

        transaction.savepoint_rollback(self.savepoint)

    def __exit__(self, *_):
        pass


def sent_and_lost(office, prepare):
    """Do `prepare`, back up, then pay; restore the backup and look at the gate."""
    batch = prepare()
    with Backup() as backup:
        paid = paid_from(office, batch)
        number = paid.number
        backup.restore()
    assert gate.look().is_shut
    return number


def paid_from(office, batch, result="paid"):
    """Take a batch from wherever it stands to its answer: all paid, unless told."""
    if batch is None:
        batch = office.assemble()
    if batch.state == "draft":
        batch = batches.seal(batch=batch, by=office.cast.feng)
    if batch.state == "sealed":
        batch = office.release(batch)
    claims.wake()
    batch.refresh_from_db()
    rows = office.says(batch, *[result] * batch.lines_count)
    from welfare.disbursement.register import put_once
    from welfare.disbursement.simulator import write_return

    content = write_return(office.layout(batch), batch.number, rows)
    from django.conf import settings

    put_once(settings.BANK_DIR / "incoming", f"{batch.number}-R01.csv", content)
    from welfare.disbursement import returns

    returns.collect()
    batch.refresh_from_db()
    assert batch.state == "reconciled"
    return batch


@pytest.mark.parametrize("backed_up", ["owed", "draft", "sealed", "approved"])
def test_a_backup_from_before_the_sending_is_told_what_was_paid(office, backed_up):
    def prepare():
        if backed_up == "owed":
            office.owe(3)
            return None
        office.owe(3)
        batch = office.assemble()
        if backed_up != "draft":
            batch = batches.seal(batch=batch, by=office.cast.feng)
        return office.release(batch) if backed_up == "approved" else batch

    number = sent_and_lost(office, prepare)
    assert replay.run().is_nothing
    batch = PayoutBatch.objects.get(number=number)
    assert batch.state == "reconciled"
    assert office.states(batch) == ["paid"] * 3
    assert office.figures()["spent_fen"] == 90_000
    lift(office)
    with pytest.raises(NothingToPay):
        office.assemble()


def test_a_reissue_is_replayed_after_its_first_attempt(office):
    office.owe(1)
    with Backup() as backup:
        first = office.assemble()
        first = office.release(batches.seal(batch=first, by=office.cast.feng))
        claims.wake()
        first.refresh_from_db()
        answer_in_folder(office, first, "failed")
        motion = batches.retry(line=office.line(first), by=office.cast.feng, reason="frozen")
        motions.second(motion=motion, by=office.cast.feng_checker)
        from tests.cast import TODAY

        second = batches.reissue(batch=first, by=office.cast.feng, today=TODAY)
        second = office.release(batches.seal(batch=second, by=office.cast.feng))
        claims.wake()
        second.refresh_from_db()
        answer_in_folder(office, second, "paid")
        numbers = [first.number, second.number]
        backup.restore()
    assert gate.look().is_shut
    left = replay.run()
    # The retry that two people approved is gone with the backup: it blocks, it is not lost.
    assert left.batches == (numbers[1],) and left.payments == 1
    with pytest.raises(PayoutRefused, match="unknown to the database"):
        lift(office)
    line = PayoutLine.objects.get()
    motion = batches.retry(line=line, by=office.cast.feng, reason="frozen, entered again")
    motions.second(motion=motion, by=office.cast.feng_checker)
    assert replay.run().is_nothing
    assert sorted(PayoutLine.objects.values_list("state", flat=True)) == ["failed", "paid"]


def test_two_attempts_that_the_backup_lacks_are_placed_one_after_the_other(office):
    """Each blocked the claim, and so the other: the gate could not be opened any more."""
    office.owe(1)
    with Backup() as backup:
        numbers = [paid_from(office, office.assemble(), "failed").number]
        for result in ("failed", "paid"):
            allow_again(office)
            again = batches.reissue(
                batch=PayoutBatch.objects.get(number=numbers[-1]), by=office.cast.feng, today=TODAY
            )
            numbers.append(paid_from(office, again, result).number)
        backup.restore()
    assert gate.look().is_shut
    assert replay.run().batches == tuple(numbers[1:])
    for left in (numbers[2:], []):
        allow_again(office)
        assert replay.run().batches == tuple(left)
    assert list(PayoutLine.objects.order_by("attempt").values_list("state", flat=True)) == [
        "failed", "failed", "paid",
    ]  # fmt: skip
    lift(office)


def allow_again(office):
    """Two people approve a retry to the same account."""
    line = PayoutLine.objects.order_by("-attempt").first()
    motion = batches.retry(line=line, by=office.cast.feng, reason="the bank asks for it")
    motions.second(motion=motion, by=office.cast.feng_checker)


def answer_in_folder(office, batch, *results):
    from django.conf import settings

    from welfare.disbursement import returns
    from welfare.disbursement.register import put_once
    from welfare.disbursement.simulator import write_return

    content = write_return(office.layout(batch), batch.number, office.says(batch, *results))
    put_once(settings.BANK_DIR / "incoming", f"{batch.number}-R01.csv", content)
    returns.collect()


def test_a_backup_from_before_the_grant_blocks_the_claim(office):
    from tests.cast import make_payee

    person = make_payee(office.cast)
    with Backup() as backup:
        office.owe_one(person)
        paid_from(office, None)
        backup.restore()
    assert gate.look().is_shut
    left = replay.run()
    assert left.payments == 1 and len(left.batches) == 1
    # Deciding and granting again is what mends it; paying again is refused meanwhile.
    owed = office.owe_one(person)
    assert office.left_out() == {owed.pk: "sent_before"}
    with pytest.raises(PayoutRefused, match="Safe mode"):
        office.assemble()
    assert replay.run().is_nothing
    assert owed.lines.get().state == "paid"
    assert not StrayPayment.objects.filter(placed_at=None).exists()
    lift(office)


def test_an_unsent_batch_of_the_past_makes_way_for_what_was_sent(office):
    """The draft held the claim when the backup was made; it was voided, and another was paid."""
    office.owe(2)
    old = office.assemble()
    with Backup() as backup:
        motion = batches.void(batch=old, by=office.cast.feng_checker, reason="wrong day")
        motions.second(motion=motion, by=office.cast.feng_releaser)
        paid = paid_from(office, None).number
        backup.restore()
    assert gate.look().is_shut
    assert replay.run().is_nothing
    assert office.states(PayoutBatch.objects.get(number=paid)) == ["paid", "paid"]
    assert office.states(old) == ["void", "void"]
    lift(office)


def test_replaying_twice_changes_nothing(office):
    number = sent_and_lost(office, lambda: office.owe(2) and None)
    replay.run()
    before = list(PayoutLine.objects.values_list("e2e", "state"))
    assert replay.run().is_nothing
    assert list(PayoutLine.objects.values_list("e2e", "state")) == before
    assert SentMark.objects.filter(batch_number=number).count() == 1


def test_a_new_batch_never_takes_a_number_the_register_knows(office):
    from django.db import connection

    from tests.roles import playing

    number = sent_and_lost(office, lambda: office.owe(1) and None)
    replay.run()
    lift(office)
    with playing("none"), connection.cursor() as cursor:
        cursor.execute("SELECT setval('disbursement_batch_number', %s, false)", [int(number[5:])])
    office.owe(1)
    assert office.assemble().number != number


def test_the_archived_copy_is_sealed(office, settings):
    batch = office.delivered(1)
    raw = (archive.folder() / f"{batch.number}.sealed").read_bytes()
    line = office.line(batch)
    assert line.account_number.encode() not in raw
    assert archive.load(batch.number)["lines"][0]["e2e"] == line.e2e


def test_a_changed_archive_is_noticed(office):
    batch = office.delivered(1)
    target = archive.folder() / f"{batch.number}.sealed"
    target.write_bytes(target.read_bytes()[:-1] + b"\0")
    with pytest.raises(Exception, match="sealed value"):
        archive.load(batch.number)


def keep_as_if_nothing_lay_there(monkeypatch, batch, file):
    """As a worker does that looked just before another one wrote."""
    load, looks = archive.load, []

    def seen(number):
        looks.append(number)
        return load(number) if len(looks) > 1 else None

    monkeypatch.setattr(archive, "load", seen)
    archive.keep(batch, file)


def test_two_workers_that_archive_a_batch_at_once_agree(office, monkeypatch):
    batch = office.delivered(1)
    keep_as_if_nothing_lay_there(monkeypatch, batch, batch.bank_file)
    assert archive.load(batch.number)["file"]["sha256"] == batch.bank_file.sha256


def test_an_archive_of_other_bytes_is_noticed_even_then(office, monkeypatch):
    batch, other = office.delivered(1), BankFile(name="other", sha256="0" * 64, body="")
    with pytest.raises(RegisterBroken, match="other bytes"):
        keep_as_if_nothing_lay_there(monkeypatch, batch, other)


def test_gate_roles(office):
    gate.shut("a test")
    stranger = make_account("zhao", role=Role.FINANCE_MAKER, at=office.cast.tree.city)
    with pytest.raises(PermissionDenied):
        replay.lift(by=stranger, reason="please")
