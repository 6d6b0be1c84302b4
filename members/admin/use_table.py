"""Uses by county, category and month: chosen, drawn, listed by pages, taken out as a sheet."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members import resources_benefits
from members.queries import till as queries_till
from members.queries import uses as queries_uses
from members.queries.uses import UseRow
from union_portal.admin import desk
from union_portal.admin.scoped import reader
from union_portal.downloads import download_sheet
from union_portal.kit import money
from union_portal.kit.shares import thousandths
from union_portal.models import Account

MONTHS_SHOWN: Final = 12
ROWS_SHOWN: Final = 25
COLUMNS: Final = {"county": _("County"), "category": _("Category"), "month": _("Month")}
_DRAWN: Final = {
    "county": _("By county"),
    "category": _("By category"),
    "month": _("By month"),
}


def table_of(by: Account) -> list[UseRow]:
    """The last twelve months within the reader's reach."""
    return queries_uses.by_county_category_month(
        queries_uses.uses_for(by).filter(redeemed_at__date__gte=_since())
    )


def shown(request: HttpRequest) -> dict[str, Any]:
    """What the page shows of the table: what was chosen, its sums, bars, and one page of rows."""
    every, chosen = table_of(reader(request)), _chosen(request)
    rows = queries_uses.narrowed(every, chosen)
    page = Paginator(_with_bars(rows), ROWS_SHOWN).get_page(request.GET.get("page"))
    return {
        "is_empty": not every,
        "is_narrowed": any(chosen.values()),
        "choices": [
            (name, title, _choices(every, name), chosen[name]) for name, title in COLUMNS.items()
        ],
        "uses": sum(row.uses for row in rows),
        "subsidy_fen": sum(row.subsidy_fen for row in rows),
        "charts": [
            {"title": title, "bars": desk.scaled(_bars(rows, name))}
            for name, title in _DRAWN.items()
        ],
        "page": page,
        "page_numbers": page.paginator.get_elided_page_range(page.number, on_each_side=1),
    }


def as_sheet(request: HttpRequest) -> FileResponse:
    """Every row of what was chosen, as XLSX or CSV; it is logged."""
    kind = "csv" if request.POST.get("kind") == "csv" else "xlsx"
    by, chosen, sheet = reader(request), _chosen(request), BytesIO()
    rows = queries_uses.narrowed(table_of(by), chosen)
    resources_benefits.write_uses(sheet, rows, by=by, kind=kind, chosen=chosen)
    return download_sheet(sheet, name=f"uses-{timezone.localdate():%Y%m%d}.{kind}")


def _chosen(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in COLUMNS}


def _choices(rows: list[UseRow], column: str) -> list[queries_uses.Named]:
    """What there is to choose from; of months the newest first."""
    found = [key for key, _uses, _fen in queries_uses.summed(rows, column)]
    return sorted(found, reverse=True) if column == "month" else found


def _with_bars(rows: list[UseRow]) -> list[tuple[UseRow, int]]:
    """Each row with its length in per mille of the longest of all pages."""
    longest = max((row.uses for row in rows), default=0)
    return [(row, thousandths(row.uses, longest)) for row in rows]


def _bars(rows: list[UseRow], column: str) -> list[tuple[str, str, int]]:
    found = queries_uses.summed(rows, column)
    if column == "month":
        found = sorted(found)
    return [
        (str(key), f"{uses} · {money.shown(subsidy_fen)}", uses) for key, uses, subsidy_fen in found
    ]


def _since() -> date:
    first, _next = queries_till.month_of(timezone.localdate())
    for _month in range(MONTHS_SHOWN - 1):
        first, _next = queries_till.month_of(first - timedelta(days=1))
    return first
