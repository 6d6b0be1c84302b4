"""Two people, or two workers, in the same second: exactly one of them wins."""

from dataclasses import replace

import pytest

from tests.cast import TODAY, make_account, make_payee
from tests.disbursement.race import meanwhile, together
from union_portal import lifecycle
from union_portal.access import Role
from union_portal.models import Decision
from union_portal.states import DecisionState
from welfare.disbursement import (
    batches,
    claims,
    delivery,
    entitlements,
    formats,
    gate,
    motions,
    returns,
)
from welfare.disbursement.models import (
    BankFile,
    BatchApproval,
    Entitlement,
    Motion,
    PayoutBatch,
    PayoutLine,
    ReturnFile,
)
from welfare.disbursement.refusals import (
    AlreadyImported,
    NoCover,
    NothingToPay,
    PayoutRefused,
)
from welfare.disbursement.simulator import write_return

pytestmark = pytest.mark.django_db(transaction=True)


def one_won(runners, *losing: type[BaseException]) -> None:
    """One succeeded, the others were refused with words."""
    errors = [runner.error for runner in runners if runner.error is not None]
    assert len(errors) == len(runners) - 1, errors
    assert all(isinstance(error, losing) for error in errors), errors


def test_two_checkers_in_the_same_second(office):
    batch = office.sealed(3)
    other = make_account("feng8", role=Role.FINANCE_CHECKER, at=office.cast.tree.city)
    one_won(
        together(
            *(
                lambda by=by: batches.check(
                    batch=PayoutBatch.objects.get(), by=by, digest=batch.digest
                )
                for by in (office.cast.feng_checker, other)
            )
        ),
        PayoutRefused,
    )
    assert BatchApproval.objects.filter(step="checker").count() == 1


def test_two_releases_in_the_same_second(office):
    batch = office.sealed(3)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    by = office.cast.feng_releaser

    def release():
        batches.release(batch=PayoutBatch.objects.get(), by=by, digest=batch.digest)

    one_won(together(release, release), PayoutRefused)
    assert PayoutBatch.objects.get().state == "approved"


def contest(office):
    decision = Decision.objects.earliest("pk")
    lifecycle.advance(decision, to=DecisionState.CONTESTED, by=office.cast.officer)


def test_an_objection_that_comes_first_stops_the_release(office):
    batch = office.sealed(2)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    runner = meanwhile(
        lambda: contest(office),
        lambda: batches.release(batch=batch, by=office.cast.feng_releaser, digest=batch.digest),
    )
    assert isinstance(runner.error, PayoutRefused)
    assert PayoutBatch.objects.get().state == "sealed"


def test_an_objection_that_comes_second_stops_the_money(office):
    batch = office.sealed(2)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    runner = meanwhile(
        lambda: batches.release(batch=batch, by=office.cast.feng_releaser, digest=batch.digest),
        lambda: contest(office),
    )
    assert runner.error is None
    claims.wake()
    held = PayoutBatch.objects.get()
    assert (held.state, held.held_since is not None) == ("approved", True)


def test_an_objection_that_comes_first_stops_the_assembly(office):
    office.owe(1)
    runner = meanwhile(lambda: contest(office), office.assemble)
    assert isinstance(runner.error, PayoutRefused)
    assert PayoutLine.objects.count() == 0


def test_an_objection_after_the_assembly_waits_for_it_and_stops_the_seal(office):
    office.owe(1)
    runner = meanwhile(office.assemble, lambda: contest(office))
    assert runner.error is None
    with pytest.raises(NothingToPay):
        batches.seal(batch=PayoutBatch.objects.get(), by=office.cast.feng)


def test_two_assemblies_in_the_same_second(office):
    office.owe(5)
    one_won(together(office.assemble, office.assemble), NothingToPay)
    assert PayoutLine.objects.count() == 5


def test_two_assemblies_of_several_drafts_put_nobody_in_twice(office, monkeypatch):
    plain = formats.layout
    monkeypatch.setattr(formats, "layout", lambda row: replace(plain(row), max_rows=3))
    office.owe(10)
    one_won(together(office.assemble_all, office.assemble_all), NothingToPay)
    assert sorted(draft.lines.count() for draft in PayoutBatch.objects.all()) == [1, 3, 3, 3]
    assert PayoutLine.objects.values("entitlement").distinct().count() == 10


