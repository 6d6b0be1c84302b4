"""What the engine must do, in plain Python: no database, no set of rows, one thing at a time.

Each method says what one act does; whether somebody may do it stands beside it as `may_…`.
Read together with the states of `welfare/disbursement/states.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LIVE = ("ready", "sent", "unknown", "paid")
OPEN = ("ready", "sent", "unknown")
WAITING = ("approved", "generated", "delivering")
TOLD_IN_THIS_ORDER = ("unknown", "paid", "failed", "returned")


@dataclass(eq=False)
class Owed:
    """An entitlement; its decision is somebody else's and may change under it."""

    fund: int
    person: int
    fen: int
    state: str = "granted"
    decision: str = "clear"
    lines: list[Line] = field(default_factory=list)

    @property
    def is_free(self) -> bool:
        return self.state == "granted" and not any(line.state in LIVE for line in self.lines)


@dataclass(eq=False)
class Line:
    owed: Owed
    batch: Batch
    account: int
    state: str = "ready"
    is_retried: bool = False
    told: set[tuple[str, str]] = field(default_factory=set)
    kept: list[Row] = field(default_factory=list)


@dataclass(eq=False)
class Row:
    """One row of a return file; `flaw` is what does not fit its line."""

    result: str
    ref: str
    flaw: str = ""
    verdict: str = "no_match"


@dataclass(eq=False)
class Batch:
    fund: int
    maker: str
    steps: tuple[str, ...]
    state: str = "draft"
    fence: int = 0
    is_leased: bool = False
    lines: list[Line] = field(default_factory=list)
    approved: dict[str, str] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def missing(self, duty: str) -> list[str]:
        return [step for step in self.steps if duty in step and step not in self.approved]

    @property
    def debit(self) -> int:
        return sum(line.owed.fen for line in self.lines if line.state in ("paid", "returned"))


