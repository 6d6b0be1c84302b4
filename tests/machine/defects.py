"""The engine broken on purpose: each defect must make it disagree with the model.

A defect is rules of the database taken away, a patch of the running engine, or both, since
most rules are held twice. `play` is the shortest way there through the machine's own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import unwrap
from typing import Any

import pytest
from django.db import connection, transaction

from tests.machine.machine import Engine
from tests.roles import playing
from welfare.disbursement import batches, candidates, delivery, ledger, motions, settlement
from welfare.disbursement.models import EntryKind, LedgerKind, MotionKind
from welfare.disbursement.models.entitlements import EntitlementQuerySet

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Defect:
    """`told` is what the machine must say of it: another complaint has not noticed this."""

    name: str
    told: str
    play: Callable[[Engine], None]
    patch: Patch | None = None
    without: tuple[str, ...] = ()

    @contextmanager
    def planted(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as monkeypatch, transaction.atomic():
            for rule in self.without:
                _take_away(rule)
            if self.patch is not None:
                self.patch(monkeypatch)
            try:
                yield
            finally:
                transaction.set_rollback(True)


def _take_away(rule: str) -> None:
    """A trigger, constraint or index of this name."""
    with playing("none"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('DROP TRIGGER %%I ON %%s', tgname, tgrelid::regclass) FROM pg_trigger"
            " WHERE tgname ~ %s UNION ALL"
            " SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname)"
            " FROM pg_constraint WHERE conname = %s UNION ALL"
            " SELECT format('DROP INDEX %%I', c.relname) FROM pg_class c JOIN pg_index i"
            " ON i.indexrelid = c.oid WHERE c.relname = %s AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint WHERE conindid = c.oid)",
            [f"^(pgtrigger_)?{rule}(_[0-9a-f]+)?$", rule, rule],
        )
        ((statement,),) = cursor.fetchall()
        cursor.execute(statement)


def _judged(was: str, becomes: str) -> Patch:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        assert was in settlement._JUDGE
        monkeypatch.setattr(settlement, "_JUDGE", settlement._JUDGE.replace(was, becomes))

    return patch


def _swap(owner: Any, name: str, value: Any) -> Patch:
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def _never_void(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is voided, and what was in it stays live."""

    def void(motion: Any, by: Any) -> None:
        held = batches.locks.batch(motion.batch.pk)
        batches.lifecycle.advance(
            held, to="void", by=by, reason=motion.reason, fence=held.fence + 1, owner=""
        )

    monkeypatch.setitem(motions._performers, MotionKind.VOID_BATCH, void)


# -- ways there ----------------------------------------------------------------------------


def _sent(engine: Engine) -> None:
    engine.begin(life=3, results=[])


def _early(engine: Engine) -> None:
    _sent(engine)
    engine.answer(pick=0, rows=[(0, "returned", "T", "")], stranger=0, who="maker")
    engine.answer(pick=0, rows=[(0, "paid", "A", "")], stranger=0, who="maker")


def _flawed(flaw: str) -> Callable[[Engine], None]:
    def play(engine: Engine) -> None:
        _sent(engine)
        engine.answer(pick=0, rows=[(0, "paid", "A", flaw)], stranger=0, who="maker")

    return play


def _failed(engine: Engine) -> None:
    engine.begin(life=4, results=["failed"] * 5)


def _assembled_twice(engine: Engine) -> None:
    engine.begin(life=1, results=[])
    engine.assemble(fund=1, who="maker")


def _assembled_after_failures(engine: Engine) -> None:
    _failed(engine)
    engine.assemble(fund=0, who="maker")


def _seconded_too_late(engine: Engine) -> None:
    engine.begin(life=1, results=[])
    engine.move_to_write_off(pick=0, who="maker")
    engine.take_it_to_release()
    engine.let_two_agree()


def _contested(engine: Engine) -> None:
    engine.begin(life=1, results=[])
    engine.seal(pick=0, who="maker")
    engine.turn_the_decision(pick=0, to="contested")
    engine.check(pick=0, who="checker", is_as_seen=True)


def _one_person_two_steps(engine: Engine) -> None:
    engine.begin(life=0, results=[])
    engine.assemble(fund=0, who="rover")
    engine.seal(pick=0, who="rover")
    engine.rove(duty="checker")
    engine.check(pick=0, who="rover", is_as_seen=True)


