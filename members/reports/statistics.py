"""The kept statistics of a year, as PDF and spreadsheet."""

import json
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.models import YearStatistics
from members.queries import statistics
from union_portal import papers, queue, reports
from union_portal.access import Permission
from union_portal.downloads import XLSX
from union_portal.kit import money, pdf
from union_portal.kit.shares import thousandths
from union_portal.kit.sheets import SheetData, write_xlsx
from union_portal.models import ReportRun


@reports.report(
    "union_statistics_xlsx",
    title=_("Unions and members (spreadsheet)"),
    permission=Permission.PERSON_VIEW,
)
def union_statistics_xlsx(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The kept count of a year: by county, by nature and by industry."""
    kept, table = _kept(report)
    path = out / "statistics.xlsx"
    headers = (gettext("County"), *(str(header) for header in statistics.HEADERS.values()))
    lines = [_cells(row) for row in table.rows]
    kinds = (gettext("Kind"), gettext("Unions"))
    write_xlsx(
        path,
        [
            SheetData(
                gettext("By county"), headers, [*lines, _cells(table.total, gettext("In all"))],
                (24, *(12 for _name in statistics.FIGURES)),
            ),
            SheetData(gettext("By nature"), kinds, _counted(table.by_nature), (40, 12)),
            SheetData(gettext("By industry"), kinds, _counted(table.by_industry), (60, 12)),
            reports.witness_sheet(),
        ],
    )  # fmt: skip
    return reports.Produced(
        path=path,
        pages=0,
        digest=_digest(kept),
        name=f"unions-{kept.year}-v{report.version}.xlsx",
        content_type=XLSX,
    )


@reports.report(
    "union_statistics_pdf", title=_("Unions and members"), permission=Permission.PERSON_VIEW
)
def union_statistics_pdf(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The same on paper, with the bars that the page draws, to sign and to keep."""
    pdf.require_pango()
    kept, table = _kept(report)
    counted_on = timezone.localdate(kept.counted_at)
    context = {
        "office": settings.PORTAL_OFFICE,
        "place": kept.organization,
        "year": kept.year,
        "counted_on": f"{counted_on.year}年{counted_on.month}月{counted_on.day}日",
        "headers": list(statistics.HEADERS.values()),
        "lines": [_printed(row) for row in table.rows],
        "total": _printed(table.total),
        "charts": _charts(table),
        "digest": _digest(kept),
        "witness": reports.witness(),
    }
    html = render_to_string("reports/statistics.html", context)
    return papers.print_short(
        run,
        report,
        out,
        html=html,
        digest=_digest(kept),
        name=f"unions-{kept.year}-v{report.version}.pdf",
    )


def _kept(report: ReportRun) -> tuple[YearStatistics, statistics.Table]:
    kept = YearStatistics.objects.select_related("organization").get(pk=report.subject_id)
    return kept, statistics.Table.from_json(kept.figures)


def _digest(kept: YearStatistics) -> str:
    """Of the figures, whatever they are printed on: PDF and spreadsheet show the same."""
    return sha256(json.dumps(kept.figures, sort_keys=True).encode()).hexdigest()


def _cells(row: statistics.Row, name: str = "") -> tuple[Any, ...]:
    counts = (getattr(row, one) for one in statistics.FIGURES[:-1])
    return (name or row.name, *counts, Decimal(row.income_fen).scaleb(-2))


def _printed(row: statistics.Row) -> tuple[str, list[str]]:
    counts = [f"{getattr(row, one):,}" for one in statistics.FIGURES[:-1]]
    return row.name, [*counts, money.yuan(row.income_fen)]


def _counted(kinds: list[statistics.Counted]) -> list[tuple[str, int]]:
    return [(str(one.label), one.unions) for one in kinds]


def _charts(table: statistics.Table) -> list[dict[str, Any]]:
    drawn = [
        (gettext("Members by county"), [(row.name, row.members) for row in table.rows]),
        (gettext("Unions by nature of the employer"), _counted(table.by_nature)),
        (gettext("Unions by industry"), _counted(table.by_industry)),
    ]
    return [{"title": title, "bars": _scaled(bars)} for title, bars in drawn if bars]


def _scaled(bars: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Each with its length in per mille of the longest."""
    longest = max((value for _label, value in bars), default=0)
    return [(label, value, thousandths(value, longest)) for label, value in bars]
