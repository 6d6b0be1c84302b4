"""Dates as people write them in forms and spreadsheets."""

import re
from datetime import date, timedelta
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import halfwidth, without_invisible
from union_portal.kit.refusals import Refused

_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2199
_DAY_NUMBER: Final = re.compile(r"([1-7][0-9]{4})(?:\.0+)?")
_DAY_ZERO: Final = date(1899, 12, 30)
_YEAR_AND_MONTH: Final = re.compile(r"[0-9]{4}(?:[-/.][0-9]{1,2}|年[0-9]{1,2}月?)")
# Day or month first, nobody knows; nor whether a year of two digits is one.
_YEAR_LAST: Final = re.compile(r"[0-9]{1,2}([-/.])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})")
_WRITTEN: Final = re.compile(
    r"([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]?"
    r"|([0-9]{2})([0-9]{2}))(?:[ T]00:00(?::00)?)?"
)


class DateError(Refused):
    """A text that is no date."""


def read_date(text: str) -> date:
    """A date written as 2026-03-01, 2026/3/1, 2026.3.1, 2026年3月1日 or 20260301.

    Errors: DateError, also for a spreadsheet's bare day number, for impossible days and where
    the year stands last.
    """
    plain = without_invisible(halfwidth(text)).strip()
    match = _WRITTEN.fullmatch(plain) or _WRITTEN.fullmatch(plain.replace(" ", ""))
    if match is None and _YEAR_AND_MONTH.fullmatch(plain):
        raise DateError(
            gettext_noop("The day of the date is missing."),
            gettext_noop(
                "Write year, month and day, such as 2019-03-01. Spreadsheets turn 2019.10 into"
                " 2019.1, so that the month can't be told either."
            ),
        )
    if match is None and _YEAR_LAST.fullmatch(plain):
        raise DateError(
            gettext_noop(
                "It is not certain which part of the date is the day and which the month."
            ),
            gettext_noop("Write the year first, then month and day: 2024-01-03 or 2024年1月3日."),
        )
    if match is None:
        raise DateError(
            gettext_noop("This is not a complete date."),
            gettext_noop("Write year, month and day, such as 2026-03-01, or format it as a date."),
        )
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        read = date(year, month, day)
    except ValueError:
        raise DateError(
            gettext_noop("There is no such day in the calendar."),
            gettext_noop("Check the month and the day."),
        ) from None
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise DateError(
            gettext_noop("The year of the date is out of range."),
            gettext_noop("Enter a year between 1900 and 2199 with four digits."),
        )
    return read


def read_day_number(text: str) -> date | None:
    """The day that a spreadsheet counts as 43525, from 1927 to 2115; None for other texts.

    The numbers of years and of 20190301 are no day numbers. Whoever reads one tells so: old
    spreadsheets of one maker counted from 1904.
    """
    match = _DAY_NUMBER.fullmatch(without_invisible(halfwidth(text)).strip())
    return _DAY_ZERO + timedelta(days=int(match[1])) if match else None
