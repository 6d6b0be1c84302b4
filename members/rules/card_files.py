"""Applicants to a bank's bytes, a bank's rows to results. Pure; the layout is configuration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Final

from django.utils.translation import gettext_noop as _

from members.rules.card_layouts import CardLayout, fields_of
from union_portal.kit import delimited_text
from union_portal.kit.delimited_text import unfit, wrong_width
from union_portal.kit.plain_text import digits_as_typed, halfwidth
from union_portal.kit.refusals import FileRefused, Refused
from union_portal.kit.sheets import OpenSheet, Row, SheetData, escape_csv_cell, write_xlsx
from union_portal.kit.sheets.rows import header_text

# A file with more faults than this is another file altogether: reading it stops.
MOST_FAULTS: Final = 1000
WIDEST: Final = {"name": 60, "national_id": 40, "card_number": 60, "reference": 30, "cause": 200}
CAUSE_SHOWN: Final = 120
_WIDTH: Final = 22


class CardFileRefused(FileRefused):
    """A file that can't be written or read; `faults` are all of its faults, in order."""


@dataclass(frozen=True, slots=True)
class CardLine:
    """One applicant as the bank is told. `row` counts from 1 within the batch."""

    row: int
    reference: str
    name: str = field(repr=False)
    national_id: str = field(repr=False)
    phone: str = field(repr=False)
    employer: str = ""
    union: str = ""
    batch_number: str = ""


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One row of a bank's answer. `row` is the line in its file, from 1; the rest as it says."""

    row: int
    key: str
    name: str | None = field(repr=False)
    national_id: str | None = field(repr=False)
    number: str = field(repr=False)
    is_issued: bool
    cause: str = ""


def build(layout: CardLayout, lines: Sequence[CardLine]) -> bytes:
    """The bytes that go to the bank. Errors: CardFileRefused naming every line that can't go."""
    if not 1 <= len(lines) <= layout.most_rows:
        raise CardFileRefused(
            _("The file can't be written."),
            [
                Refused(
                    _("The bank takes 1 to %(most)s applicants in one file, this has %(count)s."),
                    _("Make the batch smaller, for example one county at a time."),
                    {"most": layout.most_rows, "count": len(lines)},
                )
            ],
        )
    if faults := list(_unwritable(layout, lines)):
        raise CardFileRefused(_("%(count)s applicants can't be written for this bank."), faults)
    rows = [_cells(layout, line) for line in lines]
    titles = [title for title, _name in layout.columns]
    if layout.kind == "xlsx":
        sheet = BytesIO()
        write_xlsx(sheet, [SheetData("名单", titles, rows, [_WIDTH] * len(titles))])
        return sheet.getvalue()
    written = [titles] * layout.has_titles + rows
    text = "".join(delimited_text.joined(layout, row) + layout.line_end for row in written)
    return text.encode(layout.encoding)


def read_text(layout: CardLayout, content: bytes) -> list[ResultLine]:
    """The rows of a delimited answer. Errors: CardFileRefused with all faults at once."""
    found = delimited_text.rows(layout, content, most_rows=layout.most_rows * 2, refuse=refused)
    columns, faults = fields_of(layout.result_columns), _Faults()
    if layout.result_has_titles:
        columns = _titled(layout, next(found, (1, []))[1])
    lines = []
    for number, cells in found:
        if faults.are_too_many:
            break
        if len(cells) != len(columns):
            faults.add(wrong_width(number, wanted=len(columns), found=len(cells)))
            continue
        said = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
        if line := _line(layout, number, said, faults):
            lines.append(line)
    return _whole(layout, lines, faults)


def read_sheet(layout: CardLayout, sheet: OpenSheet) -> list[ResultLine]:
    """The same of an opened workbook. Errors: CardFileRefused; SheetError while it is walked."""
    columns, faults = _titled(layout, list(sheet.headers)), _Faults()
    lines = []
    for row in sheet.rows:
        if faults.are_too_many:
            break
        if (fault := _sheet_fault(layout, row)) is not None:
            faults.add(fault)
            continue
        cells = (row.cells[header].strip() for header in sheet.headers)
        said = dict(zip(columns, cells, strict=True))
        if line := _line(layout, row.number, said, faults):
            lines.append(line)
    return _whole(layout, lines, faults)


def refused(*faults: Refused) -> CardFileRefused:
    """An answer that is not taken, with what is wrong in it."""
    return CardFileRefused(_("The result file was refused. Faults: %(count)s."), faults)


class _Faults:
    """What is wrong with a file, found row by row."""

    def __init__(self) -> None:
        self.found: list[Refused] = []

    def add(self, fault: Refused) -> None:
        self.found.append(fault)

    @property
    def are_too_many(self) -> bool:
        return len(self.found) >= MOST_FAULTS


def _cells(layout: CardLayout, line: CardLine) -> list[str]:
    values = {
        "row": str(line.row),
        "reference": line.reference,
        "name": line.name,
        "national_id": line.national_id,
        "phone": line.phone,
        "employer": line.employer,
        "union": line.union,
        "batch_number": line.batch_number,
        "empty": "",
    }
    cells = [values[name] for name in fields_of(layout.columns)]
    return cells if layout.kind == "xlsx" else [escape_csv_cell(cell) for cell in cells]


