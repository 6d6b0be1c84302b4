"""The federation's people at work: every step is found from the rows, so they may die anywhere.

They owe, assemble, seal, check, release, void, resolve, retry and close. Who is owed what
stands in `rounds.json`, written before anything happens: it is the truth the end is held to.
"""

import json
import logging
import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zlib import crc32

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from members.models import Person
from tests.cast import TODAY, make_decision
from tests.disbursement.conftest import SCHEME
from tests.faults.defects import planted
from union_portal import lifecycle, outages
from union_portal.kit.refusals import Refused
from union_portal.models import Account, Organization, RuleSet
from union_portal.states import DecisionState
from welfare.disbursement import (
    batches,
    candidates,
    entitlements,
    gate,
    motions,
    returns,
    unknowns,
)
from welfare.disbursement.models import (
    Discrepancy,
    Entitlement,
    Fund,
    Motion,
    PayoutBatch,
    PayoutLine,
)
from welfare.disbursement.states import BatchState, LineState, MotionState

log = logging.getLogger("desk")
PAUSE_SECONDS = 0.05
ENDED = (BatchState.CLOSED, BatchState.VOID)


@dataclass(frozen=True)
class Round:
    """One period: who is owed how many fen in it, by the number of the person."""

    period: str
    owed: dict[int, int]


def read_rounds(folder: Path) -> list[Round]:
    rows = json.loads((folder / "rounds.json").read_text())
    return [Round(period, {int(p): fen for p, fen in owed.items()}) for period, owed in rows]


def wanted(folder: Path) -> int:
    """How many rounds are to be worked on by now."""
    try:
        return int((folder / "wanted").read_text() or 0)
    except FileNotFoundError:
        return 0


