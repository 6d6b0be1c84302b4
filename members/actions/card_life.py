"""A card once the bank has issued it: handed out, activated, lost, found again, suspended."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import card_changes, card_telling
from members.actions.cards import is_own, require_own_or, step
from members.actions.people import require_reason
from members.actions.refusals import CardRefused
from members.models import ServiceCard
from members.queries import cards as queries_cards
from members.states import LIVE_CARDS, CardState
from union_portal import access, audit, files, lifecycle
from union_portal.access import Permission
from union_portal.fields import fingerprint, keyring
from union_portal.kit.plain_text import digits_as_typed
from union_portal.models import Account, AuditEntry, Organization, StoredFile

RECEIPT: Final = "card_receipt"
# Within an hour.
MOST_TRIES: Final = 10
LOSABLE: Final = (
    CardState.ISSUED,
    CardState.COLLECTED,
    CardState.ACTIVE,
    CardState.SUSPENDED,
)


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """Whoever hands cards out for the union, and whoever looks over all cards."""
    duties = (Permission.CARD_APPLY, Permission.CARD_APPROVE)
    return any(access.may(account, duty, file.organization) for duty in duties)


files.purpose(RECEIPT, label=_("receipt for a service card"), may=_may_fetch, is_sensitive=True)


@transaction.atomic
def hand_out(
    *, card: ServiceCard, by: Account, now: datetime, receipt: StoredFile | None = None
) -> None:
    """The member has the card and has signed for it."""
    access.require(by, Permission.CARD_APPLY, card.person.organization)
    lifecycle.advance(
        card,
        to=CardState.COLLECTED,
        by=by,
        handed_out_by=by,
        collected_at=now,
        receipt=receipt,
    )


@transaction.atomic
def hand_out_all(
    *,
    organization: Organization,
    receipt: StoredFile,
    by: Account,
    now: datetime,
    but: Sequence[int] = (),
) -> int:
    """Everybody on a union's list has signed for their card, but those named. Set-based.

    `but` are the numbers of the applications without a signature.
    """
    access.require(by, Permission.CARD_APPLY, organization)
    listed = to_hand_out(organization, by).exclude(pk__in=but)
    return lifecycle.advance_set(
        listed,
        to=CardState.COLLECTED,
        by=by,
        handed_out_by=by.pk,
        collected_at=now,
        receipt=receipt.pk,
    )


def to_hand_out(organization: Organization, by: Account) -> QuerySet[ServiceCard]:
    """The cards of a union and below that wait to be collected."""
    return queries_cards.cards_for(by, Permission.CARD_APPLY).filter(
        state=CardState.ISSUED, **{f"{queries_cards.PLACE}__startswith": organization.path}
    )


def activate(*, card: ServiceCard, number: str, by: Account, today: date, now: datetime) -> None:
    """The member binds the card to the portal: whoever knows its whole number holds it.

    Errors: CardRefused for another number, which says nothing of the right one, and after too
    many tries. A wrong try is kept whatever becomes of the request, so this is no transaction.
    """
    if not is_own(card.person, by):
        access.require(by, Permission.CARD_APPLY, card.person.organization)
    if _wrong_tries(card, now) >= MOST_TRIES:
        raise CardRefused(
            gettext_noop("The number was typed wrongly too often."),
            gettext_noop("Wait an hour, or take the card to your union's office."),
        )
    typed = fingerprint("card_number", digits_as_typed(number))
    if card.fingerprint is None or not hmac.compare_digest(typed, card.fingerprint):
        audit.record("servicecard.wrong_number", card, by=by, organization=card.person.organization)
        raise CardRefused(
            gettext_noop("This is not the number of your card."),
            gettext_noop("Type all the digits on its front; spaces do no harm."),
        )
    lifecycle.advance(card, to=CardState.ACTIVE, by=by, activated_on=today, bound_at=now)


def _wrong_tries(card: ServiceCard, now: datetime) -> int:
    return AuditEntry.objects.filter(
        subject_type=card._meta.label_lower,
        subject_id=str(card.pk),
        action="servicecard.wrong_number",
        at__gt=now - timedelta(hours=1),
    ).count()


@dataclass(frozen=True)
class Activated:
    """What a bank's list of activated cards did: how many, and how many it could not."""

    count: int
    known_already: int
    not_collected: int
    unknown: int


