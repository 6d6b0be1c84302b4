"""Between which amounts a special hardship subsidy lies, by the rules of a day (X7)."""

from dataclasses import dataclass
from datetime import date

from awards.models import Scheme
from union_portal.models import RuleSet


@dataclass(frozen=True)
class Band:
    """The least and the most in fen, both of them possible, and whose rules say so."""

    rules: RuleSet
    least_fen: int
    most_fen: int

    def holds(self, fen: int) -> bool:
        return self.least_fen <= fen <= self.most_fen


def band_on(day: date) -> Band | None:
    """None while no rules are in force: then nobody can apply."""
    rules = RuleSet.objects.in_force(Scheme.SPECIAL_HARDSHIP, day).first()
    return None if rules is None else band_of(rules)


def band_of(rules: RuleSet) -> Band:
    return Band(rules, rules.parameters["least_fen"], rules.parameters["most_fen"])
