"""Headline figures: each app contributes a key and a query; pages, reports and tests read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

FEN = "fen"
COUNT = "count"


@dataclass(frozen=True)
class Figure:
    """One number: `unit` is "count" or "fen"."""

    key: str
    title: str | Promise
    unit: str
    compute: Callable[[], int]


_figures: dict[str, Figure] = {}


def figure(
    key: str, *, title: str | Promise, unit: str = COUNT
) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Register a function without arguments that counts rows or adds up fen."""

    def register(compute: Callable[[], int]) -> Callable[[], int]:
        if key in _figures:
            raise ValueError(f"the figure {key} is registered already")
        _figures[key] = Figure(key, title, unit, compute)
        return compute

    return register


def registered() -> list[Figure]:
    """Every figure, in the order of registration."""
    return list(_figures.values())


def value(key: str) -> int:
    """One figure as of now. Errors: KeyError."""
    return _figures[key].compute()


def values() -> dict[str, int]:
    """Every figure as of now, by key."""
    return {known.key: known.compute() for known in registered()}