@transaction.atomic
def activate_listed(*, numbers: Sequence[str], by: Account, today: date) -> Activated:
    """Activate the cards on a bank's list, set-based. Nothing is kept of the list but counts.

    A card that was never signed for here is left: first it is found out who holds it.
    """
    access.require(by, Permission.CARD_BATCH)
    prints = set(keyring().fingerprint_many("card_number", numbers))
    listed = queries_cards.cards_for(by, Permission.CARD_BATCH).filter(fingerprint__in=prints)
    states = list(listed.order_by().values_list("state", flat=True))
    count = lifecycle.advance_set(
        listed.filter(state=CardState.COLLECTED), to=CardState.ACTIVE, by=by, activated_on=today
    )
    done = Activated(
        count=count,
        known_already=states.count(CardState.ACTIVE),
        not_collected=states.count(CardState.ISSUED),
        unknown=len(prints) - len(states),
    )
    audit.record_ref(
        "servicecard.activate_set",
        ServiceCard._meta.label_lower,
        "set",
        by=by,
        listed=len(prints),
        count=count,
        not_collected=done.not_collected,
        unknown=done.unknown,
    )
    return done


@transaction.atomic
def report_lost(*, card: ServiceCard, by: Account, now: datetime, reason: str = "") -> None:
    """The benefits stop at once. The card itself is the bank's: the member calls it as well."""
    require_own_or(card.person, by, Permission.CARD_APPLY, Permission.CARD_APPROVE)
    why = reason.strip() if is_own(card.person, by) else require_reason(reason)
    step(card, to=CardState.LOST, by=by, now=now, why=why)
    card_telling.tell(ServiceCard.objects.filter(pk=card.pk), "lost", now.isoformat(), at=now)


@transaction.atomic
def find_again(*, card: ServiceCard, by: Account, now: datetime) -> None:
    """A lost card has turned up before another took its place: it is what it was.

    One that was suspended comes back suspended. Errors: CardRefused while a replacement is on
    its way, or if the member never activated it.
    """
    require_own_or(card.person, by, Permission.CARD_APPLY, Permission.CARD_APPROVE)
    others = ServiceCard.objects.filter(person=card.person_id, state__in=LIVE_CARDS)
    if others.exists():
        raise CardRefused(
            gettext_noop("Another card is on its way already."),
            gettext_noop("Call off its application first, if it is still with the union."),
        )
    if card.activated_on is None and is_own(card.person, by):
        raise CardRefused(
            gettext_noop("The card was never activated."),
            gettext_noop("Take it to your union's office."),
        )
    state = CardState.SUSPENDED if card.suspended_at else CardState.ACTIVE
    since = card.activated_on or timezone.localdate(now)
    step(card, to=state, by=by, now=now, activated_on=since)


@transaction.atomic
def suspend(*, card: ServiceCard, by: Account, now: datetime, reason: str) -> None:
    """Stop the benefits of a card with a reason that the member reads."""
    _require_staff(card, by)
    step(card, to=CardState.SUSPENDED, by=by, now=now, why=require_reason(reason), suspended_at=now)


@transaction.atomic
def lift(*, card: ServiceCard, by: Account, now: datetime, reason: str) -> None:
    """Let a suspended card be used again."""
    _require_staff(card, by)
    why = require_reason(reason)
    if card.state != CardState.SUSPENDED:
        raise CardRefused(
            gettext_noop("The card is not suspended."), gettext_noop("Reload the page.")
        )
    step(card, to=CardState.ACTIVE, by=by, now=now, why=why, suspended_at=None)


def retire_replaced(*, cards: QuerySet[ServiceCard], by: Account, now: datetime) -> int:
    """The lost cards in whose place these have been issued are no more."""
    lost = ServiceCard.objects.filter(
        pk__in=cards.filter(replaces__isnull=False).order_by().values("replaces"),
        state=CardState.LOST,
    )
    return card_changes.move_set(lost, to=CardState.REPLACED, at=now, by=by)


def _require_staff(card: ServiceCard, by: Account) -> None:
    """A union checks its own; the city looks over all."""
    place = card.person.organization
    if not access.may(by, Permission.CARD_APPROVE, place):
        access.require(by, Permission.CARD_CHECK, place)
