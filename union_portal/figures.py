"""Headline figures: each app contributes a key and a query; pages, reports and tests read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models.functions import TruncMonth
from django.utils.functional import Promise

from union_portal.kit.money import yuan
from union_portal.models import CountedFigure

FEN: Final = "fen"
COUNT: Final = "count"


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


def keep(*, today: date) -> None:
    """Count every figure and keep it as today's, for pages that may not count rows."""
    CountedFigure.objects.bulk_create(
        [CountedFigure(key=key, day=today, value=number) for key, number in values().items()],
        update_conflicts=True,
        unique_fields=["key", "day"],
        update_fields=["value", "counted_at"],
    )


@dataclass(frozen=True)
class Kept:
    """A figure with the last count of each of its last months, the oldest first."""

    figure: Figure
    months: list[CountedFigure]

    @property
    def newest(self) -> CountedFigure:
        return self.months[-1]

    @property
    def bars(self) -> list[tuple[CountedFigure, str, int]]:
        """Each month's count, as text, and its share of the highest in thousandths."""
        highest = max(abs(month.value) for month in self.months) or 1
        return [
            (month, self.shown(month.value), abs(month.value) * 1000 // highest)
            for month in self.months
        ]

    def shown(self, number: int) -> str:
        return yuan(number) if self.figure.unit == FEN else f"{number:,}"


def kept(months: int = 12) -> list[Kept]:
    """Every figure that was ever counted, in the order of registration; one query."""
    by_key: dict[str, list[CountedFigure]] = {}
    counted = CountedFigure.objects.annotate(month=TruncMonth("day"))
    for row in counted.order_by("key", "-month", "-day").distinct("key", "month"):
        by_key.setdefault(row.key, []).append(row)
    return [
        Kept(known, by_key[known.key][:months][::-1])
        for known in registered()
        if known.key in by_key
    ]