def _void_after_the_file(engine: Engine) -> None:
    _sent(engine)
    engine.move_to_void(pick=0, who="checker")
    engine.let_two_agree()


def _void_in_time(engine: Engine) -> None:
    engine.begin(life=1, results=[])
    engine.move_to_void(pick=0, who="checker")
    engine.let_two_agree()


def _withdrawn_on_its_way(engine: Engine) -> None:
    # Once it is sent, its money is not reserved any more: the ledger refuses it as well.
    engine.begin(life=1, results=[])
    engine.withdraw(pick=0, who="maker")
    engine.let_two_agree()


def _back_with_an_old_ticket(engine: Engine) -> None:
    engine.begin(life=2, results=[])
    engine.claim_and_vanish()
    engine.let_leases_run_out()
    engine.claim_and_vanish()
    engine.come_back_with_a_ticket(pick=1, step="generate")


def _any_batch(batch_id: int, fence: int, state: str) -> Any:
    return delivery.locks.batch(batch_id)


def _no_leavers(batch: Any) -> Any:
    return batch.lines.none()


def _void_whatever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether the file has left."""

    def void(motion: Any, by: Any) -> None:
        held = batches.locks.batch(motion.batch.pk)
        type(held).objects.filter(pk=held.pk).update(state="void", fence=held.fence + 1, owner="")

    monkeypatch.setitem(motions._performers, MotionKind.VOID_BATCH, void)


def _void_while_a_row_waits(engine: Engine) -> None:
    engine.begin(life=1, results=[])
    engine.answer(pick=0, rows=[(0, "paid", "A", "")], stranger=0, who="maker")
    engine.move_to_void(pick=0, who="checker")
    engine.let_two_agree()


FREED = {**ledger.WAYS, EntryKind.FAILED: (LedgerKind.TRANSIT, LedgerKind.AVAILABLE)}
DEFECTS = (
    Defect(
        "what is early is dropped", "lines differ", _early, _judged("THEN 'early'", "THEN 'repeat'")
    ),
    Defect(
        "amounts are not compared",
        "no return row or certificate says so",
        _flawed("amount"),
        _judged("WHEN NOT k.sum_fits THEN 'amount'", "WHEN false THEN 'amount'"),
        ("return_row_matches",),
    ),
    Defect(
        "accounts are not compared",
        "lines differ",
        _flawed("conflict"),
        _judged("WHEN NOT k.account_fits THEN", "WHEN false THEN"),
        ("return_row_matches",),
    ),
    Defect(
        "what failed is given to the next", "money differs", _failed, _swap(ledger, "WAYS", FREED)
    ),
    Defect(
        "what is live is put into another batch",
        "needs another account or a retry",
        _assembled_twice,
        _swap(EntitlementQuerySet, "unpaid", lambda self: self.filter(state="granted")),
        ("payout_line_one_live_or_paid",),
    ),
    Defect(
        "what failed is swept into the next batch",
        "needs another account or a retry",
        _assembled_after_failures,
        _swap(candidates, "fresh", lambda entitlements: entitlements),
    ),
    Defect(
        "a contested decision is checked",
        "check was not refused",
        _contested,
        _swap(batches, "unpayable", _no_leavers),
    ),
    Defect(
        "one person takes two steps",
        "check was not refused",
        _one_person_two_steps,
        without=("batch_approval_person_once",),
    ),
    Defect(
        "a batch is void after its file",
        "second was not refused",
        _void_after_the_file,
        _void_whatever,
        ("payout_batch_steps",),
    ),
    Defect(
        "a row waits for what is void",
        "verdicts differ",
        _void_while_a_row_waits,
        _swap(batches, "_judge_what_waited", lambda batch, by: None),
    ),
    Defect("what was in a void batch stays live", "lines differ", _void_in_time, _never_void),
    Defect(
        "what is on its way is withdrawn",
        "second was not refused",
        _withdrawn_on_its_way,
        without=("entitlement_steps",),
    ),
    Defect(
        "a worker with an old fence goes on",
        "generate was not refused",
        _back_with_an_old_ticket,
        _swap(delivery, "_ours", _any_batch),
    ),
    Defect(
        "a motion that comes too late is refused and counts as seconded",
        "second was refused and stands in the log",
        _seconded_too_late,
        _swap(motions, "second", unwrap(motions.second)),
    ),
)
