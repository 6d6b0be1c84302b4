"""Spreadsheets from outside, read defensively, and spreadsheets that cannot hurt a reader.

``open_sheet`` reads XLSX and CSV as rows of text, in a confined process; ``write_xlsx``,
``write_csv`` and ``write_template`` write cells that no program takes for formulas.
"""

from union_portal.kit.sheets.confined_reading import open_sheet
from union_portal.kit.sheets.reading import OpenSheet
from union_portal.kit.sheets.rows import Limits, Row, SheetError
from union_portal.kit.sheets.templates import Column, write_template
from union_portal.kit.sheets.writing import SheetData, escape_csv_cell, write_csv, write_xlsx

__all__ = [
    "Column",
    "Limits",
    "OpenSheet",
    "Row",
    "SheetData",
    "SheetError",
    "escape_csv_cell",
    "open_sheet",
    "write_csv",
    "write_template",
    "write_xlsx",
]
