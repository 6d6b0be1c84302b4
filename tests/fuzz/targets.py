"""The readers of files from outside, each as a function that any bytes may be given to.

A target returns if the bytes were read whole or refused by name, and raises otherwise. The
first byte chooses what the rest is: so a fuzzer learns to go from one to the other.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

import xlsxwriter

from tests.fuzz import files
from tests.fuzz.judging import Unjudged, judge
from tests.fuzz.layouts import LAYOUTS
from union_portal.kit.sheets import Limits, SheetError, open_sheet

Target = Callable[[bytes], None]
_NAMES: Final = sorted(LAYOUTS)
_ROSTER: Final = '姓名,身份证号,金额\n林小满,610802198803124021,300.00\n乔大年,,"1,500.05"\n'


def return_file(data: bytes) -> None:
    """A bank's answer, read with one of the layouts."""
    if data:
        judge(LAYOUTS[_NAMES[data[0] % len(_NAMES)]], data[1:])


def roster(data: bytes) -> None:
    """A CSV of people."""
    _read_sheet(data)


def workbook(data: bytes) -> None:
    """An XLSX: the whole package, or one of its members in a sound one."""
    if not data:
        return
    members = _members()
    chosen = sorted(members)[data[0] % len(members)] if data[0] < 200 else ""
    _read_sheet(_packed({**members, chosen: data[1:]}) if chosen else data[1:])


TARGETS: Final[Mapping[str, Target]] = {
    "return_file": return_file,
    "roster": roster,
    "workbook": workbook,
}
# Of a hundred inputs; readers of money first.
SHARES: Final[Mapping[str, int]] = {"return_file": 80, "roster": 15, "workbook": 5}


def seeds(target: str) -> Iterator[bytes]:
    """Sound inputs to begin with, made from the formats themselves."""
    if target == "return_file":
        for number, name in enumerate(_NAMES):
            for count in (1, 2, 5):
                yield bytes([number]) + files.answer(LAYOUTS[name], count, seed=count)
    elif target == "roster":
        for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
            for separator in (",", ";", "\t"):
                yield _ROSTER.replace(",", separator).encode(encoding)
    else:
        members = _members()
        for number, name in enumerate(sorted(members)):
            yield bytes([number]) + members[name]
        yield b"\xff" + _packed(members)


def _read_sheet(content: bytes) -> None:
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            with open_sheet(Path(file.name), limits=Limits(max_rows=2000)) as sheet:
                rows = list(sheet.rows)
        except SheetError as refusal:
            if not (str(refusal) and refusal.remedy_id):
                raise Unjudged("a refusal says too little") from None
            return
    for row in rows:
        if not set(row.cells) <= set(sheet.headers) or row.number <= sheet.header_row:
            raise Unjudged("a row is not of its sheet")


@cache
def _members() -> dict[str, bytes]:
    """The parts of a small sound workbook."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("名单")
        for number, line in enumerate(_ROSTER.splitlines()):
            sheet.write_row(number, 0, line.split(","))
    with zipfile.ZipFile(out) as package:
        return {name: package.read(name) for name in package.namelist()}


def _packed(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, content in members.items():
            package.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()
