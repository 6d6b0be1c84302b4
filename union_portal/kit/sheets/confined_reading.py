"""The door for sheets from outside: unpacked and read in a confined process, row by row."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.utils.translation import gettext_noop

from union_portal.kit import confined
from union_portal.kit.confined import MEBIBYTE, Answer
from union_portal.kit.sheets.reading import OpenSheet, refuse_by_size
from union_portal.kit.sheets.rows import Limits, Row, SheetError, save_as_xlsx

_MEMORY: Final = 96 * MEBIBYTE
_MEMORY_PER_BYTE: Final = 24
_SECONDS: Final = 120
_FILES: Final = 16


@contextmanager
def open_sheet(
    path: Path, *, expected: Collection[str] = (), limits: Limits | None = None
) -> Iterator[OpenSheet]:
    """`reading.open_sheet`, done in a confined process.

    A reader holds all the cells of a table, so what a file may cost grows with what was sent:
    it is a small file that unpacks without end, not a large table, that runs out of memory.
    Errors: SheetError, also while the rows are walked.
    """
    allowed = limits or Limits()
    refuse_by_size(path, allowed)
    bounds = confined.Bounds(
        memory=_MEMORY + _MEMORY_PER_BYTE * path.stat().st_size,
        seconds=_SECONDS,
        files=_FILES,
        file_bytes=allowed.max_unpacked_bytes + MEBIBYTE,
    )
    # Ours, so that it goes even if the child is killed.
    with (
        TemporaryDirectory(prefix="sheet-") as scratch,
        confined.stream(
            "sheet",
            bounds=bounds,
            refusal=SheetError,
            path=str(path.resolve()),
            scratch=scratch,
            expected=list(expected),
            limits=asdict(allowed),
        ) as answers,
    ):
        parts = _refusing(answers)
        yield _opened(next(parts).told, parts)


def _refusing(answers: Iterator[Answer]) -> Iterator[Answer]:
    """A child that failed is a refusal of the file."""
    try:
        yield from answers
        return
    except confined.Failed as failure:
        is_excess = failure.is_excess
    raise _too_costly() if is_excess else _unreadable()


def _opened(about: dict[str, Any], parts: Iterator[Answer]) -> OpenSheet:
    headers: list[str] = about["headers"]
    return OpenSheet(
        headers=tuple(headers),
        header_row=about["header_row"],
        rows=(_row(headers, *row) for part in parts for row in part.told["rows"]),
        warnings=tuple(SheetError(*warning) for warning in about["warnings"]),
        total=about["total"],
    )


def _row(headers: list[str], number: int, cells: list[str], rounded: list[str], fault: Any) -> Row:
    return Row(
        number,
        dict(zip(headers, cells, strict=True)),
        frozenset(rounded),
        SheetError(*fault) if fault else None,
    )


def _too_costly() -> SheetError:
    return SheetError(
        gettext_noop("The workbook unpacks to far more than a roster needs."),
        gettext_noop("Copy the rows into the template and upload that."),
    )


def _unreadable() -> SheetError:
    return SheetError(gettext_noop("The file is damaged or is not a workbook."), save_as_xlsx())
