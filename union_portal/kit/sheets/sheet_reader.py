"""A sheet read out in parts; runs confined, see `confined_reading`."""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from union_portal.kit.confined import Answer
from union_portal.kit.refusals import Refused
from union_portal.kit.sheets import xlsx  # noqa: F401  (loaded before the process forks)
from union_portal.kit.sheets.reading import open_sheet
from union_portal.kit.sheets.rows import Limits, Row

ROWS_AT_ONCE: Final = 200


def read_out(
    _content: bytes, *, path: str, scratch: str, expected: list[str], limits: dict[str, Any]
) -> Iterator[Answer]:
    """What stands around the rows, then the rows. Unpacks into `scratch`. Errors: SheetError."""
    tempfile.tempdir = scratch
    with open_sheet(Path(path), expected=expected, limits=Limits(**limits)) as sheet:
        yield Answer(
            {
                "headers": list(sheet.headers),
                "header_row": sheet.header_row,
                "warnings": [as_told(warning) for warning in sheet.warnings],
                "total": sheet.total,
            }
        )
        while rows := list(islice(sheet.rows, ROWS_AT_ONCE)):
            yield Answer({"rows": [_row(row) for row in rows]})


def as_told(refusal: Refused | None) -> list[Any] | None:
    """A refusal as the parent makes it again."""
    if refusal is None:
        return None
    return [refusal.message_id, refusal.remedy_id, refusal.params]


def _row(row: Row) -> list[Any]:
    return [row.number, list(row.cells.values()), list(row.precision_lost), as_told(row.fault)]
