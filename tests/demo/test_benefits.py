"""The demo's programme of cards: its days and sums hold on whatever day it is played."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from members.sample_categories import SAMPLE_CATEGORIES
from tests.cast import Cast
from union_portal import workdays
from union_portal.demo import card_desk, members, merchants, street, uses
from union_portal.demo.lots import lots
from union_portal.demo.setting import Setting
from union_portal.kit import regions

DAYS = [
    date(2026, 11, 28),
    date(2027, 1, 1),
    date(2027, 1, 2),
    date(2028, 2, 29),
    date(2028, 3, 31),
]


def editions(today: date, code: str):
    """A subsidised offer as each year has it, as far as its uses ask."""
    return [
        SimpleNamespace(
            category=SimpleNamespace(code=code),
            subsidy_fen=street.TRADES[code].subsidised.subsidy_fen,
            valid_from=date(year, 1, 1),
        )
        for year in merchants.years(today)
    ]


def play(cast: Cast, today: date) -> uses.Uses:
    setting = Setting(today)
    setting.city, setting.staff = cast.tree.city, {}
    return uses.Uses(setting, {})


@pytest.mark.parametrize("today", DAYS)
def test_what_is_spent_comes_to_the_newspapers_sum_on_any_day(cast: Cast, today: date):
    played = play(cast, today)
    spent = sum(
        offer.subsidy_fen * len(played._days(offer, lots(code)))
        for code, trade in street.TRADES.items()
        if trade.subsidised
        for offer in editions(today, code)
    )
    assert 80_000_000 < spent < 90_000_000
    assert spent < merchants.BUDGET_FEN


@pytest.mark.parametrize("today", DAYS)
def test_uses_lie_in_the_past_within_the_year_of_their_money(cast: Cast, today: date):
    played = play(cast, today)
    first = merchants.months(today)[0]
    for offer in editions(today, "dining"):
        days = played._days(offer, lots("dining"))
        assert all(first <= day < today for day in days)
        assert {day.year for day in days} <= {offer.valid_from.year}


@pytest.mark.parametrize("today", DAYS)
def test_whoever_uses_something_in_the_first_month_had_a_card_by_then(cast: Cast, today: date):
    setting = Setting(today)
    setting.city, setting.staff = cast.tree.city, {}
    issued = members.Members(setting)._days()
    assert issued[-1] < today
    assert len(set(issued)) == members.CARD_MONTHS
    assert issued[0] + timedelta(days=7) < merchants.months(today)[0]


@pytest.mark.parametrize("today", DAYS)
def test_a_card_takes_its_steps_one_after_the_other_on_working_days_that_are_over(
    cast: Cast, today: date
):
    setting = Setting(today)
    setting.city, setting.staff = cast.tree.city, {"he": cast.officer}
    setting.assume_holidays()
    calendar = workdays.calendar()
    desk = card_desk
    for steps in (
        (*desk._FIRST_STEPS, desk._SENT, desk._ISSUED, desk._HANDED_OUT, desk._ACTIVATED,
         desk._LOST, *desk._NEXT_STEPS, desk._SENT_NEXT, desk._ISSUED_NEXT),
        desk._LAST_STEPS,
        (desk._BEGUN, desk._SENT_BACK),
        (desk._ACTIVATED, desk._LOST, desk._FOUND, desk._SUSPENDED, desk._LIFTED),
    ):  # fmt: skip
        at = [setting.before(*step) for step in steps]
        assert at == sorted(at) and len(set(at)) == len(at)
        assert all(calendar.is_workday(one.date()) and one.date() < today for one in at)


@pytest.mark.parametrize("today", DAYS)
def test_half_a_year_has_six_months(today: date):
    months = merchants.months(today)
    assert len(set(months)) == merchants.MONTHS
    assert months == sorted(months)
    assert months[-1] <= today < months[-1] + timedelta(days=31)
    assert all(month.day == 1 for month in months)


def test_every_sample_category_has_shops_and_offers_that_differ():
    assert set(street.TRADES) == {sample.code for sample in SAMPLE_CATEGORIES}
    for trade in street.TRADES.values():
        assert len(trade.nouns) >= 5
        assert len({offer.title for offer in trade.offers}) == len(trade.offers) >= 2


def test_the_shops_lie_in_the_counties_of_yulin():
    assert set(street.SEATS) == set(regions.YULIN_DIVISIONS)
    assert sum(share for _north, _east, share in street.SEATS.values()) == 100


def test_the_same_words_draw_the_same_lots():
    assert lots("a", 1).random() == lots("a", 1).random() != lots("a", 2).random()
