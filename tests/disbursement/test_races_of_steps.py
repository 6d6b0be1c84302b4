"""Every step of the engine, taken twice in the same second on two connections.

Each race names the steps it contests. `test_every_step_is_raced` fails for a step of the
tables that no race names; the fixture `office` checks every invariant after each race, among
them that each step of a row has exactly one entry in the log (I11).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import TODAY, make_account
from tests.disbursement.conftest import Office
from tests.disbursement.race import Runner, together
from union_portal import lifecycle, withdrawals
from union_portal.access import Role
from union_portal.models import Account, AuditEntry, Decision
from welfare.disbursement import batches, claims, entitlements, motions, returns, states, unknowns
from welfare.disbursement.models import Motion, PayoutBatch
from welfare.disbursement.refusals import PayoutRefused
from welfare.disbursement.simulator import write_return

pytestmark = pytest.mark.django_db(transaction=True)

MACHINES = {
    table.name: table for table in (states.BATCH, states.LINE, states.ENTITLEMENT, states.MOTION)
}
STATES = {new for table in MACHINES.values() for news in table.steps.values() for new in news}
REFUSALS = (PayoutRefused, lifecycle.Stale)


@dataclass
class Contest:
    """Acts that start together, and the log entries that may come of them."""

    acts: list[Callable[[], Any]]
    ends: list[set[str]]
    refused: set[int]


@dataclass(frozen=True)
class Race:
    steps: tuple[str, ...]
    stage: Callable[[Office], Contest]


RACES: dict[str, Race] = {}


def race(*steps: str) -> Callable[[Callable[[Office], Contest]], Callable[[Office], Contest]]:
    """Name the steps (`machine: from > to`) that the staged acts contest."""

    def enter(stage: Callable[[Office], Contest]) -> Callable[[Office], Contest]:
        RACES[stage.__name__] = Race(steps, stage)
        return stage

    return enter


def held() -> PayoutBatch:
    return PayoutBatch.objects.get()


def twice(act: Callable[[], Any], ends: set[str]) -> Contest:
    """The same act by two people: one is done, one refused."""
    return Contest([act, act], [ends], {1})


def second(office: Office, motion: Motion, by: Account | None = None) -> Callable[[], Any]:
    return lambda: motions.second(
        motion=Motion.objects.get(pk=motion.pk), by=by or office.cast.feng_checker
    )


def says(office: Office, batch: PayoutBatch, *results: str, ref: str = "B") -> Callable[[], Any]:
    """Import a return file of these results, prepared beforehand."""
    rows = office.says(batch, *results, ref=ref)
    content = write_return(office.layout(batch), batch.number, rows)
    return lambda: returns.import_return(content=content, name=f"{ref}.csv", by=office.cast.feng)


def unanswered(office: Office) -> PayoutBatch:
    batch = office.delivered(1)
    PayoutBatch.objects.filter(pk=batch.pk).update(delivered_at=timezone.now() - timedelta(days=30))
    return batch


@race("payout_batch: draft > sealed")
def two_seals(office: Office) -> Contest:
    office.owe(2)
    office.assemble()
    return twice(lambda: batches.seal(batch=held(), by=office.cast.feng), {"payoutbatch.sealed"})


@race("payout_batch: draft > void", "payout_line: ready > void")
def a_seal_and_a_void_of_the_draft(office: Office) -> Contest:
    office.owe(2)
    batch = office.assemble()
    motion = batches.void(batch=batch, by=office.cast.feng_releaser, reason="wrong fund")
    return Contest(
        [second(office, motion), lambda: batches.seal(batch=held(), by=office.cast.feng)],
        [
            {"payoutbatch.void", "payoutline.void", "motion.seconded"},
            {"payoutbatch.void", "payoutline.void", "motion.seconded", "payoutbatch.sealed"},
        ],
        {0, 1},
    )


@race("payout_batch: sealed > draft")
def a_reopening_and_a_check(office: Office) -> Contest:
    batch = office.sealed(2)
    checker = office.cast.feng_checker
    return Contest(
        [
            lambda: batches.reopen(batch=held(), by=office.cast.feng, reason="one is missing"),
            lambda: batches.check(batch=held(), by=checker, digest=batch.digest),
        ],
        [{"payoutbatch.draft"}],
        {0, 1},
    )


@race("payout_batch: sealed > approved")
def two_releases(office: Office) -> Contest:
    batch = office.sealed(2)
    batches.check(batch=batch, by=office.cast.feng_checker, digest=batch.digest)
    by = office.cast.feng_releaser
    return twice(
        lambda: batches.release(batch=held(), by=by, digest=batch.digest),
        {"payoutbatch.approved"},
    )


@race("payout_batch: sealed > void")
def a_reopening_and_a_void(office: Office) -> Contest:
    batch = office.sealed(2)
    motion = batches.void(batch=batch, by=office.cast.feng_releaser, reason="wrong year")
    void = {"payoutbatch.void", "payoutline.void", "motion.seconded"}
    return Contest(
        [
            second(office, motion),
            lambda: batches.reopen(batch=held(), by=office.cast.feng, reason="one is missing"),
        ],
        [void, void | {"payoutbatch.draft"}],
        {0, 1},
    )


SENT = {"payoutbatch.generated", "payoutbatch.delivering", "payoutbatch.delivered"}


@race("payout_batch: approved > void")
def a_worker_and_a_void(office: Office) -> Contest:
    """Voided as long as there is no file; from the file on, never."""
    batch = office.released(2)
    motion = batches.void(batch=batch, by=office.cast.feng_releaser, reason="stop")
    return Contest(
        [claims.wake, second(office, motion)],
        [{"payoutbatch.void", "payoutline.void", "motion.seconded"}, SENT | {"payoutline.sent"}],
        {0, 1},
    )


@race(
    "payout_batch: approved > generated",
    "payout_batch: generated > delivering",
    "payout_batch: delivering > delivered",
    "payout_line: ready > sent",
)
def three_workers(office: Office) -> Contest:
    office.released(2)
    return Contest([claims.wake] * 3, [SENT | {"payoutline.sent"}], {0})


@race("payout_batch: delivered > reconciled", "payout_line: sent > paid")
def two_files_that_both_complete_the_batch(office: Office) -> Contest:
    batch = office.delivered(2)
    return Contest(
        [says(office, batch, "paid", "paid"), says(office, batch, "paid", "paid", ref="C")],
        [{"payoutline.paid", "payoutbatch.reconciled"}],
        {0},
    )


@race("payout_line: sent > failed")
def two_files_that_contradict_each_other(office: Office) -> Contest:
    batch = office.delivered(1)
    return Contest(
        [says(office, batch, "paid"), says(office, batch, "failed", ref="C")],
        [
            {"payoutline.paid", "payoutbatch.reconciled"},
            {"payoutline.failed", "payoutbatch.reconciled"},
        ],
        {0},
    )


@race("payout_line: paid > returned")
def two_files_that_bring_it_back(office: Office) -> Contest:
    batch = office.settled("paid")
    return Contest(
        [says(office, batch, "returned", ref="T"), says(office, batch, "returned", ref="U")],
        [{"payoutline.returned"}],
        {0},
    )


@race("payout_line: sent > unknown")
def giving_up_waiting_and_an_answer(office: Office) -> Contest:
    batch = unanswered(office)
    paid = {"payoutline.paid", "payoutbatch.reconciled"}
    return Contest(
        [lambda: unknowns.mark(today=timezone.localdate()), says(office, batch, "paid")],
        [paid, paid | {"payoutline.unknown"}],
        {0},
    )


@race("payout_line: unknown > paid", "payout_line: unknown > failed")
def a_certificate_and_a_contradicting_answer(office: Office) -> Contest:
    batch = unanswered(office)
    unknowns.mark(today=timezone.localdate())
    motion = unknowns.certify(
        line=office.line(batch), result="failed", bank_ref="Z", by=office.cast.feng, reason="letter"
    )
    return Contest(
        [second(office, motion), says(office, batch, "paid")],
        [
            {"motion.seconded", "payoutline.failed", "payoutbatch.reconciled"},
            {"payoutline.paid", "payoutbatch.reconciled"},
        ],
        {0, 1},
    )


@race("payout_batch: reconciled > closed")
def two_closings(office: Office) -> Contest:
    office.settled("paid", "failed")
    by = office.cast.feng
    return twice(
        lambda: batches.close(batch=held(), by=by, statement_debit_fen=30_000),
        {"payoutbatch.closed"},
    )


@race("entitlement: granted > withdrawn")
def a_withdrawal_and_an_assembly(office: Office) -> Contest:
    (owed,) = office.owe(1)
    motion = entitlements.withdraw(entitlement=owed, by=office.cast.feng, reason="moved away")
    assert motion is not None
    return Contest(
        [second(office, motion), office.assemble],
        [{"motion.seconded", "entitlement.withdrawn"}, {"payoutbatch.draft"}],
        {1},
    )


@race("entitlement: granted > withdrawn")
def a_decision_taken_back_and_an_assembly(office: Office) -> Contest:
    (owed,) = office.owe(1)
    return Contest(
        [
            lambda: withdrawals.withdraw(
                decision=Decision.objects.get(pk=owed.decision_id),
                by=office.cast.decider,
                reason="objection 1",
            ),
            office.assemble,
        ],
        [{"entitlement.withdrawn"}, {"payoutbatch.draft"}],
        {0, 1},
    )


@race("entitlement: granted > written_off")
def a_write_off_and_a_new_attempt(office: Office) -> Contest:
    batch = office.settled("failed")
    owed = office.line(batch).entitlement
    office.correct_account(owed.person)
    motion = entitlements.write_off(entitlement=owed, by=office.cast.feng, reason="no heirs")
    return Contest(
        [
            second(office, motion, by=office.cast.feng_releaser),
            lambda: batches.reissue(batch=batch, by=office.cast.feng, today=TODAY),
        ],
        [{"motion.seconded", "entitlement.written_off"}, {"payoutbatch.draft"}],
        {1},
    )


@race("motion: moved > seconded", "motion: moved > declined")
def carrying_out_and_turning_down(office: Office) -> Contest:
    batch = office.sealed(1)
    motion = batches.void(batch=batch, by=office.cast.feng_releaser, reason="wrong year")
    other = make_account("feng8", role=Role.FINANCE_CHECKER, at=office.cast.tree.city)
    return Contest(
        [
            second(office, motion),
            lambda: motions.decline(
                motion=Motion.objects.get(pk=motion.pk), by=other, reason="it is right"
            ),
        ],
        [{"motion.seconded", "payoutbatch.void", "payoutline.void"}, {"motion.declined"}],
        {1},
    )


def refused(runners: list[Runner]) -> int:
    errors = [runner.error for runner in runners if runner.error is not None]
    assert all(isinstance(error, REFUSALS) for error in errors), errors
    return len(errors)


@pytest.mark.parametrize("name", RACES)
def test_of_two_who_take_a_step_at_once_one_takes_it(office: Office, name: str) -> None:
    contest = RACES[name].stage(office)
    before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    runners = together(*contest.acts)
    assert refused(runners) in contest.refused
    taken = [
        action
        for action in AuditEntry.objects.filter(pk__gt=before).values_list("action", flat=True)
        if action.split(".")[0] in {"payoutbatch", "payoutline", "entitlement", "motion"}
        and action.split(".")[1] in STATES
    ]
    assert len(taken) == len(set(taken)), "a step was taken twice"
    assert set(taken) in contest.ends


def test_every_step_is_raced() -> None:
    steps = {
        f"{name}: {old} > {new}"
        for name, table in MACHINES.items()
        for old, news in table.steps.items()
        for new in news
    }
    raced = {step for one in RACES.values() for step in one.steps}
    assert raced == steps
