"""The disbursement reports staff can ask for: what is read, and which file comes of it."""

from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from union_portal import queue, reports
from union_portal.access import Permission
from union_portal.downloads import XLSX
from union_portal.kit import pdf
from union_portal.models import ReportRun
from welfare.disbursement.models import PayoutBatch, PayoutLine
from welfare.disbursement.reporting import figures, sheet
from welfare.disbursement.reporting.document import Report
from welfare.disbursement.reporting.vouchers import VoucherBook
from welfare.disbursement.reporting.wording import CHINESE, Wording


@reports.report(
    "disbursement_pdf", title=_("Disbursement report"), permission=Permission.REPORT_DISBURSEMENT
)
def disbursement_pdf(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The report of one batch as PDF. `parameters`: language, `zh-hans` or `en`.

    Waits with a clear message while a library or font is missing (PangoMissing, FontMissing).
    """
    pdf.require_pango()
    batch_id, folder = int(report.subject_id), _folder(out)
    with figures.snapshot():
        paper = Report(figures.batch_figures(batch_id), folder=folder, words=_words(report))
        paper.lay_out(figures.payees(batch_id), figures.failures(batch_id), figures.issue(report))
    printed = paper.print(
        out / "report.pdf", made_at=report.requested_at.isoformat(), progress=run.progress
    )
    return reports.Produced(
        path=printed.path,
        pages=printed.pages,
        digest=paper.content_digest,
        name=f"{paper.figures.number}-v{report.version}.pdf",
    )


@reports.report(
    "disbursement_xlsx",
    title=_("Disbursement report (spreadsheet)"),
    permission=Permission.REPORT_DISBURSEMENT,
)
def disbursement_xlsx(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The same rows as a spreadsheet; its digest is the content digest of the PDF."""
    batch_id, path = int(report.subject_id), out / "report.xlsx"
    with figures.snapshot():
        content = figures.batch_figures(batch_id)
        digest = sheet.write(
            path,
            content,
            figures.payees(batch_id),
            figures.failures(batch_id),
            figures.issue(report),
            words=_words(report),
        )
    return reports.Produced(
        path=path,
        pages=0,
        digest=digest,
        name=f"{content.number}-v{report.version}.xlsx",
        content_type=XLSX,
    )


@reports.report(
    "payment_voucher", title=_("Payment voucher"), permission=Permission.REPORT_DISBURSEMENT
)
def payment_voucher(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The voucher of one payment (subject: a line) or of all payments of a batch, one PDF."""
    pdf.require_pango()
    words, folder = _words(report), _folder(out)
    with figures.snapshot():
        batch_id, line_id = _payments_of(report)
        book = VoucherBook(
            figures.batch_figures(batch_id),
            folder=folder,
            words=words,
            made_on=words.day(timezone.localdate(report.requested_at)),
            witness=reports.witness(),
        )
        book.lay_out(figures.vouchers(batch_id, line_id))
    if not book.count:
        raise queue.Refused(
            gettext_noop("No payment has arrived yet, so there is no voucher."),
            gettext_noop("Read the bank's return file first."),
        )
    printed = book.print(
        out / "vouchers.pdf", made_at=report.requested_at.isoformat(), progress=run.progress
    )
    number = report.subject_id if line_id else "all"
    return reports.Produced(
        path=printed.path,
        pages=printed.pages,
        digest=book.content_digest,
        name=f"{book.figures.number}-voucher-{number}-v{report.version}.pdf",
    )


def _payments_of(report: ReportRun) -> tuple[int, int | None]:
    """Batch and line a voucher is asked for."""
    if report.subject_type == PayoutBatch._meta.label_lower:
        return int(report.subject_id), None
    line = PayoutLine.objects.only("batch_id").get(pk=report.subject_id)
    return line.batch_id, line.pk


def _words(report: ReportRun) -> Wording:
    return Wording(str(report.parameters.get("language", CHINESE)))


def _folder(out: Path) -> Path:
    """Where sections lie while the report is made; it goes with the run's own folder."""
    folder = out / "sections"
    folder.mkdir()
    return folder
