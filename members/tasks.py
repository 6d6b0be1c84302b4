"""Jobs of the members app: each loads a row and calls one action."""

from datetime import date, datetime

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext as _

from members.actions import card_codes, first_login, imports, redemptions
from members.models import ImportRun
from union_portal import outages, queue


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


@shared_task(name="members.sweep")
@outages.outlived()
def sweep() -> None:
    """Forget files that nobody confirmed, and codes of log-ins and of cards that are over."""
    now = timezone.now()
    imports.sweep(now=now)
    first_login.sweep(now=now)
    card_codes.sweep()
    redemptions.sweep()


def _today(now: datetime) -> date:
    return timezone.localdate(now)
