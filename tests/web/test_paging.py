"""Long lists: every page holds the rows of its place, and the last is not read from the start."""

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

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