def _unwritable(layout: CardLayout, lines: Sequence[CardLine]) -> Iterator[Refused]:
    """A workbook holds every character; text only those of its encoding."""
    asked = set(fields_of(layout.columns))
    for line in lines:
        if "phone" in asked and not line.phone:
            yield Refused(
                _("Row %(row)s: no phone is known."),
                _("Have the phone entered, then make the batch."),
                {"row": line.row},
            )
        if layout.kind == "xlsx":
            continue
        texts = [text for text in _cells(layout, line) if text]
        if any(delimited_text.breaks_a_row(layout, text) for text in texts):
            yield Refused(
                _("Row %(row)s holds the separator of this format in its text."),
                _("Have the employer's or the union's name corrected, or change the separator."),
                {"row": line.row},
            )
        if delimited_text.lacks(layout.encoding, "".join(texts)):
            yield Refused(
                _("Row %(row)s: a name holds a character that %(encoding)s does not have."),
                _("Agree with the bank on GB18030 or UTF-8 and change the layout."),
                {"row": line.row, "encoding": layout.encoding.upper()},
            )


def _titled(layout: CardLayout, titles: Sequence[str]) -> list[str]:
    """The fields in the order in which a file has them. Errors: CardFileRefused."""
    known = {header_text(title): name for title, name in layout.result_columns}
    told = [header_text(title) for title in titles]
    missing = [title for title, name in known.items() if title not in told and name != "ignored"]
    if missing:
        raise refused(
            Refused(
                _("Columns are missing: %(what)s."),
                _("The file may be meant for another bank: compare it with the bank's layout."),
                {"what": "、".join(missing)},
            )
        )
    if len(set(told)) != len(told):
        raise refused(
            Refused(
                _("Two columns have the same title."),
                _("Fetch the file again as it is, without opening and saving it."),
            )
        )
    return [known.get(title, "ignored") for title in told]


def _sheet_fault(layout: CardLayout, row: Row) -> Refused | None:
    """A row that can't be used: a number that the spreadsheet has rounded, a value astray."""
    if row.fault is not None:
        return row.fault
    numbers = {
        header_text(title)
        for title, name in layout.result_columns
        if name in ("card_number", "national_id")
    }
    if row.precision_lost & numbers:
        return Refused(
            _("Row %(row)s: the spreadsheet has turned a number into a rounded one."),
            _("Ask the bank for the numbers as text: the last digits are lost."),
            {"row": row.number},
        )
    return None


def _line(
    layout: CardLayout, number: int, said: Mapping[str, str], faults: _Faults
) -> ResultLine | None:
    """A row as a result, or None with its fault. What makes a number sound is judged later."""
    if fault := unfit(number, said, WIDEST):
        faults.add(fault)
        return None
    result = layout.results.get(said["result"])
    if result is None:
        faults.add(
            Refused(
                _("Row %(row)s, result: this is no answer this layout knows (%(known)s)."),
                _("Ask the bank what it means, or add the word to the layout."),
                {"row": number, "known": "、".join(layout.results)},
            )
        )
        return None
    key = _key(layout.key, said[layout.key])
    if not key:
        faults.add(
            Refused(
                _("Row %(row)s names no application."),
                _("The file may be damaged or meant for another bank: fetch it again."),
                {"row": number},
            )
        )
        return None
    return ResultLine(
        row=number,
        key=key,
        name=said.get("name"),
        national_id=_number(said["national_id"]) if "national_id" in said else None,
        number=_number(said["card_number"]),
        is_issued=result == "issued",
        cause=" ".join(said.get("cause", "").split())[:CAUSE_SHOWN],
    )


def _key(kind: str, text: str) -> str:
    """What names the application; a row's number without zeros in front."""
    plain = _number(text)
    if kind != "row":
        return plain
    is_row = plain.isascii() and plain.isdigit() and len(plain) <= 9
    return str(int(plain)) if is_row and int(plain) else ""


def _number(text: str) -> str:
    return digits_as_typed(halfwidth(text)).upper()


def _whole(layout: CardLayout, lines: Sequence[ResultLine], faults: _Faults) -> list[ResultLine]:
    """All rows, if they agree with each other. Errors: CardFileRefused."""
    found = faults.found
    if not found:
        found += _contradictions(lines)
    if found:
        raise refused(*found)
    if not lines:
        raise refused(
            Refused(_("The file answers no application."), _("Fetch it from the bank again."))
        )
    if len(lines) > layout.most_rows * 2:
        raise refused(
            Refused(
                _("The file holds more than %(most)s rows."),
                _("A bank's answer is a short list: check whether it is the right one."),
                {"most": layout.most_rows * 2},
            )
        )
    return list(lines)


def _contradictions(lines: Sequence[ResultLine]) -> Iterator[Refused]:
    """Two rows that say different things of one application."""
    first: dict[str, ResultLine] = {}
    for line in lines:
        before = first.setdefault(line.key, line)
        if (before.is_issued, before.number) != (line.is_issued, line.number):
            yield Refused(
                _("Rows %(first)s and %(row)s say different things of one application."),
                _("Ask the bank which of them holds."),
                {"first": before.row, "row": line.row},
            )
