"""Long lists: every page holds the rows of its place, and the last is not read from the start."""

from datetime import date

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import queries
from members.models import Person
from tests.cast import Cast, make_person
from tests.roles import playing
from tests.web.awards_play import browser
from union_portal.admin.paging import FromBothEnds
from union_portal.readers import reading_as

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("per_page", [1, 3, 4, 50])
@pytest.mark.parametrize("order", [("pk",), ("-name", "pk"), ("organization__name", "-pk")])
def test_both_ways_give_the_same_pages(cast: Cast, per_page: int, order: tuple[str, ...]):
    for _turn in range(10):
        make_person(cast.tree.union)
    rows = Person.objects.order_by(*order)
    plain, ours = Paginator(rows, per_page), FromBothEnds(rows, per_page)
    for number in plain.page_range:
        assert list(ours.page(number)) == list(plain.page(number)), number


def test_the_last_page_of_a_list_skips_no_rows(cast: Cast):
    for _turn in range(60):
        make_person(cast.tree.union)
    client = browser(cast.officer)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(reverse("admin:members_person_changelist") + "?p=3")
    assert len(answer.context["cl"].result_list) == 11
    listed = [
        one["sql"] for one in asked if "LIMIT" in one["sql"] and "members_person" in one["sql"]
    ]
    assert any("DESC LIMIT 11" in one for one in listed)
    assert not any("OFFSET" in one for one in listed)


def test_a_page_past_the_end_is_the_last_one_of_what_was_searched(cast: Cast):
    for _turn in range(30):
        make_person(cast.tree.union, name="李明")
    make_person(cast.tree.union, name="王明")
    client = browser(cast.officer)
    answer = client.get(reverse("admin:members_person_changelist") + "?q=李&p=40")
    assert answer.status_code == 200
    shown = answer.context["cl"]
    assert (shown.page_num, {one.name for one in shown.result_list}) == (2, {"李明"})


def test_what_is_counted_up_to_a_limit_is_not_sorted_first(cast: Cast):
    """To sort what a hundred thousand share, all of them would have to be read."""
    for _turn in range(3):
        make_person(cast.tree.union)
    pages = FromBothEnds(Person.objects.order_by("-name", "pk"), 2, most=2)
    with CaptureQueriesContext(connection) as asked:
        assert (pages.count, pages.has_more) == (2, True)
    [counted] = [one["sql"] for one in asked if "COUNT(" in one["sql"]]
    assert "LIMIT 3" in counted and "ORDER BY" not in counted


def test_a_search_counts_no_more_than_a_thousand_and_says_that_there_are_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("union_portal.admin.scoped.MOST_FOUND", 30)
    for number in range(32):
        make_person(cast.tree.union, name=f"黄{chr(0x4E00 + number)}")
    client, page = browser(cast.officer), reverse("admin:members_person_changelist")
    whole = client.get(page).content.decode()
    assert "+</span>" not in whole
    shown = [client.get(page, {"q": "黄", "p": number}) for number in (1, 2)]
    listed = [row.pk for answer in shown for row in answer.context["cl"].result_list]
    first = Person.objects.filter(name__startswith="黄").order_by("pk")[:30]
    assert listed == [row.pk for row in first]
    for answer in shown:
        text = answer.content.decode()
        assert "30+" in text and "narrow the search down" in text


def test_a_search_stops_where_enough_are_found_within_reach(cast: Cast):
    """Whoever shows two of a hundred thousand namesakes asks the database for two."""
    for letter in "丁戊己":
        make_person(cast.tree.other_union, name=f"钭{letter}")
    near = {make_person(cast.tree.union, name=f"钭{letter}").pk for letter in "甲乙丙"}
    for text in ("钭", "tou"):
        for most, expected in ((2, 2), (100, 3)):
            with reading_as(cast.qiao.pk):
                found = Person.objects.filter(queries.first_matches(text, most))
                assert len(found) == expected
                assert {one.pk for one in found} <= near


def test_whoever_narrows_a_search_chooses_from_all_who_are_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("members.admin.people.MOST_FOUND", 1)
    for _turn in range(3):
        make_person(cast.tree.union, name="黄河")
    last = make_person(cast.tree.union, name="黄海")
    last.sex = "female" if Person.objects.filter(name="黄河", sex="male").exists() else "male"
    last.save()
    page = reverse("admin:members_person_changelist")
    shown = browser(cast.officer).get(page, {"q": "黄", "sex__exact": last.sex})
    assert last in shown.context["cl"].result_list


