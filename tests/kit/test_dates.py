"""Dates as people write them: what is read, and what is refused with which words."""

from datetime import date

import pytest

from union_portal.kit.dates import DateError, read_date


@pytest.mark.parametrize(
    "written",
    ["2024-01-03", "2024/1/3", "2024.1.3", "2024年1月3日", "2024年1月3号", "20240103",
     " ２０２４－１－３ ", "2024-01-03 00:00:00"],
)  # fmt: skip
def test_a_date_is_read_however_it_is_written_with_the_year_first(written: str):
    assert read_date(written) == date(2024, 1, 3)


@pytest.mark.parametrize(
    ("written", "cause", "remedy"),
    [
        ("3/1/2024", "not certain which", "2024-01-03 or 2024年1月3日"),
        ("03-01-2024", "not certain which", "2024-01-03"),
        ("13.1.2024", "not certain which", "2024-01-03"),
        ("3/1/24", "not certain which", "2024-01-03"),
        ("2024-1", "day of the date is missing", "2019-03-01"),
        ("2024年1月", "day of the date is missing", "2019-03-01"),
        ("3/1", "not a complete date", "2026-03-01"),
        ("3/1-2024", "not a complete date", "2026-03-01"),
        ("last year", "not a complete date", "2026-03-01"),
        ("43525", "not a complete date", "2026-03-01"),
        ("2024-02-30", "no such day", "month and the day"),
        ("1820-01-03", "year of the date is out of range", "four digits"),
    ],
)
def test_what_is_no_date_is_refused_with_what_to_write(written: str, cause: str, remedy: str):
    with pytest.raises(DateError) as refusal:
        read_date(written)
    assert cause in refusal.value.message
    assert remedy in refusal.value.remedy
