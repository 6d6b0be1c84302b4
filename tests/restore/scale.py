"""How long a restore takes at a given number of members, and how much it loses.

Members are written, a tenth of them is paid, the server is backed up, a busy day goes by; then
a file is sent and the server is lost before its log was kept. What comes back is compared with
what was there, row by row; the gate must be shut, the file found in the register, and nobody
paid twice.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.cast import TODAY, make_cast, make_tree
from tests.disbursement.conftest import Office, make_office
from tests.faults.bank import Bank
from tests.faults.world import World
from tests.restore import members
from tests.restore.server import Restorable
from union_portal import audit, history
from welfare.disbursement import claims, formats, gate, invariants, motions, replay, returns
from welfare.disbursement.models import PayoutLine, SentMark
from welfare.disbursement.states import LineState

# The server keeps an unfinished piece of its log after so many seconds: what a crash may cost.
ARCHIVE_TIMEOUT = 60
# Paid in the batch that leaves just before the crash.
LAST_OF = 1000
MEGABYTE = 1024 * 1024


@dataclass
class Phase:
    """One line of the report: what, seconds, megabytes."""

    name: str
    seconds: float
    megabytes: float = 0.0

    def __str__(self) -> str:
        size = f"{self.megabytes:10,.0f} MB" if self.megabytes else ""
        return f"{self.name:<42} {self.seconds:8.1f} s {size}".rstrip()


@dataclass
class Sized:
    """The drill at one size; `faults` says what went wrong."""

    world: World
    count: int
    seed: int
    phases: list[Phase] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Restorable(self.world)

    def run(self) -> None:
        office, bank = self._settle()
        with self._timed("backup, verified") as phase:
            self.server.back_up()
        phase.megabytes = size_of(self.server.backup)
        with self._timed("(a day's work of the office)"):
            members.a_day_goes_by(self.count)
            members.owe(office, "2026-2", 20_000, modulus=LAST_OF)
        self.server.finish_the_piece()
        with self._timed("a lone commit is kept outside the server after"):
            members.a_lone_entry()
            self.server.wait_for_the_archive()
        waiting = office.assemble(period="2026-2")
        office.release(self._sealed(office, waiting))
        expected = control_sums()
        self.server.finish_the_piece()
        self.server.keep_no_more()
        began = time.monotonic()
        claims.wake()
        bank.tick()
        self.server.lose()
        self.phases.append(Phase("lost: from the last kept piece to the crash", _since(began)))
        self.phases.append(Phase("kept log to replay", 0.0, size_of(self.server.archive)))
        self._restore(office, bank, expected)
        self._pay_on(bank)

    def restored_in(self) -> float:
        """Seconds from an empty machine to an open gate and all checks."""
        return sum(one.seconds for one in self.phases if one.name.startswith("restore:"))

    # -- the parts --------------------------------------------------------------------------

    def _settle(self) -> tuple[Office, Bank]:
        with self._timed("(members written)"):
            office = make_office(make_cast(make_tree()), yuan=self.count * 1000)
            members.settle(office.cast, self.count, self.seed)
        layout = formats.layout(formats.stored(office.fund.bank_format))
        bank = Bank(
            Path(settings.BANK_DIR), self.world.folder / "books", layout,
            random.Random(f"bank {self.seed}"), slowness=0.0, oddity=0.0,
        )  # fmt: skip
        with self._timed("(a tenth of them paid)"):
            members.owe(office, "2026", 30_000, modulus=members.OWED_OF)
            office.release(self._sealed(office, office.assemble(period="2026")))
            gate.look()
            claims.wake()
            self._answers(bank)
        history.record(today=TODAY)
        with self._timed("(history digested into the log)"):
            history.record(today=TODAY + timedelta(days=1))
        audit.seal()
        self.server.archive_the_log(timeout=ARCHIVE_TIMEOUT)
        return office, bank

    def _sealed(self, office: Office, batch):
        from welfare.disbursement import batches

        return batches.seal(batch=batch, by=office.cast.feng)

    def _restore(self, office: Office, bank: Bank, expected: dict[str, tuple]) -> None:
        with self._timed("restore: backup copied back"):
            self.server.copy_back()
        with self._timed("restore: log replayed"):
            self.server.recover()
        with self._timed("restore: every row compared"):
            self._compare(expected, control_sums())
        with self._timed("restore: gate shut, register replayed"):
            strange = gate.unplaced(gate.register().marks())
            self._expect(len(strange) == 1, f"{len(strange)} sent files are unknown, not 1")
            self._expect(gate.look().is_shut, "the gate stands open after the restore")
            self._expect(claims.wake() == 0, "a restored database took up a batch")
            left = replay.run()
            self._expect(left.is_nothing, f"remaining after the replay: {left}")
        with self._timed("restore: gate lifted by two people"):
            motion = replay.lift(by=office.cast.feng_checker, reason="restored from the backup")
            motions.second(motion=motion, by=office.cast.feng_releaser)
            self._expect(not gate.look().is_shut, "the gate does not open")
        with self._timed("restore: audit log verified"):
            audit.seal()
            self.faults += [*audit.verify(), *history.differences()]
        with self._timed("restore: other invariants checked"):
            for one in invariants.INVARIANTS:
                result = one.check() if one.code != "I12" else None
                if result and not result.holds:
                    self.faults.append(f"{result.code} {result.title}: {result.sample[:3]}")

    def _pay_on(self, bank: Bank) -> None:
        """Work goes on; nobody got one sum twice, and the lines say what the bank did."""
        claims.wake()
        self._answers(bank)
        held = Counter((p.account, p.amount_fen) for p in bank.payments if p.result == "paid")
        doubled = sum(n > 1 for n in held.values())
        self._expect(not doubled, f"{doubled} people were paid twice")
        files = SentMark.objects.count()
        self._expect(len(bank.batches) == files == 2, f"{files} files sent, not 2")
        said = dict(PayoutLine.objects.exclude(state=LineState.VOID).values_list("e2e", "state"))
        self._expect(said == bank.results(), "lines differ from the bank's books")

    def _answers(self, bank: Bank) -> None:
        bank.tick()
        bank.tick()
        returns.collect()

    def _compare(self, expected: dict[str, tuple], found: dict[str, tuple]) -> None:
        for table in sorted(expected.keys() | found.keys()):
            if expected.get(table) != found.get(table):
                self.faults.append(f"{table}: {expected.get(table)} before, {found.get(table)}")

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.faults.append(otherwise)

    @contextmanager
    def _timed(self, name: str) -> Iterator[Phase]:
        phase, began = Phase(name, 0.0), time.monotonic()
        yield phase
        phase.seconds = _since(began)
        self.phases.append(phase)


def control_sums() -> dict[str, tuple]:
    """How many rows every table holds, and a sum over the text of each row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind = 'r' AND c.relpersistence = 'p' ORDER BY 1"
        )
        sums = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM "{table}" t')
            sums[table] = cursor.fetchone()
        return sums


def size_of(folder: Path) -> float:
    """Megabytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE


def _since(began: float) -> float:
    return time.monotonic() - began
