"""One person measured against one scheme."""

from dataclasses import dataclass
from typing import Any

from awards.rules.clauses import Award, Clause, SchemeRules
from awards.rules.expressions import Fact, Facts, Givens, holds
from awards.rules.steps import Step, step


@dataclass(frozen=True)
class Assessment:
    """The outcome: entitled with an amount, refused, or blocked for want of a parameter.

    `steps` ends with the award, or with the first refusing clause; `refusals` holds every
    clause that refuses; `missing` names the parameter without which nothing can be paid.
    """

    is_entitled: bool
    amount_fen: int
    steps: tuple[Step, ...]
    refusals: tuple[Step, ...] = ()
    missing: str = ""

    @property
    def refusal(self) -> Step | None:
        return self.refusals[0] if self.refusals else None


def assess(rules: SchemeRules, facts: Facts, givens: Givens) -> Assessment:
    """Ask every clause in order, then the awards."""
    steps: list[Step] = []
    refusals: list[Step] = []
    for clause in rules.clauses:
        if not holds(clause.needs, facts, givens):
            refusals.append(_said(clause, clause.refusal, facts, givens))
        elif clause.holds and not refusals:
            steps.append(_said(clause, clause.holds, facts, givens))
    if refusals:
        return Assessment(False, 0, (*steps, refusals[0]), tuple(refusals))
    for award in rules.awards:
        if award.when is None or holds(award.when, facts, givens):
            return _awarded(award, steps, facts, givens)
    return Assessment(True, 0, tuple(steps))


def _awarded(award: Award, steps: list[Step], facts: Facts, givens: Givens) -> Assessment:
    amount: int | None = (facts if isinstance(award.amount, Fact) else givens)[award.amount.name]
    if amount is None:
        return Assessment(False, 0, tuple(steps), missing=award.amount.name)
    values = {"period": givens["period"], "amount_fen": amount}
    return Assessment(True, amount, (*steps, step(award.clause, award.message, values, amount)))


def _said(clause: Clause, message: str, facts: Facts, givens: Givens) -> Step:
    return step(clause.clause, message, quoted(clause.names, facts, givens))


def quoted(names: tuple[str, ...], facts: Facts, givens: Givens) -> dict[str, Any]:
    """The values a sentence quotes: givens first, then facts."""
    return {name: givens[name] if name in givens else facts[name] for name in names}