class Desk:
    """Everybody at the desks in one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rounds = read_rounds(folder)
        people = {account.username: account for account in Account.objects.all()}
        self.officer, self.decider = people["tang"], people["meng"]
        self.maker, self.checker, self.releaser = (
            people["feng"], people["feng2"], people["feng3"],
        )  # fmt: skip
        self.city = Organization.objects.get(parent=None)
        self.fund = Fund.objects.get()
        self.rules = RuleSet.objects.get(scheme=SCHEME)

    def work(self) -> None:
        """Go once through everything that waits."""
        if gate.look().is_shut:
            log.error("the gate is shut: %s", gate.row().cause)
        resting = self._resting()
        for one in self.rounds[: wanted(self.folder)]:
            if one.period not in resting:
                self._try(one)
        for discrepancy in Discrepancy.objects.filter(state="open", batch=None)[:20]:
            returns.resolve(discrepancy=discrepancy, by=self.maker, finding="asked the bank")

    def _resting(self) -> set[str]:
        """Periods in which everybody is paid and every batch has ended, for now."""
        unpaid = Entitlement.objects.unpaid().values_list("period", flat=True)
        is_open = PayoutBatch.objects.exclude(state__in=ENDED).values_list("period", flat=True)
        known = Entitlement.objects.order_by().values_list("period", flat=True).distinct()
        return set(known) - set(unpaid) - set(is_open)

    def _try(self, one: Round) -> None:
        try:
            self._tend(one)
        except (Refused, lifecycle.Stale) as refusal:
            # What people see when a worker was faster: they look again.
            log.info("%s: %s", one.period, refusal)

    def _tend(self, one: Round) -> None:
        self._owe(one)
        mine = PayoutBatch.objects.filter(period=one.period)
        for batch in mine.exclude(state__in=ENDED):
            self._step(batch)
        mine_owed = Entitlement.objects.filter(period=one.period)
        if candidates.fresh(mine_owed.unpaid()).exists():
            if not mine.filter(state__in=["draft", "sealed", "approved"]).exists():
                self._assemble(one.period)
            return
        for batch in mine.filter(state__in=["reconciled", "closed"]):
            self._again(batch)

    @transaction.atomic
    def _owe(self, one: Round) -> None:
        with connection.cursor() as cursor:  # both desks look into the same list
            cursor.execute("SELECT pg_advisory_xact_lock(7, %s)", [int(one.period[1:])])
        if Entitlement.objects.filter(period=one.period).count() == len(one.owed):
            return
        for person in Person.objects.filter(pk__in=one.owed):
            decision = make_decision(
                _names_only(self), self.rules, person, period=one.period,
                amount_fen=one.owed[person.pk], subject_id=int(f"{one.period[1:]}{person.pk:06d}"),
            )  # fmt: skip
            lifecycle.advance(decision, to=DecisionState.CLEAR, by=self.decider)
            entitlements.grant(decision=decision, person=person, by=self.officer)

    def _assemble(self, period: str) -> None:
        batches.assemble(
            fund=self.fund, scheme=SCHEME, period=period, organization=self.city,
            by=self.maker, today=TODAY,
        )  # fmt: skip

    def _step(self, batch: PayoutBatch) -> None:
        lot = crc32(batch.number.encode()) % 100
        if batch.state == BatchState.DRAFT:
            batches.seal(batch=batch, by=self.maker)
        elif batch.state == BatchState.SEALED and lot < 10 and batch.round == 1:
            batches.reopen(batch=batch, by=self.maker, reason="a second look")
        elif batch.state == BatchState.SEALED:
            self._approve(batch)
        elif batch.state == BatchState.APPROVED and (lot >= 92 or batch.held_since):
            self._void(batch)
        elif batch.state == BatchState.DELIVERED and lot % 10 == 3:
            unknowns.mark(today=timezone.localdate() + timedelta(days=30))
        elif batch.state == BatchState.RECONCILED:
            self._close(batch)

    def _approve(self, batch: PayoutBatch) -> None:
        steps = set(batch.approvals.filter(round=batch.round).values_list("step", flat=True))
        if "checker" not in steps:
            batches.check(batch=batch, by=self.checker, digest=batch.digest)
        batches.release(batch=batch, by=self.releaser, digest=batch.digest)

    def _void(self, batch: PayoutBatch) -> None:
        motion = batches.void(batch=batch, by=self.checker, reason="changed our minds")
        motions.second(motion=motion, by=self.releaser)

    def _close(self, batch: PayoutBatch) -> None:
        for found in Discrepancy.objects.filter(state="open", batch=batch):
            returns.resolve(discrepancy=found, by=self.maker, finding="asked the bank")
        told = _debit_of(self.folder / "books", batch.number)
        batches.close(batch=batch, by=self.maker, statement_debit_fen=told)

    def _again(self, batch: PayoutBatch) -> None:
        unpaid = Entitlement.objects.filter(period=batch.period).unpaid()
        lines = batch.lines.filter(
            state__in=[LineState.FAILED, LineState.RETURNED], entitlement__in=unpaid
        )
        later = PayoutLine.objects.filter(
            entitlement=OuterRef("entitlement"), attempt__gt=OuterRef("attempt")
        ).counted()
        fresh = list(lines.filter(~Exists(later)))
        for line in fresh:
            if not Motion.objects.filter(line=line, state=MotionState.SECONDED).exists():
                motion = batches.retry(line=line, by=self.maker, reason="the bank was the cause")
                motions.second(motion=motion, by=self.checker)
        if fresh:
            batches.reissue(batch=batch, by=self.maker, today=TODAY)


@dataclass(frozen=True)
class _Names:
    decider: Account


def _names_only(desk: Desk) -> _Names:
    """What `make_decision` asks of a cast."""
    return _Names(desk.decider)


def _debit_of(books: Path, number: str) -> int:
    """The bank statement: what left our account for a batch, fen."""
    rows = [json.loads(line) for line in (books / "journal.jsonl").read_text().splitlines()]
    return sum(fen for name, _e2e, _to, fen, word in rows if name == number and word != "failed")


def run_for_ever() -> None:
    """A child does the work and may be killed; its parent forks the next one."""
    folder = Path(os.environ["FAULTS_PLAN"]).parent
    logging.basicConfig(level=logging.INFO)
    while True:
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            _live(folder, parent)
        _pid, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            raise SystemExit(os.WEXITSTATUS(status))


def _live(folder: Path, parent: int) -> None:
    desk = None
    while os.getppid() == parent:
        try:
            planted.follow(folder)
            desk = desk or Desk(folder)
            desk.work()
        except (DatabaseError, InterfaceError) as error:
            if not outages.is_outage(error):
                log.exception("the desk met a fault of ours")
                os._exit(3)
            log.info("the database is away: %s", type(error).__name__)
            connection.close()
            time.sleep(PAUSE_SECONDS * 4)
        except Exception:
            log.exception("the desk met a fault of ours")
            os._exit(3)
        time.sleep(PAUSE_SECONDS)
    os._exit(0)