def test_an_objection_that_comes_first_stops_every_draft(office, monkeypatch):
    plain = formats.layout
    monkeypatch.setattr(formats, "layout", lambda row: replace(plain(row), max_rows=1))
    office.owe(3)
    runner = meanwhile(lambda: contest(office), office.assemble_all)
    assert isinstance(runner.error, PayoutRefused)
    assert (PayoutBatch.objects.count(), PayoutLine.objects.count()) == (0, 0)


def test_an_assembly_and_a_withdrawal(office):
    (owed,) = office.owe(1)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved")
    runner = meanwhile(
        office.assemble, lambda: motions.second(motion=motion, by=office.cast.feng_checker)
    )
    assert isinstance(runner.error, PayoutRefused)
    assert Entitlement.objects.get().state == "granted"


def test_a_withdrawal_and_an_assembly(office):
    (owed,) = office.owe(1)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved")
    runner = meanwhile(
        lambda: motions.second(motion=motion, by=office.cast.feng_checker), office.assemble
    )
    assert isinstance(runner.error, NothingToPay)


def test_two_grants_of_one_claim(office):
    person = make_payee(office.cast)
    decisions = [office.clear_decision(person), office.clear_decision(person)]
    one_won(
        together(
            *(
                lambda decision=decision: entitlements.grant(
                    decision=decision, person=person, by=office.cast.officer
                )
                for decision in decisions
            )
        ),
        PayoutRefused,
    )
    assert office.figures()["reserved_fen"] == 30_000


def test_two_grants_from_the_last_of_the_money(office):
    people = [make_payee(office.cast), make_payee(office.cast)]
    decisions = [office.clear_decision(person, amount_fen=6_000_000) for person in people]
    one_won(
        together(
            *(
                lambda decision=decision, person=person: entitlements.grant(
                    decision=decision, person=person, by=office.cast.officer
                )
                for decision, person in zip(decisions, people, strict=True)
            )
        ),
        NoCover,
    )
    assert office.figures()["available_fen"] == 4_000_000


def test_two_people_second_one_motion(office):
    batch = office.sealed(1)
    motion = batches.void(batch=batch, by=office.cast.feng_checker, reason="wrong")
    other = make_account("feng9", role=Role.FINANCE_RELEASER, at=office.cast.tree.city)
    one_won(
        together(
            *(
                lambda by=by: motions.second(motion=motion, by=by)
                for by in (office.cast.feng_releaser, other)
            )
        ),
        lifecycle.Stale,
        PayoutRefused,
    )
    assert PayoutBatch.objects.get().state == "void"


def test_a_release_and_a_void(office):
    batch = office.sealed(1)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    motion = batches.void(batch=batch, by=office.cast.feng_checker, reason="wrong")
    together(
        lambda: batches.release(batch=batch, by=office.cast.feng_releaser, digest=batch.digest),
        lambda: motions.second(motion=motion, by=office.cast.feng_releaser),
    )
    claims.wake()
    # Either order ends void: a released batch without a file may still be stopped.
    assert PayoutBatch.objects.get().state == "void"
    assert office.figures()["in_transit_fen"] == 0


def test_four_workers_on_one_batch(office):
    office.released(20)
    runners = together(*[claims.wake] * 4)
    assert [runner.error for runner in runners] == [None] * 4
    assert sum(runner.result for runner in runners) == 1
    assert PayoutBatch.objects.get().state == "delivered"
    assert (BankFile.objects.count(), gate.register().head()) == (1, 1)


def test_four_workers_on_three_batches(office):
    for _ in range(3):
        office.released(4)
    together(*[claims.wake] * 4)
    claims.wake()
    assert set(PayoutBatch.objects.values_list("state", flat=True)) == {"delivered"}
    assert gate.register().head() == 3


def expire_lease():
    """As the database's clock will do, without waiting for it."""
    PayoutBatch.objects.update(lease_until=None)


@pytest.mark.parametrize("stalled_in", ["generate", "announce", "hand_over"])
def test_a_worker_that_lost_its_lease_writes_nothing(office, stalled_in):
    office.released(3)
    slow = claims.claim()
    if stalled_in != "generate":
        delivery.generate(*slow)
    if stalled_in == "hand_over":
        delivery.announce(*slow)
    expire_lease()
    claims.wake()
    assert PayoutBatch.objects.get().state == "delivered"
    with pytest.raises(delivery.Abandoned):
        getattr(delivery, stalled_in)(*slow)
    assert gate.register().head() == 1
    assert office.figures()["in_transit_fen"] == 90_000


