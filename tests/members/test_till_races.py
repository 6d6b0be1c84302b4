"""Many tills at one moment, each on a connection of its own: quotas, codes and money hold."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from members.actions import card_codes, redemptions
from members.actions.till_refusals import TillRefused
from members.models import CardCode, Redemption
from members.states import CardState
from tests.cast import make_cast, make_tree
from tests.kernel.races import at_once, waits_for_lock
from tests.members.street import Street, make_programme, make_street, make_till
from union_portal import lifecycle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def street(db: None) -> Street:
    return make_street(make_cast(make_tree()))


def outcome(act: Callable[[], Any]) -> str:
    """What became of an act: done, or why it was refused."""
    try:
        act()
    except TillRefused as refusal:
        return str(refusal.why)
    return "done"


def all_at_once(acts: list[Callable[[], Any]]) -> Counter[str]:
    """Every act on a connection of its own, let loose together; the outcomes counted."""
    start, found = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            connections["default"].ensure_connection()
            start.wait(60)
            found.append(outcome(act))
        except Exception as error:
            found.append(repr(error))
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=run, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return Counter(found)


def standing(offer) -> tuple[int, int, int]:
    """The offer's count, the programme's money, and the uses that really stand."""
    offer.refresh_from_db()
    offer.programme.refresh_from_db()
    uses = Redemption.objects.filter(offer=offer, state="done").count()
    return offer.used_count, offer.programme.committed_fen, uses


def test_fifty_tills_and_ten_places(street):
    offer = street.offer(quota_total=10)
    tills = [make_till(street.cast, street.merchant) for _till in range(5)]
    looks = [street.look(street.code(street.member()), tills[n % 5]) for n in range(50)]
    found = all_at_once(
        [
            lambda look=look, n=n: street.confirm(look, offer, tills[n % 5])
            for n, look in enumerate(looks)
        ]
    )
    assert found == {"done": 10, "quota": 40}
    assert standing(offer) == (10, 10_000, 10)


def test_one_code_at_eight_tills_is_used_once(street):
    offer = street.offer()
    tills = [make_till(street.cast, street.merchant) for _till in range(8)]
    code = street.code(street.member())
    looks = [street.look(code, till) for till in tills]
    found = all_at_once(
        [
            lambda look=look, till=till: street.confirm(look, offer, till)
            for look, till in zip(looks, tills, strict=True)
        ]
    )
    assert found == {"done": 1, "replayed": 7}
    assert standing(offer) == (1, 1_000, 1)


def test_one_code_for_offers_of_two_merchants_is_used_once(street):
    """No row but the code itself is common to both tills."""
    merchant, elsewhere = street.shop()
    here, there = street.offer(), street.offer(merchant, programme=make_programme(street.cast))
    code = street.code(street.member())
    acts = [
        (street.look(code), here, street.till),
        (street.look(code, elsewhere), there, elsewhere),
    ]
    found = all_at_once([lambda act=act: street.confirm(*act) for act in acts])
    assert found == {"done": 1, "replayed": 1}


def test_a_member_uses_an_offer_as_often_as_allowed_at_however_many_tills(street):
    offer = street.offer(quota_per_member=3)
    card = street.member()
    sheet = card_codes.print_sheet(card=card, by=card.person.account)
    looks = [street.look(code) for code in sheet.codes]
    found = all_at_once([lambda look=look: street.confirm(look, offer) for look in looks])
    assert found == {"done": 3, "member_quota": 7}
    assert standing(offer) == (3, 3_000, 3)


def test_the_years_money_is_never_overspent_by_two_offers_at_once(street):
    programme = make_programme(street.cast, budget_fen=5_500)
    offers = [street.offer(programme=programme) for _offer in range(2)]
    looks = [street.look(street.code(street.member())) for _member in range(12)]
    found = all_at_once(
        [lambda look=look, n=n: street.confirm(look, offers[n % 2]) for n, look in enumerate(looks)]
    )
    assert found == {"done": 5, "budget": 7}
    programme.refresh_from_db()
    assert programme.committed_fen == 5_000


def test_two_undoings_at_once_give_the_place_back_once(street):
    offer = street.offer(quota_total=1)
    use = street.use(street.member(), offer)
    found = all_at_once(
        [
            lambda: redemptions.undo(
                redemption=Redemption.objects.get(pk=use.pk), reason="Wrong", by=street.till
            )
        ]
        * 4
    )
    assert found == {"done": 1, "undone": 3}
    assert standing(offer) == (0, 0, 0)


def test_a_use_that_somebody_counts_is_taken_back_after_that(street):
    """Whoever locks the uses to count them has the last word before an undoing."""
    offer = street.offer()
    use = street.use(street.member(), offer)
    undo = lambda: redemptions.undo(  # noqa: E731
        redemption=Redemption.objects.get(pk=use.pk), reason="Wrong", by=street.till
    )
    with at_once(undo) as other, transaction.atomic():
        counted = len(Redemption.objects.select_for_update().filter(state="done"))
        other.start()
        waits_for_lock(other)
    assert (counted, other.error) == (1, None)
    assert standing(offer) == (0, 0, 0)


def test_a_loss_reported_while_the_till_confirms_comes_first_or_after(street):
    card, offer = street.member(), street.offer()
    look = street.look(street.code(card))
    act = lambda: outcome(lambda: street.confirm(look, offer))  # noqa: E731
    with at_once(act) as other, transaction.atomic():
        lifecycle.advance(card, to=CardState.LOST, by=street.cast.officer)
        other.start()
        waits_for_lock(other)
    assert other.result == "card"
    assert standing(offer) == (0, 0, 0)


def test_two_phones_of_one_member_keep_one_live_row(street):
    card = street.member()
    by = card.person.account
    acts = [lambda: card_codes.renew(card=card, by=by)] * 6
    assert all_at_once(acts) == {"done": 6}
    assert CardCode.objects.filter(card=card).count() == 1


def test_guesses_at_once_are_counted_together(street):
    from members.models import WrongCode
    from tests.members.test_redemptions import some_code

    found = all_at_once([lambda n=n: street.look(some_code(n)) for n in range(14)])
    assert found == {"unknown": 10, "waiting": 4}
    assert WrongCode.objects.count() == 10
