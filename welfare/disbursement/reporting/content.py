"""What a disbursement report says, as plain values: no rows, no clock, no settings.

Amounts are integer fen; identity and account numbers arrive masked and stay so.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused


class Outcome(TextChoices):
    """What became of one payment; the words equal the line's states."""

    READY = "ready", _("not sent")
    SENT = "sent", _("at the bank")
    UNKNOWN = "unknown", _("no answer")
    PAID = "paid", _("paid out")
    FAILED = "failed", _("not paid")
    RETURNED = "returned", _("came back")


@dataclass(frozen=True)
class Tally:
    """A number of payments and their sum."""

    lines: int = 0
    fen: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.lines + other.lines, self.fen + other.fen)


@dataclass(frozen=True)
class CountyFigures:
    """One county federation's part; `failed` holds what came back too."""

    name: str
    all: Tally
    paid: Tally
    failed: Tally

    @property
    def waiting(self) -> Tally:
        return Tally(
            self.all.lines - self.paid.lines - self.failed.lines,
            self.all.fen - self.paid.fen - self.failed.fen,
        )


@dataclass(frozen=True)
class PayeeLine:
    """One payment of the batch."""

    sequence: int
    reference: str
    county: str
    union: str
    name: str
    identity: str
    bank: str
    account: str
    amount_fen: int
    outcome: Outcome


@dataclass(frozen=True)
class FailureLine:
    """A payment that did not arrive or came back, and where it was started again."""

    sequence: int
    reference: str
    county: str
    name: str
    account: str
    amount_fen: int
    outcome: Outcome
    reason: str
    again_batch: str = ""
    again_sequence: int | None = None
    again_outcome: Outcome | None = None


@dataclass(frozen=True)
class Step:
    """One sentence of an explained sum."""

    clause: str
    text: str
    amount_fen: int


@dataclass(frozen=True)
class Voucher:
    """A payment that arrived, and why it was made."""

    payment: PayeeLine
    bank_reference: str
    paid_at: datetime
    decision: str
    decided_on: date
    rule: str
    clause: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Approval:
    """One person's word on exactly this content; `step` is the code of a batch's step."""

    step: str
    name: str
    at: datetime
    digest: str


@dataclass(frozen=True)
class Occurrence:
    """A return file that was read, an earlier version, a download."""

    what: str
    who: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class BankFileFigures:
    """The file the bank got."""

    name: str
    sha256: str
    at: datetime
    content: Tally


@dataclass(frozen=True)
class BatchFigures:
    """Everything of one batch that is no list of people; `state` is the code of its state."""

    office: str
    number: str
    organization: str
    period: str
    fund_code: str
    fund_name: str
    fund_source: str
    rule_title: str
    rule_version: str
    rule_clause: str
    rule_issuer: str
    rule_is_sample: bool
    pay_on: date
    state: str
    control: Tally
    digest: str
    counties: tuple[CountyFigures, ...]
    approvals: tuple[Approval, ...]
    bank_file: BankFileFigures | None = None
    return_files: tuple[Occurrence, ...] = ()
    corrects: str = ""
    corrected_by: tuple[str, ...] = ()

    @property
    def paid(self) -> Tally:
        return sum((county.paid for county in self.counties), Tally())

    @property
    def failed(self) -> Tally:
        return sum((county.failed for county in self.counties), Tally())

    @property
    def waiting(self) -> Tally:
        return sum((county.waiting for county in self.counties), Tally())


@dataclass(frozen=True)
class Issue:
    """This printing of the report: version, time, and what became of the earlier ones.

    `witness` is the last sealed block of the audit log and its digest.
    """

    version: int
    made_at: datetime
    made_by: str
    witness: str
    earlier: tuple[Occurrence, ...] = ()
    downloads: tuple[Occurrence, ...] = ()


class Disagreement(Refused):
    """The list and the totals of a report differ: nothing is issued."""

    def __init__(self, number: str, what: str, found: Tally, expected: Tally) -> None:
        super().__init__(
            gettext_noop(
                "Batch %(number)s: the %(what)s add up to %(lines)s payments and %(fen)s fen, the"
                " control totals to %(expected_lines)s and %(expected_fen)s."
            ),
            gettext_noop("Nothing is printed until they agree: let the books be checked."),
            {
                "number": number,
                "what": what,
                "lines": found.lines,
                "fen": found.fen,
                "expected_lines": expected.lines,
                "expected_fen": expected.fen,
            },
        )


Row = TypeVar("Row", PayeeLine, FailureLine, Voucher)


class ContentDigest:
    """sha256 over the figures and every row as one line of JSON each, in printed order.

    The same content gives the same digest whatever the layout, the version or the day.
    """

    def __init__(self, figures: BatchFigures) -> None:
        self._hash = hashlib.sha256(_line(asdict(figures)))

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows as they come, each taken into the digest."""
        for row in rows:
            self._hash.update(_line(vars(row)))
            yield row

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, default=str).encode() + b"\n"


def require_agreement(figures: BatchFigures, listed: Tally, paid: Tally) -> None:
    """The list adds up to the control totals, and so do counties and bank file.

    Raises Disagreement, which names both sides.
    """
    sums = {
        "listed lines": listed,
        "counties": sum((county.all for county in figures.counties), Tally()),
    }
    if figures.bank_file is not None:
        sums["bank file"] = figures.bank_file.content
    for what, found in sums.items():
        if found != figures.control:
            raise Disagreement(figures.number, what, found, figures.control)
    if paid != figures.paid:
        raise Disagreement(figures.number, "paid lines", paid, figures.paid)
