"""A clause of a scheme, and the table of clauses that is a scheme."""

from __future__ import annotations

from dataclasses import dataclass

from awards.rules.expressions import Condition, Fact, Given


@dataclass(frozen=True)
class Clause:
    """Must hold, or the person is refused under it.

    `refusal` and `holds` are message ids; `names` are the facts and givens they quote.
    A clause without `holds` says nothing when it is met.
    """

    clause: str
    needs: Condition
    refusal: str
    holds: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Award:
    """The amount (in fen) for those of whom `when` holds; the first that holds counts."""

    clause: str
    when: Condition | None
    amount: Fact | Given
    message: str


@dataclass(frozen=True)
class SchemeRules:
    """The clauses in the order they are asked, then what is awarded."""

    scheme: str
    clauses: tuple[Clause, ...]
    awards: tuple[Award, ...] = ()
