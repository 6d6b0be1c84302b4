"""Working days by a table of holidays and make-up days.

``holidays`` maps a date to True (a weekend day worked to make up) or False (a day off);
any other day is worked from Monday to Friday. A year outside ``known_years`` is not guessed.
"""

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused

_ONE_DAY = timedelta(days=1)


class UnknownYear(Refused):
    """The holiday table does not cover ``year``."""

    def __init__(self, year: int) -> None:
        super().__init__(
            gettext_noop("The holiday table does not cover %(year)s yet."),
            gettext_noop("Enter the State Council's holidays and make-up days of that year."),
            {"year": year},
        )
        self.args = (year,)
        self.year = year


def is_workday(day: date, *, holidays: Mapping[date, bool], known_years: Collection[int]) -> bool:
    """Whether the day is worked. Errors: UnknownYear."""
    if day.year not in known_years:
        raise UnknownYear(day.year)
    return holidays.get(day, day.weekday() < 5)


def add_workdays(
    start: date,
    days: int,
    *,
    include_first_day: bool = False,
    holidays: Mapping[date, bool],
    known_years: Collection[int],
) -> date:
    """The last of ``days`` working days from ``start``.

    With ``include_first_day`` the start counts if it is itself a working day; otherwise
    counting begins on the day after. Errors: UnknownYear, ValueError for days below 1.
    """
    if days < 1:
        raise ValueError("days must be at least 1")
    day, counted = start if include_first_day else start + _ONE_DAY, 0
    while True:
        counted += is_workday(day, holidays=holidays, known_years=known_years)
        if counted == days:
            return day
        day += _ONE_DAY


def window_end(
    posted_on: date,
    *,
    days: int,
    include_first_day: bool,
    holidays: Mapping[date, bool],
    known_years: Collection[int],
) -> date:
    """Last day of a public notice; what it guards may happen from the next day on.

    Hubei (12–18 March 2024) and Liaoning (18–22 April 2022) count the posting day: five
    working days each. Whether it counts and how many days are parameters of the notice.
    """
    return add_workdays(
        posted_on,
        days,
        include_first_day=include_first_day,
        holidays=holidays,
        known_years=known_years,
    )


def count_workdays(
    first: date,
    last: date,
    *,
    holidays: Mapping[date, bool],
    known_years: Collection[int],
) -> int:
    """Working days from ``first`` to ``last``, both counted; 0 if ``last`` is earlier."""
    span = range(max(0, (last - first).days + 1))
    return sum(
        is_workday(first + offset * _ONE_DAY, holidays=holidays, known_years=known_years)
        for offset in span
    )
