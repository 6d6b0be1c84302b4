"""Jobs: a row in the same transaction, a bell after commit.

PostgreSQL is the truth. `enqueue` writes the row; when the transaction commits, a Celery
message rings for it by name. A worker claims the row (fence + lease), works, and finishes
it with the fence it got. `ring_lost` rings again for rows whose bell was lost and for
leases that ran out, so losing the whole broker loses nothing. Work may run again after a
crash: it commits what is done, and does nothing twice.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    connection,
    connections,
    transaction,
)
from django.db.models import Q
from django.utils.translation import gettext as _

from union_portal import audit, lifecycle, outages, readers
from union_portal.celery import app
from union_portal.kit import refusals
from union_portal.models import Job
from union_portal.readers import Door
from union_portal.states import JobState

if TYPE_CHECKING:
    from union_portal.models import Account

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
# What may be better at the next try: servers and disks. Django's InterfaceError, a connection that
# is closed already, is no DatabaseError.
SURROUNDINGS = (DatabaseError, InterfaceError, OSError)
LIVE = (JobState.QUEUED, JobState.RUNNING)
# The job can't be done and trying again would not help; the text is for its reader.
Refused = refusals.Refused
Ending = Callable[["Job"], None]


@dataclass(frozen=True)
class Work:
    """What jobs of one name do, and what is told when one is given up or stopped."""

    do: Callable[..., dict[str, Any] | None]
    given_up: Ending | None


_works: dict[str, Work] = {}


class Cancelled(Exception):
    """Somebody asked the job to stop."""


class LeaseLost(Exception):
    """Another worker took the job over: this one writes nothing more."""


def work(
    name: str, *, given_up: Ending | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function `f(run: Run, **arguments)` as the work of jobs called `name`.

    `given_up(job)` runs in the transaction that ends a job as failed or cancelled.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _works[name] = Work(function, given_up)

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
    fields = {"name": name, "title": title, "requested_by": by, "total_count": total}
    job: Job | None = None
    while job is None:
        try:
            with transaction.atomic():
                job = Job.objects.create(**fields, key=key, arguments=arguments)
        except IntegrityError as error:
            if "job_one_live_per_key" not in str(error):
                raise
            with readers.seeing(Door.LIVE_JOB):
                live = Job.objects.filter(key=key, state__in=LIVE).first()
            if live is not None:
                return live
    transaction.on_commit(partial(ring, job))
    return job


def ring(job: Job) -> bool:
    """Send the bell. A broker that is away is no error: `ring_lost` comes by later."""
    try:
        app.send_task(job.name, kwargs={"job_id": str(job.pk)}, retry=False)
    except Exception as error:
        log.warning("bell for job %s not sent: %s", job.pk, type(error).__name__)
        return False
    return True


def ring_lost() -> int:
    """Ring again for waiting jobs unheard for a while and for leases that ran out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE union_portal_job SET rung_at = clock_timestamp() WHERE id IN ("
            " SELECT id FROM union_portal_job WHERE"
            " (state = 'queued' AND rung_at < clock_timestamp() - make_interval(secs => %s))"
            " OR (state = 'running' AND lease_until < clock_timestamp())"
            " ORDER BY rung_at FOR UPDATE SKIP LOCKED LIMIT 1000) RETURNING id",
            [settings.QUEUE_LEASE_SECONDS],
        )
        lost = [row[0] for row in cursor.fetchall()]
    # With the broker away the first bell fails: the others wait for the next round.
    return sum(1 for _rung in takewhile(ring, Job.objects.filter(pk__in=lost)))


def run_waiting() -> int:
    """Do every waiting job in this process, without the broker; returns how many were tried."""
    lapsed = Q(state=JobState.RUNNING, lease_until__lt=_clock())
    waiting = Job.objects.filter(Q(state=JobState.QUEUED) | lapsed).order_by("created_at")
    ids = list(waiting.values_list("pk", flat=True))
    for job_id in ids:
        run_job(job_id)
    return len(ids)


def run_job(job_id: UUID) -> None:
    """Claim one job and do its work; a job that is claimed, done or gone is left alone."""
    job = _claim(job_id)
    if job is None:
        return
    run = Run(job)
    token = audit.request_id.set(str(job.pk))
    began = time.monotonic()
    try:
        with run.kept_alive():
            result = _works[job.name].do(run, **job.arguments) or {}
        run.finish(JobState.DONE, result=result, note="", error="")
    except Cancelled:
        run.finish(JobState.CANCELLED, note=_("Stopped on request."))
    except Refused as error:
        run.finish(JobState.FAILED, error=str(error))
    except LeaseLost:
        log.warning("job %s was taken over", job.pk)
    except Exception as error:
        text = told(error)
        _log_fault(job, error, text)
        run.retry_or_fail(error, text)
    finally:
        line = {
            "action": job.name,
            "account": job.requested_by_id,
            "status": str(job.state),
            "attempt": job.attempts,
            "ms": round((time.monotonic() - began) * 1000),
        }
        log.info("job", extra=line)
        audit.request_id.reset(token)


@transaction.atomic
def cancel(*, job: Job, by: Account) -> None:
    """Stop a waiting job at once, ask a running one to stop at its next step."""
    held = Job.objects.select_for_update().get(pk=job.pk)
    if held.state == JobState.QUEUED:
        lifecycle.advance(held, to=JobState.CANCELLED, by=by, finished_at=_clock())
        _tell_given_up(held)
    elif held.state == JobState.RUNNING:
        Job.objects.filter(pk=job.pk).update(is_cancel_asked=True)
    else:
        raise lifecycle.Stale(_("The job has ended already. Reload the page."))
    audit.record("job.cancel", held, by=by)
    job.refresh_from_db()


