"""Windows of public notices, counted in working days."""

import pickle
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from union_portal.kit.calendar_2025_2026 import HOLIDAYS, KNOWN_YEARS, NAMES
from union_portal.kit.workdays import (
    UnknownYear,
    count_workdays,
    is_workday,
    window_end,
)

DAYS = st.dates(date(2025, 1, 1), date(2026, 10, 1))


def end(posted_on: date, days: int = 5, *, include_first_day: bool = True) -> date:
    return window_end(
        posted_on,
        days=days,
        include_first_day=include_first_day,
        holidays=HOLIDAYS,
        known_years=KNOWN_YEARS,
    )


@pytest.mark.parametrize(
    ("posted_on", "last_day"),
    [
        (date(2024, 3, 12), date(2024, 3, 18)),  # Hubei
        (date(2022, 4, 18), date(2022, 4, 22)),  # Liaoning
    ],
)
def test_five_working_days_count_the_posting_day(posted_on: date, last_day: date) -> None:
    counted = window_end(
        posted_on,
        days=5,
        include_first_day=True,
        holidays={},
        known_years={posted_on.year},
    )
    assert counted == last_day


def test_a_notice_may_start_counting_the_day_after() -> None:
    assert end(date(2026, 3, 9), include_first_day=False) == date(2026, 3, 16)
    assert end(date(2026, 3, 9), include_first_day=True) == date(2026, 3, 13)


def test_a_window_runs_around_national_day_and_counts_its_make_up_day() -> None:
    assert end(date(2026, 9, 30)) == date(2026, 10, 12)
    assert end(date(2025, 9, 26)) == date(2025, 10, 9)


def test_a_notice_posted_on_a_holiday_starts_on_the_next_working_day() -> None:
    assert end(date(2026, 10, 1)) == end(date(2026, 10, 8)) == date(2026, 10, 13)


def test_make_up_weekends_are_worked_and_festival_weekdays_are_not() -> None:
    def worked(day: date) -> bool:
        return is_workday(day, holidays=HOLIDAYS, known_years=KNOWN_YEARS)

    assert worked(date(2026, 2, 14))
    assert worked(date(2025, 10, 11))
    assert not worked(date(2026, 2, 23))
    assert not worked(date(2025, 10, 8))
    assert not worked(date(2026, 11, 22))
    assert worked(date(2026, 11, 23))


def test_a_year_without_a_table_is_named_not_guessed() -> None:
    with pytest.raises(UnknownYear, match="2027") as refusal:
        end(date(2026, 12, 31))
    assert refusal.value.year == 2027
    assert pickle.loads(pickle.dumps(refusal.value)).year == 2027


def test_less_than_one_day_is_no_window() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        end(date(2026, 3, 9), 0)


@given(DAYS, st.integers(1, 40), st.booleans())
def test_a_window_holds_exactly_its_days_and_ends_on_one(
    posted_on: date, days: int, include_first_day: bool
) -> None:
    last = end(posted_on, days, include_first_day=include_first_day)
    first = posted_on if include_first_day else posted_on + timedelta(days=1)
    counted = count_workdays(first, last, holidays=HOLIDAYS, known_years=KNOWN_YEARS)
    assert counted == days
    assert is_workday(last, holidays=HOLIDAYS, known_years=KNOWN_YEARS)


@pytest.mark.parametrize(("year", "days_off", "make_up"), [(2025, 28, 5), (2026, 33, 6)])
def test_the_official_calendars_are_complete(year: int, days_off: int, make_up: int) -> None:
    listed = {day: worked for day, worked in HOLIDAYS.items() if day.year == year}
    assert len(listed) == days_off + make_up
    assert sum(listed.values()) == make_up
    assert all(day.weekday() >= 5 for day, worked in listed.items() if worked)
    assert NAMES.keys() == HOLIDAYS.keys()


def test_no_days_lie_between_a_day_and_an_earlier_one() -> None:
    assert not count_workdays(
        date(2026, 3, 10), date(2026, 3, 9), holidays=HOLIDAYS, known_years=KNOWN_YEARS
    )
