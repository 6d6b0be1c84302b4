"""Between which amounts a special hardship subsidy lies (X7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awards.rules import expressions
from awards.rules.schemes import WITHIN_BAND


@dataclass(frozen=True)
class Band:
    """The least and the most of one rule set, in fen."""

    least_fen: int
    most_fen: int

    def holds(self, fen: int) -> bool:
        """Judged by the clause itself, as the decision is."""
        return expressions.holds(WITHIN_BAND, {"amount_fen": fen}, vars(self))


def band_of(parameters: Mapping[str, Any]) -> Band:
    """The band that a rule set's parameters state."""
    return Band(parameters["least_fen"], parameters["most_fen"])
