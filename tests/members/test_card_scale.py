"""What a batch costs does not grow with its cards: a handful of statements, whatever its size."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.actions import card_batches
from tests.cast import NOW, Cast
from tests.members.card_office import CardOffice, make_card_office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(cast: Cast) -> CardOffice:
    return make_card_office(cast)


def asked_of(office: CardOffice, count: int) -> tuple[int, int, int]:
    """Statements to make a batch of so many, to send it, and to take its answer in."""
    for _each in range(count):
        office.ready()
    with CaptureQueriesContext(connection) as made:
        batch = office.made()
    card_batches.fetch(batch=batch, by=office.cast.officer, reason="to the bank")
    with CaptureQueriesContext(connection) as sent:
        card_batches.mark_sent(batch=batch, by=office.cast.officer, now=NOW)
    content = office.says(batch, (0, 3, ""), (0, 4, "失败"))
    with CaptureQueriesContext(connection) as taken:
        office.take(batch, content)
    return len(made), len(sent), len(taken)


def test_a_batch_of_many_asks_no_more_than_one_of_few(office: CardOffice):
    few, many = asked_of(office, 2), asked_of(office, 30)
    assert all(more <= less for more, less in zip(many, few, strict=True)), (few, many)
    assert max(many) <= 60
