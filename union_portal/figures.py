"""Headline figures: each app contributes a key and a query; pages, reports and tests read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.functional import Promise

from union_portal.kit import money
from union_portal.kit.shares import thousandths
from union_portal.models import CountedFigure

FEN: Final = "fen"
COUNT: Final = "count"


Compute = Callable[[date], int]


@dataclass(frozen=True)
class Figure:
    """One number: `unit` is "count" or "fen", `about` says in a sentence how it is counted.

    `compute` counts as of the end of a day. Only where rows tell of past days as they were does
    it `looks_back`; of others the day is today.
    """

    key: str
    title: str | Promise
    unit: str
    compute: Compute
    about: str | Promise = ""
    looks_back: bool = False

    def shown(self, number: int) -> str:
        """The number as people read it."""
        return money.shown(number) if self.unit == FEN else f"{number:,}"


_figures: dict[str, Figure] = {}


def figure(
    key: str,
    *,
    title: str | Promise,
    unit: str = COUNT,
    about: str | Promise = "",
    looks_back: bool = False,
) -> Callable[[Compute], Compute]:
    """Register a function of the day that counts rows or adds up fen."""

    def register(compute: Compute) -> Compute:
        if key in _figures:
            raise ValueError(f"the figure {key} is registered already")
        _figures[key] = Figure(key, title, unit, compute, about, looks_back)
        return compute

    return register


def registered() -> list[Figure]:
    """Every figure, in the order of registration."""
    return list(_figures.values())


def known(key: str) -> Figure | None:
    """The figure of a key; None where no app registers it any more."""
    return _figures.get(key)


def value(key: str) -> int:
    """One figure as of now. Errors: KeyError."""
    return _figures[key].compute(timezone.localdate())


def values() -> dict[str, int]:
    """Every figure as of now, by key."""
    today = timezone.localdate()
    return {known.key: known.compute(today) for known in registered()}


def keep(*, today: date) -> None:
    """Count every figure and keep it as today's, for pages that may not count rows."""
    _keep([(known, today) for known in registered()])


def look_back(*, today: date, months: int = 11) -> None:
    """Count the ends of past months anew, of the figures whose rows tell of them.

    For a portal that took its rows over: what was there before it counts by itself.
    """
    last_days = [today.replace(day=1) - timedelta(days=1)]
    while len(last_days) < months:
        last_days.append(last_days[-1].replace(day=1) - timedelta(days=1))
    _keep([(known, day) for known in registered() if known.looks_back for day in last_days])


def _keep(wanted: list[tuple[Figure, date]]) -> None:
    CountedFigure.objects.bulk_create(
        [CountedFigure(key=known.key, day=day, value=known.compute(day)) for known, day in wanted],
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
    def newest_shown(self) -> str:
        return self.figure.shown(self.newest.value)

    @property
    def bars(self) -> list[tuple[CountedFigure, str, int]]:
        """Each month's count, as text, and its share of the highest in thousandths."""
        highest = max(abs(month.value) for month in self.months)
        return [
            (month, self.figure.shown(month.value), thousandths(abs(month.value), highest))
            for month in self.months
        ]


def kept(months: int = 12, *, until: date | None = None) -> list[Kept]:
    """Every figure that was ever counted, in the order of registration; one query.

    `until` leaves later counts out: what is printed once can be printed again.
    """
    by_key: dict[str, list[CountedFigure]] = {}
    counted = CountedFigure.objects.annotate(month=TruncMonth("day"))
    if until is not None:
        counted = counted.filter(day__lte=until)
    for row in counted.order_by("key", "-month", "-day").distinct("key", "month"):
        by_key.setdefault(row.key, []).append(row)
    return [
        Kept(known, by_key[known.key][:months][::-1])
        for known in registered()
        if known.key in by_key
    ]
