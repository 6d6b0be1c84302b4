"""Import templates: a sheet that is hard to fill in wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from django.utils.translation import gettext as _

from union_portal.kit.sheets.cell_scan import column_letters
from union_portal.kit.sheets.writing import open_workbook, sheet_name

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_ROWS: Final = 5_000
_TITLE_LIMIT: Final = 32
_PROMPT_LIMIT: Final = 255


@dataclass(frozen=True)
class Column:
    """A column of a template.

    ``as_text`` is for numbers that are names: identity, phone and account numbers.
    ``choices`` become a drop-down list.
    """

    header: str
    example: str = ""
    choices: Sequence[str] = ()
    note: str = ""
    width: int = 16
    as_text: bool = False
    is_required: bool = False


def write_template(target: Path | BinaryIO, columns: Sequence[Column], *, title: str = "") -> None:
    """Write a template: headers, one example row marked as such, drop-downs, and notes.

    Required headers carry a star; the example row is skipped when the file is read.
    """
    with open_workbook(target, constant_memory=False) as book:
        sheet = book.add_worksheet(sheet_name(title or _("Data")))
        notes = book.add_worksheet(sheet_name(_("Notes")))
        lists = book.add_worksheet("lists")
        lists.hide()
        head = book.add_format({"bold": True, "bg_color": "#E7EEF7", "bottom": 1})
        grey = book.add_format({"italic": True, "font_color": "#808080", "num_format": "@"})
        text = book.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width, text if column.as_text else None)
            sheet.write_string(0, place, _header(column), head)
            mark = f"{_('Example')}: " if place == 0 else ""
            sheet.write_string(1, place, mark + column.example, grey)
            lists.write_column(0, place, column.choices)
            if column.choices or column.note:
                sheet.data_validation(2, place, _ROWS, place, _validation(column, place))
        _write_notes(notes, columns, head)


def _header(column: Column) -> str:
    return column.header + ("*" if column.is_required else "")


def _validation(column: Column, place: int) -> dict[str, object]:
    """A drop-down where there are choices, and the note as the prompt of the cell."""
    rule: dict[str, object] = {"validate": "any"}
    if column.choices:
        letters = column_letters(place + 1)
        rule = {
            "validate": "list",
            "source": f"=lists!${letters}$1:${letters}${len(column.choices)}",
            "error_title": column.header[:_TITLE_LIMIT],
            "error_message": _("Choose one of the values in the list."),
        }
    if column.note:
        rule["input_title"] = column.header[:_TITLE_LIMIT]
        rule["input_message"] = column.note[:_PROMPT_LIMIT]
    return rule


def _write_notes(notes: Worksheet, columns: Sequence[Column], head: Format) -> None:
    headers = (_("Column"), _("Required"), _("Example"), _("Choices"), _("How to fill it in"))
    for place, header in enumerate(headers):
        notes.write_string(0, place, header, head)
    notes.set_column(0, 3, 20)
    notes.set_column(4, 4, 60)
    for number, column in enumerate(columns, start=1):
        notes.write_string(number, 0, column.header)
        notes.write_string(number, 1, _("Yes") if column.is_required else _("No"))
        notes.write_string(number, 2, column.example)
        notes.write_string(number, 3, " / ".join(column.choices))
        notes.write_string(number, 4, column.note)
