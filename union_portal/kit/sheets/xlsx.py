"""Values of a checked workbook as rows of text."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import python_calamine
from django.utils.translation import gettext_noop

from union_portal.kit.sheets import cell_scan, package_check
from union_portal.kit.sheets.rows import Limits, SheetError

_EXACT_DIGITS = 15


@dataclass(frozen=True)
class Values:
    """The cells of a worksheet, and what the scan found around them."""

    rows: Iterator[tuple[int, list[Any]]]
    found: cell_scan.Found


@contextmanager
def open_values(path: Path, limits: Limits) -> Iterator[Values]:
    """The first visible worksheet of a workbook that passed every check."""
    package_check.refuse_ole(path)
    with tempfile.TemporaryDirectory(prefix="sheet-") as folder:
        clean = Path(folder) / "clean.xlsx"
        package_check.copy_checked(path, clean, limits)
        package_check.refuse_outside(clean)
        parts = package_check.visible_sheets(clean)
        if not parts:
            raise SheetError(
                gettext_noop("The workbook has no visible worksheet."),
                gettext_noop("Copy the rows into the template and upload that."),
            )
        found = cell_scan.scan_cells(clean, parts[0].member, limits)
        cell_scan.refuse_formulas_and_errors(found)
        try:
            with python_calamine.load_workbook(str(clean)) as book:
                sheet = book.get_sheet_by_name(parts[0].name)
                first = sheet.start[0] + 1 if sheet.start else 1
                yield Values(enumerate(sheet.iter_rows(), start=first), found)
        except python_calamine.CalamineError as error:
            raise SheetError(
                gettext_noop("The worksheet is damaged."),
                gettext_noop("Open it in a spreadsheet program and save it again."),
            ) from error


def cell_text(value: Any) -> tuple[str, bool]:
    """A cell as text, and whether the spreadsheet has rounded it (over 15 digits).

    Dates become ISO, whole numbers lose their decimal point, other numbers show the 15
    significant digits a spreadsheet keeps.
    """
    if isinstance(value, str):
        return value.strip(), False
    if isinstance(value, float) and not value.is_integer():
        return _decimal_text(value), False
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = int(value)
        return str(whole), len(str(abs(whole))) > _EXACT_DIGITS
    return _other_text(value), False


def _other_text(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()


def _decimal_text(value: Any) -> str:
    text = f"{value:.{_EXACT_DIGITS}g}"
    return text if "e" not in text else f"{value:.20f}".rstrip("0")