@pytest.mark.parametrize("step", ["generate", "announce", "hand_over"])
def test_an_old_fence_writes_nothing_even_where_the_batch_stands_still(office, step):
    office.released(3)
    slow = claims.claim()
    for earlier in ("generate", "announce", "hand_over"):
        if earlier == step:
            break
        getattr(delivery, earlier)(*slow)
    expire_lease()
    quick = claims.claim()
    with pytest.raises(delivery.Abandoned):
        getattr(delivery, step)(*slow)
    delivery.drive(*quick)
    assert PayoutBatch.objects.get().state == "delivered"


def test_a_zombie_that_already_offers_the_file_repeats_itself(office, monkeypatch, settings):
    """Past the last check of its fence, a stalled worker writes the same bytes again."""
    office.released(3)
    slow = claims.claim()
    delivery.generate(*slow)
    delivery.announce(*slow)
    real = delivery.put_once

    def overtaken(folder, name, content):
        monkeypatch.setattr(delivery, "put_once", real)
        expire_lease()
        claims.wake()
        return real(folder, name, content)

    monkeypatch.setattr(delivery, "put_once", overtaken)
    with pytest.raises(delivery.Abandoned):
        delivery.hand_over(*slow)
    assert PayoutBatch.objects.get().state == "delivered"
    assert len(list((settings.BANK_DIR / "outgoing").iterdir())) == 1
    assert gate.register().head() == 1


def importing(office, batch, *results, ref="B", name="r.csv"):
    rows = office.says(batch, *results, ref=ref)
    content = write_return(office.layout(batch), batch.number, rows)
    return lambda: returns.import_return(content=content, name=name, by=office.cast.feng)


def test_the_same_return_file_twice_in_the_same_second(office):
    batch = office.delivered(5)
    act = importing(office, batch, *["paid"] * 5)
    one_won(together(act, act), AlreadyImported)
    assert ReturnFile.objects.count() == 1
    assert office.figures()["spent_fen"] == 150_000


def test_two_overlapping_return_files_in_the_same_second(office):
    batch = office.delivered(5)
    runners = together(
        importing(office, batch, *["paid"] * 5),
        importing(office, batch, *["paid"] * 3),
        importing(office, batch, "returned", "returned", ref="T"),
    )
    assert [runner.error for runner in runners] == [None] * 3
    assert office.states(batch) == ["returned", "returned", "paid", "paid", "paid"]
    assert office.figures()["spent_fen"] == 90_000


def test_contradicting_return_files_in_the_same_second(office):
    batch = office.delivered(2)
    together(importing(office, batch, "paid", "paid"), importing(office, batch, "failed", ref="Z"))
    assert office.states(batch)[0] in ("paid", "failed")
    assert office.states(batch)[1] == "paid"


def test_two_reissues_in_the_same_second(office):
    batch = office.settled("failed")
    office.correct_account(office.line(batch).entitlement.person)

    def again():
        batches.reissue(batch=batch, by=office.cast.feng, today=TODAY)

    one_won(together(again, again), PayoutRefused)
    assert PayoutLine.objects.filter(attempt=2).count() == 1


def test_closing_and_a_late_return(office):
    batch = office.settled("paid")
    together(
        lambda: batches.close(
            batch=PayoutBatch.objects.get(), by=office.cast.feng, statement_debit_fen=30_000
        ),
        importing(office, batch, "returned", ref="T"),
    )
    assert office.states(batch) == ["returned"]
    assert PayoutBatch.objects.get().state == "closed"


def test_two_who_move_the_same_act_at_once_make_one_motion(office):
    """The second is told that it waits for them, not shown an error of the database."""
    batch = office.sealed()
    moved = [
        lambda by=by: batches.void(batch=batch, by=by, reason="wrong fund")
        for by in (office.cast.feng_checker, office.cast.feng_releaser)
    ]
    late = meanwhile(moved[0], moved[1])
    assert isinstance(late.error, PayoutRefused)
    assert Motion.objects.get().moved_by == office.cast.feng_checker