def test_what_is_chosen_is_looked_up_before_a_search_stops(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    """Else the first thousand of a name might be none of those who are chosen."""
    monkeypatch.setattr("members.admin.people.MOST_FOUND", 2)
    for _turn in range(4):
        make_person(cast.tree.union, name="钭甲", sex="male")
    woman = make_person(cast.tree.union, name="钭乙", sex="female")
    dead = make_person(cast.tree.union, name="钭丙", sex="male", died_on=date(2026, 3, 1))
    far = make_person(cast.tree.other_union, name="钭丁", sex="male")
    county = str(cast.tree.other_county.pk)
    client, page = browser(cast.officer), reverse("admin:members_person_changelist")
    for text in ("钭", "tou"):
        for given, expected in (
            ({"sex__exact": "female"}, [woman]),
            ({"died_on__isempty": "0"}, [dead]),
            ({"county": county}, [far]),
            ({"county": county, "sex__exact": "male", "died_on__isempty": "1"}, [far]),
            ({"county": county, "sex__exact": "female"}, []),
            ({"county": "x"}, []),
            ({"sex__exact": ["female", "none"]}, [woman]),
        ):
            answer = client.get(page, {"q": text, **given})
            assert list(answer.context["cl"].result_list) == expected, given


def test_a_county_in_the_address_is_heeded_by_whoever_has_none_to_choose(cast: Cast):
    """A list must not tell of one county under a link to another's, searched or not."""
    own = make_person(cast.tree.union, name="钭甲")
    client, page = browser(cast.shi), reverse("admin:members_person_changelist")
    for searched in ({}, {"q": "钭甲"}):
        there = client.get(page, {"county": str(cast.tree.other_county.pk), **searched})
        assert list(there.context["cl"].result_list) == []
        assert there.context["cl"].has_active_filters
        here = client.get(page, {"county": str(cast.tree.county.pk), **searched})
        assert own in here.context["cl"].result_list


def test_a_county_is_narrowed_to_and_counted_by_the_keys_of_its_unions(cast: Cast):
    """By their paths, PostgreSQL reads everybody and looks where they belong."""
    own = make_person(cast.tree.union)
    page = reverse("admin:members_person_changelist")
    for who, given in (
        (cast.shi, {}),
        (cast.qiao, {}),
        (cast.officer, {"county": str(cast.tree.county.pk)}),
    ):
        with CaptureQueriesContext(connection) as asked:
            answer = browser(who).get(page, given)
        assert own in answer.context["cl"].result_list
        asked_for = [one["sql"] for one in asked if 'FROM "members_person"' in one["sql"]]
        counted = [sql for sql in asked_for if "COUNT(" in sql]
        assert counted and all('"organization_id" IN (' in sql for sql in counted)


class TestRegister:
    """The list of everybody, of whom there are many."""

    page = "admin:members_person_changelist"

    @pytest.fixture
    def many(self, cast: Cast, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("union_portal.admin.scoped.MANY", 30)
        for number in range(60):
            make_person(cast.tree.union, name=f"黄{chr(0x4E00 + number)}")
        with playing("none"), connection.cursor() as cursor:
            cursor.execute("ANALYZE members_person")

    def test_the_city_is_told_about_how_many_and_they_are_not_counted(self, cast: Cast, many):
        with CaptureQueriesContext(connection) as asked:
            answer = browser(cast.officer).get(reverse(self.page))
        counted = [one["sql"] for one in asked if "COUNT(" in one["sql"]]
        assert not [sql for sql in counted if "members_person" in sql]
        assert f"about {Person.objects.count()}" in answer.content.decode()

    def test_every_page_holds_the_rows_of_its_place(self, cast: Cast, many):
        client = browser(cast.officer)
        pages = [client.get(reverse(self.page), {"p": number}) for number in (1, 2, 3)]
        listed = [row.pk for answer in pages for row in answer.context["cl"].result_list]
        assert listed == list(Person.objects.order_by("pk").values_list("pk", flat=True))

    def test_a_union_counts_its_own(self, cast: Cast, many):
        answer = browser(cast.qiao).get(reverse(self.page))
        own = Person.objects.filter(organization=cast.tree.union).count()
        assert answer.context["cl"].result_count == own
        assert "about" not in answer.content.decode().partition("st-pages")[2][:400]

    def test_what_is_narrowed_is_counted_up_to_a_thousand(
        self, cast: Cast, many, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("union_portal.admin.scoped.MOST_FOUND", 30)
        answer = browser(cast.officer).get(reverse(self.page), {"died_on__isempty": "1"})
        assert "30+" in answer.content.decode()
