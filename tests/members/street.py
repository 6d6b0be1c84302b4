"""A street of shops: a merchant with its agreement, offers and till, and members with cards."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from members.actions import card_codes, redemptions
from members.actions.redemptions import Look
from members.models import (
    BenefitCategory,
    BenefitOffer,
    BenefitProgramme,
    CardBank,
    Channel,
    Membership,
    Merchant,
    MerchantAgreement,
    MerchantLogin,
    Person,
    Redemption,
    ServiceCard,
)
from members.queries.till import live_membership
from members.states import AgreementState, MerchantState, OfferState
from tests.cast import Cast, make_account, make_person
from tests.members.cards import make_bank, make_card
from union_portal import lifecycle
from union_portal.models import Account, Organization

_rng = random.Random(20261128)
_numbers = itertools.count(1)


def today() -> date:
    return timezone.localdate()


@dataclass
class Street:
    """The shop `merchant` with its `till`, and the offers and members that a test needs."""

    cast: Cast
    merchant: Merchant
    till: Account
    category: BenefitCategory
    bank: CardBank
    programme: BenefitProgramme
    others: list[Any] = field(default_factory=list)

    def offer(self, merchant: Merchant | None = None, **more: Any) -> BenefitOffer:
        """A published offer of the shop: a subsidy of ten yuan, quotas that no test reaches."""
        return make_offer(self, merchant or self.merchant, **more)

    def member(
        self, union: Organization | None = None, person: Person | None = None, **more: Any
    ) -> ServiceCard:
        """Somebody with an account, a membership and an active card."""
        union = union or self.cast.tree.union
        if person is None:
            account = make_account(f"member{next(_numbers)}")
            person = make_person(union, account=account)
        if live_membership(person) is None:
            make_membership(person)
        return make_card(person, **{"bank": self.bank, **more})

    def shop(self, **more: Any) -> tuple[Merchant, Account]:
        """Another merchant, and the account of its till."""
        merchant = make_merchant(self.cast, self.category, **more)
        return merchant, make_till(self.cast, merchant)

    def code(self, card: ServiceCard, offer: BenefitOffer | None = None) -> str:
        """The digits that the card's holder shows now."""
        return card_codes.renew(card=card, by=card.person.account, offer=offer).code

    def look(self, text: str, till: Account | None = None) -> Look:
        return redemptions.look_up(text=text, by=till or self.till, address="10.0.0.1")

    def use(
        self, card: ServiceCard, offer: BenefitOffer, till: Account | None = None
    ) -> Redemption:
        """The whole way: shown, looked up, confirmed."""
        look = self.look(self.code(card), till)
        return self.confirm(look, offer, till)

    def confirm(self, look: Look, offer: BenefitOffer, till: Account | None = None) -> Redemption:
        return redemptions.confirm(
            look=look, offer_id=offer.pk, revision=offer.revision, by=till or self.till
        )


def make_street(cast: Cast, *, at: Organization | None = None) -> Street:
    category = BenefitCategory.objects.create(
        code=f"meals{next(_numbers)}", name=f"餐饮{next(_numbers)}", name_en="Meals", need="food"
    )
    merchant = make_merchant(cast, category, at=at)
    return Street(
        cast=cast,
        merchant=merchant,
        till=make_till(cast, merchant),
        category=category,
        bank=make_bank(),
        programme=make_programme(cast),
    )


def make_programme(cast: Cast, **more: Any) -> BenefitProgramme:
    year = 2000 + next(_numbers)
    fields = {"name": f"{year}", "year": year, "fund_code": "benefits", "budget_fen": 10_000_000}
    return BenefitProgramme.objects.create(organization=cast.tree.city, **{**fields, **more})


def make_merchant(
    cast: Cast, category: BenefitCategory, *, at: Organization | None = None, **agreement: Any
) -> Merchant:
    """An approved merchant under an agreement that holds today; another one by `agreement`."""
    number = next(_numbers)
    merchant = Merchant.objects.create(
        name=f"红石峡面馆{number}",
        uscc=f"91610802MA{number:08d}",
        category=category,
        organization=at or cast.tree.city,
        contact="白一",
        contact_phone="13800138000",
        contact_phone_shown="138****8000",
        receipt=f"M{number:08d}",
        entered_by=cast.officer,
    )
    lifecycle.advance(
        merchant, to=MerchantState.REVIEWED, by=cast.officer, reviewed_by=cast.officer
    )
    lifecycle.advance(
        merchant, to=MerchantState.APPROVED, by=cast.decider, approved_by=cast.decider
    )
    make_agreement(cast, merchant, **agreement)
    return merchant


def make_agreement(cast: Cast, merchant: Merchant, **more: Any) -> MerchantAgreement:
    fields: dict[str, Any] = {
        "number": f"S{next(_numbers)}",
        "signed_on": today() - timedelta(days=40),
        "valid_from": today() - timedelta(days=30),
        "valid_to": today() + timedelta(days=300),
    }
    made = MerchantAgreement.objects.create(
        merchant=merchant, entered_by=cast.officer, **{**fields, **more}
    )
    lifecycle.advance(made, to=AgreementState.CONFIRMED, by=cast.decider, confirmed_by=cast.decider)
    return made


def make_till(cast: Cast, merchant: Merchant) -> Account:
    account = make_account(f"till{next(_numbers)}")
    MerchantLogin.objects.create(account=account, merchant=merchant, given_by=cast.officer)
    return account


def make_offer(street: Street, merchant: Merchant, **more: Any) -> BenefitOffer:
    fields: dict[str, Any] = {
        "category": street.category,
        "title": f"羊肉面{next(_numbers)}",
        "text": "One bowl.",
        "kind": "subsidy",
        "price_fen": 800,
        "subsidy_fen": 1_000,
        "programme": street.programme,
        "quota_total": 1_000,
        "quota_per_member": 100,
        "valid_from": today() - timedelta(days=10),
        "valid_to": today() + timedelta(days=100),
    }
    made = BenefitOffer.objects.create(
        merchant=merchant,
        entered_by=street.cast.officer,
        **{**fields, **more},
    )
    lifecycle.advance(made, to=OfferState.SUBMITTED, by=street.cast.officer)
    lifecycle.advance(
        made, to=OfferState.PUBLISHED, by=street.cast.decider, approved_by=street.cast.decider
    )
    return made


def revise(street: Street, offer: BenefitOffer, **changes: Any) -> BenefitOffer:
    """The offer as it comes back after a change: paused, redrafted, published as revision n+1."""
    rows, before = BenefitOffer.objects.filter(pk=offer.pk), offer.revision
    lifecycle.advance(offer, to=OfferState.PAUSED, by=street.cast.officer)
    lifecycle.advance(offer, to=OfferState.DRAFT, by=street.cast.officer, revision=before + 1)
    rows.update(**changes)
    offer.refresh_from_db()
    lifecycle.advance(offer, to=OfferState.SUBMITTED, by=street.cast.officer)
    lifecycle.advance(
        offer, to=OfferState.PUBLISHED, by=street.cast.decider, approved_by=street.cast.decider
    )
    return offer


def make_membership(person: Person) -> Membership:
    return Membership.objects.create(
        person=person,
        organization=person.organization,
        joined_on=date(2020, 1, 1),
        first_joined_on=date(2020, 1, 1),
        channel=Channel.DESK,
    )
