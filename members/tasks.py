"""Jobs of the members app: each loads a row and calls one action."""

from datetime import date, datetime

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext as _

from members.actions import (
    card_codes,
    first_login,
    imports,
    memberships,
    redemptions,
    retention,
    statistics,
)
from members.models import ImportRun, RetentionRun
from union_portal import audit, outages, queue
from union_portal.models import Organization


@queue.work("members.check_import")
def check_import(run: queue.Run, *, import_id: int) -> dict[str, int]:
    """Check a file of people, row by row, with progress."""
    now = timezone.now()
    held = ImportRun.objects.select_related("organization").get(pk=import_id)

    def progress(done: int, total: int) -> None:
        run.progress(done, total, note=_("Rows read"))

    imports.check(run=held, today=_today(now), now=now, progress=progress)
    return {"rows": held.rows_count, "errors": held.error_count}


@queue.work("members.apply_import")
def apply_import(run: queue.Run, *, import_id: int) -> dict[str, int]:
    """Write a confirmed file."""
    now = timezone.now()
    held = ImportRun.objects.select_related("organization", "uploaded_by").get(pk=import_id)
    run.progress(0, held.changes_count, note=_("Writing"))
    if not imports.apply(run=held, today=_today(now), now=now):
        raise queue.Refused(
            _("People were changed since the preview. The file is being checked once more.")
        )
    run.progress(held.changes_count)
    return dict(held.result)


@queue.work(statistics.JOB)
def count_year(run: queue.Run, *, organization: int, year: int) -> dict[str, int]:
    """Count unions and members of a year."""
    place = Organization.objects.get(pk=organization)
    counted = statistics.count(organization=place, year=year, now=timezone.now())
    return {"statistics": counted.pk}


@queue.work("members.count_retention")
def count_retention(run: queue.Run, *, on: str, account: int | None) -> dict[str, int]:
    """Count what is kept too long, by rule."""
    return dict(retention.count(run=run, on=date.fromisoformat(on), account=account).counts)


@queue.work("members.carry_out_retention")
def carry_out_retention(run: queue.Run, *, shown: int, account: int | None) -> dict[str, int]:
    """Forget what a dry run has counted."""
    held = RetentionRun.objects.get(pk=shown)
    return retention.remove(run=run, shown=held, account=account, now=timezone.now())


@shared_task(name="members.retain")
@outages.outlived()
def retain() -> None:
    """Once a week: forget what the week before counted, and count anew."""
    retention.by_schedule(today=timezone.localdate())


@shared_task(name="members.sweep")
@outages.outlived()
def sweep() -> None:
    """Forget files that nobody confirmed, and codes of log-ins and of cards that are over.

    And end the memberships of those whose death a file has brought.
    """
    now = timezone.now()
    imports.sweep(now=now)
    first_login.sweep(now=now)
    memberships.end_of_the_dead(by=audit.WORKER)
    card_codes.sweep()
    redemptions.sweep()


def _today(now: datetime) -> date:
    return timezone.localdate(now)
