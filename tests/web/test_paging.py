"""Long lists: every page holds the rows of its place, and the last is not read from the start."""

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import queries
from members.models import Person
from tests.cast import Cast, make_person
from tests.web.awards_play import browser
from union_portal.admin.paging import FromBothEnds

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


def test_whoever_has_a_surname_is_found_along_the_key(cast: Cast):
    """Not looked up one by one and sorted: namesakes of a city are a hundred thousand."""
    rows = Person.objects.filter(queries.matches("黄")).order_by("pk")[:25]
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan"):  # as in a table that is not small
            cursor.execute(f"SET LOCAL enable_{way} = off")
    plan = rows.explain()
    assert "members_person_pkey" in plan and "Sort" not in plan
