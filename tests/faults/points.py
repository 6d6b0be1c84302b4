"""Where a process can be killed or stopped: around every commit, and between file and database.

Nobody lists these places. `arm()` wraps the commit of Django's connection and every writing
statement outside a transaction; a place is named after the project's function that commits.
A file of the place's name in the plan folder is an order, carried out by whoever comes first.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from welfare.disbursement import crash

PROJECT = ("union_portal.", "members.", "welfare.", "awards.", "events.")
# Whoever calls these is meant, not they themselves.
TOOLS = ("union_portal.lifecycle", "union_portal.audit", "union_portal.sets")
WRITES = ("INSERT", "UPDATE", "DELETE")
# Whoever is cut off stops until its cable is pulled, and goes on then.
SIGNALS = {"kill": signal.SIGKILL, "stall": signal.SIGSTOP, "cut-off": signal.SIGSTOP}


class Plan:
    """The orders that wait, and what was passed and carried out, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.orders = folder / "orders"
        self.passed = folder / "passed"
        self.done = folder / "done.log"
        for made in (self.orders, self.passed):
            made.mkdir(parents=True, exist_ok=True)

    def order(self, point: str, what: str) -> None:
        """Have the next process that comes to `point` killed, stopped or cut off."""
        draft = self.orders / f".{point}"
        draft.write_text(what)
        draft.rename(self.orders / point)

    def take_back(self, point: str) -> bool:
        """Whether the order still waited."""
        with suppress(FileNotFoundError):
            (self.orders / point).unlink()
            return True
        return False

    def points(self) -> list[str]:
        """Every place that any process ever passed."""
        return sorted(path.name for path in self.passed.iterdir())

    def reach(self, point: str) -> None:
        """Pass a place: carry its order out on this process, if there is one."""
        with suppress(FileExistsError):
            (self.passed / point).touch(exist_ok=False)
        target = self.orders / point
        mine = self.orders / f".{point}.{os.getpid()}"
        try:
            target.rename(mine)
        except FileNotFoundError:
            return
        what = mine.read_text()
        mine.unlink()
        with self.done.open("a") as log:
            log.write(f"{what} {point} {os.getpid()} {time.monotonic()}\n")
        os.kill(os.getpid(), SIGNALS[what])

    def carried_out(self, offset: int) -> tuple[list[list[str]], int]:
        """(what, place, process, instant) of orders carried out after `offset` of the log."""
        if not self.done.exists():
            return [], offset
        with self.done.open() as log:
            log.seek(offset)
            text = log.read()
        whole = text[: text.rfind("\n") + 1]
        return [line.split() for line in whole.splitlines()], offset + len(whole)


def arm(folder: Path) -> None:
    """Let this process, and those it forks, obey the plan."""
    plan = Plan(folder)
    crash.point = plan.reach
    BaseDatabaseWrapper.commit = _around_commit(plan, BaseDatabaseWrapper.commit)
    CursorWrapper._execute = _around_write(plan, CursorWrapper._execute)


def _around_commit(plan: Plan, commit: Callable[..., None]) -> Callable[..., None]:
    def wrapped(self: Any) -> None:
        name = _author()
        if not name:
            commit(self)
            return
        plan.reach(f"{name}:before")
        commit(self)
        plan.reach(f"{name}:after")

    return wrapped


def _around_write(plan: Plan, execute: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(self: Any, sql: Any, params: Any, *more: Any) -> Any:
        is_alone = not self.db.in_atomic_block and self.db.autocommit
        writes = is_alone and str(sql).lstrip().upper().startswith(WRITES)
        name = _author() if writes else ""
        if not name:
            return execute(self, sql, params, *more)
        plan.reach(f"{name}:before")
        result = execute(self, sql, params, *more)
        plan.reach(f"{name}:after")
        return result

    return wrapped


def _author() -> str:
    """The nearest function of the project that is no mere tool, as `module.function`, or ""."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = _project_name(frame)
        if name:
            return name
        frame = frame.f_back
    return ""


def _project_name(frame: FrameType) -> str:
    module = frame.f_globals.get("__name__", "")
    if module == "contextlib" and callable(frame.f_locals.get("func")):
        # `@transaction.atomic`: the function has returned, its wrapper commits.
        inner = frame.f_locals["func"]
        module, function = inner.__module__, inner.__qualname__
    else:
        function = frame.f_code.co_qualname
    if not module.startswith(PROJECT) or module.startswith(TOOLS):
        return ""
    return f"{module}.{function}".replace(".<locals>", "")
