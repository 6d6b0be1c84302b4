"""What may be seen of merchants and offers: what is honoured, the directory, what waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone
from django.utils.translation import get_language

from members.models import (
    BenefitCategory,
    BenefitOffer,
    Favourite,
    Merchant,
    MerchantAccount,
    MerchantAgreement,
    MerchantComplaint,
    MerchantLogin,
    MerchantPlace,
    Need,
    OfferKind,
    Person,
    Rating,
    Redemption,
)
from members.states import (
    AgreementState,
    BankAccountState,
    ComplaintState,
    MerchantState,
    OfferState,
    RedemptionState,
)
from union_portal import access, readers
from union_portal.access import Permission
from union_portal.models import Account
from union_portal.readers import Door

# An agreement that ends within so many days is told to whoever can make the next.
ENDS_SOON: Final = timedelta(days=60)
SORTS: Final = ("used", "new")


def merchants_on(day: date) -> QuerySet[Merchant]:
    """Merchants that honour the card on a day: approved, under an agreement whose dates hold it.

    An agreement expires by its dates alone: nobody has to do anything for that.
    """
    holding = MerchantAgreement.objects.filter(
        merchant=OuterRef("pk"),
        state=AgreementState.CONFIRMED,
        valid_from__lte=day,
        valid_to__gte=day,
    )
    return Merchant.objects.filter(Exists(holding), state=MerchantState.APPROVED)


def honours_on(day: date) -> QuerySet[BenefitOffer]:
    """Offers that are honoured on a day: published, within their own days, by such a merchant.

    Whatever shows or uses an offer asks this, and nothing else.
    """
    return BenefitOffer.objects.filter(
        state=OfferState.PUBLISHED,
        valid_from__lte=day,
        valid_to__gte=day,
        merchant__in=merchants_on(day),
    )


def midnight(day: date) -> datetime:
    """The instant at which a day begins, at the office's clock."""
    return timezone.make_aware(datetime.combine(day, time.min))


# -- how much there is as of a day -----------------------------------------------------------------
def count_categories(day: date) -> int:
    """Categories in which something is honoured on the day."""
    return _published(day).values("category").distinct().count()


def count_offers(day: date) -> int:
    return _published(day).count()


def count_merchants(day: date) -> int:
    """Merchants that honour the card on the day and offer something on it."""
    return _published(day).values("merchant").distinct().count()


def _published(day: date) -> QuerySet[BenefitOffer]:
    return honours_on(day).filter(approved_at__lt=midnight(day + timedelta(days=1)))


# -- the public directory ------------------------------------------------------------------------
@dataclass(frozen=True)
class Wanted:
    """What a visitor of the directory looks for; what makes no sense is left out."""

    text: str = ""
    need: str = ""
    category: str = ""
    county: str = ""
    kind: str = ""
    sort: str = "used"
    kept: bool = False


def directory(wanted: Wanted, *, day: date, person: Person | None = None) -> QuerySet[BenefitOffer]:
    """Honoured offers that fit, in the order that was asked for."""
    rows = honours_on(day)
    if wanted.need in Need.values:
        rows = rows.filter(category__need=wanted.need)
    if wanted.category:
        rows = rows.filter(category__code=wanted.category)
    if wanted.kind in OfferKind.values:
        rows = rows.filter(kind=wanted.kind)
    if wanted.county:
        rows = rows.filter(
            Exists(
                MerchantPlace.objects.filter(
                    offers=OuterRef("pk"), division_code=wanted.county, is_active=True
                )
            )
        )
    if wanted.text:
        rows = rows.filter(_named(wanted.text))
    if wanted.kept:
        kept = Favourite.objects.filter(person=person, offer=OuterRef("pk"))
        rows = rows.filter(Exists(kept)) if person else rows.none()
    order = ("-approved_at", "-id") if wanted.sort == "new" else ("-used_count", "-id")
    return _shown(rows).order_by(*order)


