"""Text layouts: columns between separators of one or several characters."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_noop as _

from union_portal.kit import delimited_text
from union_portal.kit.delimited_text import Cells, wrong_width
from union_portal.kit.money import MoneyError, fen_from_yuan, plain_yuan
from union_portal.kit.refusals import Refused
from welfare.disbursement.bankfile.formats import (
    MOST_FAULTS,
    MOST_ROWS,
    BankFileRefused,
    FileHead,
    Format,
    PayLine,
    ReturnContents,
    ReturnLine,
    ReturnResult,
    as_said,
    contents,
    refused,
    unfit,
)


def build(layout: Format, head: FileHead, lines: Sequence[PayLine]) -> bytes:
    """Head, titles, one row a line, trailer: each only if the layout has it."""
    about = _about(head)
    rows: list[Cells] = []
    if layout.head:
        rows.append([about[name] for name in layout.head])
    if layout.titles:
        rows.append(list(layout.titles))
    rows += [_cells(layout, head, line) for line in lines]
    if layout.trailer:
        rows.append([about[name] for name in layout.trailer])
    faults = list(_unwritable(layout, lines))
    if faults:
        raise BankFileRefused(_("%(count)s lines can't be written for this bank."), faults)
    text = "".join(delimited_text.joined(layout, row) + layout.line_end for row in rows)
    return text.encode(layout.encoding)


def read_return(layout: Format, content: bytes) -> ReturnContents:
    """Read row by row, never all at once; then hold head and trailer against what was read."""
    rows = delimited_text.rows(layout, content, most_rows=MOST_ROWS, refuse=refused)
    around: list[Refused] = []
    faults: list[Refused] = []
    said: dict[str, dict[str, str]] = {"head": {}, "trailer": {}}
    read: list[ReturnLine] = []
    part = ""
    for part, number, cells in _placed(layout, rows):
        if part == "line":
            # Beyond so many faults rows are counted and split, and judged no more.
            is_judged = len(around) + len(faults) < MOST_FAULTS
            if is_judged and (line := _line(layout, number, cells, faults)):
                read.append(line)
        elif part == "titles":
            _pass_titles(layout, number, cells, around)
        else:
            names = layout.return_head if part == "head" else layout.return_trailer
            said[part] = _declared(number, cells, names, around)
    if not part:
        raise BankFileRefused(_("The file is empty. Fetch it from the bank again."))
    faults = around + faults
    if not faults:
        total = sum(line.amount_fen for line in read)
        for declared in said.values():
            faults += _disagreements(declared, len(read), total)
    if faults:
        raise refused(*faults)
    return contents(said["head"].get("batch_number", ""), read)


def _about(head: FileHead) -> dict[str, str]:
    return {
        "batch_number": head.batch_number,
        "payer_name": head.payer_name,
        "payer_account": head.payer_account,
        "pay_on": head.pay_on.isoformat(),
        "count": str(head.count),
        "total_yuan": plain_yuan(head.total_fen),
        "purpose": head.purpose,
    }


def _cells(layout: Format, head: FileHead, line: PayLine) -> Cells:
    values = {
        "sequence": str(line.sequence),
        "e2e": line.e2e,
        "amount_yuan": plain_yuan(line.amount_fen),
        "holder": line.holder,
        "account": line.account,
        "bank_name": line.bank_name,
        "bank_code": line.bank_code,
        "purpose": line.purpose,
        "batch_number": head.batch_number,
        "currency": "CNY",
        "empty": "",
    }
    return [values[name] for name in layout.columns]


def _unwritable(layout: Format, lines: Sequence[PayLine]) -> Iterator[Refused]:
    for line in lines:
        texts = (line.holder, line.bank_name, line.purpose)
        if any(delimited_text.breaks_a_row(layout, text) for text in texts):
            yield Refused(
                _("Line %(row)s holds the separator of this format in its text."),
                params={"row": line.sequence},
            )
        if delimited_text.lacks(layout.encoding, "".join(texts)):
            yield Refused(
                _("Line %(row)s holds a character that %(encoding)s does not have."),
                _("Choose a format in UTF-8 or GB18030 for this batch."),
                {"row": line.sequence, "encoding": layout.encoding.upper()},
            )


def _placed(layout: Format, rows: Iterator[tuple[int, Cells]]) -> Iterator[tuple[str, int, Cells]]:
    """Each row with the part of the file it is: head, titles, line, and the last one trailer."""
    before = ["head"] * bool(layout.return_head) + ["titles"] * layout.return_titles
    held: tuple[int, Cells] | None = None
    for row in rows:
        if before:
            yield before.pop(0), *row
            continue
        if held:
            yield "line", *held
        held = row
    if held:
        yield "trailer" if layout.return_trailer else "line", *held


def _pass_titles(layout: Format, number: int, cells: Cells, faults: list[Refused]) -> None:
    """Titles are not read; a payment in their place is not passed over."""
    if len(cells) != len(layout.return_columns):
        faults.append(wrong_width(number, wanted=len(layout.return_columns), found=len(cells)))
    elif cells[layout.return_columns.index("result")].strip() in layout.results:
        faults.append(
            Refused(
                _("Row %(row)s is a payment where this format has titles."),
                _("The file may be cut off or meant for another bank: fetch it again."),
                {"row": number},
            )
        )


def _declared(
    number: int, cells: Cells, names: tuple[str, ...], faults: list[Refused]
) -> dict[str, str]:
    if len(cells) != len(names):
        faults.append(wrong_width(number, wanted=len(names), found=len(cells)))
        return {}
    declared = dict(zip(names, (cell.strip() for cell in cells), strict=True))
    if fault := unfit(number, declared):
        faults.append(fault)
    return declared


def _line(layout: Format, number: int, cells: Cells, faults: list[Refused]) -> ReturnLine | None:
    if len(cells) != len(layout.return_columns):
        faults.append(wrong_width(number, wanted=len(layout.return_columns), found=len(cells)))
        return None
    values = dict(zip(layout.return_columns, (cell.strip() for cell in cells), strict=True))
    if fault := unfit(number, values):
        faults.append(fault)
        return None
    result = layout.results.get(values["result"])
    if result is None:
        faults.append(
            Refused(
                _("Row %(row)s, result: this is no answer this format knows (%(known)s)."),
                _("Ask the bank what it means, or add the word to the bank format."),
                {"row": number, "known": "、".join(layout.results)},
            )
        )
    try:
        amount = fen_from_yuan(values["amount_yuan"])
    except MoneyError as error:
        faults.append(
            Refused(
                _("Row %(row)s, amount: %(fault)s"),
                params={"row": number, "fault": str(error)},
            )
        )
        return None
    if result is None:
        return None
    return ReturnLine(
        row=number,
        e2e=values["e2e"],
        amount_fen=amount,
        account=values["account"],
        result=ReturnResult(result),
        cause=values.get("cause", "")[:80],
        bank_reference=values.get("bank_reference", ""),
    )


def _disagreements(declared: dict[str, str], count: int, total_fen: int) -> Iterator[Refused]:
    if "count" in declared and declared["count"] != str(count):
        yield Refused(
            _("The file says it holds %(said)s rows and holds %(count)s."),
            _("The file may be cut off: fetch it again."),
            {"said": as_said(declared["count"]), "count": count},
        )
    if "total_yuan" not in declared:
        return
    try:
        said = fen_from_yuan(declared["total_yuan"])
    except MoneyError:
        said = -1
    if said != total_fen:
        yield Refused(
            _("The file says its total is %(said)s yuan, its rows add up to %(total)s."),
            _("The file may be cut off or changed: fetch it again."),
            {"said": as_said(declared["total_yuan"]), "total": plain_yuan(total_fen)},
        )
