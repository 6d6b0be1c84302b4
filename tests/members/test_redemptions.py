"""A code at a till: used once, refused with its reason, taken back within five minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from members.actions import card_codes, ratings, redemptions
from members.actions.ratings import RatingRefused
from members.actions.till_refusals import TillRefused
from members.models import MerchantLogin, MerchantPlace, Redemption, WrongCode
from members.queries.till import facing, till_of
from members.rules import card_tokens
from members.states import AgreementState, CardState, MerchantState, OfferState
from tests.cast import Cast
from tests.kernel.attacks import refused_by
from tests.members.street import Street, make_programme, make_street, revise, today
from tests.roles import the_superuser
from union_portal import figures, lifecycle
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def street(cast: Cast) -> Street:
    return make_street(cast)


def refused(act, *args, **given) -> str:
    with pytest.raises(TillRefused) as caught:
        act(*args, **given)
    assert str(caught.value)
    return str(caught.value.why)


def some_code(number: int = 0) -> str:
    return card_tokens.make_code(lambda below: (number * 7919 + 11) % below)


def grow_older(use: Redemption, delta: timedelta) -> None:
    with the_superuser():
        Redemption.objects.filter(pk=use.pk).update(redeemed_at=use.redeemed_at - delta)
    use.refresh_from_db()


def counts(offer) -> tuple[int, int]:
    offer.refresh_from_db()
    offer.programme.refresh_from_db()
    return offer.used_count, offer.programme.committed_fen


def test_a_code_is_used_once_and_counted(street):
    card, offer = street.member(), street.offer(quota_total=5, quota_per_member=2)
    use = street.use(card, offer)
    assert (use.person, use.merchant, use.subsidy_fen) == (card.person, street.merchant, 1_000)
    assert use.organization == street.cast.tree.union
    assert counts(offer) == (1, 1_000)
    entry = AuditEntry.objects.get(action="redemption.confirm")
    assert entry.organization_path == street.merchant.organization.path
    assert set(entry.detail) == {"offer", "revision", "subsidy_fen"}, "and nothing of the member"


def test_a_used_code_is_a_replay_at_every_till(street):
    card, offer = street.member(), street.offer()
    _other, elsewhere = street.shop()
    code = street.code(card)
    look = street.look(code)
    again = street.look(code)
    street.confirm(look, offer)
    assert refused(street.confirm, again, offer) == "replayed"
    assert refused(street.look, code) == "replayed"
    assert refused(street.look, code, elsewhere) == "replayed"
    assert counts(offer) == (1, 1_000)


def test_a_code_renewed_after_its_use_is_still_a_replay(street):
    card, offer = street.member(), street.offer()
    code = street.code(card)
    street.confirm(street.look(code), offer)
    street.code(card)
    assert refused(street.look, code) == "replayed"


def test_a_code_for_another_merchants_offer_is_foreign(street):
    card = street.member()
    merchant, elsewhere = street.shop()
    offer = street.offer(merchant)
    code = street.code(card, offer)
    assert refused(street.look, code) == "foreign"
    assert refused(street.confirm, street.look(street.code(card)), offer) == "foreign"
    assert street.confirm(street.look(street.code(card, offer), elsewhere), offer, elsewhere)


def test_a_code_for_one_offer_is_not_used_for_another(street):
    card, offer, other = street.member(), street.offer(), street.offer()
    look = street.look(street.code(card, offer))
    assert refused(street.confirm, look, other) == "foreign"


def test_an_offer_that_changed_on_the_cashiers_screen_is_told_before_anything_is_used(street):
    card, offer = street.member(), street.offer()
    look = street.look(street.code(card))
    shown = offer.revision
    revise(street, offer, price_fen=900)
    assert (
        refused(redemptions.confirm, look=look, offer_id=offer.pk, revision=shown, by=street.till)
        == "changed"
    )
    assert counts(offer) == (0, 0)


@pytest.mark.parametrize("state", [CardState.SUSPENDED, CardState.LOST])
def test_a_card_suspended_or_lost_since_the_code_was_shown_is_refused(street, state):
    card, offer = street.member(), street.offer()
    code = street.code(card)
    look = street.look(code)
    lifecycle.advance(card, to=state, by=street.cast.officer)
    assert refused(street.look, code) == "card"
    assert refused(street.confirm, look, offer) == "card"


def test_without_an_agreement_that_holds_today_no_code_is_taken(street):
    card = street.member()
    code = street.code(card)
    yesterday = today() - timedelta(days=1)
    merchant, till = street.shop(valid_to=yesterday)
    offer = street.offer(merchant)
    assert refused(street.look, code, till) == "agreement"
    look = street.look(code)
    agreement = street.merchant.agreements.get()
    lifecycle.advance(
        agreement, to=AgreementState.TERMINATED, by=street.cast.officer, terminated_on=today()
    )
    assert refused(street.confirm, look, street.offer()) == "agreement"
    assert counts(offer) == (0, 0)


def test_a_suspended_merchant_takes_no_codes(street):
    card = street.member()
    lifecycle.advance(street.merchant, to=MerchantState.SUSPENDED, by=street.cast.officer)
    assert refused(street.look, street.code(card)) == "agreement"


@pytest.mark.parametrize("days", [(-20, -1), (1, 20)])
def test_an_offer_counts_on_its_own_days_only(street, days):
    card = street.member()
    start, end = (today() + timedelta(days=day) for day in days)
    offer = street.offer(valid_from=start, valid_to=end)
    look = street.look(street.code(card))
    assert refused(street.confirm, look, offer) == "closed"


def test_an_offer_of_one_shop_is_not_used_in_another(street):
    card = street.member()
    places = [
        MerchantPlace.objects.create(
            merchant=street.merchant, name=name, address="x", division_code="610802",
            latitude=38, longitude=109,
        )
        for name in ("East", "West")
    ]  # fmt: skip
    here, anywhere = street.offer(), street.offer()
    here.places.add(places[0])
    MerchantLogin.objects.filter(account=street.till).update(place=places[1])
    look = street.look(street.code(card))
    assert refused(street.confirm, look, here) == "closed"
    assert street.confirm(look, anywhere).place == places[1]


def test_a_look_is_confirmed_within_three_minutes(street):
    card, offer = street.member(), street.offer()
    look = street.look(street.code(card))
    old = replace(look, looked_at=look.looked_at - timedelta(minutes=3, seconds=1))
    assert refused(street.confirm, old, offer) == "expired"
    assert street.confirm(look, offer)


def test_the_last_place_the_members_share_and_the_years_money_end(street):
    lin, qin = street.member(), street.member()
    once = street.offer(quota_per_member=1)
    last = street.offer(quota_total=1)
    poor = make_programme(street.cast, budget_fen=1_500)
    dear = street.offer(programme=poor)
    for offer in (once, last, dear):
        street.use(lin, offer)
    assert refused(street.use, lin, once) == "member_quota"
    assert street.use(qin, once).ordinal == 1
    assert refused(street.use, qin, last) == "quota"
    assert refused(street.use, qin, dear) == "budget"
    assert counts(dear) == (1, 1_000)
    told = {
        one.offer: one.why_not for one in facing(lin, till_of(street.till), today(), None).offers
    }
    assert all(told[offer] for offer in (once, last, dear))


def test_what_the_cashier_sees_is_a_surname_a_county_and_offers(street):
    card = street.member()
    street.offer(price_fen=800)
    shown = redemptions.facing(street.look(street.code(card)), by=street.till)
    assert shown.name == f"{card.person.name[0]}*"
    assert shown.county == street.cast.tree.county.name
    assert [one.offer.subsidy_fen for one in shown.open_offers] == [1_000]
    assert set(vars(shown)) == {"name", "county", "offers"}


# -- guessing -----------------------------------------------------------------------------


def test_a_till_that_guesses_waits_and_is_told_of(street):
    card = street.member()
    for number in range(10):
        assert refused(street.look, some_code(number)) == "unknown"
    assert refused(street.look, street.code(card)) == "waiting"
    entry = AuditEntry.objects.get(action="till.waits")
    assert entry.actor == str(street.till)
    _merchant, other = street.shop()
    assert street.look(street.code(card), other)


def test_wrong_codes_of_ten_minutes_ago_are_forgiven(street):
    for number in range(10):
        refused(street.look, some_code(number))
    for wrong in WrongCode.objects.all():
        WrongCode.objects.filter(pk=wrong.pk).update(
            typed_at=wrong.typed_at - timedelta(minutes=10)
        )
    assert street.look(street.code(street.member()))


def test_tills_of_one_address_are_counted_together(street):
    shops = [street.shop()[1] for _shop in range(5)]
    for number, till in enumerate(shops[:4]):
        for other in range(10):
            refused(street.look, some_code(100 * number + other), till)
    code = street.code(street.member())
    assert refused(street.look, code, shops[4]) == "waiting"
    assert redemptions.look_up(text=code, by=shops[4], address="10.0.0.2")


def test_a_slip_of_the_finger_is_no_guess(street):
    for _try in range(12):
        assert refused(street.look, "123") == "malformed"
        assert refused(street.look, some_code()[:-1] + "x") == "malformed"
    assert not WrongCode.objects.exists()
    assert street.look(street.code(street.member()))


def test_a_forged_token_counts_as_a_guess(street):
    forged = card_tokens.issue(some_code(), at=timezone.now(), sign=lambda text: "00" * 32)
    assert refused(street.look, forged) == "forged"
    assert WrongCode.objects.count() == 1


def test_counted_wrong_codes_are_forgotten_after_a_season(street):
    refused(street.look, some_code())
    assert redemptions.sweep() == 0
    wrong = WrongCode.objects.get()
    WrongCode.objects.update(typed_at=wrong.typed_at - timedelta(days=91))
    assert redemptions.sweep() == 1


def test_nobody_but_a_till_looks_up_confirms_or_takes_back(street):
    card, offer = street.member(), street.offer()
    code = street.code(card)
    look, use = street.look(code), street.use(card, offer)
    ended = street.shop()[1]
    MerchantLogin.objects.filter(account=ended).update(ended_at=timezone.now())
    for account in (street.cast.officer, street.cast.wei, card.person.account, ended):
        for act in (
            lambda by: redemptions.look_up(text=code, by=by, address="x"),
            lambda by: redemptions.confirm(
                look=look, offer_id=offer.pk, revision=offer.revision, by=by
            ),
            lambda by: redemptions.undo(redemption=use, reason="wrong", by=by),
        ):
            with pytest.raises(PermissionDenied):
                act(account)


# -- taking back --------------------------------------------------------------------------


def test_a_use_is_taken_back_and_leaves_its_trace(street):
    card, offer = street.member(), street.offer(quota_total=1, quota_per_member=1)
    code = street.code(card)
    use = street.confirm(street.look(code), offer)
    redemptions.undo(redemption=use, reason="Wrong dish", by=street.till)
    assert (use.state, use.undone_by, use.undone_reason) == ("undone", street.till, "Wrong dish")
    assert counts(offer) == (0, 0)
    assert refused(street.look, code) == "replayed"
    assert AuditEntry.objects.get(action="redemption.undone").reason == "Wrong dish"
    again = street.use(card, offer)
    assert again.ordinal == 1
    assert refused(redemptions.undo, redemption=use, reason="Again", by=street.till) == "undone"
    assert counts(offer) == (1, 1_000)


def test_a_use_is_taken_back_within_five_minutes(street):
    use = street.use(street.member(), street.offer())
    grow_older(use, timedelta(minutes=5, seconds=1))
    assert not redemptions.may_undo(use, by=street.till)
    assert refused(redemptions.undo, redemption=use, reason="Late", by=street.till) == "too_late"


def test_a_use_is_taken_back_by_the_till_that_confirmed_it(street):
    use = street.use(street.member(), street.offer())
    from tests.members.street import make_till

    neighbour = make_till(street.cast, street.merchant)
    assert not redemptions.may_undo(use, by=neighbour)
    assert refused(redemptions.undo, redemption=use, reason="No", by=neighbour) == "too_late"
    with pytest.raises(PermissionDenied):
        redemptions.undo(redemption=use, reason="No", by=street.shop()[1])


def test_a_use_is_not_taken_back_without_a_reason(street):
    use = street.use(street.member(), street.offer())
    with pytest.raises(Refused):
        redemptions.undo(redemption=use, reason="  ", by=street.till)


def test_the_headline_figures_are_those_of_the_uses_that_stand(street):
    offer = street.offer()
    uses = [street.use(street.member(), offer) for _use in range(3)]
    redemptions.undo(redemption=uses[1], reason="Wrong", by=street.till)
    assert figures.value("benefit_spend_fen") == 2_000
    assert figures.value("benefit_uses") == 2


def test_the_first_free_number_is_given_again(street):
    card, offer = street.member(), street.offer(quota_per_member=2)
    first, second = street.use(card, offer), street.use(card, offer)
    assert (first.ordinal, second.ordinal) == (1, 2)
    redemptions.undo(redemption=first, reason="Wrong", by=street.till)
    assert street.use(card, offer).ordinal == 1


# -- rating -------------------------------------------------------------------------------


def test_a_use_is_rated_once_by_its_member(street):
    card, offer = street.member(), street.offer()
    use = street.use(card, offer)
    by = card.person.account
    with pytest.raises(PermissionDenied):
        ratings.rate(redemption=use, stars=5, words="", by=street.cast.wei)
    with pytest.raises(RatingRefused):
        ratings.rate(redemption=use, stars=6, words="", by=by)
    assert ratings.rate(redemption=use, stars=4, words=" Hot ", by=by).words == "Hot"
    with pytest.raises(RatingRefused):
        ratings.rate(redemption=use, stars=1, words="", by=by)


def test_what_was_taken_back_is_not_rated(street):
    card = street.member()
    use = street.use(card, street.offer())
    redemptions.undo(redemption=use, reason="Wrong", by=street.till)
    with pytest.raises(RatingRefused):
        ratings.rate(redemption=use, stars=5, words="", by=card.person.account)


# -- past the pages: SQL ------------------------------------------------------------------

_COPY = """
INSERT INTO members_redemption (offer_id, revision, merchant_id, card_id, person_id,
    organization_id, programme_id, ordinal, code_digest, code_kind, subsidy_fen, redeemed_by_id,
    undone_reason, state)
