"""What a till may know: its merchant, the offers that count today, and as little of a member."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from members.models import (
    BenefitOffer,
    Membership,
    Merchant,
    MerchantLogin,
    MerchantPlace,
    Person,
    Redemption,
    ServiceCard,
)
from members.queries.benefits import honours_on, merchants_on, midnight, offer_title
from members.states import (
    LIVE_MEMBERSHIPS,
    NUMBERED_CARDS,
    CardState,
    RedemptionState,
)
from union_portal.models import Account, Organization, OrganizationLevel

STANDS: Final = Q(state=RedemptionState.DONE)


def honours(merchant: Merchant, day: date) -> bool:
    """Whether this merchant's offers count on a day."""
    return merchants_on(day).filter(pk=merchant.pk).exists()


def till_of(account: Account) -> MerchantLogin | None:
    """The till that this account stands at, if it is a till's."""
    if not account.is_authenticated:
        return None
    return (
        MerchantLogin.objects.filter(account=account, ended_at__isnull=True)
        .select_related("merchant__organization", "place")
        .first()
    )


def at_place(place: MerchantPlace | None) -> Q:
    """Offers of this shop: those of its own, and those of no shop in particular."""
    everywhere = Q(places__isnull=True)
    return Q() if place is None else everywhere | Q(places=place)


def live_membership(person: Person) -> Membership | None:
    """The membership that makes the person a member today."""
    return (
        Membership.objects.filter(
            person=person,
            person__died_on__isnull=True,
            person__merged_into__isnull=True,
            state__in=LIVE_MEMBERSHIPS,
        )
        .select_related("organization")
        .first()
    )


def shown_card(person: Person) -> ServiceCard | None:
    """The card that the person's pages show: the active one, else the newest that the bank made."""
    cards = ServiceCard.objects.filter(person=person).select_related("bank", "person")
    active = cards.filter(state=CardState.ACTIVE).first()
    return active or cards.filter(state__in=NUMBERED_CARDS).order_by("-pk").first()


def county_name(organization: Organization) -> str:
    """The county above a union; the union's own name where none is."""
    if organization.level == OrganizationLevel.COUNTY:
        return organization.name
    above = [int(number) for number in organization.path.strip("/").split("/")]
    county = Organization.objects.filter(pk__in=above, level=OrganizationLevel.COUNTY).first()
    return county.name if county is not None else organization.name


@dataclass(frozen=True)
class OfferAtTill:
    """One offer beside a member: what is left of it, and why it can't be used if it can't."""

    offer: BenefitOffer
    left: int | None
    left_for_member: int | None
    why_not: str

    @property
    def is_open(self) -> bool:
        return not self.why_not


@dataclass(frozen=True)
class Facing:
    """All that a cashier is shown of a member: no number, no picture, no whole name."""

    name: str
    county: str
    offers: list[OfferAtTill]

    @property
    def open_offers(self) -> list[OfferAtTill]:
        return [one for one in self.offers if one.is_open]


def facing(card: ServiceCard, login: MerchantLogin, day: date, offer_id: int | None) -> Facing:
    """What is shown of a card's holder, and what they may use here; `offer_id`: that one alone."""
    membership = live_membership(card.person)
    offers = honours_on(day).filter(at_place(login.place), merchant=login.merchant)
    if offer_id is not None:
        offers = offers.filter(pk=offer_id)
    offers = offers.select_related("programme", "merchant").order_by("title", "pk").distinct()
    used = used_by(card.person, offers)
    return Facing(
        name=surname_alone(card.person.name),
        county=county_name(membership.organization) if membership else "",
        offers=[_at_till(offer, used.get(offer.pk, 0)) for offer in offers],
    )


def surname_alone(name: str) -> str:
    """The first character and a star: enough to greet somebody, too little to know them."""
    return f"{name[:1]}*"


def used_by(person: Person, offers: Iterable[BenefitOffer]) -> dict[int, int]:
    """How often the person has used each of the offers; what was taken back is not counted."""
    rows = (
        Redemption.objects.filter(STANDS, person=person, offer__in=[one.pk for one in offers])
        .order_by()
        .values("offer")
        .annotate(times=Count("pk"))
        .values_list("offer", "times")
    )
    return dict(rows)


def _at_till(offer: BenefitOffer, used: int) -> OfferAtTill:
    left = None if offer.quota_total is None else offer.quota_total - offer.used_count
    of_member = None if offer.quota_per_member is None else offer.quota_per_member - used
    return OfferAtTill(offer, left, of_member, _why_not(offer, left, of_member))


def _why_not(offer: BenefitOffer, left: int | None, of_member: int | None) -> str:
    if left is not None and left <= 0:
        return _("used up")
    if of_member is not None and of_member <= 0:
        return _("the member has used it as often as allowed")
    programme = offer.programme
    if programme and programme.committed_fen + offer.subsidy_fen > programme.budget_fen:
        return _("the year's subsidies are used up")
    return ""


def uses_between(merchant: Merchant, start: date, end: date) -> QuerySet[Redemption]:
    """A merchant's uses from a day up to another, the latter left out; the newest first."""
    return (
        Redemption.objects.filter(
            merchant=merchant, redeemed_at__gte=midnight(start), redeemed_at__lt=midnight(end)
        )
        .select_related("offer", "place", "redeemed_by")
        .order_by("-redeemed_at", "-pk")
    )


def sums(uses: QuerySet[Redemption]) -> dict[str, Any]:
    """How many uses stand, what they are subsidised with in fen, how many were taken back."""
    return uses.order_by().aggregate(
        done=Count("pk", filter=STANDS),
        subsidy_fen=Sum("subsidy_fen", filter=STANDS, default=0),
        undone=Count("pk", filter=~STANDS),
    )


def by_offer(uses: QuerySet[Redemption]) -> list[Any]:
    """The standing uses of each offer and their subsidies, the most used first."""
    return list(
        uses.filter(STANDS)
        .order_by()
        .values(title=offer_title("offer"))
        .annotate(done=Count("pk"), sum_fen=Sum("subsidy_fen"))
        .order_by("-done", "title")
    )


def month_of(day: date) -> tuple[date, date]:
    """The first day of a day's month, and of the next."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)