def _named(text: str) -> Q:
    """By title, merchant or category; letters by the sound or the initials of the merchant too."""
    found = (
        Q(title__icontains=text)
        | Q(title_en__icontains=text)
        | Q(merchant__name__icontains=text)
        | Q(category__name__icontains=text)
        | Q(category__name_en__icontains=text)
    )
    letters = "".join(text.split()).lower()
    if letters.isascii() and letters.isalpha():
        found |= Q(merchant__pinyin__contains=letters) | Q(merchant__initials__contains=letters)
    return found


def _shown(rows: QuerySet[BenefitOffer]) -> QuerySet[BenefitOffer]:
    open_places = MerchantPlace.objects.filter(is_active=True)
    return rows.select_related("merchant", "category").prefetch_related(
        Prefetch("places", queryset=open_places)
    )


def shown_offers() -> QuerySet[BenefitOffer]:
    """Offers whose page opens: published ones and those on a break; drafts never."""
    return _shown(
        BenefitOffer.objects.filter(
            state__in=[OfferState.PUBLISHED, OfferState.PAUSED],
            merchant__state__in=[MerchantState.APPROVED, MerchantState.SUSPENDED],
        )
    )


def merchant_directory(
    *, day: date, text: str = "", category: str = "", county: str = ""
) -> QuerySet[Merchant]:
    """Merchants that honour the card on a day, with the shops that are open to it."""
    rows = merchants_on(day)
    if text:
        rows = rows.filter(_called(text))
    if category:
        rows = rows.filter(category__code=category)
    places = MerchantPlace.objects.filter(is_active=True)
    if county:
        here = places.filter(merchant=OuterRef("pk"), division_code=county)
        rows = rows.filter(Exists(here))
    return rows.select_related("category").prefetch_related(Prefetch("places", queryset=places))


def _called(text: str) -> Q:
    """Merchants by a piece of their name, or by its sound or initials."""
    found = Q(name__icontains=text)
    letters = "".join(text.split()).lower()
    if letters.isascii() and letters.isalpha():
        found |= Q(pinyin__contains=letters) | Q(initials__contains=letters)
    return found


def categories_on(day: date) -> QuerySet[BenefitCategory]:
    """Categories with something in them, each with how much."""
    return (
        BenefitCategory.objects.annotate(
            offers_now=Count("offers", filter=Q(offers__in=honours_on(day)))
        )
        .filter(offers_now__gt=0)
        .order_by("position", "id")
    )


@dataclass(frozen=True)
class Stars:
    """The mean of the ratings in tenths of a star, and how many there are."""

    tenths: int
    count: int

    def __str__(self) -> str:
        return f"{self.tenths // 10}.{self.tenths % 10}"


