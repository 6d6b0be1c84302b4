"""A bank to play with: it reads the real file and writes a real return file.

It keeps its own truth in its own folder and knows nothing of our database. It refuses a
batch number that comes again with other bytes (assumption A1 of the protocol). Which
accounts fail is drawn from the account number, so a rerun gives the same answers. For the
demo and the tests only.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from lxml import etree

from union_portal.kit.money import fen_from_yuan, plain_yuan
from union_portal.kit.refusals import Refused
from welfare.disbursement.bankfile import Format, ReturnResult
from welfare.disbursement.bankfile.iso20022 import PAIN_001, PAIN_002, RETURNED_REASON
from welfare.disbursement.register import put_once

CAUSES: Final = ("户名不符", "账号不存在", "账户已销户", "账户已冻结")
STATUS: Final = {"paid": "ACSC", "failed": "RJCT", "unknown": "PDNG", "returned": "RJCT"}


@dataclass(frozen=True)
class Payment:
    """One payment as the bank understood it, and what became of it."""

    sequence: int
    e2e: str
    account: str
    amount_fen: int
    result: str = ""
    cause: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Habits:
    """How the bank behaves: so many of a thousand lines fail or come back later.

    `part_of` splits the answer into so many files; `strangers`, `wrong_amounts` and
    `repeats` add so many rows that do not belong there. `early` tells of a payment that
    came back before it tells of its success.
    """

    failing_per_mille: int = 20
    returning_per_mille: int = 0
    part_of: int = 1
    strangers: int = 0
    wrong_amounts: int = 0
    repeats: int = 0
    early: bool = False


@dataclass
class Bank:
    """The bank of one folder: `outgoing` is what it gets, `incoming` what it answers."""

    folder: Path
    layout: Format
    habits: Habits = field(default_factory=Habits)

    @property
    def books(self) -> Path:
        return self.folder / "bank"

    def answer_all(self) -> list[Path]:
        """Pay every file not seen yet and write the answers; returns the new files."""
        written: list[Path] = []
        for file in sorted((self.folder / "outgoing").glob(f"*.{self.layout.extension}")):
            written += self.answer(file)
        return written

    def answer(self, file: Path) -> list[Path]:
        """Pay one file. The same bytes again change nothing; other bytes are refused."""
        content = file.read_bytes()
        number, payments = read_orders(self.layout, content)
        book = self.books / f"{number}.json"
        if book.exists():
            return []
        settled = [self._settle(payment, number) for payment in payments]
        put_once(self.books, book.name, _page(number, content, settled))
        return self._write_answers(number, settled)

    def seen_with_other_bytes(self, file: Path) -> bool:
        """Whether the bank would refuse this file: its batch number came with other bytes."""
        content = file.read_bytes()
        number, _payments = read_orders(self.layout, content)
        book = self.books / f"{number}.json"
        return (
            book.exists() and json.loads(book.read_text())["sha256"] != sha256(content).hexdigest()
        )

    def payments(self) -> list[Payment]:
        """The bank's whole truth."""
        return [
            Payment(**row)
            for book in sorted(self.books.glob("*.json"))
            for row in json.loads(book.read_text())["payments"]
        ]

    def _settle(self, payment: Payment, number: str) -> Payment:
        lot = int(sha256(payment.account.encode()).hexdigest()[:8], 16) % 1000
        reference = f"{number}-{payment.sequence:06d}"
        if lot < self.habits.failing_per_mille:
            cause = CAUSES[lot % len(CAUSES)]
            return replace(payment, result="failed", cause=cause, reference=reference)
        if lot < self.habits.failing_per_mille + self.habits.returning_per_mille:
            return replace(payment, result="returned", cause="账户已销户", reference=reference)
        return replace(payment, result="paid", reference=reference)

    def _write_answers(self, number: str, settled: Sequence[Payment]) -> list[Path]:
        rows = list(_told(settled, self.habits))
        size = -(-len(rows) // self.habits.part_of)
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        return [
            put_once(
                self.folder / "incoming",
                f"{number}-R{index:02d}.{self.layout.extension}",
                write_return(self.layout, number, part),
            )
            for index, part in enumerate(parts, start=1)
        ]


class OrdersUnreadable(Exception):
    """The bank can't read a file. Names the kind of fault and nothing of the content."""


def read_orders(layout: Format, content: bytes) -> tuple[str, list[Payment]]:
    """Read a bank file as the bank would: (batch number, payments). Errors: OrdersUnreadable."""
    try:
        return _orders(layout, content)
    except (ValueError, LookupError, csv.Error, etree.XMLSyntaxError, Refused) as error:
        fault = type(error).__name__
    # Raised out here: as its context the error would carry payees and accounts into a log.
    raise OrdersUnreadable(f"not a bank file of this format ({fault})")


def _orders(layout: Format, content: bytes) -> tuple[str, list[Payment]]:
    if layout.kind == "iso20022":
        return _read_pain_001(content)
    text = content.decode("utf-8-sig" if layout.encoding == "utf-8-sig" else layout.encoding)
    rows = _rows(layout, text)
    head = dict(zip(layout.head, rows.pop(0), strict=True)) if layout.head else {}
    if layout.titles:
        rows.pop(0)
    if layout.trailer:
        rows.pop()
    payments = [
        Payment(
            sequence=index,
            e2e=values["e2e"],
            account=values["account"],
            amount_fen=fen_from_yuan(values["amount_yuan"]),
        )
        for index, row in enumerate(rows, start=1)
        if (values := dict(zip(layout.columns, row, strict=True)))
    ]
    return head["batch_number"], payments


def write_return(layout: Format, number: str, rows: Sequence[Payment]) -> bytes:
    """A return file of the layout, its totals right."""
    if layout.kind == "iso20022":
        return _write_pain_002(number, rows)
    words = {result: word for word, result in layout.results.items()}
    about = {
        "batch_number": number,
        "count": str(len(rows)),
        "total_yuan": plain_yuan(sum(row.amount_fen for row in rows)),
    }
    cells = [[about[name] for name in layout.return_head]] if layout.return_head else []
    if layout.return_titles:
        cells.append(list(layout.return_columns))
    for row in rows:
        values = {
            "sequence": str(row.sequence),
            "batch_number": number,
            "e2e": row.e2e,
            "account": row.account,
            "amount_yuan": plain_yuan(row.amount_fen),
            "result": words[row.result],
            "cause": row.cause,
            "bank_reference": row.reference,
        }
        cells.append([values.get(name, "") for name in layout.return_columns])
    if layout.return_trailer:
        cells.append([about[name] for name in layout.return_trailer])
    encoding = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
    return "".join(_joined(layout, row) for row in cells).encode(encoding)


def _told(settled: Sequence[Payment], habits: Habits) -> Iterator[Payment]:
    """What the answer says, in its order: success and return of one payment are two rows."""
    for payment in settled:
        if payment.result != "returned":
            yield payment
            continue
        success = replace(payment, result="paid", cause="")
        late = replace(payment, reference=f"{payment.reference}-T")
        yield from (late, success) if habits.early else (success, late)
    yield from settled[: habits.repeats]
    for index in range(habits.strangers):
        yield replace(settled[0], e2e=f"X{index:010d}-1", reference=f"X{index}", result="paid")
    for payment in settled[: habits.wrong_amounts]:
        wrong = payment.amount_fen + 1
        yield replace(payment, amount_fen=wrong, reference=f"{payment.reference}-W", result="paid")


def _page(number: str, content: bytes, settled: Sequence[Payment]) -> bytes:
    page = {
        "batch_number": number,
        "sha256": sha256(content).hexdigest(),
        "payments": [asdict(payment) for payment in settled],
    }
    return json.dumps(page, ensure_ascii=False).encode()


def _rows(layout: Format, text: str) -> list[list[str]]:
    if layout.quote:
        stream = io.StringIO(text, newline="")
        return [
            row
            for row in csv.reader(stream, delimiter=layout.separator, quotechar=layout.quote)
            if row
        ]
    return [row.split(layout.separator) for row in text.splitlines() if row]


def _joined(layout: Format, cells: Sequence[str]) -> str:
    if not layout.quote:
        return layout.separator.join(cells) + layout.line_end
    out = io.StringIO()
    csv.writer(out, delimiter=layout.separator, lineterminator=layout.line_end).writerow(cells)
    return out.getvalue()


def _read_pain_001(content: bytes) -> tuple[str, list[Payment]]:
    names = {"p": PAIN_001}
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    payments = [
        Payment(
            sequence=index,
            e2e=node.findtext("p:PmtId/p:EndToEndId", "", names),
            account=node.findtext("p:CdtrAcct/p:Id/p:Othr/p:Id", "", names),
            amount_fen=fen_from_yuan(node.findtext("p:Amt/p:InstdAmt", "", names)),
        )
        for index, node in enumerate(root.iterfind(".//p:CdtTrfTxInf", names), start=1)
    ]
    return root.findtext(".//p:GrpHdr/p:MsgId", "", names), payments


def _write_pain_002(number: str, rows: Sequence[Payment]) -> bytes:
    maker: Any = etree
    root = maker.Element("Document", nsmap={None: PAIN_002})
    report = maker.SubElement(root, "CstmrPmtStsRpt")
    group = maker.SubElement(report, "OrgnlGrpInfAndSts")
    for name, text in (
        ("OrgnlMsgId", number),
        ("OrgnlNbOfTxs", str(len(rows))),
        ("OrgnlCtrlSum", plain_yuan(sum(row.amount_fen for row in rows))),
    ):
        maker.SubElement(group, name).text = text
    block = maker.SubElement(report, "OrgnlPmtInfAndSts")
    for row in rows:
        node = maker.SubElement(block, "TxInfAndSts")
        maker.SubElement(node, "OrgnlEndToEndId").text = row.e2e
        maker.SubElement(node, "TxSts").text = STATUS[row.result]
        is_back = row.result == ReturnResult.RETURNED
        if row.cause or is_back:
            about = maker.SubElement(node, "StsRsnInf")
            if is_back:
                reason = maker.SubElement(about, "Rsn")
                maker.SubElement(reason, "Prtry").text = RETURNED_REASON
            maker.SubElement(about, "AddtlInf").text = row.cause
        maker.SubElement(node, "AcctSvcrRef").text = row.reference
        original = maker.SubElement(node, "OrgnlTxRef")
        amount = maker.SubElement(maker.SubElement(original, "Amt"), "InstdAmt", Ccy="CNY")
        amount.text = plain_yuan(row.amount_fen)
        holder = maker.SubElement(maker.SubElement(original, "CdtrAcct"), "Id")
        maker.SubElement(maker.SubElement(holder, "Othr"), "Id").text = row.account
    written: bytes = maker.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written
