"""A corpus of hostile files, drawn from a seed: family after family, each time another variation.

A family is a function from a random generator to a `Hostile`; the decorator is all that a new one
needs. Every payload carries MARK, so that nothing of it can stay unnoticed in what is kept.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MARK = b"PAYLOAD-7f3a"


@dataclass(frozen=True)
class Hostile:
    """A file as it would be sent. `may_be_clean`: a picture may be kept if written anew."""

    name: str
    content: bytes
    may_be_clean: bool = False
    family: str = ""


Make = Callable[[random.Random], Hostile]
families: dict[str, Make] = {}


def family(make: Make) -> Make:
    """Register a family under the name of its function."""
    families[make.__name__] = make
    return make


def hostile_files(count: int, *, seed: int) -> Iterator[Hostile]:
    """So many files, one at a time; number n is the same whatever the count."""
    from tests.uploads import names, papers, pictures, sheets, texts

    assert names and papers and pictures and sheets and texts
    order = sorted(families)
    random.Random(seed).shuffle(order)
    for number in range(count):
        chosen = order[number % len(order)]
        made = families[chosen](random.Random(f"{seed}/{number}"))
        yield Hostile(made.name, made.content, made.may_be_clean, chosen)
