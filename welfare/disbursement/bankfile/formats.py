"""What a bank wants to read and will answer, as data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Self

from django.utils.translation import gettext_noop as _

from union_portal.kit import delimited_text
from union_portal.kit.delimited_text import ENCODINGS
from union_portal.kit.money import MAX_FEN, plain_yuan
from union_portal.kit.refusals import FileRefused, Refused

# A file with more faults than this is another file altogether: reading it stops.
MOST_FAULTS: Final = 1000
# Five answers to each line of the largest batch.
MOST_ROWS: Final = 500_000
# As wide as the database keeps them: cut off, two names might become one.
WIDEST: Final = {"e2e": 35, "bank_reference": 64}


class BankFileRefused(FileRefused):
    """A file that can't be written or read; `faults` are all of its faults, in order."""


def refused(*faults: Refused) -> BankFileRefused:
    """A return file that is not taken, with what is wrong in it."""
    return BankFileRefused(
        _("The return file was refused, nothing was booked. Faults: %(count)s."), faults
    )


def too_many_rows() -> BankFileRefused:
    return refused(
        Refused(
            _("The file holds more than %(most)s rows."),
            _("A return file is a short list: check whether it is the right one."),
            {"most": MOST_ROWS},
        )
    )


def as_said(text: str) -> str:
    """A number that a file states, for a message; whatever else stands there is not repeated."""
    return text if re.fullmatch(r"[0-9.,]{1,15}", text, re.ASCII) else "?"


class ReturnResult(StrEnum):
    """What the bank says of one line."""

    PAID = "paid"
    FAILED = "failed"
    UNKNOWN = "unknown"
    RETURNED = "returned"


@dataclass(frozen=True)
class PayLine:
    """One payment. `sequence` counts from 1 in the order of `e2e`."""

    sequence: int
    e2e: str
    amount_fen: int
    holder: str = field(repr=False)
    account: str = field(repr=False)
    bank_name: str = ""
    bank_code: str = ""
    purpose: str = ""


@dataclass(frozen=True)
class FileHead:
    """The batch as a whole; `made_at` is the batch's own time, so that bytes repeat."""

    batch_number: str
    payer_name: str
    payer_account: str
    pay_on: date
    made_at: datetime
    count: int
    total_fen: int
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """One row of a return file. `row` is the line in the file, from 1."""

    row: int
    e2e: str
    amount_fen: int
    account: str = field(repr=False)
    result: ReturnResult
    cause: str = ""
    bank_reference: str = ""


@dataclass(frozen=True)
class ReturnContents:
    """A return file that agrees with itself."""

    batch_number: str
    rows: tuple[ReturnLine, ...]
    total_fen: int


def contents(batch_number: str, rows: Sequence[ReturnLine]) -> ReturnContents:
    """Rows without a fault, as a file. Raises BankFileRefused if it answers nothing."""
    if not rows:
        raise BankFileRefused(_("The file answers no payment. Fetch it from the bank again."))
    total = sum(row.amount_fen for row in rows)
    if abs(total) > MAX_FEN:
        raise refused(
            Refused(
                _("The file holds more than %(most)s yuan."),
                _("Check with the bank whose file this is."),
                {"most": plain_yuan(MAX_FEN)},
            )
        )
    return ReturnContents(batch_number, tuple(rows), total)


def unfit(row: int, values: Mapping[str, str]) -> Refused | None:
    """Why a row's texts can't be kept as they are, or None."""
    return delimited_text.unfit(row, values, WIDEST)


FILE_FIELDS: Final = frozenset(
    {
        "batch_number", "payer_name", "payer_account", "pay_on", "count", "total_yuan", "purpose",
    }
)  # fmt: skip
LINE_FIELDS: Final = frozenset(
    {
        "sequence", "e2e", "amount_yuan", "holder", "account", "bank_name", "bank_code", "purpose",
        "batch_number", "currency", "empty",
    }
)  # fmt: skip
RETURN_FIELDS: Final = frozenset(
    {
        "sequence", "batch_number", "e2e", "amount_yuan", "account", "holder", "result", "cause",
        "bank_reference", "ignored",
    }
)  # fmt: skip
RETURN_NEEDS: Final = frozenset({"e2e", "amount_yuan", "account", "result"})


