"""Two real connections at once, without sleeping and hoping."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections


class Other(threading.Thread):
    """Somebody else at work in a connection of their own; `result` or `error` is kept."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.act = act
        self.result: Any = None
        self.error: BaseException | None = None
        self.backend: int | None = None
        self.connected = threading.Event()

    def run(self) -> None:
        try:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                self.backend = cursor.fetchone()[0]
            self.connected.set()
            self.result = self.act()
        except Exception as error:
            self.error = error
        finally:
            self.connected.set()
            connections["default"].close()


@contextmanager
def at_once(act: Callable[[], Any]) -> Iterator[Other]:
    """`act` in another thread; whoever calls starts it, and leaving the block waits for it."""
    other = Other(act)
    yield other
    other.join(30)
    assert not other.is_alive(), "the other connection hangs"


def waits_for_lock(other: Other) -> None:
    """Return once the other connection waits for a lock (of ours, that is)."""
    assert other.connected.wait(10)
    with connection.cursor() as cursor:
        for _ in range(2000):
            cursor.execute(
                "SELECT pg_sleep(0.005), cardinality(pg_blocking_pids(%s)) > 0", [other.backend]
            )
            if cursor.fetchone()[1]:
                return
    raise AssertionError("the other connection never waited")
