"""How hard Hypothesis searches: the same examples each time in the suite, fresh ones on demand.

`--hypothesis-profile=search --hypothesis-seed=N` tries twenty times as many, other ones for
each seed; PORTAL_SEARCH is how many times as many instead of twenty.
"""

import os

from hypothesis import settings

_HUNDRED = 100


def register() -> None:
    """The two ways to search, the suite's loaded unless pytest is told otherwise."""
    common = {"deadline": None, "print_blob": True}
    settings.register_profile("suite", derandomize=True, max_examples=_HUNDRED, **common)
    more = int(os.environ.get("PORTAL_SEARCH", "20"))
    settings.register_profile("search", max_examples=_HUNDRED * more, **common)
    settings.load_profile("suite")


def examples(number: int) -> int:
    """So many in the suite, and as many times more as the profile asks for."""
    return number * settings().max_examples // _HUNDRED
