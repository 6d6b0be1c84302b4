"""Codes of a card: one live one, renewed in place, and sheets printed in advance."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from members.actions import card_codes
from members.actions.card_codes import CardClosed, OfferClosed
from members.actions.till_refusals import TillRefused
from members.models import CardCode, Person
from members.states import CardState, MembershipState, OfferState
from tests.cast import Cast
from tests.members.street import Street, make_street, revise
from union_portal import lifecycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def street(cast: Cast) -> Street:
    return make_street(cast)


def why(street: Street, text: str, **more) -> str:
    with pytest.raises(TillRefused) as caught:
        street.look(text, **more)
    return str(caught.value.why)


def let_pass(card, delta: timedelta) -> None:
    """As if the card's codes had been made so much earlier."""
    for code in CardCode.objects.filter(card=card):
        CardCode.objects.filter(pk=code.pk).update(
            issued_at=code.issued_at - delta,
            expires_at=code.expires_at - delta,
            former_expires_at=code.former_expires_at and code.former_expires_at - delta,
        )


def test_a_card_shown_for_an_hour_keeps_one_row(street):
    card = street.member()
    for _minute in range(60):
        card_codes.renew(card=card, by=card.person.account)
    assert CardCode.objects.filter(card=card).count() == 1


def test_only_keyed_hashes_are_kept(street):
    card = street.member()
    live = card_codes.renew(card=card, by=card.person.account)
    sheet = card_codes.print_sheet(card=card, by=card.person.account)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(c::text, ' ') FROM members_cardcode c")
        kept = cursor.fetchone()[0]
    assert not [code for code in (live.code, live.token, *sheet.codes) if code in kept]


def test_a_code_counts_until_its_minute_ends(street):
    card = street.member()
    code = street.code(card)
    assert street.look(code).card_id == card.pk
    let_pass(card, timedelta(seconds=61))
    assert why(street, code) == "expired"


def test_a_code_that_is_renewed_while_it_is_typed_counts_to_its_end(street):
    card = street.member()
    typed = street.code(card)
    street.code(card)
    assert street.look(typed).card_id == card.pk
    let_pass(card, timedelta(seconds=61))
    assert why(street, typed) == "expired"


def test_the_last_but_one_code_is_forgotten(street):
    card = street.member()
    oldest = street.code(card)
    street.code(card)
    street.code(card)
    assert why(street, oldest) == "unknown"


def test_a_code_for_another_choice_does_not_outlive_its_renewal(street):
    card, offer = street.member(), street.offer()
    typed = street.code(card)
    street.code(card, offer)
    assert why(street, typed) == "unknown"


def test_a_code_remembers_the_offer_as_the_member_saw_it(street):
    card, offer = street.member(), street.offer()
    code = street.code(card, offer)
    assert street.look(code).offer_id == offer.pk
    revise(street, offer, price_fen=900)
    assert why(street, code) == "changed"


def test_no_code_is_made_for_an_offer_that_is_not_open(street):
    card, offer = street.member(), street.offer()
    lifecycle.advance(offer, to=OfferState.PAUSED, by=street.cast.officer)
    with pytest.raises(OfferClosed):
        street.code(card, offer)


@pytest.mark.parametrize("state", [CardState.SUSPENDED, CardState.LOST, CardState.CANCELLED])
def test_a_card_that_is_not_active_makes_no_codes(street, state):
    card = street.member()
    lifecycle.advance(card, to=state, by=street.cast.officer)
    for act in (card_codes.renew, card_codes.print_sheet):
        # The very word of the tag on the card.
        with pytest.raises(CardClosed, match=f"it is “{state.label}”"):
            act(card=card, by=card.person.account)


def test_whoever_is_no_member_now_gets_no_codes(street):
    card = street.member()
    lifecycle.advance(
        card.person.memberships.get(), to=MembershipState.WITHDRAWN, by=street.cast.officer,
        ended_on=timezone.localdate(),
    )  # fmt: skip
    with pytest.raises(CardClosed, match="no member of a union"):
        street.code(card)


def test_a_card_of_somebody_who_died_counts_nowhere(street):
    card = street.member()
    code = street.code(card)
    Person.objects.filter(pk=card.person_id).update(died_on=timezone.localdate())
    assert why(street, code) == "card"
    with pytest.raises(CardClosed):
        street.code(card)


def test_nobody_makes_codes_of_somebody_elses_card(street):
    card = street.member()
    for account in (
        street.cast.wei,
        street.till,
        street.cast.officer,
        street.member().person.account,
    ):
        for act in (card_codes.renew, card_codes.print_sheet):
            with pytest.raises(PermissionDenied):
                act(card=card, by=account)


def test_a_sheet_holds_ten_codes_for_thirty_days(street):
    card = street.member()
    sheet = card_codes.print_sheet(card=card, by=card.person.account)
    assert len(set(sheet.codes)) == 10
    rows = CardCode.objects.filter(card=card, kind="printed").order_by("position")
    assert [row.position for row in rows] == list(range(1, 11))
    assert {row.expires_at - row.issued_at for row in rows} == {timedelta(days=30)}
    let_pass(card, timedelta(days=30))
    assert why(street, sheet.codes[0]) == "expired"


def test_printing_again_ends_the_earlier_codes_and_leaves_the_used_ones(street):
    card, offer = street.member(), street.offer()
    first = card_codes.print_sheet(card=card, by=card.person.account)
    street.confirm(street.look(first.codes[0]), offer)
    second = card_codes.print_sheet(card=card, by=card.person.account)
    assert why(street, first.codes[0]) == "replayed"
    assert why(street, first.codes[1]) == "expired"
    assert street.look(second.codes[1]).card_id == card.pk
    for _again in range(5):
        card_codes.print_sheet(card=card, by=card.person.account)
    assert CardCode.objects.filter(card=card).count() == 10 + 10 + 1


def test_codes_are_forgotten_a_day_after_they_expired(street):
    card = street.member()
    street.code(card)
    card_codes.print_sheet(card=card, by=card.person.account)
    assert card_codes.sweep() == 0
    let_pass(card, timedelta(days=1, seconds=61))
    assert card_codes.sweep() == 1
    let_pass(card, timedelta(days=31))
    assert card_codes.sweep() == 10


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_ten_minutes_wrong_changes_nothing(street, minutes):
    """Of the web server that makes the code, and of the one that judges it."""
    card, offer = street.member(), street.offer()
    wrong = timezone.now() + timedelta(minutes=minutes)
    with time_machine.travel(wrong, tick=True):
        made_there = card_codes.renew(card=card, by=card.person.account)
    assert street.look(made_there.token).card_id == card.pk
    made_here = card_codes.renew(card=card, by=card.person.account)
    with time_machine.travel(wrong, tick=True):
        use = street.confirm(street.look(made_here.token), offer)
    assert abs(use.redeemed_at - timezone.now()) < timedelta(minutes=1)
