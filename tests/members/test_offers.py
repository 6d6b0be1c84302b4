"""Offers: written by one, published by another, changed as the next revision, raced by two."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from members.actions import merchants, offers
from members.actions.refusals import BenefitRefused
from members.models import BenefitOffer
from members.rules.offers import OfferUnsound
from members.states import OfferState
from tests.cast import Cast, make_cast, make_tree
from tests.kernel.races import at_once, waits_for_lock
from tests.members.benefits import (
    agree,
    give_login,
    honoured,
    make_merchant,
    make_offer,
    says,
    today,
    used,
)
from union_portal.lifecycle import Stale


def publish(cast: Cast, offer: BenefitOffer, by: Any = None) -> None:
    offers.publish(offer=offer, by=by or cast.decider, now=timezone.now(), today=today())


@pytest.mark.django_db
class TestLife:
    def test_who_wrote_an_offer_does_not_publish_it(self, cast: Cast):
        offer = make_offer(cast, make_merchant(cast), publish=False)
        offers.submit(offer=offer, by=cast.benefits, today=today())
        with pytest.raises(BenefitRefused, match="wrote this offer yourself"):
            publish(cast, offer, by=cast.benefits)
        with (
            pytest.raises(IntegrityError, match="offer_entered_by_not_approved_by"),
            transaction.atomic(),
        ):
            BenefitOffer.objects.filter(pk=offer.pk).update(approved_by=cast.benefits)
        publish(cast, offer)
        assert (offer.state, offer.approved_by) == (OfferState.PUBLISHED, cast.decider)

    def test_what_a_merchant_wrote_is_published_by_the_office(self, cast: Cast):
        merchant = make_merchant(cast)
        till = give_login(cast, merchant, "counter").account
        offer = offers.draft(merchant=merchant, says=says(merchant), by=till, today=today())
        offers.submit(offer=offer, by=till, today=today())
        with pytest.raises(PermissionDenied):
            publish(cast, offer, by=till)
        publish(cast, offer, by=cast.benefits)
        offers.pause(offer=offer, by=till, reason="sold out")
        with pytest.raises(PermissionDenied):
            offers.resume(offer=offer, by=till, today=today())
        offers.resume(offer=offer, by=cast.benefits, today=today())

    def test_a_log_in_writes_for_its_own_merchant_alone(self, cast: Cast):
        merchant, other = make_merchant(cast), make_merchant(cast)
        till = give_login(cast, other, "counter").account
        offer = make_offer(cast, merchant)
        draft = make_offer(cast, merchant, publish=False)
        for act in (
            lambda: offers.draft(merchant=merchant, says=says(merchant), by=till, today=today()),
            lambda: offers.change(offer=draft, says=says(merchant), by=till, today=today()),
            lambda: offers.submit(offer=draft, by=till, today=today()),
            lambda: offers.pause(offer=offer, by=till, reason="mine?"),
            lambda: offers.end(offer=offer, by=till, reason="mine?"),
        ):
            with pytest.raises(PermissionDenied):
                act()

    def test_whoever_changed_a_draft_last_does_not_publish_it(self, cast: Cast):
        merchant = make_merchant(cast)
        till = give_login(cast, merchant, "counter").account
        offer = offers.draft(merchant=merchant, says=says(merchant), by=till, today=today())
        offers.change(offer=offer, says=says(merchant), by=cast.benefits, today=today())
        offers.submit(offer=offer, by=till, today=today())
        with pytest.raises(BenefitRefused, match="wrote this offer yourself"):
            publish(cast, offer, by=cast.benefits)

    def test_an_unsound_draft_is_told_every_fault(self, cast: Cast):
        merchant = make_merchant(cast)
        with pytest.raises(OfferUnsound) as refused:
            make_offer(cast, merchant, price_fen=None, quota_total=0, publish=False)
        assert [one.at for one in refused.value.faults] == ["price", "quota_total"]
        with pytest.raises(BenefitRefused, match="none of the merchant's own shops"):
            make_offer(cast, merchant, places=[], publish=False)
        other = make_merchant(cast)
        with pytest.raises(BenefitRefused, match="none of the merchant's own shops"):
            make_offer(cast, merchant, places=list(other.places.all()), publish=False)
        assert not BenefitOffer.objects.exists()

    def test_nothing_is_published_for_a_suspended_merchant(self, cast: Cast):
        merchant = make_merchant(cast)
        offer = make_offer(cast, merchant, publish=False)
        offers.submit(offer=offer, by=cast.benefits, today=today())
        merchants.suspend(merchant=merchant, by=cast.benefits, reason="complaints")
        with pytest.raises(BenefitRefused, match="suspended"):
            publish(cast, offer)

    def test_an_offer_whose_days_are_over_is_not_published(self, cast: Cast):
        offer = make_offer(cast, make_merchant(cast), publish=False, valid_to=today())
        offers.submit(offer=offer, by=cast.benefits, today=today())
        with pytest.raises(OfferUnsound, match="is over"):
            offers.publish(
                offer=offer, by=cast.decider, now=timezone.now(), today=today() + timedelta(days=1)
            )

    def test_a_change_is_the_next_revision_approved_anew(self, cast: Cast):
        offer = honoured(cast)
        with pytest.raises(BenefitRefused, match="Only a draft is changed"):
            offers.change(offer=offer, says=says(offer.merchant), by=cast.benefits, today=today())
        offers.pause(offer=offer, by=cast.decider, reason="a new price")
        with pytest.raises(BenefitRefused, match="Only a draft is changed"):
            offers.change(offer=offer, says=says(offer.merchant), by=cast.benefits, today=today())
        offers.revise(offer=offer, by=cast.benefits)
        assert (offer.revision, offer.approved_by, offer.state) == (2, None, "draft")
        cheaper = says(offer.merchant, price_fen=2_000)
        offers.change(offer=offer, says=cheaper, by=cast.benefits, today=today())
        offers.submit(offer=offer, by=cast.benefits, today=today())
        publish(cast, offer)
        assert (offer.revision, offer.price_fen) == (2, 2_000)

    def test_a_limit_is_not_lowered_below_what_was_used(self, cast: Cast):
        offer = honoured(cast, quota_total=5)
        used(cast, offer)
        used(cast, offer)
        offer.refresh_from_db()
        offers.pause(offer=offer, by=cast.decider, reason="fewer")
        offers.revise(offer=offer, by=cast.benefits)
        fewer = says(offer.merchant, quota_total=1)
        with pytest.raises(Exception, match="used 2 times already"):
            offers.change(offer=offer, says=fewer, by=cast.benefits, today=today())

    @pytest.mark.parametrize("state", ["submitted", "published", "paused", "ended"])
    def test_sql_changes_nothing_of_what_was_handed_in(self, cast: Cast, state: str):
        offer = make_offer(cast, make_merchant(cast), publish=False)
        offers.submit(offer=offer, by=cast.benefits, today=today())
        if state != "submitted":
            publish(cast, offer)
        if state == "paused":
            offers.pause(offer=offer, by=cast.decider, reason="sold out")
        if state == "ended":
            offers.end(offer=offer, by=cast.decider, reason="over")
        for change in ({"price_fen": 1}, {"text": "other"}, {"valid_to": today()}):
            with pytest.raises(DatabaseError, match="new revision"), transaction.atomic():
                BenefitOffer.objects.filter(pk=offer.pk).update(**change)

    def test_sql_counts_no_revision_up_or_down(self, cast: Cast):
        offer = honoured(cast)
        for revision in (0, 2, 9):
            with pytest.raises(DatabaseError, match="next revision"), transaction.atomic():
                BenefitOffer.objects.filter(pk=offer.pk).update(revision=revision)
        offers.pause(offer=offer, by=cast.decider, reason="sold out")
        with pytest.raises(DatabaseError, match="next revision"), transaction.atomic():
            BenefitOffer.objects.filter(pk=offer.pk).update(**{"state": "draft", "revision": 1})


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """Two real connections: whoever comes second finds what the first left."""

    @pytest.fixture
    def cast(self) -> Cast:
        return make_cast(make_tree())

    def test_a_draft_is_handed_in_while_another_changes_it(self, cast: Cast):
        """What is published is what was handed in, never what was typed meanwhile."""
        offer = make_offer(cast, make_merchant(cast), publish=False)
        other_says = says(offer.merchant, price_fen=1)

        def change() -> None:
            held = BenefitOffer.objects.get(pk=offer.pk)
            offers.change(offer=held, says=other_says, by=cast.benefits, today=today())

        with at_once(change) as other, transaction.atomic():
            offers.submit(offer=offer, by=cast.benefits, today=today())
            other.start()
            waits_for_lock(other)
        assert isinstance(other.error, BenefitRefused)
        assert BenefitOffer.objects.get(pk=offer.pk).price_fen == 2_500

    def test_two_publish_at_once_and_one_does(self, cast: Cast):
        offer = make_offer(cast, make_merchant(cast), publish=False)
        offers.submit(offer=offer, by=cast.benefits, today=today())
        seen = BenefitOffer.objects.get(pk=offer.pk)
        with at_once(lambda: publish(cast, seen)) as other, transaction.atomic():
            publish(cast, offer)
            other.start()
            waits_for_lock(other)
        assert isinstance(other.error, Stale)

    def test_a_use_waits_for_a_pause_and_is_refused(self, cast: Cast):
        """An offer paused or revised while a till confirms: the use meets the new state."""
        merchant = make_merchant(cast)
        agree(cast, merchant)
        offer = make_offer(cast, merchant)
        shown = BenefitOffer.objects.get(pk=offer.pk)
        with at_once(lambda: used(cast, shown)) as other, transaction.atomic():
            offers.pause(offer=offer, by=cast.decider, reason="a new price")
            offers.revise(offer=offer, by=cast.benefits)
            other.start()
            waits_for_lock(other)
        assert "not open as it was shown" in str(other.error)
        assert BenefitOffer.objects.get(pk=offer.pk).used_count == 0

    def test_a_merchant_is_suspended_while_its_offer_is_published(self, cast: Cast):
        offer = make_offer(cast, make_merchant(cast), publish=False)
        offers.submit(offer=offer, by=cast.benefits, today=today())
        merchant = type(offer.merchant).objects.get(pk=offer.merchant_id)
        with at_once(lambda: publish(cast, offer)) as other, transaction.atomic():
            merchants.suspend(merchant=merchant, by=cast.benefits, reason="complaints")
            other.start()
            waits_for_lock(other)
        assert isinstance(other.error, BenefitRefused)
        assert BenefitOffer.objects.get(pk=offer.pk).state == OfferState.SUBMITTED
