"""CSV as Chinese offices write it: UTF-8 or GBK, comma, semicolon or tab."""

import codecs
import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.sheets.rows import SheetError

_CHUNK: Final = 1024 * 1024
_DELIMITERS: Final = ",;\t"
_FORCED_TEXT: Final = re.compile(r'="([^"]*)"|[\'\t]+(.*)', re.DOTALL)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(path: Path) -> str:
    """UTF-8 (with or without BOM), UTF-16 with BOM, or GB18030, which includes GBK.

    The whole file is decoded strictly: a guess from its beginning would garble a rare name
    at its end. Errors: SheetError.
    """
    with path.open("rb") as file:
        head = file.read(4)
    announced = [encoding for bom, encoding in _BOMS if head.startswith(bom)]
    for encoding in announced or ("utf-8", "gb18030"):
        if _decodes(path, encoding):
            return encoding
    raise SheetError(
        gettext_noop("The file is neither UTF-8 nor GBK text, or it is damaged."),
        gettext_noop('Save it as "CSV UTF-8" or as an .xlsx workbook.'),
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                if "\0" in decoder.decode(chunk):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def count_lines(path: Path) -> int:
    """About how many rows a file has: its line breaks, those inside quotes as well."""
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def detect_delimiter(line: str) -> str:
    """The most frequent of comma, semicolon and tab outside quotes; comma when none."""
    unquoted = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=unquoted.count)


@contextmanager
def open_lines(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Rows of a CSV file with the number of each row, read lazily."""
    encoding = detect_encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = [line for line, _ in zip(file, range(10), strict=False) if line.strip()]
        file.seek(0)
        delimiter = max(
            (detect_delimiter(line) for line in sample),
            key=lambda mark: max(line.count(mark) for line in sample),
            default=",",
        )
        yield _numbered(csv.reader(file, delimiter=delimiter, strict=True))


def _numbered(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:
        number += 1
        try:
            cells = next(lines, None)
        except (csv.Error, UnicodeError) as error:
            raise SheetError(
                gettext_noop("Row %(row)s cannot be read: a quotation mark is not closed."),
                gettext_noop("Mend the row, or save the sheet as an .xlsx workbook."),
                {"row": number},
            ) from error
        if cells is None:
            return
        yield number, [as_typed(cell) for cell in cells]


def as_typed(cell: str) -> str:
    """A cell without the tricks that keep a spreadsheet from rounding it: ="…", ' and tab."""
    stripped = cell.strip(" \r\n")
    match = _FORCED_TEXT.fullmatch(stripped)
    return (match[1] or match[2] or "").strip() if match else stripped.strip()
