"""Two real connections that meet on purpose."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Queue
from typing import Any

from django.db import connection, transaction

PATIENCE = 20


class Runner(threading.Thread):
    """Runs one function on a connection of its own and keeps what came of it."""

    def __init__(self, act: Callable[[], Any], start_at: threading.Barrier | None = None) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.start_at = start_at
        self.pid: Queue[int] = Queue()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.pid.put(cursor.fetchone()[0])
            if self.start_at is not None:
                self.start_at.wait(PATIENCE)
            self.result = self.act()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def finished(self) -> Runner:
        self.join(PATIENCE)
        assert not self.is_alive(), "a deadlock, or a wait without end"
        return self


def together(*acts: Callable[[], Any]) -> list[Runner]:
    """Start all at the same moment and wait for all."""
    barrier = threading.Barrier(len(acts))
    runners = [Runner(act, barrier) for act in acts]
    for runner in runners:
        runner.start()
    return [runner.finished() for runner in runners]


def meanwhile(
    first: Callable[[], Any], second: Callable[[], Any], then: Callable[[], Any] = lambda: None
) -> Runner:
    """Do `first`, hold its transaction open until `second` waits for it; `then`, and commit."""
    runner = Runner(second)
    with transaction.atomic():
        first()
        runner.start()
        _until_it_waits(runner)
        then()
    return runner.finished()


def _until_it_waits(runner: Runner) -> None:
    pid = runner.pid.get(timeout=PATIENCE)
    limit = time.monotonic() + PATIENCE
    while runner.is_alive() and time.monotonic() < limit:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
            if cursor.fetchone()[0]:
                return
