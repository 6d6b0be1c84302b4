"""The disbursement report: figures and rows, read once, to one PDF."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.utils.functional import Promise

from union_portal import papers
from union_portal.kit.pdf_assembly import Bookmark, Printed, Progress
from union_portal.kit.pdf_join import Details
from union_portal.kit.pdf_press import SLOTS
from welfare.disbursement.reporting import pages
from welfare.disbursement.reporting.content import (
    BatchFigures,
    ContentDigest,
    FailureLine,
    Issue,
    Outcome,
    PayeeLine,
    Tally,
    require_agreement,
)
from welfare.disbursement.reporting.listing import LINES_PER_PAGE, Layout, Page, paginate
from welfare.disbursement.reporting.listing_html import page_writer
from welfare.disbursement.reporting.wording import Wording

PAGES_PER_SECTION = 26
"""About 1,000 rows in padded lines."""

PAGES_OF_CELLS = 8
"""About 300 rows with a cell per field, which take eight times the memory."""

CELLS_UP_TO = 500
"""A longer list is set in padded lines: equal to look at, a row each in the tag tree, faster."""

TAGS_UP_TO = 20_000
"""Beyond it the tag tree costs more memory than the pages; the spreadsheet serves then."""

Row = TypeVar("Row", PayeeLine, FailureLine)


class Report:
    """One report in the making; everything it writes on the way lies in `folder`.

    `content_digest` is complete after `lay_out`.
    """

    def __init__(self, figures: BatchFigures, *, folder: Path, words: Wording) -> None:
        self.figures = figures
        self.words = words
        self.content_digest = ""
        self.is_compact = figures.control.lines > CELLS_UP_TO
        self._content = ContentDigest(figures)
        self._paper = papers.begin(
            folder,
            style=pages.STYLE,
            furniture=lambda first, total: pages.page_style(
                figures, words, first=first, total=total
            ),
            is_tagged=figures.control.lines <= TAGS_UP_TO,
        )

    def lay_out(
        self, payees: Iterable[PayeeLine], failures: Iterable[FailureLine], issue: Issue
    ) -> None:
        """Take every row once, in order. Raises Disagreement if the sums differ."""
        words, sums = self.words, _Sums()
        self._list(pages.PAYEES_TITLE, pages.payee_layout(words), sums.passing(payees))
        require_agreement(self.figures, sums.listed, sums.paid)
        self._list(pages.FAILURES_TITLE, pages.failure_layout(words), failures)
        self.content_digest = self._content.hexdigest()
        front = pages.front(self.figures, issue, words, self.content_digest)
        closing = pages.closing(self.figures, issue, words, self.content_digest)
        mark = (words.plain(pages.FRONT_TITLE), 0, 0)
        self._paper.add("front", front, 2, [mark], is_guess=True, is_first=True)
        mark = (words.plain(pages.CLOSING_TITLE), 0, 0)
        self._paper.add("closing", closing, 1, [mark], is_guess=True)

    def print(self, out: Path, *, made_at: str, progress: Progress, slots: int = SLOTS) -> Printed:
        """Render what was laid out into `out`. Errors: see `Assembly.print`."""
        title = f"{self.words.chinese(pages.REPORT_TITLE)} {self.figures.number}"
        details = Details(title=title, author=self.figures.office, made_at=made_at)
        return self._paper.print(out, details=details, progress=progress, slots=slots)

    def _list(self, title: str | Promise, layout: Layout[Row], rows: Iterable[Row]) -> None:
        write = page_writer(layout, self.words, title, is_compact=self.is_compact)
        room = LINES_PER_PAGE - (1 if self.words.is_bilingual else 0)
        listed = paginate(self._content.passing(rows), layout, room)
        size = PAGES_PER_SECTION if self.is_compact else PAGES_OF_CELLS
        marks: list[Bookmark] = [(self.words.plain(title), 0, 0)]
        run: list[Page]
        while run := list(islice(listed, size)):
            html = "".join(map(write, run))
            self._paper.add("list", html, len(run), [*marks, *_bookmarks(run)])
            marks = []


class _Sums:
    """Adds up the payees as they pass."""

    def __init__(self) -> None:
        self.listed = Tally()
        self.paid = Tally()

    def passing(self, rows: Iterable[PayeeLine]) -> Iterator[PayeeLine]:
        lines = fen = paid_lines = paid_fen = 0
        for row in rows:
            lines, fen = lines + 1, fen + row.amount_fen
            if row.outcome == Outcome.PAID:
                paid_lines, paid_fen = paid_lines + 1, paid_fen + row.amount_fen
            yield row
        self.listed, self.paid = Tally(lines, fen), Tally(paid_lines, paid_fen)


def _bookmarks(run: list[Page]) -> Iterator[Bookmark]:
    for position, page in enumerate(run):
        for name in page.starts:
            yield name, position, 1
