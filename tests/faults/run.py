"""One run: set the world up, inject faults while money moves, let it settle, judge."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import kombu.exceptions
import psycopg2
import redis
from django.db import DatabaseError, InterfaceError, connection

from tests.faults.bank import Bank
from tests.faults.desk import Round
from tests.faults.hosts import Host
from tests.faults.logs import LOST
from tests.faults.proxy import Proxy
from tests.faults.schedule import AT_A_PLACE, Fault
from tests.faults.verdict import Verdict, judge, look, unfinished_files, unread_answers
from tests.faults.world import World
from union_portal.celery import app

# So many fresh orders wait at places at once; one that nobody passes does not hold up the rest.
WAITING_ORDERS = 6
FRESH_SECONDS = 2.0
ROUNDS_AT_ONCE = 5
LOOK_SECONDS = 0.7
GLANCE_SECONDS = 0.05
# A system that takes no step is struck again after so many breaths.
LONG_BREATH = 20
# So many times its patience may a run take to settle.
TURNS = 10
# How long after a fault the workers take their next step at the latest, at production pace.
LIMITS = {
    "kill": 60, "kill-worker": 60, "lost-bells": 60, "wipe-redis": 60, "kill-redis": 60,
    "terminate": 90, "restart-postgres": 90, "crash-postgres": 90,
}  # fmt: skip
# What a strike that found nothing to strike ends with; anything else ends the run.
NOT_THERE = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    redis.ConnectionError,
    redis.TimeoutError,
    kombu.exceptions.OperationalError,
    ProcessLookupError,
)
CUTS = ("cut-postgres", "cut-redis")
STILL_WAITING = "its place still waited for the one before"
NOBODY_CAME = "nobody came by"


class Stuck(Exception):
    """The run does not come to its end: something waits for ever."""


@dataclass
class Story:
    """What happened in a run."""

    injected: list[Fault] = field(default_factory=list)
    at_points: Counter = field(default_factory=Counter)
    progress: dict[str, list[float]] = field(default_factory=dict)
    # (kind, why it could not strike).
    left_out: Counter = field(default_factory=Counter)
    # What the operator's timer failed with, and no outage explains.
    failed_sweeps: list[str] = field(default_factory=list)
    # The longest time in which nothing moved, seconds.
    stillest: float = 0.0

    def late(self) -> dict[str, float]:
        """Kinds after which the workers took too long at least once, and the longest time."""
        longest = {kind: max(times) for kind, times in self.progress.items() if times}
        return {kind: took for kind, took in longest.items() if took > LIMITS.get(kind, took)}

    def rested(self, seconds: float) -> None:
        self.stillest = max(self.stillest, seconds)

    def count(self, fault: Fault) -> None:
        self.injected.append(fault)
        if fault.kind in AT_A_PLACE:
            self.at_points[fault.at] += 1


@dataclass
class Run:
    """Drives one world through its faults."""

    world: World
    bank: Bank
    rounds: list[Round]
    # How long nothing may move before the run counts as stuck, seconds.
    patience: float
    story: Story = field(default_factory=Story)
    opened: int = 0
    rehearsed: set[str] = field(default_factory=set)
    _offset: int = 0
    # Orders at places, by place, and when they were given.
    _waiting: dict[str, tuple[Fault, float]] = field(default_factory=dict)
    # Faults whose place still waited when their turn came, by place.
    _postponed: dict[str, Fault] = field(default_factory=dict)
    # Cuts that are ordered, and how many each proxy had made by then.
    _armed: dict[str, tuple[Fault, int]] = field(default_factory=dict)
    _asleep: list[tuple[float, int]] = field(default_factory=list)
    # Hosts that are cut off, until when.
    _cut_off: dict[Host, float] = field(default_factory=dict)
    _watched: list[tuple[str, float, int]] = field(default_factory=list)
    _last_breath: float = 0.0
    _last_step: int = 0
    _step_before: int = 0
    # The newest entry of the log, whoever wrote it.
    _last_entry: int = 0
    _last_look: float = 0.0
    _last_glance: float = 0.0
    _sweeping: subprocess.Popen[bytes] | None = None
    # Where the log of the sweep that runs begins.
    _swept: int = 0

    # -- phases -----------------------------------------------------------------------------

    def rehearse(self, rounds: int) -> list[str]:
        """Work so many rounds without a fault; the places that were passed."""
        self.open(rounds)
        self._until_settled()
        points = self.world.plan.points()
        self.rehearsed = set(points)
        return points

    def under_fire(self, faults: Iterator[Fault], count: int, each: int = 1) -> None:
        """Inject until `count` faults have struck, `each` of them at every place.

        Of a short run, where `each` is 1, only the rehearsed places are waited for.
        """
        for _step in self.under_fire_for(faults, count, None, each):
            pass

    def under_fire_for(
        self, faults: Iterator[Fault], count: int, seconds: float | None, each: int = 1
    ) -> Iterator[None]:
        """The same, step by step, and for so long at most."""
        end = time.monotonic() + seconds if seconds else None
        moved = came = time.monotonic()
        seen: tuple[int, int] | None = None
        entry = 0
        while len(self.story.injected) < count or self._spared(each):
            if end is not None and time.monotonic() > end:
                break
            if len(self.story.injected) >= count and time.monotonic() - came > self.patience:
                break  # nobody passes there any more; whoever judges the run names the places
            yield
            self._keep_busy()
            self._live()
            self._catch_up(count, each)
            self._inject(faults, count)
            state = (len(self.story.injected), len(self.bank.payments))
            now = time.monotonic()
            if self._last_entry != entry or state != seen:
                self.story.rested(now - moved)
                moved = now
            if state != seen:
                came = now
            entry, seen = self._last_entry, state
            if now - moved > self.patience or now - came > TURNS * self.patience:
                raise Stuck("neither a fault nor a payment for a long while")
            time.sleep(0.01)
        self.cease()

    def cease(self) -> None:
        """Take back what nobody carried out yet."""
        for point, (fault, _given) in list(self._waiting.items()):
            if self.world.plan.take_back(point):
                del self._waiting[point]
                self.story.left_out[fault.kind, NOBODY_CAME] += 1
        for fault in self._postponed.values():
            self.story.left_out[fault.kind, STILL_WAITING] += 1
        self._postponed.clear()
        for kind in list(self._armed):
            self._proxy(kind).cut_nothing()
        self._live()
        for kind in self._armed:
            self.story.left_out[kind, NOBODY_CAME] += 1
        self._armed.clear()

    def spared(self, share: int) -> set[str]:
        """Places, of all that were ever passed, where less than their share struck."""
        at = self.story.at_points
        return {point for point in self.world.plan.points() if at[point] < share}

    def _spared(self, share: int) -> set[str]:
        """The same of those that are waited for."""
        return self.spared(share) & self.rehearsed if share == 1 else self.spared(share)

    def _catch_up(self, count: int, each: int) -> None:
        """Order a kill at places that are passed so seldom that they fall behind."""
        so_far = min(each, each * len(self.story.injected) // count)
        for point in self.spared(so_far) - self._waiting.keys():
            if self._is_another_under_way(time.monotonic()):
                return
            self._order(Fault("kill", point))

    def _order(self, fault: Fault) -> None:
        self._waiting[fault.at] = fault, time.monotonic()
        self.world.plan.order(fault.at, fault.kind)

    def settle(self) -> None:
        """No more faults: wait until everybody is paid and every batch has ended."""
        self._until_settled()

    def judge(self, *, with_guards: bool = True) -> Verdict:
        """The books against the bank's truth, for the rounds that were opened."""
        return judge(self.bank, self.rounds[: self.opened], with_guards=with_guards)

    def noticed(self) -> list[str]:
        """What shows already, of what must hold at every moment."""
        if time.monotonic() - self._last_look < LOOK_SECONDS:
            return []
        self._last_look = time.monotonic()
        return self.look()

    def look(self) -> list[str]:
        """The same, at once."""
        return look(self.bank, self.rounds[: self.opened])

    # -- work -------------------------------------------------------------------------------

    def open(self, rounds: int) -> None:
        """Let the desks take so many more rounds up."""
        self.opened = min(len(self.rounds), self.opened + rounds)
        draft = self.world.folder / ".wanted"
        draft.write_text(str(self.opened))
        draft.rename(self.world.folder / "wanted")

    def _keep_busy(self) -> None:
        paid = sum(p.result == "paid" for p in self.bank.payments)
        ahead = sum(len(one.owed) for one in self.rounds[: self.opened]) - paid
        enough = ROUNDS_AT_ONCE * len(self.rounds[0].owed) // 2
        if ahead < enough and self.opened < len(self.rounds):
            self.open(1)

    def _live(self) -> None:
        """The bank, the supervisor, sleepers that wake, orders that were carried out."""
        self.bank.tick()
        self.world.tend()
        now = time.monotonic()
        for due, pid in [one for one in self._asleep if one[0] <= now]:
            _continue(pid)
            self._asleep.remove((due, pid))
        for host in [host for host, due in self._cut_off.items() if due <= now]:
            host.plug()
            del self._cut_off[host]
        self._see_the_sweep_end()
        self._see_cuts(now)
        rows, self._offset = self.world.plan.carried_out(self._offset)
        for what, point, pid, _at in rows:
            self._waiting.pop(point, None)
            if what == "cut-off" and not self._cut(int(pid)):
                self.story.left_out[what, "whoever came by was on no host of its own"] += 1
                continue
            self.story.count(Fault(what, point))
            self._watch(what, now, self._steps())
            if what == "stall":
                # Longer than the lease: somebody else has taken over when it wakes.
                self._asleep.append((now + self.world.pace.lease * 1.6, int(pid)))
        self._look_for_progress()

    def _see_cuts(self, now: float) -> None:
        """Cuts that were ordered and have been made since."""
        for kind, (fault, before) in list(self._armed.items()):
            if self._proxy(kind).cuts > before:
                del self._armed[kind]
                self.story.count(fault)
                self._watch(kind, now, self._last_step)

    def _see_the_sweep_end(self) -> None:
        """Beat comes back when the operator's timer is through; that has to end well."""
        status = self._sweeping.poll() if self._sweeping is not None else None
        if status is None:
            return
        self.world.programs["beat"].signal(signal.SIGCONT)
        self._sweeping = None
        told = self.world.sweep_log.read_text(errors="replace")[self._swept :]
        # A traceback is judged with those of all other logs.
        if status and "Traceback " not in told and not LOST.search(told):
            self.story.failed_sweeps.append(f"status {status}: {told.strip()[-200:]}")

    def _cut(self, pid: int) -> bool:
        """Cut the host of a process off and let it go on there, for longer than the lease.

        In turns so short that its connections come to life again, and so long that the
        database has given them up.
        """
        host = self.world.host_of(pid)
        if host is not None:
            host.pull()
            pace, before = self.world.pace, sum(f.kind == "cut-off" for f in self.story.injected)
            seconds = pace.lease * 1.6 if before % 2 else pace.lease + pace.silence * 1.6
            self._cut_off[host] = time.monotonic() + seconds
        _continue(pid)
        return host is not None

    def _until_settled(self) -> None:
        moved = began = time.monotonic()
        seen = None
        while True:
            self._live()
            state, now = self._unsettled(), time.monotonic()
            if (state, self._last_entry) != seen:
                self.story.rested(now - moved)
                seen, moved = (state, self._last_entry), now
            if not any(state):
                return
            # Something may move for ever and lead nowhere.
            if now - moved > self.patience or now - began > TURNS * self.patience:
                told = f"unpaid, open batches, unowed, unanswered, asleep, drafts, unread: {state}"
                raise Stuck(f"{told}; {self._open_batches()}")
            time.sleep(0.05)

    def _unsettled(self) -> tuple[int, ...]:
        expected = sum(len(one.owed) for one in self.rounds[: self.opened])
        row = self._query(
            "SELECT (SELECT count(*) FROM disbursement_entitlement e WHERE NOT EXISTS (SELECT 1"
            " FROM disbursement_payoutline l WHERE l.entitlement_id = e.id AND l.state = 'paid')),"
            " (SELECT count(*) FROM disbursement_payoutbatch"
            "  WHERE state NOT IN ('closed', 'void')),"
            " (SELECT count(*) FROM disbursement_entitlement)"
        )
        unpaid, is_open, owed = row or (1, 1, 0)
        away = len(self._asleep) + len(self._cut_off)
        drafts = len(unfinished_files())
        waiting = (unpaid, is_open, expected - owed, len(self.bank.answers), away, drafts)
        # Everybody may be paid, and the last answer take a payment back.
        return (*waiting, 0 if any(waiting) else self._unread())

    def _unread(self) -> int:
        """How many answers wait for a worker; one, while nobody can tell."""
        try:
            return len(unread_answers())
        except (DatabaseError, InterfaceError):
            connection.close()
            return 1

    def _open_batches(self) -> str:
        row = self._query(
            "SELECT string_agg(concat_ws(' ', b.number, b.period, b.state, b.held_reason,"
            " (SELECT string_agg(l.state, ',') FROM disbursement_payoutline l"
            "  WHERE l.batch_id = b.id),"
            " (SELECT string_agg(r.e2e || ' ' || r.result || ' ' || r.verdict, ',')"
            "  FROM disbursement_returnrow r JOIN disbursement_payoutline l ON l.id = r.line_id"
            "  WHERE l.batch_id = b.id AND l.state IN ('sent', 'unknown'))), '; ')"
            " FROM disbursement_payoutbatch b WHERE b.state NOT IN ('closed', 'void')"
        )
        return str(row[0]) if row else "the database is away"

    # -- faults -----------------------------------------------------------------------------

    def _inject(self, faults: Iterator[Fault], count: int) -> None:
        now = time.monotonic()
        if self._is_another_under_way(now):
            return
        fresh = sum(now - given < FRESH_SECONDS for _fault, given in self._waiting.values())
        if fresh >= WAITING_ORDERS or not self._has_drawn_breath(now):
            return
        if len(self.story.injected) + fresh >= count:
            return
        fault = self._next(faults)
        if fault is None:
            return
        if fault.kind in AT_A_PLACE:
            self._order(fault)
            return
        self._last_breath, self._step_before = now, self._steps()
        reason = self._strike(fault)
        if reason:
            self.story.left_out[fault.kind, reason] += 1
        elif fault.kind not in CUTS:
            self.story.count(fault)
            # From before the strike: it may last as long as the outage.
            self._watch(fault.kind, now, self._step_before)

    def _is_another_under_way(self, now: float) -> bool:
        """Whether faults come one by one, and one has not struck or not been got over yet.

        An order that nobody came for in a while makes room for the next.
        """
        if not self.world.pace.is_one_by_one:
            return False
        for point, (fault, given) in list(self._waiting.items()):
            is_stale = now - given > LONG_BREATH * self.world.pace.breath
            if is_stale and self.world.plan.take_back(point):
                del self._waiting[point]
                self.story.left_out[fault.kind, NOBODY_CAME] += 1
        return bool(self._watched or self._waiting)

    def _next(self, faults: Iterator[Fault]) -> Fault | None:
        """The next fault whose turn it is; at a place that still waits, one keeps its turn."""
        for point in self._postponed.keys() - self._waiting.keys():
            return self._postponed.pop(point)
        fault = next(faults, None)
        if fault is None or fault.at not in self._waiting or fault.kind not in AT_A_PLACE:
            return fault
        if fault.at in self._postponed:
            self.story.left_out[fault.kind, STILL_WAITING] += 1
        self._postponed.setdefault(fault.at, fault)
        return None

    def _has_drawn_breath(self, now: float) -> bool:
        """Whether the workers had time to take a step: who is down already can't be struck."""
        waited = now - self._last_breath
        has_moved = self._last_step != self._step_before
        return waited >= self.world.pace.breath * (1 if has_moved else LONG_BREATH)

    def _strike(self, fault: Fault) -> str:
        """Why the fault could not strike, or ""."""
        try:
            return STRIKES[fault.kind](self, fault) or ""
        except NOT_THERE as error:
            return f"what it aims at was away already ({type(error).__name__})"

    def _nth(self, fault: Fault, names: str) -> str:
        found = sorted(name for name in self.world.programs if name.startswith(names))
        return found[int(fault.at) % len(found)]

    def _terminate(self, fault: Fault) -> str | None:
        pids = self.world.backends()
        if not pids:
            return "nobody was connected"
        pid = pids[int(fault.at) % len(pids)]
        if self.world.ask("SELECT pg_terminate_backend(%s)", pid) == [(True,)]:
            return None
        return "the connection had ended by itself"

    def _cut_after(self, fault: Fault) -> str | None:
        """Order a cut; it counts when it is made."""
        if fault.kind in self._armed:
            return "the one before has cut nothing yet"
        proxy = self._proxy(fault.kind)
        self._armed[fault.kind] = fault, proxy.cuts
        proxy.cut_after(int(fault.at))
        return None

    def _proxy(self, kind: str) -> Proxy:
        return self.world.to_postgres if kind == "cut-postgres" else self.world.to_redis

    def _bells(self, fault: Fault) -> None:
        for _ring in range(int(fault.at) % 20 + 2):
            app.send_task("disbursement.wake", retry=False)

    def _lost_bells(self, fault: Fault) -> None:
        """Every bell on its way is lost, right after new work was opened."""
        self.open(1)
        self._wipe_redis(fault)

    def _wipe_redis(self, fault: Fault) -> None:
        self.world.broker().flushall()

    def _kill_redis(self, fault: Fault) -> None:
        self.world.kill_redis()

    def _kill_worker(self, fault: Fault) -> None:
        self.world.programs[self._nth(fault, "worker")].signal(signal.SIGKILL)

    def _stop_beat(self, fault: Fault) -> str | None:
        """Beat is away for a while; the operator's timer does its work."""
        if self._sweeping is not None:
            return "beat was away already"
        self.world.programs["beat"].signal(signal.SIGSTOP)
        log = self.world.sweep_log
        self._swept = len(log.read_text(errors="replace")) if log.exists() else 0
        self._sweeping = self.world.sweep()
        return None

    def _restart_postgres(self, fault: Fault) -> None:
        self.world.stop_postgres_at_once()

    def _crash_postgres(self, fault: Fault) -> str | None:
        if not self.world.backends():
            return "nobody was connected"
        self.world.crash_postgres(int(fault.at))
        return None

    def _full_disk(self, fault: Fault) -> str | None:
        if not self.world.has_disk:
            return "this system lets us mount no small disk"
        with self.world.full_disk():
            until = time.monotonic() + 1.0
            while time.monotonic() < until:
                self._live()
                time.sleep(0.02)
        return None

    # -- progress ---------------------------------------------------------------------------

    def _watch(self, kind: str, struck_at: float, steps: int) -> None:
        self._watched.append((kind, struck_at, steps))

    def _look_for_progress(self) -> None:
        """How long after a fault the workers took their next step, if one waited for them."""
        if time.monotonic() - self._last_glance < GLANCE_SECONDS:
            return
        self._last_glance = time.monotonic()
        steps = self._steps()
        for one in [one for one in self._watched if steps > one[2]]:
            self.story.progress.setdefault(one[0], []).append(time.monotonic() - one[1])
            self._watched.remove(one)

    def _steps(self) -> int:
        row = self._query(
            "SELECT (SELECT max(id) FROM union_portal_auditentry),"
            " (SELECT max(id) FROM union_portal_auditentry WHERE actor IN ('worker', 'bank'))"
        )
        if row:
            self._last_entry, self._last_step = int(row[0] or 0), int(row[1] or 0)
        return self._last_step

    def _query(self, statement: str) -> tuple | None:
        """One row, or None while PostgreSQL is away."""
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                row: tuple = cursor.fetchone()
                return row
        except (DatabaseError, InterfaceError):
            connection.close()
            return None


# Each strikes and returns None, or says why it could not.
STRIKES: dict[str, Callable[[Run, Fault], str | None]] = {
    "terminate": Run._terminate,
    "cut-postgres": Run._cut_after,
    "cut-redis": Run._cut_after,
    "bells": Run._bells,
    "lost-bells": Run._lost_bells,
    "kill-worker": Run._kill_worker,
    "stop-beat": Run._stop_beat,
    "wipe-redis": Run._wipe_redis,
    "kill-redis": Run._kill_redis,
    "restart-postgres": Run._restart_postgres,
    "crash-postgres": Run._crash_postgres,
    "full-disk": Run._full_disk,
}


def _continue(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def plan_rounds(seed: int, people: list[int], count: int, size: int) -> list[Round]:
    """Who is owed what in each period: sums differ from round to round."""
    rng = random.Random(f"rounds {seed}")
    return [
        Round(f"r{number:05d}", dict.fromkeys(sorted(rng.sample(people, size)), 10000 + number * 7))
        for number in range(1, count + 1)
    ]
