"""Pages of a list as HTML: tables with a cell per field, or lines padded to columns.

Both look the same. A field costs WeasyPrint as much as a whole padded line, so long lists
are padded; the joined document gives each padded line a table row of its own (kit.pdf_join).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape
from itertools import groupby
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from union_portal.kit.money import yuan
from welfare.disbursement.reporting.content import Tally
from welfare.disbursement.reporting.listing import (
    GAP,
    Column,
    Heading,
    Layout,
    Line,
    Page,
    Subtotal,
)
from welfare.disbursement.reporting.typesetting import grid_width, set_width
from welfare.disbursement.reporting.wording import Wording

PageWriter = Callable[[Page], str]


def page_writer(
    layout: Layout[Any], words: Wording, title: str | Promise, *, is_compact: bool
) -> PageWriter:
    """The function that turns pages of this list into HTML."""
    return partial(_padded_page if is_compact else _table_page, _Words(layout, words, title))


class _Words:
    """A layout and the words around its rows, made once per list."""

    def __init__(self, layout: Layout[Any], words: Wording, title: str | Promise) -> None:
        self.layout = layout
        self.words = words
        self.columns = "".join(
            f'<col style="width:{_em(column, is_last=column is layout.columns[-1])}em">'
            for column in layout.columns
        )
        self.title = words(title)
        self.padded_head = self._padded_head()
        self.table_head = (
            "<thead><tr>"
            + "".join(
                f'<th scope="col"{_side(column)}>{self._head(column)}</th>'
                for column in layout.columns
            )
            + "</tr></thead>"
        )

    def _head(self, column: Column[Any]) -> str:
        chinese, english = self.words.chinese(column.head), self.words.english(column.head)
        if not english:
            return escape(chinese)
        return f'{escape(chinese)}<br><span lang="en">{escape(english)}</span>'

    def _padded_head(self) -> str:
        rows = [[self.words.chinese(column.head) for column in self.layout.columns]]
        if self.words.is_bilingual:
            rows.append([self.words.english(column.head) for column in self.layout.columns])
        return "\n".join(self.padded(row) for row in rows)

    def padded(self, texts: list[str]) -> str:
        """One line of text in columns, escaped."""
        cells = [
            " " * (column.units - set_width(text)) + text
            if column.is_right
            else text + " " * (column.units - set_width(text))
            for column, text in zip(self.layout.columns, texts, strict=True)
        ]
        return escape((" " * GAP).join(cells), quote=False).rstrip()

    def padded_sum(self, label: str, amount: str) -> str:
        """A label at the left, an amount under the amounts."""
        upto = self.layout.columns[: self.layout.amount + 1]
        right = sum(column.units for column in upto) + GAP * self.layout.amount
        space = right - set_width(label) - len(amount)
        return escape(label + " " * max(space, 1) + amount, quote=False)

    def page_title(self, page: Page) -> str:
        name = "list-title" if page.number > 1 else "list-title starts"
        return f'<h2 class="{name}">{self.title}</h2>'

    def heading(self, heading: Heading) -> str:
        if heading.is_continued:
            return self.words.chinese(_("%(group)s (continued)"), group=heading.name)
        return heading.name

    def subtotal(self, subtotal: Subtotal) -> str:
        counted = self._counted(_("subtotal"), subtotal.tally)
        return f"{subtotal.name} {counted}"

    def page_sum(self, tally: Tally) -> str:
        return self._counted(_("This page"), tally)

    def running(self, tally: Tally) -> str:
        return self._counted(_("Running total"), tally)

    def _counted(self, label: str | Promise, tally: Tally) -> str:
        count = self.words.chinese(_("%(count)s payments"), count=f"{tally.lines:,}")
        return f"{self.words.plain(label)}  {count}"


# -- a cell per field ---------------------------------------------------------------


def _table_page(words: _Words, page: Page) -> str:
    rows = "".join(_table_row(words, entry) for entry in page.entries)
    foot = _sum_row(words, words.page_sum(page.tally), page.tally, "page-sum") + _sum_row(
        words, words.running(page.running), page.running, "running"
    )
    return (
        f'{words.page_title(page)}<table class="list"><colgroup>{words.columns}</colgroup>'
        f"{words.table_head}"
        f"<tbody>{rows}</tbody><tfoot>{foot}</tfoot></table>"
    )


def _table_row(words: _Words, entry: Heading | Line | Subtotal) -> str:
    if isinstance(entry, Line):
        return _field_row(words, entry)
    if isinstance(entry, Heading):
        span = len(words.layout.columns)
        return (
            f'<tr class="group"><th scope="rowgroup" colspan="{span}">'
            f"{escape(words.heading(entry))}</th></tr>"
        )
    return _sum_row(words, words.subtotal(entry), entry.tally, "subtotal")


def _field_row(words: _Words, line: Line) -> str:
    cells = "".join(
        f"<td{_side(column, cell)}>{'<br>'.join(map(escape, cell))}</td>"
        for column, cell in zip(words.layout.columns, line.cells, strict=True)
    )
    return f"<tr{' class=band' if line.is_band else ''}>{cells}</tr>"


def _sum_row(words: _Words, label: str, tally: Tally, name: str) -> str:
    """The amount spans one column more than its own: sums are longer than amounts."""
    before, after = words.layout.amount - 1, len(words.layout.columns) - words.layout.amount - 1
    rest = f'<td colspan="{after}"></td>' if after else ""
    return (
        f'<tr class="{name}"><td colspan="{before}">{escape(label)}</td>'
        f'<td colspan="2" class="r">{yuan(tally.fen)}</td>{rest}</tr>'
    )


# -- padded lines ------------------------------------------------------------------


def _padded_page(words: _Words, page: Page) -> str:
    foot = (
        words.padded_sum(words.page_sum(page.tally), yuan(page.tally.fen))
        + "\n"
        + words.padded_sum(words.running(page.running), yuan(page.running.fen))
    )
    body = "".join(_padded_blocks(words, page))
    return (
        f'{words.page_title(page)}<div class="list"><pre class="head">{words.padded_head}</pre>'
        f"{body}"
        f'<pre class="foot">{foot}</pre></div>'
    )


def _padded_blocks(words: _Words, page: Page) -> Iterator[str]:
    for is_plain, run in groupby(page.entries, lambda e: isinstance(e, Line) and e.is_plain):
        if is_plain:
            lines = [entry for entry in run if isinstance(entry, Line)]
            text = "\n".join(words.padded([cell[0] for cell in line.cells]) for line in lines)
            yield f'<pre class="{"odd" if lines[0].is_band else "even"}">{text}</pre>'
            continue
        for entry in run:
            yield _padded_exception(words, entry)


def _padded_exception(words: _Words, entry: Heading | Line | Subtotal) -> str:
    if isinstance(entry, Line):
        row = _field_row(words, entry)
        return f'<table class="fields"><colgroup>{words.columns}</colgroup>{row}</table>'
    if isinstance(entry, Heading):
        return f'<pre class="group">{escape(words.heading(entry), quote=False)}</pre>'
    line = words.padded_sum(words.subtotal(entry), yuan(entry.tally.fen))
    return f'<pre class="subtotal">{line}</pre>'


def _side(column: Column[Any], cell: Sequence[str] = ()) -> str:
    """Right, or with full-width signs kept as they are (half-width forms are for figures)."""
    if column.is_right:
        return ' class="r"'
    return "" if all(grid_width(text) is not None for text in cell) else ' class="w"'


def _em(column: Column[Any], *, is_last: bool) -> str:
    units = column.units if is_last else column.units + GAP
    return f"{units // 2}.{5 * (units % 2)}"
