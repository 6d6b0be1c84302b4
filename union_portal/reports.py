"""The registry of reports, and their runs: requested, rendered by a worker, kept for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Max
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from union_portal import access, audit, files, lifecycle, queue, titles
from union_portal.access import Permission
from union_portal.models import ReportRun, StoredFile
from union_portal.states import ReportState

if TYPE_CHECKING:
    from union_portal.models import Account, Job, Organization

PURPOSE = "report"
# Above the head of the audit log, which every report prints: paper is a witness.
WITNESS = _("Audit log: last block and its digest (SHA-256)")
JOB = "union_portal.render_report"


@dataclass(frozen=True)
class Produced:
    """What a producer made: a file in its folder, its pages, and the digest of its content.

    `digest` is the control digest printed in the report, such as the batch's.
    """

    path: Path
    pages: int
    digest: str
    name: str
    content_type: str = "application/pdf"


Producer = Callable[[queue.Run, ReportRun, Path], Produced]


@dataclass(frozen=True)
class Kind:
    """One report that can be asked for."""

    name: str
    title: str | Promise
    permission: Permission
    produce: Producer


_kinds: dict[str, Kind] = {}


def report(
    name: str, *, title: str | Promise, permission: Permission
) -> Callable[[Producer], Producer]:
    """Register `producer(run, report, out)`: it writes into the folder `out`.

    It shows progress through `run`, reads only the database, prints `witness()`, and may be
    run again.
    """

    def register(producer: Producer) -> Producer:
        _kinds[name] = Kind(name, title, permission, producer)
        titles.wording(format_lazy("{title} %(subject)s", title=title))
        return producer

    return register


def kinds() -> dict[str, Kind]:
    """Every report, by name."""
    return dict(_kinds)


def witness() -> str:
    """The last sealed block of the audit log and its digest, as every report prints them.

    What is printed can't be edited later: `manage.py verify_audit --witness` compares it.
    """
    return str(audit.head() or "–")


@transaction.atomic
def request(
    *,
    kind: str,
    subject: models.Model,
    by: Account | audit.Machine,
    organization: Organization,
    **parameters: Any,
) -> ReportRun:
    """Ask for a report about a subject: the next version, rendered by a worker.

    Errors: PermissionDenied; LookupError for a report nobody registered.
    """
    known = _kinds[kind]
    account = None if isinstance(by, audit.Machine) else by
    if account is not None:
        access.require(account, known.permission, organization)
    about = {"subject_type": subject._meta.label_lower, "subject_id": str(subject.pk)}
    with translation.override("zh-hans"):
        title = f"{known.title} {subject}"[:160]
    run = ReportRun.objects.create(
        **about,
        kind=kind,
        title=title,
        version=_next_version(kind, about),
        parameters=parameters,
        organization=organization,
        requested_by=account,
    )
    run.job = queue.enqueue(JOB, by=account, title=title, key=f"report:{run.pk}", report=run.pk)
    run.save(update_fields=["job"])
    audit.record("report.request", run, by=by, kind=kind, version=run.version)
    return run


def may_fetch(account: Account, file: StoredFile) -> bool:
    """Whoever may ask for a report may fetch it, within their organization."""
    run = ReportRun.objects.filter(file=file).select_related("organization").first()
    kind = _kinds.get(run.kind) if run else None
    return bool(run and kind and access.may(account, kind.permission, run.organization))


files.purpose(
    PURPOSE, label=_("report made here"), may=may_fetch, is_issued=True, is_sensitive=True
)


def _note_end(job: Job) -> None:
    """A job that was given up or stopped leaves its report failed, with the reason."""
    run = ReportRun.objects.filter(job=job, state=ReportState.REQUESTED).first()
    if run is not None:
        lifecycle.advance(run, to=ReportState.FAILED, by=audit.WORKER, error=job.error or job.note)


@queue.work(JOB, given_up=_note_end)
def render(run: queue.Run, *, report: int) -> dict[str, Any]:
    """Render one run; its file and its state are committed together, under the job's lease."""
    asked = ReportRun.objects.select_related("organization").get(pk=report)
    if asked.state == ReportState.READY:
        return {}
    if asked.state == ReportState.FAILED:
        lifecycle.advance(asked, to=ReportState.REQUESTED, by=audit.WORKER, error="")
    with _folder(run.job.pk) as folder:
        produced = _kinds[asked.kind].produce(run, asked, Path(folder))
        with transaction.atomic():
            run.hold()
            file = files.store(
                purpose=PURPOSE,
                name=produced.name,
                content=produced.path,
                content_type=produced.content_type,
                subject=asked,
                organization=asked.organization,
                by=audit.WORKER,
            )
            lifecycle.advance(
                asked,
                to=ReportState.READY,
                by=audit.WORKER,
                file=file,
                pages=produced.pages,
                digest=produced.digest,
            )
    return {"report": asked.pk, "file": str(file.pk)}


def _folder(job: UUID) -> TemporaryDirectory[str]:
    """A folder for this try. What a worker left that was killed at an earlier one goes first."""
    prefix = f"report-{job}-"
    for left in Path(gettempdir()).glob(f"{prefix}*"):
        rmtree(left, ignore_errors=True)
    return TemporaryDirectory(prefix=prefix)


def _next_version(kind: str, about: dict[str, str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s))",
            [f"report:{kind}:{about['subject_type']}:{about['subject_id']}"],
        )
    last = ReportRun.objects.filter(kind=kind, **about).aggregate(last=Max("version"))["last"]
    return (last or 0) + 1
