"""Offers: written by staff or the merchant, published by another, changed as a new revision."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_noop

from members.actions.merchants import require_why
from members.actions.refusals import BenefitRefused
from members.models import (
    BenefitCategory,
    BenefitOffer,
    BenefitProgramme,
    Merchant,
    MerchantLogin,
    MerchantPlace,
)
from members.rules import offers as rules
from members.states import MerchantState, OfferState
from union_portal import access, audit, lifecycle
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account

_TITLE_LONGEST, _ENGLISH_LONGEST, _TEXT_LONGEST = 80, 120, 1000


@dataclass(frozen=True)
class Draft:
    """What an offer says, as its form has it."""

    category: BenefitCategory
    title: str
    text: str
    kind: str
    valid_from: date
    valid_to: date
    places: Sequence[MerchantPlace] = ()
    programme: BenefitProgramme | None = None
    title_en: str = ""
    terms: str = ""
    price_fen: int | None = None
    discount: Decimal | None = None
    subsidy_fen: int = 0
    quota_total: int | None = None
    quota_per_member: int | None = None


_COLUMNS: Final = (
    "category", "programme", "title", "title_en", "text", "terms", "kind", "price_fen",
    "discount", "subsidy_fen", "valid_from", "valid_to", "quota_total", "quota_per_member",
)  # fmt: skip


@transaction.atomic
def draft(*, merchant: Merchant, says: Draft, by: Account, today: date) -> BenefitOffer:
    """Write an offer. Errors: PermissionDenied, OfferUnsound, BenefitRefused."""
    _require_writer(by, merchant)
    _require_taken_in(merchant)
    offer = BenefitOffer(merchant=merchant, entered_by=by)
    _write(offer, says, today)
    offer.save()
    offer.places.set(says.places)
    audit.record("benefitoffer.draft", offer, by=by, organization=merchant.organization)
    return offer


@transaction.atomic
def change(*, offer: BenefitOffer, says: Draft, by: Account, today: date) -> None:
    """Change a draft. Whoever changed it last does not publish it.

    Errors: BenefitRefused for what is submitted or published; else as for `draft`.
    """
    held = BenefitOffer.objects.select_for_update(of=("self",)).get(pk=offer.pk)
    _require_writer(by, held.merchant)
    if held.state != OfferState.DRAFT:
        raise BenefitRefused(
            gettext_noop("Only a draft is changed."),
            gettext_noop("Pause the offer and take it back to a draft: its next revision."),
        )
    _write(held, says, today)
    held.entered_by = by
    held.save(update_fields=[*_COLUMNS, "entered_by"])
    held.places.set(says.places)
    audit.record(
        "benefitoffer.change", held, by=by, organization=held.merchant.organization,
        revision=held.revision,
    )  # fmt: skip
    offer.refresh_from_db()


@transaction.atomic
def submit(*, offer: BenefitOffer, by: Account, today: date) -> None:
    """Hand a draft in; it is frozen from now on. Errors: OfferUnsound if its days are over."""
    _require_writer(by, offer.merchant)
    rules.require_sound(_terms(offer), today=today)
    lifecycle.advance(offer, to=OfferState.SUBMITTED, by=by)


@transaction.atomic
def send_back(*, offer: BenefitOffer, by: Account, reason: str) -> None:
    """Give a submitted offer back with the reason."""
    access.require(by, Permission.OFFER_PUBLISH, offer.merchant.organization)
    _advance(offer, OfferState.DRAFT, by, require_why(reason))


@transaction.atomic
def publish(*, offer: BenefitOffer, by: Account, now: datetime, today: date) -> None:
    """Publish what another wrote. Errors: BenefitRefused; OfferUnsound; Stale."""
    merchant = Merchant.objects.select_for_update().get(pk=offer.merchant_id)
    access.require(by, Permission.OFFER_PUBLISH, merchant.organization)
    if offer.entered_by_id == by.pk:
        raise BenefitRefused(
            gettext_noop("You wrote this offer yourself."),
            gettext_noop("A colleague publishes it."),
        )
    _require_taken_in(merchant)
    rules.require_sound(_terms(offer), today=today)
    _advance(offer, OfferState.PUBLISHED, by, approved_by=by, approved_at=now)


@transaction.atomic
def pause(*, offer: BenefitOffer, by: Account, reason: str) -> None:
    """Take an offer out for a while, for instance because it ran out. The merchant may, too."""
    _require_publisher_or_merchant(by, offer.merchant)
    _advance(offer, OfferState.PAUSED, by, require_why(reason))


@transaction.atomic
def resume(*, offer: BenefitOffer, by: Account, today: date) -> None:
    """Let a paused offer go on as it was: nothing of it can have changed."""
    merchant = Merchant.objects.select_for_update().get(pk=offer.merchant_id)
    access.require(by, Permission.OFFER_PUBLISH, merchant.organization)
    _require_taken_in(merchant)
    rules.require_sound(_terms(offer), today=today)
    _advance(offer, OfferState.PUBLISHED, by)


@transaction.atomic
def revise(*, offer: BenefitOffer, by: Account) -> None:
    """Take a paused offer back to a draft: its next revision.

    Codes that members hold for the revision before are refused with that reason.
    """
    _require_writer(by, offer.merchant)
    _advance(
        offer,
        OfferState.DRAFT,
        by,
        revision=offer.revision + 1,
        entered_by=by,
        approved_by=None,
        approved_at=None,
    )


@transaction.atomic
def end(*, offer: BenefitOffer, by: Account, reason: str) -> None:
    """End an offer for good."""
    _require_publisher_or_merchant(by, offer.merchant)
    _advance(offer, OfferState.ENDED, by, require_why(reason))


def stands_for(account: Account, merchant: Merchant) -> bool:
    """Whether the account is a live log-in of the merchant."""
    return MerchantLogin.objects.filter(
        account=account, merchant=merchant, ended_at__isnull=True
    ).exists()


def _require_writer(by: Account, merchant: Merchant) -> None:
    if not stands_for(by, merchant):
        access.require(by, Permission.MERCHANT_EDIT, merchant.organization)


def _require_publisher_or_merchant(by: Account, merchant: Merchant) -> None:
    if not stands_for(by, merchant):
        access.require(by, Permission.OFFER_PUBLISH, merchant.organization)


def _require_taken_in(merchant: Merchant) -> None:
    if merchant.state != MerchantState.APPROVED:
        raise BenefitRefused(
            gettext_noop("The merchant is not approved, or is suspended."),
            gettext_noop("Approve the merchant, or lift its suspension first."),
        )


def _advance(
    offer: BenefitOffer, to: OfferState, by: Account, reason: str = "", **changes: Any
) -> None:
    """Move the offer; the row keeps the last reason for whoever wrote it."""
    lifecycle.advance(offer, to=to, by=by, reason=reason, **changes)
    offer.reason = reason[:200]
    offer.save(update_fields=["reason"])


def _write(offer: BenefitOffer, says: Draft, today: date) -> None:
    """Put the words into the row. Errors: OfferUnsound, Refused, BenefitRefused."""
    says = replace(
        says,
        title=_worded(says.title, _TITLE_LONGEST, gettext_noop("The title is missing.")),
        title_en=says.title_en.strip()[:_ENGLISH_LONGEST],
        text=_worded(says.text, _TEXT_LONGEST, gettext_noop("What members get is missing.")),
        terms=says.terms.strip()[:_TEXT_LONGEST],
        places=list(says.places),
    )
    for column in _COLUMNS:
        setattr(offer, column, getattr(says, column))
    rules.require_sound(_terms(offer), today=today)
    rules.require_room(quota_total=offer.quota_total, used_count=offer.used_count)
    if not says.category.is_active:
        raise BenefitRefused(
            gettext_noop("This category is not used any more."), gettext_noop("Choose another.")
        )
    if not says.places or any(one.merchant_id != offer.merchant_id for one in says.places):
        raise BenefitRefused(
            gettext_noop("The offer is to be had at none of the merchant's own shops."),
            gettext_noop("Choose at least one of them; add it first if it is missing."),
        )


def _worded(text: str, longest: int, message: str) -> str:
    return require_text(text[:longest], message, gettext_noop("Fill it in."))


def _terms(offer: BenefitOffer) -> rules.Terms:
    return rules.Terms(
        kind=offer.kind,
        valid_from=offer.valid_from,
        valid_to=offer.valid_to,
        price_fen=offer.price_fen,
        discount=offer.discount,
        subsidy_fen=offer.subsidy_fen,
        programme_year=offer.programme.year if offer.programme else None,
        quota_total=offer.quota_total,
        quota_per_member=offer.quota_per_member,
    )
