"""A pass over a worksheet's XML that sees what a list of values no longer shows.

Values alone hide formulas, error cells, merges and hidden columns, and a single stray cell
in the far corner of a sheet would make a reader allocate all the cells before it.
"""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from django.utils.translation import gettext_noop

from union_portal.kit.sheets.rows import Limits, SheetError, too_many_rows

_SHOWN: Final = 5
_MAX_CELLS: Final = 6_000_000
_ROWS_ABOVE: Final = 20
_MAX_MERGES: Final = 10_000
_CHUNK: Final = 1024 * 1024


@dataclass
class Found:
    """What a worksheet holds besides plain values."""

    formulas: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    merges: list[str] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    hidden_rows: int = 0
    last_row: int = 0
    last_column: int = 0


class _Scan:
    """Handlers of one pass; cells without a value are layout and are passed over."""

    def __init__(self, limits: Limits) -> None:
        self.found = Found()
        self._limits = limits
        self._row = 0
        self._column = 0
        self._row_text = "0"
        self._cell: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2] if ":" in name else name
        if tag == "c":
            self._column += 1
            self._cell = attributes
        elif tag in ("v", "is", "f"):
            self._value(is_formula=tag == "f")
        elif tag == "row":
            self._start_row(attributes)
        elif tag == "mergeCell" and len(self.found.merges) < _MAX_MERGES:
            self.found.merges.append(attributes.get("ref", ""))
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes["min"]), int(attributes["max"])
            columns = range(first, min(last, self._limits.max_columns) + 1)
            self.found.hidden_columns.update(columns)

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row = int(attributes.get("r", self._row + 1))
        self._row_text, self._column = str(self._row), 0
        self.found.hidden_rows += attributes.get("hidden") in ("1", "true")

    def _value(self, *, is_formula: bool) -> None:
        column = self._placed_column()
        found = self.found
        if column > found.last_column or self._row > found.last_row:
            self._grow(max(self._row, found.last_row), max(column, found.last_column))
        if is_formula:
            self._note(found.formulas)
        elif self._cell.get("t") == "e":
            self._note(found.errors)

    def _grow(self, last_row: int, last_column: int) -> None:
        """Take in a cell beyond the table so far, if the table may be that large."""
        self.found.last_row, self.found.last_column = last_row, last_column
        if last_column > self._limits.max_columns:
            raise _stray(self._reference)
        if last_row > self._limits.max_rows + _ROWS_ABOVE:
            raise too_many_rows(self._limits)
        if last_row * last_column > _MAX_CELLS:
            raise _stray(self._reference)

    @property
    def _reference(self) -> str:
        return self._cell.get("r", "")

    def _placed_column(self) -> int:
        """The cell's column, from its reference where it has one."""
        reference = self._cell.get("r")
        if not reference:
            return self._column
        letters = reference.removesuffix(self._row_text)
        column = self._numbers.get(letters)
        if column is None:
            if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
                raise _stray(reference)
            column = self._numbers[letters] = column_number(letters)
        self._column = column
        return column

    def _note(self, references: list[str]) -> None:
        place = self._reference or f"{column_letters(self._column)}{self._row}"
        if len(references) < _SHOWN and (not references or references[-1] != place):
            references.append(place)

    def refuse_doctype(self, *_: Any) -> None:
        raise _stray("DOCTYPE")


def column_number(letters: str) -> int:
    """A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _stray(place: str) -> SheetError:
    return SheetError(
        gettext_noop("A cell lies far outside the table (%(place)s)."),
        gettext_noop("Delete everything to the right of and below the table, then save."),
        {"place": place[:20]},
    )


def scan_cells(clean: Path, member: str, limits: Limits) -> Found:
    """Scan one worksheet in constant memory. Errors: SheetError."""
    scan = _Scan(limits)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = scan.start
    parser.StartDoctypeDeclHandler = scan.refuse_doctype
    try:
        with zipfile.ZipFile(clean) as package, package.open(member) as source:
            while chunk := source.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, KeyError) as error:
        if isinstance(error, SheetError):
            raise
        raise SheetError(
            gettext_noop("The worksheet is damaged."),
            gettext_noop("Open it in a spreadsheet program and save it again."),
        ) from error
    return scan.found


def refuse_formulas_and_errors(found: Found) -> None:
    """Refuse cells whose text is not what was typed, naming the first few."""
    if found.formulas:
        raise SheetError(
            gettext_noop("The sheet contains formulas, for example in %(cells)s."),
            gettext_noop("Copy the columns and paste them as values, then save."),
            {"cells": ", ".join(found.formulas)},
        )
    if found.errors:
        raise SheetError(
            gettext_noop("Cells show an error such as #N/A, for example %(cells)s."),
            gettext_noop("Enter the right values in these cells."),
            {"cells": ", ".join(found.errors)},
        )


def refuse_merges(found: Found, header_row: int) -> None:
    """Refuse merged cells at or below the header; a merged title above it is harmless."""
    within = [
        merge
        for merge in found.merges
        if int("".join(filter(str.isdigit, merge.rpartition(":")[2])) or "0") >= header_row
    ]
    if within:
        raise SheetError(
            gettext_noop("Cells are merged: %(cells)s."),
            gettext_noop("Unmerge them and fill in every row."),
            {"cells": ", ".join(within[:_SHOWN])},
        )
