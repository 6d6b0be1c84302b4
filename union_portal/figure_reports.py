"""The headline figures on paper and as a sheet: as of which day, and how each is counted."""

import json
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from union_portal import access, figures, papers, queue, reports
from union_portal.access import Permission
from union_portal.downloads import XLSX
from union_portal.figures import Kept
from union_portal.kit import pdf
from union_portal.kit.sheets import SheetData, write_xlsx
from union_portal.models import Account, Organization, ReportRun

PDF_KIND: Final = "figures_pdf"
XLSX_KIND: Final = "figures_xlsx"


def ask(*, kind: str, day: date, by: Account) -> ReportRun:
    """Have the figures printed as they were counted by a day, for whoever works on the staff site.

    The report is kept with the union that the asker works for. Errors: PermissionDenied.
    """
    access.require(by, Permission.STAFF_SITE)
    place = Organization.objects.get(path=access.reach(by, Permission.STAFF_SITE)[0])
    return reports.request(kind=kind, subject=place, by=by, organization=place, day=str(day))


def _page(_number: str) -> str:
    return reverse("admin:union_portal_countedfigure_changelist")


@reports.report(
    PDF_KIND,
    title=_("The federation in figures"),
    permission=Permission.STAFF_SITE,
    page=_page,
)
def figures_pdf(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """Each figure with its day, how it is counted, and its months as bars."""
    pdf.require_pango()
    day, kept = _kept(report)
    html = render_to_string(
        "reports/figures.html",
        {
            "office": settings.PORTAL_OFFICE,
            "day": f"{day.year}年{day.month}月{day.day}日",
            "kept": kept,
            "digest": _digest(kept),
            "witness": reports.witness(),
        },
    )
    return papers.print_short(
        run,
        report,
        out,
        html=html,
        digest=_digest(kept),
        name=f"figures-{day}-v{report.version}.pdf",
    )


@reports.report(
    XLSX_KIND,
    title=_("The federation in figures (spreadsheet)"),
    permission=Permission.STAFF_SITE,
    page=_page,
)
def figures_xlsx(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The same rows for machines: sums in yuan, the key that `manage.py figures` prints."""
    day, kept = _kept(report)
    path = out / "figures.xlsx"
    headers = (
        pgettext("of a thing", "Code"), gettext("Figure"), gettext("Value"), gettext("Day"),
        gettext("How it is counted"),
    )  # fmt: skip
    rows = [
        (
            one.figure.key,
            str(one.figure.title),
            _cell(one, one.newest.value),
            str(one.newest.day),
            str(one.figure.about),
        )
        for one in kept
    ]
    by_month = [
        (one.figure.key, f"{month.day:%Y-%m}", _cell(one, month.value))
        for one in kept
        for month in one.months
    ]
    months = (pgettext("of a thing", "Code"), gettext("Month"), gettext("Value"))
    write_xlsx(
        path,
        [
            SheetData(gettext("Figures"), headers, rows, (22, 28, 16, 12, 70)),
            SheetData(gettext("Month by month"), months, by_month, (22, 12, 16)),
            SheetData(gettext("Audit log"), [str(reports.WITNESS)], [(reports.witness(),)], (80,)),
        ],
    )
    return reports.Produced(
        path=path,
        pages=0,
        digest=_digest(kept),
        name=f"figures-{day}-v{report.version}.xlsx",
        content_type=XLSX,
    )


def _kept(report: ReportRun) -> tuple[date, list[Kept]]:
    asked = report.parameters.get("day")
    day = date.fromisoformat(asked) if asked else timezone.localdate(report.requested_at)
    return day, figures.kept(until=day)


def _cell(kept: Kept, number: int) -> Any:
    return Decimal(number).scaleb(-2) if kept.figure.unit == figures.FEN else number


def _digest(kept: list[Kept]) -> str:
    """Of the newest numbers, whatever they are printed on."""
    rows = [(one.figure.key, str(one.newest.day), one.newest.value) for one in kept]
    return sha256(json.dumps(rows).encode()).hexdigest()