def stars(offers: Iterable[int]) -> dict[int, Stars]:
    """What members thought of offers, by offer: sums alone leave the door that is opened here."""
    with readers.seeing(Door.DIRECTORY):
        summed = list(
            Rating.objects.filter(
                redemption__offer__in=list(offers), redemption__state=RedemptionState.DONE
            )
            .values("redemption__offer")
            .annotate(total=Sum("stars"), count=Count("id"))
            .values_list("redemption__offer", "total", "count")
        )
    return {
        offer: Stars((20 * total + count) // (2 * count), count) for offer, total, count in summed
    }


def kept_by(person: Person | None) -> set[int]:
    """Offers that a member keeps at hand."""
    if person is None:
        return set()
    return set(Favourite.objects.filter(person=person).values_list("offer", flat=True))


def application(receipt: str) -> Merchant | None:
    """An application by the number that was told to whoever sent it."""
    with readers.seeing(Door.MERCHANT_APPLYING):
        return Merchant.objects.filter(receipt=receipt.strip().upper()).first() if receipt else None


# -- a merchant's own page -----------------------------------------------------------------------
def merchant_of(account: Account) -> Merchant | None:
    """The merchant that the account stands at the till for."""
    held = (
        MerchantLogin.objects.filter(account=account, ended_at__isnull=True)
        .select_related("merchant")
        .first()
    )
    return held.merchant if held else None


def complaints_of(person: Person) -> QuerySet[MerchantComplaint]:
    return MerchantComplaint.objects.filter(person=person).select_related("merchant")


def may_complain(person: Person, merchant: Merchant) -> bool:
    """One open complaint of a member about a merchant at a time."""
    return not MerchantComplaint.objects.filter(
        person=person, merchant=merchant, state=ComplaintState.OPEN
    ).exists()


# -- what waits for staff -------------------------------------------------------------------------
def merchants_for(account: Account, permission: Permission, *states: str) -> QuerySet[Merchant]:
    return Merchant.objects.filter(access.scope(account, permission), state__in=states)


def agreements_to_confirm(account: Account) -> QuerySet[MerchantAgreement]:
    reach = access.scope(account, Permission.MERCHANT_APPROVE, "merchant__organization__path")
    return MerchantAgreement.objects.filter(reach, state=AgreementState.ENTERED).exclude(
        entered_by=account
    )


def ending_agreements(
    account: Account, *, today: date, permission: Permission = Permission.MERCHANT_EDIT
) -> QuerySet[MerchantAgreement]:
    """Agreements that end within 60 days, or have ended, of merchants without a later one."""
    reach = access.scope(account, permission, "merchant__organization__path")
    later = MerchantAgreement.objects.filter(
        merchant=OuterRef("merchant"),
        state__in=[AgreementState.ENTERED, AgreementState.CONFIRMED],
        valid_to__gt=OuterRef("valid_to"),
    )
    return MerchantAgreement.objects.filter(
        reach,
        ~Exists(later),
        state=AgreementState.CONFIRMED,
        valid_to__lte=today + ENDS_SOON,
        merchant__state__in=[MerchantState.APPROVED, MerchantState.SUSPENDED],
    )


def offers_to_publish(account: Account) -> QuerySet[BenefitOffer]:
    reach = access.scope(account, Permission.OFFER_PUBLISH, "merchant__organization__path")
    return BenefitOffer.objects.filter(reach, state=OfferState.SUBMITTED).exclude(
        entered_by=account
    )


def complaints_to_answer(account: Account) -> QuerySet[MerchantComplaint]:
    reach = access.scope(account, Permission.COMPLAINT_ANSWER, "merchant__organization__path")
    return MerchantComplaint.objects.filter(reach, state=ComplaintState.OPEN)


def accounts_to_confirm(account: Account) -> QuerySet[MerchantAccount]:
    reach = access.scope(account, Permission.ACCOUNT_NUMBER_CONFIRM, "merchant__organization__path")
    return MerchantAccount.objects.filter(reach, state=BankAccountState.PROPOSED).exclude(
        entered_by=account
    )


def offers_by_category(day: date) -> list[tuple[BenefitCategory, int]]:
    return [(one, one.offers_now) for one in categories_on(day)]  # type: ignore[attr-defined]


def offer_title(offer: str) -> F | Coalesce:
    """The title of the offer that a look-up leads to, in the reader's language as `str(offer)`."""
    title = F(f"{offer}__title")
    if not (get_language() or "").startswith("en"):
        return title
    return Coalesce(NullIf(F(f"{offer}__title_en"), Value("")), title)


def uses_by_category(account: Account) -> list[tuple[str, str, int]]:
    """How often offers were used: a category's name, its English one, uses; most used first."""
    reach = access.scope(account, Permission.BENEFIT_VIEW, "merchant__organization__path")
    rows = (
        Redemption.objects.filter(reach, state=RedemptionState.DONE)
        .values_list("offer__category__name", "offer__category__name_en")
        .annotate(uses=Count("id"))
        .order_by("-uses")
    )
    return [(name, english, uses) for name, english, uses in rows]
