"""Merchants' statements on paper and as a sheet."""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from union_portal import papers, queue, reports
from union_portal.access import Permission
from union_portal.downloads import XLSX
from union_portal.kit import pdf
from union_portal.kit.money import in_words, yuan
from union_portal.kit.sheets import SheetData, write_xlsx
from union_portal.models import Account, ReportRun
from welfare.models import MerchantStatement, StatementLine
from welfare.queries.settlements import by_offer, counted_fen

LANGUAGE: Final = "zh-hans"
_A_SECTION: Final = 300


def _is_its_merchants(account: Account, subject_type: str, subject_id: str) -> bool:
    return (
        subject_type == MerchantStatement._meta.label_lower
        and MerchantStatement.objects.filter(
            pk=subject_id,
            merchant__logins__account=account,
            merchant__logins__ended_at__isnull=True,
        ).exists()
    )


def _page(number: str) -> str:
    """The merchant's own page of the statement."""
    return reverse("welfare:statement", args=[number])


@reports.report(
    "merchant_statement_pdf",
    title=gettext_lazy("Statement of a merchant"),
    permission=Permission.BENEFIT_VIEW,
    concerns=_is_its_merchants,
    page=_page,
)
def statement_pdf(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """A merchant's month on paper: sums by offer, then every use, none by a member's name."""
    pdf.require_pango()
    statement = _statement(report)
    folder = out / "sections"
    folder.mkdir()
    paper = papers.begin(
        folder,
        style="reports/statement.css",
        furniture=lambda first, total: (
            f'@page{{@bottom-center{{content:"{statement.number}  " counter(page) " / {total}"}}}}'
            f"@page:first{{counter-reset:page {first}}}"
        ),
    )
    digest = _digest(statement)
    with override(LANGUAGE):
        front = render_to_string("reports/statement.html", _context(statement, report, digest))
        paper.add("front", front, 1, [(statement.number, 0, 0)], is_guess=True)
        for number, rows in enumerate(_sections(statement)):
            html = render_to_string("reports/statement_lines.html", {"lines": rows})
            mark = [(_("Uses one by one"), 0, 1)] if number == 0 else []
            paper.add("lines", html, 1, mark, is_guess=True)
        details = papers.details(
            f"{_('Statement of a merchant')} {statement.number}",
            made_at=report.requested_at.isoformat(),
        )
        printed = paper.print(out / "statement.pdf", details=details, progress=run.progress)
    return reports.Produced(
        path=printed.path,
        pages=printed.pages,
        digest=digest,
        name=f"{statement.number}-v{report.version}.pdf",
    )


@reports.report(
    "merchant_statement_xlsx",
    title=gettext_lazy("Statement (spreadsheet)"),
    permission=Permission.BENEFIT_VIEW,
    concerns=_is_its_merchants,
    page=_page,
)
def statement_xlsx(run: queue.Run, report: ReportRun, out: Path) -> reports.Produced:
    """The same rows as a spreadsheet; its digest is the one printed on the paper."""
    statement, path = _statement(report), out / "statement.xlsx"
    with override(LANGUAGE), path.open("wb") as target:
        headers = (
            _("Line"), _("Use"), _("When"), _("Place"), _("Offer"), _("Amount (yuan)"), _("State"),
        )  # fmt: skip
        rows = (
            (
                line.position,
                str(line.redemption),
                f"{localtime(line.redemption.redeemed_at):%Y-%m-%d %H:%M}",
                str(line.redemption.place or ""),
                line.redemption.offer.title,
                # A number: whoever checks the month adds the column up.
                Decimal(line.amount_fen).scaleb(-2),
                str(line.get_state_display()),
            )
            for line in _lines(statement).iterator(chunk_size=2000)
        )
        sheet = SheetData(statement.number, headers, rows, (8, 14, 18, 24, 36, 14, 12))
        write_xlsx(target, [sheet, reports.witness_sheet()])
    return reports.Produced(
        path=path,
        pages=0,
        digest=_digest(statement),
        name=f"{statement.number}-v{report.version}.xlsx",
        content_type=XLSX,
    )


def _statement(report: ReportRun) -> MerchantStatement:
    return MerchantStatement.objects.select_related(
        "merchant", "organization", "programme", "decision"
    ).get(pk=report.subject_id)


def _lines(statement: MerchantStatement) -> QuerySet[StatementLine]:
    return statement.lines.select_related("redemption__offer", "redemption__place").order_by(
        "position"
    )


def _sections(statement: MerchantStatement) -> Iterator[list[StatementLine]]:
    last = 0
    while rows := list(_lines(statement).filter(position__gt=last)[:_A_SECTION]):
        yield rows
        last = rows[-1].position


def _context(statement: MerchantStatement, report: ReportRun, digest: str) -> dict[str, Any]:
    fen = counted_fen(statement)
    return {
        "statement": statement,
        "office": settings.PORTAL_OFFICE,
        "offers": [
            {**row, "each": yuan(row["each"]), "amount": yuan(row["fen"])}
            for row in by_offer(statement)
        ],
        "total": yuan(fen),
        "in_words": in_words(fen, prefix=True) if fen else "",
        "digest": digest,
        "witness": reports.witness(),
        "made_on": localtime(report.requested_at).date(),
    }


def _digest(statement: MerchantStatement) -> str:
    """Over every line in order: number, use, amount, state."""
    whole = sha256(statement.number.encode())
    rows = statement.lines.order_by("position").values_list(
        "position", "redemption_id", "amount_fen", "state"
    )
    for row in rows.iterator(chunk_size=5000):
        whole.update(("|".join(map(str, row)) + "\n").encode())
    return whole.hexdigest()
