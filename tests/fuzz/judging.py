"""What must be true of every return file there is: read whole, or refused whole by name.

What the reader made of a file is compared with a count of its own: each line with something
on it is head, titles, trailer or one row; each transaction of a report is one row.
"""

from collections import defaultdict
from typing import Final
from xml.parsers import expat

from union_portal.kit.money import fen_from_yuan
from welfare.disbursement.bankfile import (
    BankFileRefused,
    Format,
    ReturnContents,
    ReturnResult,
    read_return,
)

# What a whole number of the database holds.
MOST: Final = 2**63 - 1
# Faults of the file as a whole, which no row can be named for.
OF_THE_WHOLE: Final = (
    "The file is empty",
    "The file answers no payment",
    "The file says",
    "The file holds more than",
    "This is ",
    "A file with a document type definition",
)


class Unjudged(AssertionError):
    """A row was dropped, changed or made that nobody can judge; or a refusal says too little."""


def judge(layout: Format, content: bytes) -> bool:
    """Whether the file is read; False if it is refused. Raises Unjudged, or what the reader
    itself should never have raised."""
    try:
        read = read_return(layout, content)
    except BankFileRefused as refusal:
        _tells_place_and_remedy(refusal)
        return False
    _can_be_kept(read)
    _is_whole(layout, content, read)
    return True


def _tells_place_and_remedy(refusal: BankFileRefused) -> None:
    _demand(len(str(refusal)) < 100_000, "a refusal is longer than a page")
    _demand(refusal.__context__ is None, "a refusal carries the file with it")
    if not refusal.faults:
        _demand(str(refusal).startswith(OF_THE_WHOLE), "a refusal names no fault")
    for fault in refusal.faults:
        whole = fault.message_id.startswith(OF_THE_WHOLE)
        _demand(whole or fault.params.get("row", 0) > 0, f"no place: {fault.message_id}")
        _demand(bool(fault.remedy_id) or "fault" in fault.params, f"no remedy: {fault.message_id}")


def _can_be_kept(read: ReturnContents) -> None:
    """The database takes every row, so that it gets its verdict."""
    _demand(bool(read.rows), "a file of no rows was read")
    _demand(0 <= abs(read.total_fen) <= MOST, "the total is no number of the database")
    _demand(read.total_fen == sum(row.amount_fen for row in read.rows), "the total is not theirs")
    _is_text(read.batch_number)
    for row in read.rows:
        _demand(abs(row.amount_fen) <= MOST, "an amount is no number of the database")
        _demand(row.result in tuple(ReturnResult), "a result is none")
        for text in (row.e2e, row.account, row.cause, row.bank_reference):
            _is_text(text)
        _demand(len(row.e2e) <= 35 and len(row.bank_reference) <= 64, "a name would be cut off")


def _is_text(text: str) -> None:
    text.encode()
    _demand("\0" not in text, "text that no database takes")


def _is_whole(layout: Format, content: bytes, read: ReturnContents) -> None:
    if layout.kind == "iso20022":
        _are_the_transactions(content, read)
        return
    text = content.decode(layout.encoding, errors="replace").removeprefix("\ufeff")
    lines = [line for line in text.replace("\r", "\n").split("\n") if line]
    around = bool(layout.return_head) + layout.return_titles + bool(layout.return_trailer)
    _demand(len(lines) == len(read.rows) + around, "a line was dropped, or made")
    if layout.return_titles:
        titles = lines[bool(layout.return_head)].split(layout.separator)
        there = titles[layout.return_columns.index("result")].strip().strip(layout.quote)
        _demand(there not in layout.results, "a payment passed for titles")
    for row in read.rows:
        _demand(row.e2e in text and row.account in text, "a name was changed")


def _are_the_transactions(content: bytes, read: ReturnContents) -> None:
    """Another parser finds the same payments, whole and once, in yuan."""
    try:
        found = Transactions(content).found
    except expat.ExpatError:
        return  # An encoding or a name that only the reader's parser knows: nothing to compare.
    _demand(len(found) == len(read.rows), "a transaction was dropped")
    for texts, row in zip(found, read.rows, strict=True):
        _demand(texts["OrgnlEndToEndId"] in ([], [row.e2e]), "an end-to-end id was cut off")
        (amount,) = texts["OrgnlTxRef/Amt/InstdAmt"]
        _demand(fen_from_yuan(amount) == row.amount_fen, "an amount was cut off")
        _demand(texts["Ccy"] == ["CNY"], "another currency was taken for yuan")


class Transactions:
    """What stands in each element called a transaction, by the way there from it."""

    def __init__(self, content: bytes) -> None:
        self.found: list[dict[str, list[str]]] = []
        self._way: list[str] = []
        self._text: list[str] = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.Parse(content, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "TxInfAndSts":
            self.found.append(defaultdict(list))
            self._way.clear()
        else:
            self._way.append(name)
        if self.found and "/".join(self._way) == "OrgnlTxRef/Amt/InstdAmt":
            self.found[-1]["Ccy"].append(attributes.get("Ccy", ""))
        self._text.clear()

    def _end(self, name: str) -> None:
        if self.found and self._way:
            self.found[-1]["/".join(self._way)].append("".join(self._text).strip())
            self._way.pop()
        self._text.clear()


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise Unjudged(what)