@dataclass
class Books:
    """Everything the engine knows. People have one confirmed account, counted from 0."""

    appropriated: list[int]
    accounts: list[int]
    owed: list[Owed] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    is_shut: bool = False

    # -- money: it follows from the lines, nothing else books it -----------------------

    def figures(self, fund: int) -> dict[str, int]:
        owed = [one for one in self.owed if one.fund == fund and one.state == "granted"]
        lines = [line for one in self.owed if one.fund == fund for line in one.lines]
        transit = sum(line.owed.fen for line in lines if line.state in ("sent", "unknown"))
        spent = sum(line.owed.fen for line in lines if line.state == "paid")
        reserved = sum(one.fen for one in owed) - transit - spent
        return {
            "appropriated_fen": self.appropriated[fund],
            "reserved_fen": reserved,
            "in_transit_fen": transit,
            "spent_fen": spent,
            "available_fen": self.appropriated[fund] - reserved - transit - spent,
        }

    # -- who can be paid ----------------------------------------------------------------

    def stale(self, fund: int, person: int) -> list[Owed]:
        """Entitlements of withdrawn decisions: they make way for a new one."""
        claims = [one for one in self.owed if (one.fund, one.person) == (fund, person)]
        return [one for one in claims if one.is_free and one.decision == "withdrawn"]

    def may_owe(self, fund: int, person: int, fen: int) -> bool:
        stale = self.stale(fund, person)
        taken = [
            one
            for one in self.owed
            if (one.fund, one.person, one.state) == (fund, person, "granted") and one not in stale
        ]
        freed = sum(one.fen for one in stale)
        return not taken and fen <= self.figures(fund)["available_fen"] + freed

    def can_be_paid(self, line: Line) -> bool:
        is_due = line.owed.decision == "clear" and line.owed.state == "granted"
        return is_due and line.account == self.accounts[line.owed.person]

    def payable(self, batch: Batch) -> bool:
        return all(self.can_be_paid(line) for line in batch.lines if line.state != "void")

    def fresh(self, fund: int) -> list[Owed]:
        return [
            one
            for one in self.owed
            if one.fund == fund and one.is_free and one.decision == "clear"
            and not any(line.state in ("failed", "returned") for line in one.lines)
        ]  # fmt: skip

    def again(self, batch: Batch) -> list[Owed]:
        found = []
        for one in self.owed:
            tried = [line for line in one.lines if line.batch is batch]
            if not (one.is_free and one.decision == "clear" and tried):
                continue
            last = one.lines[-1]
            has_failed = any(line.state in ("failed", "returned") for line in tried)
            is_other = last.account != self.accounts[one.person] or last.is_retried
            if has_failed and last.batch is batch and is_other:
                found.append(one)
        return found

    def fill(self, batch: Batch, chosen: list[Owed]) -> None:
        self.batches.append(batch)
        for one in chosen:
            line = Line(one, batch, self.accounts[one.person])
            batch.lines.append(line)
            one.lines.append(line)

    # -- people's steps -------------------------------------------------------------------

    def seal(self, batch: Batch) -> None:
        """Whoever may not be paid any more leaves it."""
        for line in batch.lines:
            if not (line.state == "ready" and self.can_be_paid(line)):
                self.set_void(line)
        batch.state, batch.approved = "sealed", {"maker": batch.maker}

    def void(self, batch: Batch) -> None:
        batch.state, batch.fence = "void", batch.fence + 1
        for line in batch.lines:
            self.set_void(line)

    def set_void(self, line: Line) -> None:
        line.state = "void"
        self.hear(line, [])

    # -- workers ---------------------------------------------------------------------------

    def generate(self, batch: Batch) -> bool:
        if self.is_shut or not self.payable(batch):
            return False
        batch.state = "generated"
        for line in batch.lines:
            if line.state == "ready":
                line.state = "sent"
                self.hear(line, [])
        return True

    def deliver(self, batch: Batch) -> None:
        batch.state, batch.is_leased = "delivered", False
        self.reconcile(batch)

    def reconcile(self, batch: Batch) -> None:
        if batch.state == "delivered" and not any(line.state in OPEN for line in batch.lines):
            batch.state = "reconciled"

    # -- what the bank says -----------------------------------------------------------------

    def hear(self, line: Line, rows: list[Row]) -> None:
        """Judge what is kept and what is new, the bank's order of things before its file's."""
        heard = sorted([*line.kept, *rows], key=lambda row: TOLD_IN_THIS_ORDER.index(row.result))
        fitting = [row for row in heard if not row.flaw]
        both = {"paid", "failed"} <= {row.result for row in fitting}
        line.kept = []
        for row in heard:
            row.verdict = row.flaw or self._verdict(line, row, both)
            if row.verdict == "early":
                line.kept.append(row)
            elif row.verdict == "applied":
                line.told.add((row.result, row.ref))
                if row.result == "returned" and line.batch.state == "closed":
                    line.batch.open.append("late_return")
                line.state = row.result
            elif row.verdict in ("amount", "conflict"):
                line.batch.open.append(row.verdict)
        self.end_with_its_decision(line.owed)

    def end_with_its_decision(self, owed: Owed) -> None:
        """A withdrawn decision owes nothing, as soon as no payment of it is on its way."""
        if owed.is_free and owed.decision == "withdrawn":
            owed.state = "withdrawn"

    def _verdict(self, line: Line, row: Row, both: bool) -> str:
        if (row.result, row.ref) in line.told:
            return "repeat"
        if line.state in ("ready", "void"):
            return "early" if line.state == "ready" else "conflict"
        if row.result == "unknown":
            return "applied" if line.state == "sent" else "repeat"
        if line.state in ("sent", "unknown"):
            return "early" if row.result == "returned" else "conflict" if both else "applied"
        if (line.state, row.result) == ("paid", "returned"):
            return "applied"
        has_told_paid = "paid" in {result for result, _ref in line.told}
        is_known = line.state in ("paid", "returned") and row.result == "paid" and not has_told_paid
        return "repeat" if is_known or line.state == row.result == "failed" else "conflict"
