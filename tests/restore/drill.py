"""One drill: pay, back up, pay on, lose the server, restore to a moment before, go on.

Everything is real but the office: one process plays people and worker by turns, so that the
moment of the restore can lie between any two of their steps.
"""

import random
import time
from dataclasses import dataclass, field

from django.db import DatabaseError, connection, transaction

from tests.faults.bank import Bank
from tests.faults.desk import Desk, Round
from tests.faults.verdict import Verdict, judge
from tests.faults.world import World
from tests.restore.server import Restorable
from union_portal import audit
from union_portal.models import Account
from welfare.disbursement import claims, delivery, gate, locks, motions, replay, returns
from welfare.disbursement.models import PayoutBatch, SentMark
from welfare.disbursement.states import BatchState

TURNS_TO_THE_END = 400
# At least so many files leave after the moment that the restore goes back to.
SENT_AFTERWARDS = 2


class DrillFailed(Exception):
    """The engine did something after a restore that it must not, or can't go on."""


@dataclass
class Drill:
    """A world with WAL archiving, an office, a bank, and what was owed."""

    world: World
    bank: Bank
    rounds: list[Round]
    rng: random.Random
    opened: int = 0
    # Steps that somebody took by hand behind the shut gate, and was refused.
    refused: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def server(self) -> Restorable:
        return Restorable(self.world)

    # -- the parts of a drill ---------------------------------------------------------------

    def work(self, turns: int) -> None:
        """So many turns of people, worker and bank, in any order."""
        for _turn in range(turns):
            self.rng.choice([self.people, self.worker, self.answers, self.answers])()

    def people(self) -> None:
        if self.rng.random() < 0.4 and self.opened < len(self.rounds):
            self.opened += 1
            (self.world.folder / "wanted").write_text(str(self.opened))
        Desk(self.world.folder).work()

    def worker(self) -> None:
        claims.wake()
        audit.seal()

    def answers(self) -> None:
        self.bank.tick()
        returns.collect()

    def lose_and_restore(self, target: str) -> None:
        """The server dies; what is put back ends at `target`."""
        began = time.monotonic()
        self.server.finish_the_piece()
        self.server.lose()
        self.server.copy_back()
        self.server.recover(target)
        self.seconds.append(time.monotonic() - began)

    def prove_it_is_shut(self) -> int:
        """Nothing leaves a restored database; how many sent files it does not know."""
        strange = len(gate.unplaced(gate.register().marks()))
        if strange < SENT_AFTERWARDS:
            raise DrillFailed(f"{strange} sent files are unknown, at least {SENT_AFTERWARDS} left")
        before = sorted(path.name for path in (self.world.folder / "bank/outgoing").iterdir())
        if not gate.look().is_shut:
            raise DrillFailed("the gate stands open after a restore")
        claims.wake()
        after = sorted(path.name for path in (self.world.folder / "bank/outgoing").iterdir())
        if before != after:
            raise DrillFailed("a file left a restored database")
        for batch in PayoutBatch.objects.filter(state=BatchState.APPROVED):
            if SentMark.objects.filter(batch_number=batch.number).exists():
                continue
            self._refuse_a_step(batch)
            self.refused += 1
        return strange

    def open_again(self) -> None:
        """Replay until nothing remains; people enter again what is gone; two lift the gate."""
        checker, releaser = (Account.objects.get(username=name) for name in ("feng2", "feng3"))
        for _turn in range(20):
            if self.rng.random() < 0.5:
                Desk(self.world.folder).work()  # people go on before anybody replays
            left = replay.run()
            if left.is_nothing:
                break
            Desk(self.world.folder).work()
        else:
            raise DrillFailed(f"remaining after the replay: {left}")
        motion = replay.lift(by=checker, reason="restored from the backup")
        motions.second(motion=motion, by=releaser)
        if gate.look().is_shut:
            raise DrillFailed(f"the gate does not open: {gate.row().cause}")

    def to_the_end(self) -> Verdict:
        """Work until everybody is paid; the books against the bank's truth."""
        for _turn in range(TURNS_TO_THE_END):
            Desk(self.world.folder).work()
            claims.wake()
            self.answers()
            if not self.bank.answers and self._all_ended():
                return judge(self.bank, self.rounds[: self.opened])
            time.sleep(0.01)
        verdict = judge(self.bank, self.rounds[: self.opened])
        verdict.note("the end is not reached", 1)
        return verdict

    # -- how --------------------------------------------------------------------------------

    def _refuse_a_step(self, batch: PayoutBatch) -> None:
        try:
            with transaction.atomic():
                held = locks.batch(batch.pk)
                delivery.write_file(held, delivery.build(held), f"{held.number}.csv")
                delivery._advance(held, to=BatchState.GENERATED)
        except DatabaseError as error:
            if "safe mode" in str(error):
                return
            raise
        raise DrillFailed(f"{batch.number} was generated behind a shut gate")

    def _all_ended(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT NOT EXISTS (SELECT 1 FROM disbursement_payoutbatch"
                " WHERE state NOT IN ('closed', 'void')) AND NOT EXISTS (SELECT 1 FROM"
                " disbursement_entitlement e WHERE NOT EXISTS (SELECT 1 FROM"
                " disbursement_payoutline l WHERE l.entitlement_id = e.id AND l.state = 'paid'))"
                " AND (SELECT count(*) FROM disbursement_entitlement) = %s",
                [sum(len(one.owed) for one in self.rounds[: self.opened])],
            )
            return bool(cursor.fetchone()[0])


def once(drill: Drill) -> int:
    """One restore behind sent files; how many files the restored database did not know."""
    drill.server.archive_the_log()
    drill.work(drill.rng.randrange(5, 15))
    drill.server.back_up()
    drill.work(drill.rng.randrange(3, 20))
    target, head = drill.server.position(), gate.register().head()
    drill.work(drill.rng.randrange(10, 40))
    while gate.register().head() < head + SENT_AFTERWARDS:
        drill.work(1)
    drill.lose_and_restore(target)
    strange = drill.prove_it_is_shut()
    drill.open_again()
    audit.seal()
    return strange