@transaction.atomic
def retry(*, job: Job, by: Account) -> None:
    """Put a failed or stopped job back into the queue. Errors: Stale for any other."""
    if job.state not in (JobState.FAILED, JobState.CANCELLED):
        raise lifecycle.Stale(_("Only a failed or stopped job is tried again. Reload the page."))
    lifecycle.advance(
        job,
        to=JobState.QUEUED,
        by=by,
        attempts=0,
        done_count=0,
        error="",
        note="",
        is_cancel_asked=False,
        finished_at=None,
        rung_at=_clock(),
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
        changes: dict[str, Any] = {"done_count": done, "note": note[:200]}
        if total is not None:
            changes["total_count"] = total
        self._renew(**changes)

    def hold(self) -> None:
        """Keep the job in the running transaction: nobody takes it over before its commit.

        Call it before writing the result, inside the same transaction. Raises LeaseLost.
        """
        held = Job.objects.select_for_update().filter(
            pk=self.job.pk, fence=self.fence, state=JobState.RUNNING
        )
        if not held.exists():
            raise LeaseLost

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
            with transaction.atomic():
                lifecycle.advance(
                    self.job,
                    to=to,
                    by=audit.WORKER,
                    guard={"fence": self.fence},
                    finished_at=_clock(),
                    lease_until=None,
                    **changes,
                )
                if to != JobState.DONE:
                    _tell_given_up(self.job)
        except lifecycle.Stale:
            log.warning("job %s was ended by somebody else", self.job.pk)

    def retry_or_fail(self, error: Exception, text: str) -> None:
        """Give a fault of the surroundings another try, then give up in the open.

        The next try is rung for by `ring_lost`, which makes the pause between tries.
        """
        if not connection.in_atomic_block:
            connections["default"].close_if_unusable_or_obsolete()
        if self.job.attempts >= MAX_ATTEMPTS or not isinstance(error, SURROUNDINGS):
            self.finish(JobState.FAILED, error=text)
            return
        try:
            lifecycle.advance(
                self.job,
                to=JobState.QUEUED,
                by=audit.WORKER,
                guard={"fence": self.fence},
                lease_until=None,
                rung_at=_clock(),
                error=text,
            )
        except lifecycle.Stale:
            log.warning("job %s was ended by somebody else", self.job.pk)

    def _beat(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(settings.QUEUE_LEASE_SECONDS / 3):
                try:
                    self._renew()
                except DatabaseError:
                    log.warning("heartbeat of job %s failed, trying again", self.job.pk)
                    connections["default"].close()
        except LeaseLost:
            return
        finally:
            connections["default"].close()

    def _renew(self, **changes: Any) -> None:
        lease = _clock() + timedelta(seconds=settings.QUEUE_LEASE_SECONDS)
        held = Job.objects.filter(pk=self.job.pk, fence=self.fence, state=JobState.RUNNING)
        if held.update(lease_until=lease, **changes) != 1:
            raise LeaseLost
        if changes and held.filter(is_cancel_asked=True).exists():
            raise Cancelled


def _claim(job_id: UUID) -> Job | None:
    """Take a waiting job, or one whose lease ran out. Only the database's clock is read.

    A job whose workers died MAX_ATTEMPTS times kills workers: it is given up.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE union_portal_job SET fence = fence + 1, owner = %s, attempts = attempts + 1,"
            " lease_until = clock_timestamp() + make_interval(secs => %s),"
            " started_at = COALESCE(started_at, clock_timestamp())"
            " WHERE id = (SELECT id FROM union_portal_job WHERE id = %s AND (state = 'queued'"
            " OR (state = 'running' AND lease_until < clock_timestamp()))"
            " FOR UPDATE SKIP LOCKED) RETURNING id",
            [_owner(), settings.QUEUE_LEASE_SECONDS, job_id],
        )
        if cursor.fetchone() is None:
            return None
        job = Job.objects.get(pk=job_id)
        if job.state == JobState.QUEUED:
            lifecycle.advance(job, to=JobState.RUNNING, by=audit.WORKER)
        elif job.attempts > MAX_ATTEMPTS:
            Run(job).finish(JobState.FAILED, error=_("The worker died at this job every time."))
            return None
    return job


def _tell_given_up(job: Job) -> None:
    known = _works.get(job.name)
    if known is not None and known.given_up is not None:
        known.given_up(job)


def _log_fault(job: Job, error: Exception, text: str) -> None:
    """A database that went away in one line; anything else with its frames.

    Without the message behind the frames: it may quote a row.
    """
    if isinstance(error, DatabaseError | InterfaceError) and outages.is_outage(error):
        log.warning("job %s (%s) lost the database: %s", job.pk, job.name, text)
        return
    frames = "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    head = "Traceback (most recent call last):"
    log.error("job %s (%s) failed: %s\n%s\n%s", job.pk, job.name, text, head, frames)


def told(error: Exception) -> str:
    """What went wrong, without the values of rows that PostgreSQL adds as details."""
    cause = error.__cause__ or error
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    return f"{type(error).__name__}: {primary or error}"[:2000]


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]


def _clock() -> datetime:
    """The database's clock: workers' clocks may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