SELECT {offer}, {revision}, merchant_id, {card}, person_id, organization_id, {programme},
    {ordinal}, {digest}, code_kind, {subsidy}, redeemed_by_id, '', '{state}'
FROM members_redemption WHERE id = {use}
"""


def forged(use: Redemption, **more) -> str:
    given = {
        "offer": "offer_id", "revision": "revision", "card": "card_id", "ordinal": "ordinal + 1",
        "programme": "programme_id", "digest": "'x' || left(code_digest, 60)",
        "subsidy": "subsidy_fen", "state": "done", "use": use.pk,
    }  # fmt: skip
    return _COPY.format(**{**given, **more})


def test_sql_passes_no_quota_no_budget_and_no_code(street):
    card = street.member()
    poor = make_programme(street.cast, budget_fen=1_500)
    for offer, guard in (
        (street.offer(quota_total=1), "offer_within_quota"),
        (street.offer(quota_per_member=1), "redemption_within_member_quota"),
        (street.offer(programme=poor), "programme_within_budget"),
    ):
        refused_by(guard, forged(street.use(card, offer)))
    use = street.use(card, street.offer())
    stranger = street.member()
    refused_by("redemption_code_once", forged(use, digest="code_digest"))
    refused_by("redemption_ordinal_once", forged(use, ordinal="ordinal"))
    refused_by("redemption_of_published_offer", forged(use, revision="revision + 1"))
    refused_by("redemption_as_offered", forged(use, subsidy="subsidy_fen + 1"))
    refused_by("redemption_as_offered", forged(use, programme="NULL"))
    refused_by("redemption_by_active_card", forged(use, card=stranger.pk))
    refused_by("redemption_steps", forged(use, state="undone"))
    lifecycle.advance(card, to=CardState.LOST, by=street.cast.officer)
    refused_by("redemption_by_active_card", forged(use))


def test_sql_edits_and_removes_no_use(street):
    use = street.use(street.member(), street.offer())
    where = f"WHERE id = {use.pk}"
    for column in ("subsidy_fen = 1", "code_digest = 'x'", "redeemed_at = now()", "ordinal = 9"):
        refused_by("redemption_frozen", f"UPDATE members_redemption SET {column} {where}")
    refused_by("redemption_no_delete", f"DELETE FROM members_redemption {where}")
    refused_by(
        "redemption_undone_by_someone", f"UPDATE members_redemption SET state = 'undone' {where}"
    )
    redemptions.undo(redemption=use, reason="Wrong", by=street.till)
    refused_by("redemption_steps", f"UPDATE members_redemption SET state = 'done' {where}")


def test_a_card_has_one_live_code_whoever_writes(street):
    card = street.member()
    street.code(card)
    refused_by(
        "card_code_one_live",
        "INSERT INTO members_cardcode (card_id, kind, digest, position, issued_at, expires_at)"
        f" VALUES ({card.pk}, 'live', 'x', 0, now(), now())",
    )
    refused_by(
        "card_code_former_expires",
        "UPDATE members_cardcode SET former_digest = 'x', former_expires_at = NULL",
    )


def test_an_offer_that_is_paused_is_not_used(street):
    card, offer = street.member(), street.offer()
    look = street.look(street.code(card))
    lifecycle.advance(offer, to=OfferState.PAUSED, by=street.cast.officer)
    assert refused(street.confirm, look, offer) == "changed"


def test_a_printed_code_counts_the_same(street):
    card, offer = street.member(), street.offer()
    sheet = card_codes.print_sheet(card=card, by=card.person.account)
    use = street.confirm(street.look(sheet.codes[3]), offer)
    assert (use.code_kind, use.subsidy_fen) == ("printed", 1_000)
    assert refused(street.look, sheet.codes[3]) == "replayed"
