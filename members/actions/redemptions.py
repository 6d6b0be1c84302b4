"""A code at a till: looked up, confirmed once, taken back within five minutes.

What counts is decided by the database: quotas and budget by the trigger of the uses, one use a
code by its unique index, and every instant by its clock. Here its refusals get words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from members.actions.card_codes import digest_of, sign
from members.actions.till_refusals import TillRefused, Why
from members.models import (
    BenefitOffer,
    CardCode,
    MerchantLogin,
    Redemption,
    ServiceCard,
    WrongCode,
)
from members.queries import benefits as queries_benefits
from members.queries import till as queries_till
from members.rules import card_tokens
from members.rules.card_tokens import Fault, TokenRefused
from members.states import CardState, OfferState, RedemptionState
from union_portal import audit, lifecycle, readers, turns
from union_portal.fields import fingerprint
from union_portal.kit.refusals import require_text
from union_portal.models import Account
from union_portal.readers import Door

# A till that typed so many codes of nobody waits; a market hall may share one address.
WRONG_CODES: Final = 10
WRONG_CODES_PER_ADDRESS: Final = 40
WRONG_WITHIN: Final = timedelta(minutes=10)
WRONG_KEPT: Final = timedelta(days=90)
# How long a code that was looked up may be confirmed.
LOOK_COUNTS: Final = timedelta(minutes=3)
UNDO_WITHIN: Final = timedelta(minutes=5)


# What the guards of the database say, by their names.
_GUARDS: Final = {
    "redemption_code_once": Why.REPLAYED,
    "redemption_of_published_offer": Why.CHANGED,
    "redemption_as_offered": Why.CHANGED,
    "redemption_by_active_card": Why.CARD,
    "redemption_within_member_quota": Why.MEMBER_QUOTA,
    "redemption_ordinal_once": Why.MEMBER_QUOTA,
    "offer_within_quota": Why.QUOTA,
    "programme_within_budget": Why.BUDGET,
}


@dataclass(frozen=True)
class Look:
    """A code as a till saw it while it counted: what its confirmation goes by."""

    digest: str
    kind: str
    card_id: int
    offer_id: int | None
    looked_at: datetime


def look_up(*, text: str, by: Account, address: str) -> Look:
    """What a scanned or typed code stands for, if it may be used at this till now.

    Codes that no card has are counted by till and by address, and the count stays whatever
    becomes of the request. Errors: PermissionDenied; TillRefused.
    """
    with readers.seeing(Door.TILL), transaction.atomic():
        found = _looked_up(text, _require_till(by), by, fingerprint("address", address))
    if isinstance(found, TillRefused):
        raise found
    return found


@readers.seeing(Door.TILL)
def card_of(look: Look) -> ServiceCard:
    """The card behind a look, with its holder."""
    return ServiceCard.objects.select_related("person").get(pk=look.card_id)


@readers.seeing(Door.TILL)
def facing(look: Look, *, by: Account) -> queries_till.Facing:
    """What the cashier is shown. Errors: PermissionDenied."""
    login, day = _require_till(by), timezone.localdate(_now())
    return queries_till.facing(card_of(look), login, day, look.offer_id)


@readers.seeing(Door.TILL)
@transaction.atomic
def confirm(*, look: Look, offer_id: int, revision: int, by: Account) -> Redemption:
    """Use an offer once with the code that was looked up; `revision`: the offer as it was shown.

    The offer's row is locked first, so that tills come one after another and each sees what the
    one before left. Errors: PermissionDenied; TillRefused, naming what stood against it.
    """
    login, now = _require_till(by), _now()
    if now - look.looked_at > LOOK_COUNTS:
        raise TillRefused(Why.EXPIRED)
    offer = _require_offer(look, offer_id, revision, login, timezone.localdate(now))
    card = card_of(look)
    membership = queries_till.live_membership(card.person)
    if card.state != CardState.ACTIVE or membership is None:
        raise TillRefused(Why.CARD)
    made = Redemption(
        offer=offer,
        revision=revision,
        merchant=login.merchant,
        place=login.place,
        card=card,
        person=card.person,
        organization=membership.organization,
        programme_id=offer.programme_id,
        ordinal=_next_ordinal(offer, card.person_id),
        code_digest=look.digest,
        code_kind=look.kind,
        subsidy_fen=offer.subsidy_fen,
        redeemed_by=by,
    )
    _insert(made)
    _spend(look)
    audit.record(
        "redemption.confirm",
        made,
        by=by,
        organization=login.merchant.organization,
        offer=offer.pk,
        revision=revision,
        subsidy_fen=made.subsidy_fen,
    )
    return made


@transaction.atomic
def undo(*, redemption: Redemption, reason: str, by: Account) -> None:
    """Take a use back: the place is free again, the use stays on the list, the code stays used.

    Within five minutes, by the till that confirmed it. Errors: PermissionDenied; TillRefused.
    """
    login = _require_till(by)
    if redemption.merchant_id != login.merchant_id:
        raise PermissionDenied
    why = require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Say why the use is taken back; the member and the union read it."),
        shortest=2,
    )
    try:
        lifecycle.advance(
            redemption,
            to=RedemptionState.UNDONE,
            by=by,
            reason=why,
            guard={"redeemed_by": by.pk, "redeemed_at__gt": Now() - UNDO_WITHIN},
            undone_at=Now(),
            undone_by=by,
            undone_reason=why[:200],
        )
    except lifecycle.Stale:
        redemption.refresh_from_db()
        is_undone = redemption.state == RedemptionState.UNDONE
        raise TillRefused(Why.UNDONE if is_undone else Why.TOO_LATE) from None
    redemption.refresh_from_db()


def may_undo(redemption: Redemption, *, by: Account) -> bool:
    """Whether this till could take the use back now."""
    return (
        redemption.state == RedemptionState.DONE
        and redemption.redeemed_by_id == by.pk
        and _now() - redemption.redeemed_at < UNDO_WITHIN
    )


@transaction.atomic
def sweep() -> int:
    """Forget counted wrong codes after a season: long enough to see who guesses."""
    removed, _by_model = WrongCode.objects.filter(typed_at__lt=Now() - WRONG_KEPT).delete()
    return removed


def _require_till(by: Account) -> MerchantLogin:
    login = queries_till.till_of(by)
    if login is None:
        raise PermissionDenied
    return login


def _looked_up(text: str, login: MerchantLogin, by: Account, asked_from: str) -> Look | TillRefused:
    """The look, or why there is none: returned, so that the count of wrong codes is kept."""
    if _waits(login, asked_from):
        return TillRefused(Why.WAITING)
    now = _now()
    if not queries_till.honours(login.merchant, timezone.localdate(now)):
        return TillRefused(Why.AGREEMENT)
    try:
        code = card_tokens.read(text, now=now, sign=sign)
    except TokenRefused as refusal:
        if refusal.fault == Fault.FORGED:
            _count_wrong(login, asked_from, by)
        return TillRefused(Why(refusal.fault), refusal.message_id, refusal.remedy_id)
    digest = digest_of(code)
    if Redemption.objects.filter(code_digest=digest).exists():
        return TillRefused(Why.REPLAYED)
    row = CardCode.objects.filter(Q(digest=digest) | Q(former_digest=digest)).first()
    if row is None:
        _count_wrong(login, asked_from, by)
        return TillRefused(Why.UNKNOWN)
    return _judged(row, digest, login, now)


def _judged(row: CardCode, digest: str, login: MerchantLogin, now: datetime) -> Look | TillRefused:
    """The look at a code that a card has or had."""
    is_former = row.digest != digest
    ends = row.former_expires_at if is_former else row.expires_at
    if ends is None or ends <= now:
        return TillRefused(Why.EXPIRED)
    card = ServiceCard.objects.select_related("person").get(pk=row.card_id)
    if card.state != CardState.ACTIVE or queries_till.live_membership(card.person) is None:
        return TillRefused(Why.CARD)
    if row.offer_id is not None:
        chosen = BenefitOffer.objects.filter(pk=row.offer_id, merchant=login.merchant).first()
        if chosen is None:
            return TillRefused(Why.FOREIGN)
        if chosen.revision != row.offer_revision or chosen.state != OfferState.PUBLISHED:
            return TillRefused(Why.CHANGED)
    return Look(digest, row.kind, card.pk, row.offer_id, now)


def _require_offer(
    look: Look, offer_id: int, revision: int, login: MerchantLogin, day: date
) -> BenefitOffer:
    """The locked offer as it was shown, open at this till today."""
    offer = (
        BenefitOffer.objects.select_for_update(of=("self",))
        .filter(pk=offer_id, merchant=login.merchant)
        .first()
    )
    if offer is None or look.offer_id not in (None, offer.pk):
        raise TillRefused(Why.FOREIGN)
    if not queries_till.honours(login.merchant, day):
        raise TillRefused(Why.AGREEMENT)
    if offer.revision != revision or offer.state != OfferState.PUBLISHED:
        raise TillRefused(Why.CHANGED)
    here = queries_benefits.honours_on(day).filter(queries_till.at_place(login.place), pk=offer.pk)
    if not here.exists():
        raise TillRefused(Why.CLOSED)
    return offer


def _next_ordinal(offer: BenefitOffer, person_id: int) -> int:
    """The first number that no standing use of this member has."""
    taken = set(
        Redemption.objects.filter(
            queries_till.STANDS, offer=offer, person_id=person_id
        ).values_list("ordinal", flat=True)
    )
    return next(number for number in count(1) if number not in taken)


def _insert(made: Redemption) -> None:
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        why = _GUARDS.get(_guard_of(error))
        if why is None:
            raise
        raise TillRefused(why) from None


def _guard_of(error: IntegrityError) -> str:
    diagnosis: Any = getattr(error.__cause__, "diag", None)
    return str(getattr(diagnosis, "constraint_name", ""))


def _spend(look: Look) -> None:
    """Mark the code used where it still stands; the phone may have renewed it meanwhile."""
    CardCode.objects.filter(digest=look.digest).update(used_at=Now())
    CardCode.objects.filter(former_digest=look.digest).update(former_digest="")


def _waits(login: MerchantLogin, asked_from: str) -> bool:
    """Whether the till, or its address, typed too many codes of nobody."""
    # Two tries at once count each other.
    turns.take(f"till {login.pk}", asked_from)
    recent = WrongCode.objects.filter(typed_at__gt=Now() - WRONG_WITHIN)
    return (
        recent.filter(login=login).count() >= WRONG_CODES
        or recent.filter(asked_from=asked_from).count() >= WRONG_CODES_PER_ADDRESS
    )


def _count_wrong(login: MerchantLogin, asked_from: str, by: Account) -> None:
    """Count a code of nobody; the one that makes the till wait is told to the log."""
    WrongCode.objects.create(login=login, asked_from=asked_from)
    recent = WrongCode.objects.filter(login=login, typed_at__gt=Now() - WRONG_WITHIN)
    if recent.count() == WRONG_CODES:
        audit.record(
            "till.waits",
            login.merchant,
            by=by,
            organization=login.merchant.organization,
            till=login.pk,
            count=WRONG_CODES,
        )


def _now() -> datetime:
    """The database's clock: those of web servers, tills and phones may be wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
