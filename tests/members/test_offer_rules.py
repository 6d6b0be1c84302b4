"""What makes an offer sound, and a place a place: rules as tables, each fault in words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from members.rules.offers import Terms, faults, require_budget, require_room
from members.rules.places import read_division, read_point
from union_portal.kit.refusals import Refused

TODAY = date(2026, 3, 2)
PRICE = Terms(
    kind="price", price_fen=2_500, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31)
)
DISCOUNT = replace(PRICE, kind="discount", price_fen=None, discount=Decimal("8.5"))
GIFT = replace(PRICE, kind="gift", price_fen=None)
SUBSIDY = replace(
    PRICE, kind="subsidy", subsidy_fen=500, programme_year=2026, quota_total=10, quota_per_member=2
)


@pytest.mark.parametrize(
    "terms",
    [PRICE, DISCOUNT, GIFT, SUBSIDY, replace(PRICE, price_fen=0),
     replace(PRICE, quota_total=1, quota_per_member=1), replace(SUBSIDY, price_fen=None),
     replace(DISCOUNT, discount=Decimal("9.9")), replace(PRICE, valid_to=TODAY)],
)  # fmt: skip
def test_a_sound_offer_has_no_fault(terms: Terms):
    assert list(faults(terms, today=TODAY)) == []


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (replace(PRICE, price_fen=None), "price is missing"),
        (replace(PRICE, price_fen=-1), "outside of 0"),
        (replace(PRICE, price_fen=10_000_001), "outside of 0 to 100,000.00"),
        (replace(DISCOUNT, price_fen=100), "has no members' price"),
        (replace(GIFT, price_fen=100), "has no members' price"),
        (replace(DISCOUNT, discount=None), "discount is missing"),
        (replace(DISCOUNT, discount=Decimal(0)), "not between 0.1 and 9.9"),
        (replace(DISCOUNT, discount=Decimal(10)), "not between 0.1 and 9.9"),
        (replace(PRICE, discount=Decimal(8)), "Only a discount"),
        (replace(SUBSIDY, subsidy_fen=0), "subsidy for each use is missing"),
        (replace(PRICE, subsidy_fen=1), "costs the union money"),
        (replace(SUBSIDY, subsidy_fen=10_000_001), "more than 100,000.00"),
        (replace(SUBSIDY, programme_year=None), "names the programme"),
        (replace(PRICE, programme_year=2026), "belongs to no programme"),
        (replace(SUBSIDY, programme_year=2027), "outside of 2027"),
        (replace(SUBSIDY, valid_to=date(2027, 1, 1)), "outside of 2026"),
        (replace(PRICE, valid_to=date(2025, 12, 31)), "before the first"),
        (replace(PRICE, valid_from=date(2026, 1, 1), valid_to=date(2026, 3, 1)), "is over"),
        (replace(SUBSIDY, quota_total=None), "limited in total"),
        (replace(SUBSIDY, quota_per_member=None), "limited in total"),
        (replace(PRICE, quota_total=0), "at least 1"),
        (replace(PRICE, quota_total=1, quota_per_member=2), "more often than"),
    ],
)
def test_an_unsound_offer_is_told_what_is_wrong_and_how_to_mend_it(terms: Terms, told: str):
    found = list(faults(terms, today=TODAY))
    assert [fault for fault in found if told in fault.message]
    assert all(fault.remedy for fault in found)


def test_every_fault_is_told_at_once():
    found = faults(replace(PRICE, price_fen=None, subsidy_fen=5, quota_total=0), today=TODAY)
    assert len(list(found)) == 3


@pytest.mark.parametrize(
    ("budget", "committed", "told"),
    [(99, 100, "have taken"), (-1, 0, "below zero")],
)
def test_a_budget_is_never_below_what_was_used(budget: int, committed: int, told: str):
    require_budget(budget_fen=committed, committed_fen=committed)
    with pytest.raises(Refused, match=told):
        require_budget(budget_fen=budget, committed_fen=committed)


def test_a_limit_is_never_below_what_was_used():
    require_room(quota_total=3, used_count=3)
    require_room(quota_total=None, used_count=3)
    with pytest.raises(Refused, match="used 3 times"):
        require_room(quota_total=2, used_count=3)


@pytest.mark.parametrize(
    ("latitude", "longitude", "told"),
    [
        ("109.735", "38.285", "swapped"),
        ("38.285", "9.7", "outside of the city"),
        ("34.26", "108.94", "outside of the city"),  # Xi'an
        ("0", "0", "outside of the city"),
        ("54.1", "109", "outside of the city"),
        ("NaN", "109", "outside of the city"),
        ("38", "Infinity", "outside of the city"),
    ],
)
def test_a_point_that_can_not_be_is_refused(latitude: str, longitude: str, told: str):
    with pytest.raises(Refused, match=told):
        read_point(Decimal(latitude), Decimal(longitude))


def test_a_point_keeps_six_decimals():
    found = read_point(Decimal("38.2850004"), Decimal("109.7349996"))
    assert found == (Decimal("38.285000"), Decimal("109.735000"))


@pytest.mark.parametrize(
    "code", ["610899", "990000", "110101", "610800", "61080", "榆阳区", "６１０８０９", ""]
)
def test_a_division_that_does_not_exist_is_refused(code: str):
    with pytest.raises(Refused, match="No county"):
        read_division(code)


@pytest.mark.parametrize(("code", "read"), [("610802", "610802"), ("６１０８８１", "610881")])
def test_a_division_is_read_as_typed(code: str, read: str):
    assert read_division(code) == read
