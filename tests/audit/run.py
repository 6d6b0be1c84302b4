"""So many edits, drawn from a seed: each is made, looked for, and undone."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import IntegrityError

from tests.audit import rows
from tests.audit.log_edits import Edit
from union_portal import audit
from welfare.disbursement import invariants

# What no superuser can write either while these constraints stand; that they stand is asked by I15.
CANNOT: Final = {
    # Granted has a sum and refused has none: another outcome takes another sum with it, and that
    # is a kind of its own ("decision refused after all").
    "decision outcome": {"decision_amount_fits_outcome"},
    # Each fund has one account of each kind there is; the source alone has no floor, all others 0.
    # The books hold people's entitlements: a merchant beside the person would be a second payee.
    "entitlement merchant_id": {"entitlement_of_one_payee"},
    "ledgeraccount kind": {"ledger_account_only_source_has_no_floor"},
    "ledgeraccount floor_fen": {
        "ledger_account_only_source_has_no_floor", "ledger_account_floor",
    },
}  # fmt: skip


@dataclass
class Tally:
    """What was tried and found, by kind, and which check found it."""

    tried: Counter = field(default_factory=Counter)
    found: Counter = field(default_factory=Counter)
    by: dict[str, Counter] = field(default_factory=dict)
    # By kind and constraint: what a constraint that still stands refused. Not counted as tried.
    refused: Counter = field(default_factory=Counter)

    @property
    def missed(self) -> list[str]:
        return sorted(kind for kind in self.tried if self.found[kind] < self.tried[kind])

    @property
    def never_made(self) -> list[str]:
        """Kinds that were always refused, and nothing says why that must be so."""
        return sorted(
            f"{kind} ({constraint})"
            for kind, constraint in self.refused
            if not self.tried[kind] and constraint not in CANNOT.get(kind, ())
        )

    def lines(self) -> Iterator[str]:
        """One line a kind: found of tried, and by what; then what was refused, and by what."""
        for kind in sorted(self.tried):
            checks = " ".join(sorted(self.by[kind])) or "NOTHING"
            yield f"{kind:<44} {self.found[kind]:>4} of {self.tried[kind]:>4}  {checks}"
        for (kind, constraint), times in sorted(self.refused.items()):
            yield f"{kind:<44} {times:>4} refused, not counted: {constraint}"


# What breaks by waiting alone is no sign of an edit.
BY_THE_CLOCK = "I10"
Detect = Callable[[], set[str]]


def make(kinds: dict[str, Edit], count: int, seed: int, detect: Detect, tally: Tally) -> None:
    """Make `count` edits, every kind before any comes again; `detect` names what noticed."""
    end = tally.tried.total() + count
    in_vain = 0
    for kind, rng in _drawn(list(kinds), seed):
        if tally.tried.total() == end:
            break
        if in_vain == len(kinds):
            raise AssertionError(f"every kind of edit was refused: {tally.never_made}")
        in_vain += 1
        try:
            with rows.undone():
                if not kinds[kind](rng):
                    raise AssertionError(f"the edit itself must work: {kind}")
                noticed = detect()
        except IntegrityError as error:
            tally.refused[kind, _constraint_of(error)] += 1
            continue
        in_vain = 0
        tally.tried[kind] += 1
        tally.found[kind] += bool(noticed)
        tally.by.setdefault(kind, Counter()).update(noticed)
    if alarm := detect():
        raise AssertionError(f"a sound log or book is accused: {alarm}")


def _constraint_of(error: IntegrityError) -> str:
    cause: Any = error.__cause__
    return str(cause.diag.constraint_name)


def by_the_log() -> set[str]:
    """Whether the chain of the log noticed an edit."""
    return {"verify_audit"} if audit.verify() else set()


def broken_books() -> set[str]:
    """The invariants that an edit broke."""
    checked = [one.check() for one in invariants.INVARIANTS if one.code != BY_THE_CLOCK]
    return {result.code for result in checked if not result.holds}


def _drawn(kinds: list[str], seed: int) -> Iterator[tuple[str, random.Random]]:
    rng = random.Random(f"edits {seed}")
    number = 0
    while True:
        for kind in rng.sample(kinds, len(kinds)):
            number += 1
            yield kind, random.Random(f"edit {seed} {number}")
