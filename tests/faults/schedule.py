"""Which fault comes when: drawn from a seed, written down, and read back for a replay."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

# How often each kind comes in a hundred. Kills and stalls happen at a place (see `points`).
WEIGHTS = {
    "kill": 50,
    "stall": 9,
    "terminate": 12,
    "cut-postgres": 8,
    "cut-redis": 3,
    "bells": 6,
    "lost-bells": 3,
    "kill-worker": 2,
    "stop-beat": 1,
    "wipe-redis": 2,
    "kill-redis": 1,
    "restart-postgres": 1,
    "crash-postgres": 1,
    "full-disk": 1,
}
# Workers on hosts of their own pass by no proxy: they are cut off whole, amid a delivery.
WEIGHTS_OF_HOSTS = {
    **{kind: weight for kind, weight in WEIGHTS.items() if not kind.startswith("cut-")},
    "cut-off": 12,
}
KINDS = WEIGHTS.keys() | WEIGHTS_OF_HOSTS.keys()
AT_A_PLACE = ("kill", "stall", "cut-off")
OF_A_DELIVERY = ("deliver.", "put_once.", "welfare.disbursement.delivery.")
MOST_BYTES = {"cut-postgres": 60_000, "cut-redis": 2_000}


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, and a place, a number of bytes, or which one of several."""

    kind: str
    at: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.at}".strip()

    @classmethod
    def read(cls, line: str) -> "Fault":
        kind, _space, at = line.strip().partition(" ")
        if kind not in KINDS:
            raise ValueError(f"unknown fault: {line.strip()}")
        return cls(kind, at)


def draw(seed: int, points: list[str], weights: dict[str, int] = WEIGHTS) -> Iterator[Fault]:
    """Faults without end: the same seed and places give the same faults.

    Places take turns in a shuffled order, so that each comes as often as any other.
    """
    rng = random.Random(seed)
    places = cycle(rng.sample(points, len(points)))
    stalled = cycle(rng.sample(points, len(points)))
    delivering = cycle([point for point in points if point.startswith(OF_A_DELIVERY)] or points)
    # One of each comes early, so that a short run has them all.
    first = [kind for kind in weights if kind not in AT_A_PLACE]
    rng.shuffle(first)
    for number in range(10**9):
        if first and number % 5 == 4:
            kind = first.pop()
        else:
            (kind,) = rng.choices(list(weights), list(weights.values()))
        if kind == "kill":
            yield Fault(kind, next(places))
        elif kind == "stall":
            yield Fault(kind, next(stalled))
        elif kind == "cut-off":
            yield Fault(kind, next(delivering))
        elif kind in MOST_BYTES:
            yield Fault(kind, str(rng.randrange(1, MOST_BYTES[kind])))
        else:
            yield Fault(kind, str(rng.randrange(100)))
