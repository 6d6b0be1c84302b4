"""The registry of reports, and their runs: requested, rendered by a worker, kept for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import Max
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access, audit, files, lifecycle, queue, readers, titles, turns
from union_portal.access import Permission
from union_portal.kit.sheets import SheetData
from union_portal.models import ReportRun, StoredFile
from union_portal.readers import Door
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
# (account, kind of the subject, its number) → whether it is about this account itself.
Concerned = Callable[["Account", str, str], bool]


@dataclass(frozen=True)
class Kind:
    """One report that can be asked for.

    Without a permission it is a person's own: who may ask, the caller knows, and `purpose` is
    one of files that nobody else may fetch. Its title names nobody. `page` is where whoever it
    belongs to asks for it, by the number of its subject; without one it is the subject's own.
    """

    name: str
    title: str | Promise
    permission: Permission | None
    produce: Producer
    purpose: str
    concerns: Concerned | None = None
    page: Callable[[str], str] | None = None

    def page_for(self, account: Account, run: ReportRun) -> str:
        """Its page, if it is this account's: of a paper about somebody, theirs alone; or empty."""
        if self.permission is None:
            is_theirs = run.requested_by_id == account.pk
        else:
            is_theirs = self.concerns is None or self.concerns(
                account, run.subject_type, run.subject_id
            )
        return self.page(run.subject_id) if self.page is not None and is_theirs else ""

    def is_for(self, account: Account, organization: Organization, about: tuple[str, str]) -> bool:
        """Whether the account may ask for it and fetch it: by its role, or as who it is about."""
        by_role = self.permission is not None and access.may(account, self.permission, organization)
        return by_role or (self.concerns is not None and self.concerns(account, *about))


_kinds: dict[str, Kind] = {}


def report(
    name: str,
    *,
    title: str | Promise,
    permission: Permission | None,
    purpose: str = PURPOSE,
    concerns: Concerned | None = None,
    page: Callable[[str], str] | None = None,
) -> Callable[[Producer], Producer]:
    """Register `producer(run, report, out)`: it writes into the folder `out`.

    `concerns` says to whom without a role the paper belongs as well: a merchant's statement to
    the merchant; `page`, where it is asked for if not on its subject's page. The producer shows
    progress through `run`, reads only the database, prints `witness()`, and may be run again.
    """

    def register(producer: Producer) -> Producer:
        _kinds[name] = Kind(name, title, permission, producer, purpose, concerns, page)
        # A paper about oneself names nobody.
        titles.wording(
            title if permission is None else format_lazy("{title} %(subject)s", title=title)
        )
        return producer

    return register


def kinds() -> dict[str, Kind]:
    """Every report, by name."""
    return dict(_kinds)


def of_offices() -> list[str]:
    """The names of the reports that offices ask for: those of persons are their own."""
    return [name for name, kind in _kinds.items() if kind.permission is not None]


def of_persons() -> list[str]:
    """The names of the reports that people ask for about themselves."""
    return [name for name, kind in _kinds.items() if kind.permission is None]


def witness() -> str:
    """The last sealed block of the audit log and its digest, as every report prints them.

    What is printed can't be edited later: `manage.py verify_audit --witness` compares it.
    """
    return str(audit.head() or "–")


def witness_sheet() -> SheetData:
    """The same as the last worksheet of a report for spreadsheets."""
    return SheetData(gettext("Audit log"), [str(WITNESS)], [(witness(),)], (80,))


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
    kind_of, number = subject._meta.label_lower, str(subject.pk)
    about = {"subject_type": kind_of, "subject_id": number}
    if (
        account is not None
        and known.permission is not None
        and not known.is_for(account, organization, (kind_of, number))
    ):
        access.require(account, known.permission, organization)
    with translation.override("zh-hans"):
        title = str(known.title) if known.permission is None else f"{known.title} {subject}"[:160]
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
    if run is None or kind is None:
        return False
    return kind.is_for(account, run.organization, (run.subject_type, run.subject_id))


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
                purpose=_kinds[asked.kind].purpose,
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
    turns.take(f"report:{kind}:{about['subject_type']}:{about['subject_id']}")
    with readers.seeing(Door.NEXT_VERSION):
        last = ReportRun.objects.filter(kind=kind, **about).aggregate(last=Max("version"))["last"]
    return (last or 0) + 1
