"""The processes of one run: started together, tended, and all stopped with it.

A child never outlives its run: it is stopped on every way out, and where the system can
(Linux) it is told to end when the run itself is killed. What a killed run nevertheless
leaves behind is found by its lock and ended by the next run.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from union_portal.embedded import held
from union_portal.embedded.logs import last_lines
from union_portal.embedded.places import LauncherError
from union_portal.embedded.signals import undisturbed

GRACE_SECONDS: Final = 10.0
TEND_EVERY_SECONDS: Final = 0.2
RESTARTS: Final = 5
RESTARTS_WITHIN_SECONDS: Final = 60.0
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """For `preexec_fn`: ask the kernel to send this signal when the parent dies."""
    parent = os.getpid()

    def ask() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return ask


@dataclass
class Child:
    """One long-lived process."""

    name: str
    argv: Sequence[str]
    process: subprocess.Popen[bytes]
    more: Mapping[str, str] = field(default_factory=dict)
    restarts: list[float] = field(default_factory=list)


class Processes:
    """The children of one run, stopped when the `with` block ends, however it ends."""

    def __init__(
        self,
        run: Path,
        *,
        environment: Mapping[str, str],
        cwd: Path,
        tend: Callable[[], None] = lambda: None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.run_folder = run
        self.logs = run / "log"
        self.environment = dict(environment)
        self.cwd = cwd
        self._tend_more = tend
        self._say = say
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        self._end_leftovers()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with undisturbed():
            self.stop()

    # -- long-lived children ------------------------------------------------------------

    def start(self, name: str, argv: Sequence[str], **more: str) -> Child:
        """Start a child that is to live as long as the run; it writes to `log/<name>.log`.

        `more` are variables for this child alone.
        """
        child = Child(name, argv, self._spawn(name, argv, more), more)
        self._children.append(child)
        return child

    def _spawn(
        self, name: str, argv: Sequence[str], more: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        claim = held.try_lock(self._claim(name))
        if claim is None:
            raise LauncherError(f"Another process holds {self._claim(name)}.")
        try:
            with self.log(name).open("ab") as output:
                process = subprocess.Popen(
                    list(argv),
                    cwd=self.cwd,
                    env=self.environment | dict(more),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(claim,),
                    start_new_session=True,
                    umask=0o077,
                    preexec_fn=end_with_parent(),  # noqa: PLW1509 (there is one thread)
                )
            os.truncate(claim, 0)
            os.pwrite(claim, str(process.pid).encode(), 0)
        finally:
            os.close(claim)
        return process

    def tend(self) -> None:
        """Start again a child that died. Raises LauncherError: it dies again and again."""
        self._tend_more()
        for child in self._children:
            status = child.process.poll()
            if status is None:
                continue
            now = time.monotonic()
            child.restarts = [t for t in child.restarts if now - t < RESTARTS_WITHIN_SECONDS]
            if len(child.restarts) >= RESTARTS:
                raise LauncherError(
                    f"The {child.name} ended {RESTARTS + 1} times within a minute "
                    f"(status {status}). The last lines of {self.log(child.name)}:\n"
                    f"{last_lines(self.log(child.name))}"
                )
            self._end_group(child.name)
            child.restarts.append(now)
            self._say(f"the {child.name} ended (status {status}); starting it again")
            child.process = self._spawn(child.name, child.argv, child.more)

    # -- one after the other ---------------------------------------------------------------

    def run(self, argv: Sequence[str], **more: str) -> int:
        """Run a command to its end with its output on our terminal; tend the others meanwhile.

        `more` are variables for this command alone.
        """
        process = subprocess.Popen(
            list(argv),
            cwd=self.cwd,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            umask=0o077,
            preexec_fn=end_with_parent(),  # noqa: PLW1509 (there is one thread)
        )
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(TEND_EVERY_SECONDS)
                self.tend()
        finally:
            if process.poll() is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE_SECONDS)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    # -- the end ------------------------------------------------------------------------

    def stop(self) -> None:
        """Ask every child to end, wait for the grace time, then kill what is left."""
        for child in self._children:
            # The leader alone: a Celery worker lets its own children finish their task.
            child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children:
            with suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            self._end_group(child.name)
            child.process.wait()
        self._children.clear()

    def _end_leftovers(self) -> None:
        for claim in sorted(self.run_folder.glob("*.claim")):
            if held.is_held(claim):
                self._say(f"ending the {claim.stem} of a run that was killed")
                self._end_group(claim.stem)

    def _end_group(self, name: str) -> None:
        """Kill what is left of a child's group; its lock proves that the group is still ours."""
        claim = self._claim(name)
        if not held.is_held(claim):
            return
        group = int(claim.read_text() or 0)
        if group > 1:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        if not held.wait_until_free(claim, seconds=GRACE_SECONDS):
            raise LauncherError(f"The {name} (process group {group}) cannot be stopped.")

    # -- where ------------------------------------------------------------------------------

    def _claim(self, name: str) -> Path:
        return self.run_folder / f"{name}.claim"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def run_in_foreground(argv: Sequence[str], environment: Mapping[str, str], *, cwd: Path) -> int:
    """Run a command that shares our terminal, and so gets Ctrl-C itself; its exit status."""
    process = subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=dict(environment),
        preexec_fn=end_with_parent(),  # noqa: PLW1509 (there is one thread)
    )
    try:
        return process.wait()
    except BaseException:
        # It may have been told already: give it time to finish its own report.
        for hasten in (process.terminate, process.kill):
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
                break
            hasten()
        process.wait()
        raise
