"""Conditions as data: small enough to read in Python and to compile to SQL.

A fact is what is known about one person (never null: unknown is False, 0 or ""). A given
is a parameter of the rule set or of the question (the period, a reference day).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, Any]
Givens = Mapping[str, Any]


@dataclass(frozen=True)
class Fact:
    """What is known about the person; alone it is a yes-or-no."""

    name: str


@dataclass(frozen=True)
class Given:
    """A value that is the same for everybody."""

    name: str


@dataclass(frozen=True)
class Not:
    of: Condition


@dataclass(frozen=True)
class AllOf:
    of: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    of: tuple[Condition, ...]


@dataclass(frozen=True)
class AtLeast:
    left: Fact
    right: Given


@dataclass(frozen=True)
class AtMost:
    left: Fact
    right: Given


@dataclass(frozen=True)
class OneOf:
    fact: Fact
    texts: tuple[str, ...]


Condition = Fact | Given | Not | AllOf | AnyOf | AtLeast | AtMost | OneOf


def all_of(*conditions: Condition) -> AllOf:
    return AllOf(conditions)


def any_of(*conditions: Condition) -> AnyOf:
    return AnyOf(conditions)


def when(premise: Condition, then: Condition) -> AnyOf:
    """Asks for `then` only where the premise holds."""
    return AnyOf((Not(premise), then))


def holds(condition: Condition, facts: Facts, givens: Givens) -> bool:
    """Evaluate for one person. `awards.queries.compiled` does the same in SQL."""
    match condition:
        case Fact(name):
            answer = facts[name]
        case Given(name):
            answer = givens[name]
        case Not(of):
            answer = not holds(of, facts, givens)
        case AllOf(parts):
            answer = all(holds(part, facts, givens) for part in parts)
        case AnyOf(parts):
            answer = any(holds(part, facts, givens) for part in parts)
        case AtLeast(left, right):
            answer = facts[left.name] >= givens[right.name]
        case AtMost(left, right):
            answer = facts[left.name] <= givens[right.name]
        case OneOf(fact, texts):
            answer = facts[fact.name] in texts
    return bool(answer)
