"""Sheets of any format as rows of text by header; from outside through `confined_reading`."""

from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from union_portal.kit import media_types
from union_portal.kit.plain_text import SPREADSHEET_FLOAT
from union_portal.kit.sheets import cell_scan, delimited
from union_portal.kit.sheets.rows import (
    EXAMPLE_MARKS,
    Limits,
    Row,
    SheetError,
    check_headers,
    header_text,
    no_header_row,
    no_table,
    too_many_rows,
)

_HEADER_WITHIN = 10

Cells = list[tuple[str, bool]]


@dataclass(frozen=True)
class OpenSheet:
    """A sheet whose header is known; ``rows`` can be walked once, while it is open.

    ``warnings`` are messages about what a person looking at the sheet may not have seen;
    ``total`` is about how many rows will come, for showing progress.
    """

    headers: Sequence[str]
    header_row: int
    rows: Iterator[Row]
    warnings: Sequence[SheetError] = ()
    total: int = 0


@contextmanager
def open_sheet(
    path: Path, *, expected: Collection[str] = (), limits: Limits | None = None
) -> Iterator[OpenSheet]:
    """Open an XLSX or CSV file by its content, whatever its name says.

    The header is the row among the first ten that holds most of the ``expected`` headers,
    or the first row that is not empty when none are expected. Errors: SheetError, also
    while the rows are walked.
    """
    allowed = limits or Limits()
    refuse_by_size(path, allowed)
    with path.open("rb") as file:
        media_type = media_types.sniff(file.read(media_types.HEAD))
    if media_type in (media_types.ZIP, media_types.OLE):
        # Its reader is loaded where sheets are opened: in a confined process, not in every one.
        from union_portal.kit.sheets import xlsx

        with xlsx.open_values(path, allowed) as values:
            numbered = ((n, [xlsx.cell_text(cell) for cell in row]) for n, row in values.rows)
            sheet = _with_header(numbered, expected, allowed)
            cell_scan.refuse_merges(values.found, sheet.header_row)
            warnings = _unseen(values.found, sheet.headers)
            total = values.found.last_row - sheet.header_row
            yield OpenSheet(sheet.headers, sheet.header_row, sheet.rows, warnings, total)
    elif media_types.no_table(media_type):
        raise no_table(media_type)
    else:
        with delimited.open_lines(path) as lines:
            numbered = ((n, [_csv_cell(cell) for cell in row]) for n, row in lines)
            sheet = _with_header(numbered, expected, allowed)
            total = delimited.count_lines(path) - sheet.header_row
            yield replace(sheet, total=total)


def _csv_cell(cell: str) -> tuple[str, bool]:
    return cell, bool(SPREADSHEET_FLOAT.fullmatch(cell)) and "e" in cell.lower()


def refuse_by_size(path: Path, limits: Limits) -> None:
    """Refuse an empty file and one that is too large, unread."""
    size = path.stat().st_size
    if size > limits.max_bytes:
        raise SheetError(
            gettext_noop("The file is larger than %(megabytes)s MB."),
            gettext_noop("Split it into several files, or remove pictures from it."),
            {"megabytes": limits.max_bytes // (1024 * 1024)},
        )
    if not size:
        raise SheetError(
            gettext_noop("The file is empty."), gettext_noop("Save the sheet and upload it again.")
        )


def _with_header(
    numbered: Iterator[tuple[int, Cells]], expected: Collection[str], limits: Limits
) -> OpenSheet:
    wanted = {header_text(header) for header in expected}
    head: list[tuple[int, Cells]] = []
    for number, cells in numbered:
        head.append((number, cells))
        if len(head) == _HEADER_WITHIN:
            break
    position = _header_position(head, wanted)
    header_row, cells = head[position]
    headers = [header_text(text) for text, _ in cells]
    check_headers(headers, header_row)
    rest = chain(head[position + 1 :], numbered)
    return OpenSheet(tuple(filter(None, headers)), header_row, _rows(rest, headers, limits))


def _header_position(head: Sequence[tuple[int, Cells]], wanted: AbstractSet[str]) -> int:
    names = [{header_text(text) for text, _ in cells} - {""} for _, cells in head]
    if not wanted:
        found = next((place for place, row in enumerate(names) if row), None)
    else:
        best = max(range(len(names)), key=lambda place: len(names[place] & wanted), default=0)
        found = best if names and names[best] & wanted else None
    if found is None:
        raise no_header_row()
    return found


def _rows(
    numbered: Iterator[tuple[int, Cells]], headers: Sequence[str], limits: Limits
) -> Iterator[Row]:
    count = 0
    is_plain = all(headers)
    for number, cells in numbered:
        texts, roundings = zip(*cells, strict=True) if cells else ((), ())
        if not any(texts):
            continue
        if texts[0].startswith(EXAMPLE_MARKS):
            continue
        count += 1
        if count > limits.max_rows:
            raise too_many_rows(limits)
        if is_plain and len(texts) == len(headers) and not any(roundings):
            yield Row(number, dict(zip(headers, texts, strict=True)))
        else:
            yield _row(number, cells, headers)


def _row(number: int, cells: Cells, headers: Sequence[str]) -> Row:
    by_header = dict.fromkeys(filter(None, headers), "")
    rounded = set()
    fault = None
    for place, (text, is_rounded) in enumerate(cells):
        header = headers[place] if place < len(headers) else ""
        if header:
            by_header[header] = text
            if is_rounded:
                rounded.add(header)
        elif text:
            fault = SheetError(
                gettext_noop("Row %(row)s has a value in column %(column)s, which has no header."),
                gettext_noop("Give the column a name or empty it; check for a stray separator."),
                {"row": number, "column": cell_scan.column_letters(place + 1)},
            )
    return Row(number, by_header, frozenset(rounded), fault)


def _unseen(found: cell_scan.Found, headers: Sequence[Any]) -> tuple[SheetError, ...]:
    warnings = []
    hidden = sorted(number for number in found.hidden_columns if number <= found.last_column)
    if hidden:
        warnings.append(
            SheetError(
                gettext_noop("Hidden columns are read as well: %(columns)s."),
                gettext_noop("Unhide them to see what they hold."),
                {"columns": ", ".join(map(cell_scan.column_letters, hidden))},
            )
        )
    if found.hidden_rows:
        warnings.append(
            SheetError(
                gettext_noop("%(count)s hidden or filtered rows are read as well."),
                gettext_noop("Clear the filter to see them."),
                {"count": found.hidden_rows},
            )
        )
    return tuple(warnings)
