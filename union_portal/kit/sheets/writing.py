"""Sheets to give away: every text cell is text, whatever it looks like."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TextIO

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

Cell = str | int | Decimal | date | None

_LONGEST_CELL: Final = 32_767
_EXACT_DIGITS: Final = 15
# What spreadsheets pass over before they look for a formula: space, quotes, what is not seen.
_PASSED_OVER: Final = (
    r"[\s'\"\x00-\x1f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*"
)
_FORMULA_AHEAD: Final = _PASSED_OVER + "[=+\\-@|%＝＋－＠｜％﹦﹢﹣﹫−]"
_FORMULA: Final = re.compile(rf"{_FORMULA_AHEAD}|'*[\t\r\n]")
# Other separators than ours: whoever opens the file may have them set.
_INNER_FORMULA: Final = re.compile(rf"([;\t\r\n])(?={_FORMULA_AHEAD})")
_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]+)?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class SheetData:
    """One worksheet: name, headers, rows and the widths of its columns."""

    name: str
    headers: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[int] = ()


def sheet_name(name: str) -> str:
    """A name spreadsheets accept: at most 31 characters, none of ``[]:*?/\\``."""
    return re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:31] or "Sheet"


def open_workbook(target: Path | BinaryIO, *, constant_memory: bool) -> Workbook:
    """A workbook in which no text is ever taken for a formula, number or link."""
    import xlsxwriter  # when a sheet is written: most processes write none

    return xlsxwriter.Workbook(
        str(target) if isinstance(target, Path) else target,
        {
            "constant_memory": constant_memory,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )


def write_cell(
    sheet: Worksheet, row: int, column: int, value: Cell, style: Format | None = None
) -> None:
    """Write one cell by its type; numbers too long for a spreadsheet become text."""
    if value is None or value == "":
        return
    if isinstance(value, date):
        sheet.write_datetime(row, column, value)
    elif isinstance(value, int | Decimal) and len(str(value)) <= _EXACT_DIGITS:
        sheet.write_number(row, column, value, style)
    else:
        text = _CONTROL.sub("", str(value))[:_LONGEST_CELL]
        sheet.write_string(row, column, text)


def write_xlsx(target: Path | BinaryIO, sheets: Iterable[SheetData]) -> None:
    """Write worksheets row by row in constant memory, ready to filter and to print.

    Headers are bold, frozen and repeated on every printed page; decimals are amounts.
    """
    with open_workbook(target, constant_memory=True) as book:
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"})
        amount = book.add_format({"num_format": "#,##0.00"})
        for data in sheets:
            sheet = book.add_worksheet(sheet_name(data.name))
            for column, width in enumerate(data.widths):
                sheet.set_column(column, column, width)
            _set_up_printing(sheet)
            for column, header in enumerate(data.headers):
                sheet.write_string(0, column, header, bold)
            number = 0
            for number, row in enumerate(data.rows, start=1):
                for column, value in enumerate(row):
                    style = amount if isinstance(value, Decimal) else None
                    write_cell(sheet, number, column, value, style)
            if data.headers and number:
                sheet.autofilter(0, 0, number, len(data.headers) - 1)


def _set_up_printing(sheet: Worksheet) -> None:
    """A4 across, as wide as the page, the header on each, page x of y at the foot."""
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


def escape_csv_cell(text: str) -> str:
    """Text that no spreadsheet opens as a formula.

    A cell that begins with = + - @ | % (also full-width, or behind spaces, quotes or invisible
    characters) or with a tab or line break gets an apostrophe in front; so does what follows a
    semicolon, tab or line break within it, which another separator would make a cell of its own.
    Plain negative amounts stay as they are. To get the text back, take away the apostrophe in
    front of everything that would get one. Source: OWASP, CSV injection.
    """
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    inner = _INNER_FORMULA.sub(r"\1'", text)
    return f"'{inner}" if _FORMULA.match(text) else inner


def _csv_text(value: Cell) -> str:
    if value is None:
        return ""
    return escape_csv_cell(value if isinstance(value, str) else str(value))


def write_csv(
    target: BinaryIO,
    headers: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    encoding: str = "utf-8-sig",
) -> None:
    """Write CSV that spreadsheets open in the right encoding and never execute."""
    text: TextIO = io.TextIOWrapper(target, encoding=encoding, newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow([_csv_text(header) for header in headers])
        writer.writerows([_csv_text(value) for value in row] for row in rows)
    finally:
        text.flush()
        text.detach()  # type: ignore[attr-defined]