@dataclass(frozen=True)
class Format:
    """A bank's layout: `kind` is "delimited" or "iso20022"."""

    name: str
    kind: str
    encoding: str = "utf-8"
    extension: str = "csv"
    separator: str = ","
    quote: str = '"'
    line_end: str = "\r\n"
    max_rows: int = 100_000
    head: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    trailer: tuple[str, ...] = ()
    return_head: tuple[str, ...] = ()
    return_titles: bool = True
    return_columns: tuple[str, ...] = ()
    return_trailer: tuple[str, ...] = ()
    results: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_config(cls, name: str, config: Mapping[str, Any]) -> Self:
        """Read a stored configuration. Raises Refused naming what is unknown or missing."""
        known = set(cls.__dataclass_fields__) - {"name"}
        if strange := sorted(set(config) - known):
            raise Refused(
                _("Bank format “%(name)s” has unknown settings: %(what)s."),
                params={"name": name, "what": ", ".join(strange)},
            )
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in config.items()
        }
        made = cls(name=name, **values)
        made.check()
        return made

    def check(self) -> None:
        """Raise Refused if the layout can't work."""
        if self.kind == "iso20022":
            return
        wrong = sorted(
            (set(self.columns) - LINE_FIELDS)
            | ({*self.head, *self.trailer} - FILE_FIELDS)
            | (set(self.return_columns) - RETURN_FIELDS)
            | ({*self.return_head, *self.return_trailer} - FILE_FIELDS)
            | (set(self.results.values()) - set(ReturnResult))
        )
        if self.kind != "delimited" or not self.separator or not self.columns or wrong:
            raise Refused(
                _("Bank format “%(name)s” names fields that do not exist: %(what)s."),
                params={"name": self.name, "what": ", ".join(wrong) or self.kind},
            )
        if self.encoding not in ENCODINGS:
            raise Refused(
                _("Bank format “%(name)s” names an encoding that is not known: %(what)s."),
                _("Choose one of: %(known)s."),
                {"name": self.name, "what": self.encoding, "known": ", ".join(sorted(ENCODINGS))},
            )
        if self.quote and (len(self.quote), len(self.separator)) != (1, 1):
            raise Refused(
                _("Bank format “%(name)s”: with quotation marks, both marks are one character."),
                _("Leave “quote” empty for a separator of several characters."),
                {"name": self.name},
            )
        if twice := sorted(
            {name for name in self.return_columns if self.return_columns.count(name) > 1}
            - {"ignored"}
        ):
            raise Refused(
                _("Bank format “%(name)s” reads a column twice: %(what)s."),
                _("Call the columns that are not read “ignored”."),
                {"name": self.name, "what": ", ".join(twice)},
            )
        if missing := sorted(RETURN_NEEDS - set(self.return_columns)):
            raise Refused(
                _("Bank format “%(name)s” leaves out what a return row needs: %(what)s."),
                params={"name": self.name, "what": ", ".join(missing)},
            )


_GENERIC: Final[dict[str, Any]] = {
    "kind": "delimited",
    "separator": ",",
    "head": ["batch_number", "payer_account", "pay_on", "count", "total_yuan"],
    "titles": ["序号", "收款人户名", "收款人账号", "开户行", "金额", "用途", "端到端标识"],
    "columns": ["sequence", "holder", "account", "bank_name", "amount_yuan", "purpose", "e2e"],
    "return_head": ["batch_number", "count", "total_yuan"],
    "return_columns": [
        "sequence", "e2e", "account", "amount_yuan", "result", "cause", "bank_reference",
    ],
    "results": {"成功": "paid", "失败": "failed", "处理中": "unknown", "退票": "returned"},
}  # fmt: skip

# Generic layouts; a bank's own is a row in the database with the same keys.
SHIPPED: Final[dict[str, dict[str, Any]]] = {
    "generic-gbk": {**_GENERIC, "encoding": "gb18030"},
    "generic-utf8": {**_GENERIC, "encoding": "utf-8-sig"},
    "delimited-pipe": {
        **_GENERIC,
        "encoding": "gb18030",
        "separator": "|!",
        "quote": "",
        "line_end": "\n",
        "extension": "txt",
        "titles": [],
        "return_titles": False,
        "trailer": ["count", "total_yuan"],
        "return_trailer": ["count", "total_yuan"],
    },
    "pain.001": {"kind": "iso20022", "extension": "xml", "encoding": "utf-8"},
}
