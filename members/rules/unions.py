"""What the official fields of a union may say: dates in order, parts within the whole."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused

# Trade Union Law, art. 16: a committee is elected for three or five years.
LONGEST_TERM: Final = 5
FIRST_YEAR: Final = 1949
PARTS: Final = ("women_count", "farmer_workers_count")
INCOME: Final = ("brought_forward_fen", "dues_fen", "retained_fen", "other_income_fen")


class UnionRefused(Refused):
    """Official fields that can't be true; the text names which."""


def require_committee(
    first_on: date | None, present_on: date | None, until: date | None, *, today: date
) -> None:
    """First committee, present committee and its end follow each other. Errors: UnionRefused.

    A committee sits at most five years; the day on which it was elected is not to come.
    """
    for at, day in (("first_committee_on", first_on), ("committee_on", present_on)):
        if day is not None and day > today:
            raise UnionRefused(
                gettext_noop("The day of an election lies in the future."),
                gettext_noop("Enter the committee once it is elected."),
                at=at,
            )
    if first_on and present_on and present_on < first_on:
        raise UnionRefused(
            gettext_noop("The present committee was elected before the first one."),
            gettext_noop("Check both days."),
            at="committee_on",
        )
    if until is None:
        return
    if present_on is None or until < present_on:
        raise UnionRefused(
            gettext_noop("The committee's term ends before it begins."),
            gettext_noop("Enter the day of the election, and an end after it."),
            at="committee_until",
        )
    if until > _years_later(present_on, LONGEST_TERM):
        raise UnionRefused(
            gettext_noop("A committee is elected for at most %(years)s years."),
            gettext_noop("Check the end of the term."),
            {"years": LONGEST_TERM},
            at="committee_until",
        )


def require_year(figures: Mapping[str, Any], *, year: int, today: date) -> None:
    """A year's report: not of a year to come, no part above the workers, nothing below zero."""
    if not FIRST_YEAR <= year <= today.year:
        raise UnionRefused(
            gettext_noop("A year from %(first)s to %(last)s is reported."),
            gettext_noop("Check the year."),
            {"first": FIRST_YEAR, "last": today.year},
            at="year",
        )
    for part in PARTS:
        if figures[part] > figures["workers_count"]:
            raise UnionRefused(
                gettext_noop("There are more women or farmer workers than workers."),
                gettext_noop("Workers are all of them: women and farmer workers are parts."),
                at=part,
            )
    if any(value < 0 for value in figures.values()):
        raise UnionRefused(
            gettext_noop("A figure is below zero."),
            gettext_noop("Enter zero where there is nothing."),
        )


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + years, day=28)
