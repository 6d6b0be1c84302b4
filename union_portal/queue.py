"""Jobs: a row in the same transaction, a bell after commit.

PostgreSQL is the truth. `enqueue` writes the row; when the transaction commits, a Celery
message rings for it by name. A worker claims the row (fence + lease), works, and finishes
it with the fence it got. `ring_lost` rings again for rows whose bell was lost and for
leases that ran out, so losing the whole broker loses nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils.translation import gettext as _

from union_portal import audit, lifecycle
from union_portal.kit import refusals
from union_portal.states import JobState

if TYPE_CHECKING:
    from union_portal.models import Account, Job

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
# The job can't be done and trying again would not help; the text is for its reader.
Refused = refusals.Refused
_works: dict[str, Callable[..., dict[str, Any] | None]] = {}


class Cancelled(Exception):
    """Somebody asked the job to stop."""


class LeaseLost(Exception):
    """Another worker took the job over: this one writes nothing more."""


def work(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function `f(run: Run, **arguments)` as the work of jobs called `name`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _works[name] = function

        @shared_task(name=name)
        def bell(job_id: str) -> None:
            run_job(UUID(job_id))

        return function

    return register


def names() -> frozenset[str]:
    """Every name that can be enqueued."""
    return frozenset(_works)


def enqueue(
    name: str,
    *,
    by: Account | None,
    title: str = "",
    key: str | None = None,
    total: int = 0,
    **arguments: Any,
) -> Job:
    """Write a job into the running transaction and ring after commit.

    A live job with the same `key` is returned instead of a second one. Arguments are ids
    and plain values, never personal data.
    """
    from union_portal.models import Job

    if key is not None:
        live = Job.objects.filter(key=key, state__in=[JobState.QUEUED, JobState.RUNNING]).first()
        if live is not None:
            return live
    job = Job.objects.create(
        name=name, title=title, key=key, requested_by=by, total_count=total, arguments=arguments
    )
    transaction.on_commit(lambda: ring(job))
    return job


def ring(job: Job) -> None:
    """Send the bell. A broker that is away is no error: `ring_lost` comes by later."""
    from union_portal.celery import app

    try:
        app.send_task(job.name, kwargs={"job_id": str(job.pk)}, retry=False)
    except Exception as error:
        log.warning("bell for job %s not sent: %s", job.pk, type(error).__name__)


def ring_lost() -> int:
    """Ring again for waiting jobs unheard for a while and for leases that ran out."""
    from union_portal.models import Job

    patience = timedelta(seconds=settings.QUEUE_LEASE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE union_portal_job SET rung_at = clock_timestamp() WHERE id IN ("
            " SELECT id FROM union_portal_job WHERE"
            " (state = 'queued' AND rung_at < clock_timestamp() - %s)"
            " OR (state = 'running' AND lease_until < clock_timestamp())"
            " ORDER BY rung_at FOR UPDATE SKIP LOCKED LIMIT 1000) RETURNING id",
            [patience],
        )
        lost = [row[0] for row in cursor.fetchall()]
    for job in Job.objects.filter(pk__in=lost):
        ring(job)
    return len(lost)


def run_job(job_id: UUID) -> None:
    """Claim one job and do its work; a job that is claimed, done or gone is left alone."""
    job = _claim(job_id)
    if job is None:
        return
    run = Run(job)
    token = audit.request_id.set(str(job.pk))
    try:
        with run.kept_alive():
            result = _works[job.name](run, **job.arguments) or {}
        run.finish(JobState.DONE, result=result, note="")
    except Cancelled:
        run.finish(JobState.CANCELLED, note=_("Stopped on request."))
    except Refused as error:
        run.finish(JobState.FAILED, error=str(error))
    except LeaseLost:
        log.warning("job %s was taken over", job.pk)
    except Exception as error:
        log.exception("job %s (%s) failed", job.pk, job.name)
        run.retry_or_fail(error)
    finally:
        audit.request_id.reset(token)


def cancel(*, job: Job, by: Account) -> None:
    """Stop a waiting job at once, ask a running one to stop at its next step."""
    from union_portal.models import Job as JobModel

    if job.state == JobState.QUEUED:
        lifecycle.advance(job, to=JobState.CANCELLED, by=by)
    else:
        JobModel.objects.filter(pk=job.pk, state=JobState.RUNNING).update(is_cancel_asked=True)
    audit.record("job.cancel", job, by=by)


@transaction.atomic
def retry(*, job: Job, by: Account) -> None:
    """Put a failed or stopped job back into the queue."""
    lifecycle.advance(
        job, to=JobState.QUEUED, by=by, attempts=0, error="", is_cancel_asked=False, note=""
    )
    audit.record("job.retry", job, by=by)
    transaction.on_commit(lambda: ring(job))


class Run:
    """A claimed job in the hands of its worker: progress, heartbeat, the end."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.fence = job.fence

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show how far the work is and renew the lease.

        Raises LeaseLost or Cancelled; commit what is done before calling.
        """
        changes: dict[str, Any] = {"done_count": done, "note": note}
        if total is not None:
            changes["total_count"] = total
        self._renew(**changes)

    @contextmanager
    def kept_alive(self) -> Iterator[None]:
        """Renew the lease from a thread of its own, on a connection of its own."""
        stop = threading.Event()
        thread = threading.Thread(target=self._beat, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=5)

    def finish(self, to: JobState, **changes: Any) -> None:
        """End the job, unless another worker has it now."""
        try:
            lifecycle.advance(
                self.job,
                to=to,
                by=audit.WORKER,
                guard={"fence": self.fence},
                finished_at=_clock(),
                lease_until=None,
                **changes,
            )
        except lifecycle.Stale:
            log.warning("job %s was ended by somebody else", self.job.pk)

    def retry_or_fail(self, error: Exception) -> None:
        """Give a fault of the surroundings another try, then give up in the open."""
        connections["default"].close_if_unusable_or_obsolete()
        text = f"{type(error).__name__}: {error}"[:2000]
        if self.job.attempts < MAX_ATTEMPTS and isinstance(error, DatabaseError | OSError):
            changes = {"lease_until": None, "rung_at": _clock(), "error": text}
            lifecycle.advance(
                self.job,
                to=JobState.QUEUED,
                by=audit.WORKER,
                guard={"fence": self.fence},
                **changes,
            )
        else:
            self.finish(JobState.FAILED, error=text)

    def _beat(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(settings.QUEUE_LEASE_SECONDS / 3):
                self._renew()
        except (LeaseLost, Cancelled):
            return
        except DatabaseError:
            log.warning("heartbeat of job %s failed", self.job.pk)
        finally:
            connections["default"].close()

    def _renew(self, **changes: Any) -> None:
        from union_portal.models import Job

        lease = _clock() + timedelta(seconds=settings.QUEUE_LEASE_SECONDS)
        held = Job.objects.filter(pk=self.job.pk, fence=self.fence, state=JobState.RUNNING)
        if held.update(lease_until=lease, **changes) != 1:
            raise LeaseLost
        if changes and held.filter(is_cancel_asked=True).exists():
            raise Cancelled


def _claim(job_id: UUID) -> Job | None:
    """Take a waiting job, or one whose lease ran out. Only the database's clock is read."""
    from union_portal.models import Job

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE union_portal_job SET fence = fence + 1, owner = %s, attempts = attempts + 1,"
            " lease_until = clock_timestamp() + %s,"
            " started_at = COALESCE(started_at, clock_timestamp())"
            " WHERE id = (SELECT id FROM union_portal_job WHERE id = %s AND (state = 'queued'"
            " OR (state = 'running' AND lease_until < clock_timestamp()))"
            " FOR UPDATE SKIP LOCKED) RETURNING id",
            [_owner(), timedelta(seconds=settings.QUEUE_LEASE_SECONDS), job_id],
        )
        if cursor.fetchone() is None:
            return None
        job = Job.objects.get(pk=job_id)
        if job.state == JobState.QUEUED:
            lifecycle.advance(job, to=JobState.RUNNING, by=audit.WORKER)
    return job


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]


def _clock() -> datetime:
    """The database's clock: workers' clocks may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
