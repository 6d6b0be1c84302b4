"""Headline figures: counted by a worker, kept by the day, told to everybody."""

from datetime import date

import pytest
from django.urls import reverse

from union_portal import figures
from union_portal.models import CountedFigure

pytestmark = pytest.mark.django_db


@pytest.fixture
def counting(monkeypatch):
    """Two figures of the test's own; what they count is changed by the test."""
    rows = {"lamps": 3, "lamp_fen": 12345}
    monkeypatch.setattr(figures, "_figures", {})
    figures.figure("lamps", title="Lamps")(lambda day: rows["lamps"])
    figures.figure("lamp_fen", title="Spent on lamps", unit=figures.FEN)(
        lambda day: rows["lamp_fen"]
    )
    return rows


def test_a_day_is_counted_once_and_the_last_count_stands(counting):
    figures.keep(today=date(2026, 3, 2))
    counting["lamps"] = 4
    figures.keep(today=date(2026, 3, 2))
    assert list(CountedFigure.objects.filter(key="lamps").values_list("value", flat=True)) == [4]


def test_each_month_is_told_by_its_last_day_the_oldest_first(counting):
    for day, lamps in [((2026, 1, 5), 1), ((2026, 1, 31), 2), ((2026, 2, 28), 4)]:
        counting["lamps"] = lamps
        figures.keep(today=date(*day))
    (lamps, _spent) = figures.kept()
    assert [(month.day, share) for month, _text, share in lamps.bars] == [
        (date(2026, 1, 31), 500),
        (date(2026, 2, 28), 1000),
    ]
    assert lamps.newest.value == 4


def test_no_more_months_than_asked_for(counting):
    for month in range(1, 13):
        figures.keep(today=date(2025, month, 1))
    figures.keep(today=date(2026, 1, 1))
    assert [kept.months[0].day for kept in figures.kept(months=3)] == [date(2025, 11, 1)] * 2


def test_the_public_page_shows_sums_in_yuan_and_asks_two_queries_at_most(
    client, counting, django_assert_max_num_queries
):
    figures.keep(today=date(2026, 3, 2))
    with django_assert_max_num_queries(2):
        page = client.get(reverse("portal:figure-list")).content.decode()
    assert "123.45" in page
    assert "Lamps" in page


def test_the_months_before_are_counted_of_figures_that_look_back(monkeypatch):
    monkeypatch.setattr(figures, "_figures", {})
    figures.figure("then", title="Then", looks_back=True)(lambda day: day.month)
    figures.figure("now", title="Now")(lambda day: 1)
    figures.keep(today=date(2026, 3, 5))
    figures.look_back(today=date(2026, 3, 5), months=3)
    then, now = figures.kept()
    assert [(month.day, month.value) for month in then.months] == [
        (date(2025, 12, 31), 12),
        (date(2026, 1, 31), 1),
        (date(2026, 2, 28), 2),
        (date(2026, 3, 5), 3),
    ]
    assert [month.day for month in now.months] == [date(2026, 3, 5)]


def test_what_was_counted_later_is_left_out_of_an_earlier_paper(counting):
    figures.keep(today=date(2026, 3, 2))
    counting["lamps"] = 9
    figures.keep(today=date(2026, 3, 3))
    (lamps, _spent) = figures.kept(until=date(2026, 3, 2))
    assert lamps.newest.value == 3


def test_the_page_says_how_a_figure_is_counted(client, monkeypatch):
    monkeypatch.setattr(figures, "_figures", {})
    figures.figure("lamps", title="Lamps", about="Lamps that burn.")(lambda day: 3)
    figures.keep(today=date(2026, 3, 2))
    assert "Lamps that burn." in client.get(reverse("portal:figure-list")).content.decode()


def test_nothing_counted_yet_says_what_comes(client):
    page = client.get(reverse("portal:figure-list"))
    assert "一小时内" in page.content.decode()
