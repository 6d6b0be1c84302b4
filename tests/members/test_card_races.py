"""Two connections at one card, one batch, one person: one of them wins, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from members.actions import card_batches, card_life, cards
from members.actions.refusals import CardRefused
from members.models import CardBatch, CardResultFile, CardResultRow, ServiceCard
from members.states import CardState
from tests.cast import NOW, TODAY, Cast
from tests.kernel.races import Other, at_once, waits_for_lock
from tests.members.card_office import CardOffice, make_card_office, written
from union_portal.lifecycle import Stale

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def office(cast: Cast) -> CardOffice:
    return make_card_office(cast)


def meeting(first: Any, second: Any) -> Other:
    """Do `first`, commit it once `second` waits for it in a connection of its own."""
    with at_once(second) as other, transaction.atomic():
        first()
        other.start()
        waits_for_lock(other)
    return other


def test_two_applications_for_one_member_become_one(office: CardOffice):
    person = office.member()
    other = meeting(lambda: office.applied(person), lambda: office.applied(person))
    assert isinstance(other.error, CardRefused)
    assert ServiceCard.objects.filter(person=person).count() == 1


def test_a_list_and_a_single_application_become_one(office: CardOffice):
    person = office.member()

    def many() -> Any:
        people = type(person).objects.filter(pk=person.pk)
        return cards.apply_many(people=people, bank=office.bank, by=office.cast.qiao, today=TODAY)

    other = meeting(lambda: office.applied(person), many)
    assert other.error is None, other.error
    assert (other.result.count, other.result.left_out) == (0, {"has_card": 1})


def test_two_batches_at_once_share_no_application(office: CardOffice):
    office.ready()
    other = meeting(office.made, office.made)
    assert isinstance(other.error, CardRefused)
    assert CardBatch.objects.get().cards.count() == 1


def test_a_cancellation_that_comes_first_keeps_the_bank_from_issuing(office: CardOffice):
    batch = office.sent(1)
    content, card = office.says(batch), batch.cards.get()
    other = meeting(
        lambda: cards.cancel(card=card, by=office.cast.officer, now=NOW, reason="left the union"),
        lambda: office.take(batch, content),
    )
    assert other.error is None, other.error
    card.refresh_from_db()
    assert (card.state, card.last_four) == (CardState.CANCELLED, "")
    assert CardResultRow.objects.get().verdict == "late"


def test_a_cancellation_that_comes_after_the_answer_is_told_so(office: CardOffice):
    batch = office.sent(1)
    content, card = office.says(batch), batch.cards.get()
    other = meeting(
        lambda: office.take(batch, content),
        lambda: cards.cancel(card=card, by=office.cast.officer, now=NOW, reason="left the union"),
    )
    assert isinstance(other.error, Stale)
    card.refresh_from_db()
    assert card.state == CardState.ISSUED


def test_the_same_answer_taken_by_two_counts_once(office: CardOffice):
    batch = office.sent(2)
    content = office.says(batch)
    other = meeting(lambda: office.take(batch, content), lambda: office.take(batch, content))
    assert other.error is None, other.error
    assert other.result == CardResultFile.objects.get()
    assert CardResultRow.objects.count() == 2


def test_two_answers_that_give_one_number_to_two_cards_issue_one(office: CardOffice):
    first, second = office.sent(1), office.sent(1)
    one, two = office.rows(first), office.rows(second)
    two[0][3] = one[0][3]
    other = meeting(
        lambda: office.take(first, written(one)), lambda: office.take(second, written(two))
    )
    assert other.error is None, other.error
    states = sorted(ServiceCard.objects.values_list("state", flat=True))
    assert states == [CardState.ISSUED, CardState.SENT_TO_BANK]
    assert other.result.rows.get().verdict == "number_taken"


def test_a_loss_and_a_suspension_leave_the_card_stopped(office: CardOffice):
    card = office.active()
    same = ServiceCard.objects.get(pk=card.pk)
    other = meeting(
        lambda: card_life.report_lost(card=card, by=office.cast.qiao, now=NOW, reason="lost"),
        lambda: card_life.suspend(card=same, by=office.cast.shi, now=NOW, reason="misuse"),
    )
    assert isinstance(other.error, Stale)
    card.refresh_from_db()
    assert card.state == CardState.LOST


def test_a_batch_marked_as_sent_by_two_is_sent_once(office: CardOffice):
    batch = office.made(1)
    card_batches.fetch(batch=batch, by=office.cast.officer, reason="to the bank")
    same = CardBatch.objects.get(pk=batch.pk)
    other = meeting(
        lambda: card_batches.mark_sent(batch=batch, by=office.cast.officer, now=NOW),
        lambda: card_batches.mark_sent(batch=same, by=office.cast.officer, now=NOW),
    )
    assert isinstance(other.error, Stale)
    assert batch.cards.get().state == CardState.SENT_TO_BANK
