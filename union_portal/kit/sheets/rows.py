"""What reading a sheet yields, and how far it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit import media_types
from union_portal.kit.refusals import Refused

MEBIBYTE: Final = 1024 * 1024
EXAMPLE_MARKS: Final = ("Example", "示例")
"""Rows whose first cell begins so are the template's own example and are skipped."""


class SheetError(Refused):
    """A file, sheet or row that cannot be read, with the way to mend it."""


@dataclass(frozen=True)
class Limits:
    """How much is read before a file is refused."""

    max_bytes: int = 20 * MEBIBYTE
    max_rows: int = 200_000
    max_columns: int = 200
    max_members: int = 500
    max_unpacked_bytes: int = 400 * MEBIBYTE
    max_ratio: int = 200


@dataclass(frozen=True)
class Row:
    """One row: its number as the spreadsheet shows it, and text by header.

    ``precision_lost`` names the headers whose cell is a number of more than 15 digits, which
    the spreadsheet has already rounded. A row with a ``fault`` cannot be used at all.
    """

    number: int
    cells: Mapping[str, str]
    precision_lost: frozenset[str] = frozenset()
    fault: SheetError | None = None


def header_text(cell: str) -> str:
    """A header without line breaks, spaces and the star that marks required columns."""
    return "".join(cell.split()).rstrip("*＊")


def check_headers(headers: Sequence[str], row_number: int) -> None:
    """Refuse a header row with two columns of one name."""
    seen: set[str] = set()
    for header in headers:
        if header and header in seen:
            raise SheetError(
                gettext_noop('Two columns are named "%(header)s" in row %(row)s.'),
                gettext_noop("Rename or delete one of them."),
                {"header": header, "row": row_number},
            )
        seen.add(header)


def no_header_row() -> SheetError:
    """The refusal of a sheet in which none of the expected columns is found."""
    return SheetError(
        gettext_noop("The header row with the names of the columns was not found."),
        gettext_noop("Start from the template: its headers must stand in one of the first rows."),
    )


def no_table(media_type: str) -> SheetError:
    """The refusal of a file that is something else than a table."""
    if media_type in media_types.ARCHIVES:
        remedy = gettext_noop("Unpack it and upload the table inside: a workbook (.xlsx) or CSV.")
    elif media_type == media_types.WEB_PAGE:
        remedy = save_as_xlsx()
    else:
        remedy = gettext_noop(
            'Save the table itself as "Excel workbook (.xlsx)" or CSV and upload that: another'
            " name makes no table of a file."
        )
    return SheetError(media_types.no_table(media_type), remedy)


def save_as_xlsx() -> str:
    """How what a spreadsheet program can open becomes what is read here."""
    return gettext_noop('Open it and save it as "Excel workbook (.xlsx)".')


def too_many_rows(limits: Limits) -> SheetError:
    """The refusal of a sheet that is too long."""
    return SheetError(
        gettext_noop("The sheet has more than %(rows)s rows."),
        gettext_noop("Split it into several files, or delete the empty rows at its end."),
        {"rows": limits.max_rows},
    )
