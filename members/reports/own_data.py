"""A person's copy of their own data."""

from pathlib import Path

from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from members import own_data
from members.actions import copies
from members.models import Person
from union_portal import queue, reports
from union_portal.kit import pdf
from union_portal.models import ReportRun


def _page(_number: str) -> str:
    return reverse("members:my-data")


@reports.report(
    "my_data_pdf",
    title=_("Copy of my data (PDF)"),
    permission=None,
    purpose=copies.PURPOSE,
    page=_page,
)
def my_data_pdf(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """Everything that the portal holds of the person, to read and to print."""
    pdf.require_pango()
    person = Person.objects.get(pk=report.subject_id)
    folder = out / "sections"
    folder.mkdir()
    with translation.override(report.parameters["language"]):
        printed = own_data.print_copy(
            person,
            out / "my-data.pdf",
            folder=folder,
            made_at=report.requested_at,
            witness=reports.witness(),
            progress=run.progress,
        )
    return reports.Produced(
        path=printed.path,
        pages=printed.pages,
        digest=printed.digest,
        name=f"my-data-{timezone.localdate(report.requested_at):%Y%m%d}.pdf",
    )


@reports.report(
    "my_data_json",
    title=_("Copy of my data (JSON)"),
    permission=None,
    purpose=copies.PURPOSE,
    page=_page,
)
def my_data_json(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The same for machines."""
    person = Person.objects.get(pk=report.subject_id)
    with translation.override(report.parameters["language"]):
        digest = own_data.write_json(
            person, out / "my-data.json", made_at=report.requested_at, witness=reports.witness()
        )
    return reports.Produced(
        path=out / "my-data.json",
        pages=0,
        digest=digest,
        name=f"my-data-{timezone.localdate(report.requested_at):%Y%m%d}.json",
        content_type="application/json",
    )
