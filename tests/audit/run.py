"""So many edits, drawn from a seed: each is made, looked for, and undone."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import IntegrityError

from tests.audit import rows
from tests.audit.log_edits import Edit
from welfare.disbursement import invariants


@dataclass
class Tally:
    """What was tried and found, by kind, and which check found it."""

    tried: Counter = field(default_factory=Counter)
    found: Counter = field(default_factory=Counter)
    by: dict[str, Counter] = field(default_factory=dict)
    # What no superuser can write either: a constraint still stands. Not counted as tried.
    refused: Counter = field(default_factory=Counter)

    @property
    def missed(self) -> list[str]:
        return sorted(kind for kind in self.tried if self.found[kind] < self.tried[kind])

    def lines(self) -> Iterator[str]:
        """One line a kind: found of tried, and by what."""
        for kind in sorted(self.tried):
            checks = " ".join(sorted(self.by[kind])) or "NOTHING"
            yield f"{kind:<44} {self.found[kind]:>4} of {self.tried[kind]:>4}  {checks}"


# What breaks by waiting alone is no sign of an edit.
BY_THE_CLOCK = "I10"
Detect = Callable[[], set[str]]


def make(kinds: dict[str, Edit], count: int, seed: int, detect: Detect, tally: Tally) -> None:
    """Make `count` edits, every kind before any comes again; `detect` names what noticed."""
    end = tally.tried.total() + count
    for kind, rng in _drawn(list(kinds), seed):
        if tally.tried.total() == end:
            break
        try:
            with rows.undone():
                if not kinds[kind](rng):
                    raise AssertionError(f"the edit itself must work: {kind}")
                noticed = detect()
        except IntegrityError:
            tally.refused[kind] += 1
            continue
        tally.tried[kind] += 1
        tally.found[kind] += bool(noticed)
        tally.by.setdefault(kind, Counter()).update(noticed)
    if alarm := detect():
        raise AssertionError(f"a sound log or book is accused: {alarm}")


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
