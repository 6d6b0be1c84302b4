"""Working days by the table of holidays that staff edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit import workdays
from union_portal.models import Holiday

if TYPE_CHECKING:
    from union_portal.models import Account

# The law named eleven days off a year until 2024 and thirteen since: a table with fewer is
# being typed in, and counting by it would end windows too early.
FEWEST_DAYS_OFF = 11
AUTUMN = 11


@dataclass(frozen=True)
class Calendar:
    """The holiday table as it stood when it was read."""

    holidays: Mapping[date, bool]
    known_years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        """Errors: kit.workdays.UnknownYear."""
        return workdays.is_workday(day, holidays=self.holidays, known_years=self.known_years)

    def window_end(self, posted_on: date, *, days: int, counts_first_day: bool) -> date:
        """Last day of a public notice of so many working days. Errors: UnknownYear."""
        return workdays.window_end(
            posted_on,
            days=days,
            include_first_day=counts_first_day,
            holidays=self.holidays,
            known_years=self.known_years,
        )

    def add(self, start: date, days: int) -> date:
        """The working day that is `days` working days after `start`. Errors: UnknownYear."""
        return workdays.add_workdays(
            start, days, holidays=self.holidays, known_years=self.known_years
        )

    def count(self, first: date, last: date) -> int:
        """Working days from `first` to `last`, both counted. Errors: UnknownYear."""
        return workdays.count_workdays(
            first, last, holidays=self.holidays, known_years=self.known_years
        )


def calendar() -> Calendar:
    """Read the table. A year counts as known once its days off are complete."""
    holidays = dict(Holiday.objects.values_list("day", "is_workday"))
    days_off: dict[int, int] = {}
    for day, is_worked in holidays.items():
        days_off[day.year] = days_off.get(day.year, 0) + (not is_worked)
    known = frozenset(year for year, count in days_off.items() if count >= FEWEST_DAYS_OFF)
    return Calendar(holidays, known)


def warning(today: date) -> str:
    """What staff should enter soon, in a sentence; empty when nothing is missing.

    The State Council announces a year's days in the November before.
    """
    needed = {today.year} | ({today.year + 1} if today.month >= AUTUMN else set())
    missing = sorted(needed - calendar().known_years)
    if not missing:
        return ""
    return _(
        "The holiday table does not cover %(years)s: no public notice can be posted whose "
        "window reaches into it. Enter the days off and make-up days."
    ) % {"years": ", ".join(map(str, missing))}


@transaction.atomic
def enter(*, day: date, is_workday: bool, name: str, source: str, by: Account) -> Holiday:
    """Write or correct one day of the table, with the announcement it comes from."""
    access.require(by, Permission.HOLIDAY_EDIT)
    entered, _created = Holiday.objects.update_or_create(
        day=day, defaults={"is_workday": is_workday, "name": name, "source": source}
    )
    audit.record("holiday.enter", entered, by=by, day=str(day), is_workday=is_workday)
    return entered


@transaction.atomic
def remove(*, holiday: Holiday, by: Account, reason: str) -> None:
    """Take a day out of the table. Windows that were computed with it stay as published."""
    access.require(by, Permission.HOLIDAY_EDIT)
    audit.record("holiday.remove", holiday, by=by, reason=reason, day=str(holiday.day))
    holiday.delete()
