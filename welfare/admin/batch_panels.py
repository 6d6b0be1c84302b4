"""What stands below a batch: approvals, payments, files, answers, reports."""

from typing import Any

from django.db.models import (
    QuerySet,
)
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from union_portal import titles
from union_portal.admin.pages import Panel
from union_portal.admin.reports import download_link
from union_portal.models import ReportRun
from welfare.admin import assembly, payees
from welfare.admin.batch_steps import (
    taken,
)
from welfare.admin.shown import (
    link,
    stamp,
    yuan,
)
from welfare.disbursement import batches, candidates
from welfare.disbursement.models import BatchStep, PayoutBatch
from welfare.disbursement.states import BatchState

LEFT_SHOWN = 50
TONES = {
    BatchState.CLOSED: "good",
    BatchState.RECONCILED: "good",
    BatchState.VOID: "bad",
}


def tag(row: Any) -> Any:
    tone = TONES.get(row.state, "wait")
    return format_html('<span class="st-tag st-{}">{}</span>', tone, row.get_state_display())


def panels_of(batch: PayoutBatch) -> list[Panel]:
    """Approvals, what is in and what is left out, files, answers and reports of a batch."""
    shown = [
        _approvals(batch),
        _motions(batch),
        _left_out(batch),
        payees.panel_of(batch),
        _files(batch),
        _discrepancies(batch),
        _corrections(batch),
        _reports(batch),
    ]
    return [panel for panel in shown if panel is not None]


def _approvals(batch: PayoutBatch) -> Panel:
    done = taken(batch)
    steps = batch.required_steps or [str(step) for step in batches.THREE]
    rows = [
        (
            BatchStep(step).label,
            done[step].account if step in done else "–",
            stamp(done[step].approved_at) if step in done else _("not approved yet"),
            f"{done[step].digest[:16]}…" if step in done else "–",
        )
        for step in steps
    ]
    note = _("Three different people approve the same digest; it stands for exactly this content.")
    return Panel(_("Approvals"), (_("Step"), _("By"), _("When"), _("Digest")), rows, note=note)


def _motions(batch: PayoutBatch) -> Panel | None:
    rows = [
        (link(motion), motion.reason, motion.moved_by, motion.get_state_display())
        for motion in batch.motions.select_related("moved_by")
    ]
    columns = (_("Act of two people"), _("Reason"), _("Moved by"), _("State"))
    return Panel(_("Acts of two people"), columns, rows) if rows else None


def _left_out(batch: PayoutBatch) -> Panel | None:
    if batch.state != BatchState.DRAFT or batch.corrects_id:
        return None
    left: QuerySet[Any] = batches.left_out(
        fund=batch.fund,
        scheme=batch.scheme,
        period=batch.period,
        organization=batch.organization,
        today=batch.pay_on,
    )
    counted = "；".join(
        f"{candidates.LeftOut(code).label}: {count}"
        for code, count in candidates.counted(left).items()
    )
    return Panel(
        _("Left out, and why"),
        assembly.LEFT_COLUMNS,
        assembly.left_rows(left[:LEFT_SHOWN]),
        note=counted,
    )


def _files(batch: PayoutBatch) -> Panel | None:
    file = getattr(batch, "bank_file", None)
    if file is None:
        return None
    rows: list[tuple[Any, ...]] = [
        (
            _("bank file"),
            file.name,
            stamp(file.created_at),
            file.lines_count,
            yuan(file.total_fen),
            f"{file.sha256[:16]}…",
        )
    ]
    rows += [
        (
            _("return file"),
            link(returned),
            stamp(returned.imported_at),
            returned.rows_count,
            yuan(returned.total_fen),
            f"{returned.sha256[:16]}…",
        )
        for returned in batch.return_files.defer("body")
    ]
    columns = (_("Kind"), _("File name"), _("When"), _("Rows"), _("Sum"), "SHA-256")
    return Panel(_("Bank file and answers"), columns, rows)


def _discrepancies(batch: PayoutBatch) -> Panel | None:
    rows = [
        (link(found), found.get_kind_display(), found.line or "–", found.get_state_display())
        for found in batch.discrepancies.select_related("line")[:LEFT_SHOWN]
    ]
    columns = (_("Discrepancy"), _("Kind"), _("Payment"), _("State"))
    return Panel(_("Discrepancies with the bank"), columns, rows) if rows else None


def _corrections(batch: PayoutBatch) -> Panel | None:
    rows = [
        (link(made), made.made_by, stamp(made.made_at), made.get_state_display())
        for made in batch.corrected_by.select_related("made_by")
    ]
    columns = (_("Batch"), _("Made by"), _("When"), _("State"))
    return Panel(_("Failed payments issued again"), columns, rows) if rows else None


def _reports(batch: PayoutBatch) -> Panel:
    made = ReportRun.objects.filter(
        subject_type=batch._meta.label_lower, subject_id=str(batch.pk)
    ).select_related("file", "job", "requested_by")
    rows = [
        (
            link(run, titles.shown(run.title)),
            run.version,
            run.get_state_display(),
            run.requested_by or "–",
            stamp(run.requested_at),
            download_link(run),
        )
        for run in made
    ]
    columns = (_("Report"), _("Version"), _("State"), _("By"), _("When"), _("File"))
    return Panel(_("Reports"), columns, rows)
