"""Waiting for the workers, in the open: who waits says for what."""

import time
from collections.abc import Callable

from union_portal.models import Job
from union_portal.states import JobState
from welfare.disbursement import gate

PATIENCE_SECONDS = 900
PAUSE_SECONDS = 1 / 10

Say = Callable[[str], None]


class DemoStopped(Exception):
    """The demo can't go on; the text says why and what to do."""


def require_open_gate() -> None:
    """Raises DemoStopped in safe mode: nothing would be sent, however long one waits."""
    shut = gate.look()
    if shut.is_shut:
        raise DemoStopped(
            f"Safe mode, nothing is sent: {shut.cause} The sent register belongs to a database "
            "that is gone. To begin anew: ./portal stop, then remove the folder var/demo."
        )


def until(done: Callable[[], bool], *, what: str) -> None:
    """Poll until `done()`; the work itself is somebody else's. Raises DemoStopped."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise DemoStopped(
                f"{what}: no worker finished it within {PATIENCE_SECONDS} s. "
                "Look at the worker's log and run the command again; nothing is paid twice."
            )
        time.sleep(PAUSE_SECONDS)


def for_job(job: Job | None, *, what: str) -> None:
    """Wait for a job's end. Raises DemoStopped with the job's own words if it failed."""
    if job is None:
        return

    def is_over() -> bool:
        job.refresh_from_db()
        return job.is_over

    until(is_over, what=what)
    if job.state != JobState.DONE:
        raise DemoStopped(f"{what}: {job.error or job.note or job.state}")
