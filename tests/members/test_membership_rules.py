"""Rules of the register as tables: what is allowed, what is refused, and by which sentence."""

from datetime import date

import pytest

from members.rules import memberships, unions
from union_portal.kit.ethnicities import NAMES, EthnicityError, read_ethnicity
from union_portal.kit.refusals import Refused

DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("born_on", "is_old_enough"),
    [
        (date(2010, 3, 2), True),
        (date(2010, 3, 3), False),
        (date(2009, 12, 31), True),
        (date(2026, 1, 1), False),
        (date(1950, 1, 1), True),
    ],
)
def test_nobody_joins_before_sixteen(born_on: date, is_old_enough: bool):
    if is_old_enough:
        memberships.require_working_age(born_on, DAY)
        return
    with pytest.raises(memberships.MembershipRefused, match="age of 16"):
        memberships.require_working_age(born_on, DAY)


@pytest.mark.parametrize(
    ("on", "since", "told"),
    [
        (date(2026, 3, 2), date(2026, 3, 2), None),
        (date(2026, 3, 1), date(2020, 1, 1), None),
        (date(2026, 3, 3), date(2020, 1, 1), "in the future"),
        (date(2019, 12, 31), date(2020, 1, 1), "before the last change, of 2020-01-01"),
    ],
)
def test_a_change_lies_between_the_one_before_and_today(on, since, told):
    if told is None:
        memberships.require_day(on, since=since, today=DAY)
        return
    with pytest.raises(memberships.MembershipRefused, match=told):
        memberships.require_day(on, since=since, today=DAY)


@pytest.mark.parametrize(
    ("hukou", "is_farmer_worker", "is_allowed"),
    [
        ("local_rural", True, True),
        ("other_rural", True, True),
        ("", True, True),
        ("local_urban", True, False),
        ("other_urban", True, False),
        ("local_urban", False, True),
    ],
)
def test_a_farmer_worker_has_an_agricultural_hukou(hukou, is_farmer_worker, is_allowed):
    if is_allowed:
        memberships.require_rural_hukou(hukou, is_farmer_worker=is_farmer_worker)
        return
    with pytest.raises(memberships.MembershipRefused, match="agricultural"):
        memberships.require_rural_hukou(hukou, is_farmer_worker=is_farmer_worker)


def test_a_membership_never_ends_before_it_began():
    assert memberships.last_day(date(2020, 1, 1), date(2021, 1, 1)) == date(2021, 1, 1)
    assert memberships.last_day(date(2022, 1, 1), date(2021, 1, 1)) == date(2022, 1, 1)


@pytest.mark.parametrize(
    ("first_on", "present_on", "until", "told"),
    [
        (None, None, None, None),
        (date(2016, 5, 1), date(2024, 5, 1), date(2029, 5, 1), None),
        (date(2024, 2, 29), date(2024, 2, 29), date(2029, 2, 28), None),
        (date(2026, 3, 3), None, None, "in the future"),
        (None, date(2027, 1, 1), None, "in the future"),
        (date(2024, 5, 1), date(2016, 5, 1), None, "before the first one"),
        (None, date(2024, 5, 1), date(2024, 4, 30), "before it begins"),
        (None, None, date(2028, 4, 30), "before it begins"),
        (None, date(2024, 5, 1), date(2029, 5, 2), "at most 5 years"),
    ],
)
def test_committees_follow_each_other(first_on, present_on, until, told):
    if told is None:
        unions.require_committee(first_on, present_on, until, today=DAY)
        return
    with pytest.raises(unions.UnionRefused, match=told):
        unions.require_committee(first_on, present_on, until, today=DAY)


YEAR = dict.fromkeys(
    (*unions.PARTS, *unions.INCOME, "cadres_count"), 0
) | {"workers_count": 10}  # fmt: skip


@pytest.mark.parametrize(
    ("figures", "year", "told"),
    [
        ({}, 2025, None),
        ({"women_count": 10, "farmer_workers_count": 10}, 2026, None),
        ({"women_count": 11}, 2025, "more women"),
        ({"farmer_workers_count": 11}, 2025, "more women or farmer workers"),
        ({"dues_fen": -1}, 2025, "below zero"),
        ({}, 2027, "from 1949 to 2026"),
        ({}, 1948, "from 1949 to 2026"),
    ],
)
def test_a_year_is_reported_within_reason(figures, year, told):
    values = {**YEAR, **figures}
    if told is None:
        unions.require_year(values, year=year, today=DAY)
        return
    with pytest.raises(unions.UnionRefused, match=told):
        unions.require_year(values, year=year, today=DAY)


def test_the_list_holds_the_fifty_six():
    assert len(NAMES) == len(set(NAMES)) == 56
    assert NAMES[0] == "汉族"


@pytest.mark.parametrize(
    ("typed", "name"), [("汉", "汉族"), (" 维吾尔 族", "维吾尔族"), ("基诺族", "基诺族")]
)
def test_an_ethnicity_is_read_as_people_write_it(typed, name):
    assert read_ethnicity(typed) == name


@pytest.mark.parametrize("typed", ["", "族", "秦族", "Han"])
def test_what_is_none_of_them_is_refused(typed):
    with pytest.raises(EthnicityError):
        read_ethnicity(typed)


def test_refusals_hold_nothing_that_was_typed():
    with pytest.raises(Refused) as caught:
        read_ethnicity("保密")
    assert "保密" not in str(caught.value)
