"""A file of people: uploaded, checked by a worker, confirmed, written at once or not at all."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from members.actions import import_checks, import_writes, staging
from members.actions.import_checks import refusal_fields
from members.actions.refusals import PeopleRefused
from members.models import ImportFinding, ImportRun, RowKind, Severity, StagedPerson
from members.rules import columns
from members.rules.columns import Fault
from members.states import ImportState
from union_portal import access, audit, files, lifecycle, queue
from union_portal.access import Permission
from union_portal.kit.refusals import Refused
from union_portal.kit.sheets import Limits, OpenSheet, SheetError, open_sheet
from union_portal.models import Account, Job, Organization, StoredFile

PURPOSE: Final = "people_import"
KEPT_DAYS: Final = 7
_COPY_BYTES: Final = 1024 * 1024

_LIVE: Final = (ImportState.UPLOADED, ImportState.CHECKED, ImportState.CONFIRMED)

Progress = Callable[[int, int], None]


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """Sheets hold whole numbers: their uploader, and whoever may unmask these people."""
    is_own = file.uploaded_by_id == account.pk and access.may(account, Permission.PERSON_IMPORT)
    return is_own or access.may(account, Permission.PERSON_UNMASK, file.organization)


files.purpose(PURPOSE, label=_("file of people"), may=_may_fetch, is_issued=True, is_sensitive=True)


@transaction.atomic
def upload(*, content: File, name: str, organization: Organization, by: Account) -> ImportRun:
    """Take a file in and have a worker check it. Errors: SheetError for a file too large."""
    access.require(by, Permission.PERSON_IMPORT, organization)
    if content.size > settings.UPLOAD_MAX_BYTES:
        raise SheetError(
            gettext_noop("The file is larger than %(megabytes)s MB."),
            gettext_noop("Split it into several files, or remove pictures from it."),
            {"megabytes": settings.UPLOAD_MAX_BYTES // (1024 * 1024)},
        )
    run = ImportRun.objects.create(
        file_name=Path(name).name[:160],
        organization=organization,
        reach=access.reach(by, Permission.PERSON_IMPORT),
        uploaded_by=by,
    )
    run.file = files.store(
        purpose=PURPOSE, name=run.file_name, content=_source(content), subject=run,
        organization=organization, by=by,
    )  # fmt: skip
    run.save(update_fields=["file"])
    audit.record("importrun.upload", run, by=by, sha256=run.file.sha256)
    _enqueue_check(run, by)
    return run


def check(
    *, run: ImportRun, today: date, now: datetime, progress: Progress, limits: Limits | None = None
) -> None:
    """Read the file, stage its rows and find everything that is wrong in it.

    Writes no person. A file that can't be read at all is refused with the reason.
    """
    if run.state != ImportState.UPLOADED:
        return
    staging.clear(run)
    try:
        with (
            _local(run) as path,
            open_sheet(
                path, expected=columns.expected_headers(), limits=limits or _limits()
            ) as sheet,
        ):
            count = _stage(run, sheet, today, progress)
    except Refused as refusal:
        staging.clear(run)
        lifecycle.advance(
            run,
            to=ImportState.REFUSED,
            by=audit.WORKER,
            checked_at=now,
            **refusal_fields(refusal),
        )
        return
    with transaction.atomic():
        _finish_check(run, count, now)


@transaction.atomic
def confirm(*, run: ImportRun, by: Account, now: datetime, without_conflicts: bool = False) -> Job:
    """Have a checked file written. Its uploader confirms, and only a file without errors.

    Rows in conflict are left out only when `without_conflicts` says so.
    """
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    access.require(by, Permission.PERSON_IMPORT, run.organization)
    if by.pk != run.uploaded_by_id:
        raise PeopleRefused(
            gettext_noop("Somebody else uploaded this file."),
            gettext_noop("Whoever uploaded it confirms it; or upload it yourself."),
        )
    if not set(run.reach) <= set(access.reach(by, Permission.PERSON_IMPORT)):
        raise PermissionDenied(gettext("You do not hold the role that this step needs."))
    if run.error_count:
        raise PeopleRefused(
            gettext_noop("The file has %(count)s errors; nothing of it is written."),
            gettext_noop("Mend the rows in the list of errors and upload the file again."),
            {"count": run.error_count},
        )
    if run.conflict_count and not without_conflicts:
        raise PeopleRefused(
            gettext_noop("%(count)s rows are in conflict with people already registered."),
            gettext_noop("Settle them first, or confirm that these rows are left out."),
            {"count": run.conflict_count},
        )
    lifecycle.advance(
        run,
        to=ImportState.CONFIRMED,
        by=by,
        confirmed_at=now,
        leaves_out_conflicts=without_conflicts,
    )
    job = queue.enqueue(
        "members.apply_import",
        by=by,
        title=run.file_name,
        key=f"import:{run.pk}:apply",
        total=run.changes_count,
        import_id=run.pk,
    )
    ImportRun.objects.filter(pk=run.pk).update(job=job)
    return job


def apply(*, run: ImportRun, today: date, now: datetime) -> bool:
    """Write a confirmed file in one transaction. False: people had changed since the
    preview, so the file goes back to be checked and nothing was written.
    """
    if run.state != ImportState.CONFIRMED:
        return run.state == ImportState.APPLIED
    try:
        with transaction.atomic():
            result = import_writes.write(run=run, today=today, now=now)
            lifecycle.advance(
                run, to=ImportState.APPLIED, by=audit.WORKER, applied_at=now, result=result
            )
    except import_writes.PeopleMoved:
        with transaction.atomic():
            lifecycle.advance(
                run,
                to=ImportState.UPLOADED,
                by=audit.WORKER,
                reason="people changed since the preview",
            )
            _enqueue_check(run, run.uploaded_by)
        return False
    return True


@transaction.atomic
def cancel(*, run: ImportRun, by: Account) -> None:
    """Give up a file that is not yet confirmed."""
    access.require(by, Permission.PERSON_IMPORT, run.organization)
    if run.state == ImportState.CONFIRMED:
        raise PeopleRefused(
            gettext_noop("The file is being written."),
            gettext_noop("Wait for the result."),
        )
    lifecycle.advance(run, to=ImportState.CANCELLED, by=by)
    if run.job is not None and not run.job.is_over:
        queue.cancel(job=run.job, by=by)


@transaction.atomic
def sweep(*, now: datetime) -> int:
    """Cancel files that nobody confirmed for a week: their staged rows go."""
    stale = ImportRun.objects.filter(
        state=ImportState.CHECKED, checked_at__lt=now - timedelta(days=KEPT_DAYS)
    )
    count = lifecycle.advance_set(stale, to=ImportState.CANCELLED, by=audit.WORKER)
    over = ImportRun.objects.exclude(state__in=_LIVE)
    StagedPerson.objects.filter(run__in=over.values("pk")).delete()
    return count


def _stage(run: ImportRun, sheet: OpenSheet, today: date, progress: Progress) -> int:
    layout = columns.lay_out(sheet.headers)
    count = staging.stage(
        run=run,
        rows=sheet.rows,
        layout=layout,
        today=today,
        progress=lambda done: progress(done, max(done, sheet.total)),
    )
    if not count:
        raise SheetError(
            gettext_noop("The sheet has no rows below its header."),
            gettext_noop("Fill in the template from its third row on."),
        )
    unknown = [
        Fault(
            header,
            "",
            SheetError(
                gettext_noop("This column is not known and is not read."),
                gettext_noop("Check its name if it should be; otherwise it does no harm."),
            ),
            is_warning=True,
        )
        for header in layout.unknown
    ]
    seen = [Fault("", "", warning, is_warning=True) for warning in sheet.warnings]
    staging.add_findings(run, [(sheet.header_row, fault) for fault in unknown + seen])
    ImportRun.objects.filter(pk=run.pk).update(headers=list(sheet.headers))
    import_checks.check_whole(run, layout)
    return count


def _finish_check(run: ImportRun, count: int, now: datetime) -> None:
    counts, digest = import_checks.summarise(run)
    found = ImportFinding.objects.filter(run=run)
    lifecycle.advance(
        run,
        to=ImportState.CHECKED,
        by=audit.WORKER,
        checked_at=now,
        rows_count=count,
        new_count=counts[RowKind.NEW],
        changed_count=counts[RowKind.CHANGED],
        unchanged_count=counts[RowKind.UNCHANGED],
        conflict_count=counts[RowKind.CONFLICT],
        error_count=found.filter(severity=Severity.ERROR).count(),
        warning_count=found.filter(severity=Severity.WARNING).count(),
        digest=digest,
    )


def _enqueue_check(run: ImportRun, by: Account) -> None:
    job = queue.enqueue(
        "members.check_import",
        by=by,
        title=run.file_name,
        key=f"import:{run.pk}:check",
        import_id=run.pk,
    )
    ImportRun.objects.filter(pk=run.pk).update(job=job)
    run.job = job


def _limits() -> Limits:
    return Limits(max_bytes=settings.UPLOAD_MAX_BYTES)


def _source(content: File) -> File | Path:
    """A large upload lies on the disk already: it need not pass through memory."""
    return (
        Path(content.temporary_file_path()) if hasattr(content, "temporary_file_path") else content
    )


@contextmanager
def _local(run: ImportRun) -> Iterator[Path]:
    """The stored file as a path on this machine, for readers that need one."""
    if run.file is None:
        raise SheetError(gettext_noop("The file is empty."))
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        path = Path(folder) / "sheet"
        with files.open_for(run.file) as stored, path.open("wb") as copy:
            while chunk := stored.read(_COPY_BYTES):
                copy.write(chunk)
        yield path
