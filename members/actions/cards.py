"""Applications for service cards: applied for, checked by the union, approved by the city."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from members.actions import card_changes, card_telling, consents
from members.actions.people import require_reason
from members.actions.refusals import CardRefused
from members.models import CardBank, Channel, ConsentPurpose, Person, ServiceCard
from members.queries import cards as queries_cards
from members.rules.card_applicants import REASONS, Conditions, why_not
from members.states import CardState
from union_portal import access, audit, lifecycle
from union_portal.access import Permission
from union_portal.models import Account, Organization

PLACE: Final = queries_cards.PLACE
# Before the bank has given a number: what may be called off without the city.
APPLICATIONS: Final = (
    CardState.DRAFT,
    CardState.UNION_REVIEW,
    CardState.CITY_REVIEW,
    CardState.READY,
)
# Who checked and approved a returned application counts no more.
_CHECKS: Final = ("checked_by", "checked_at", "approved_by", "approved_at")
_CHUNK: Final = 2000


@dataclass
class Applied:
    """How many applications a set became, and how many people were left out, by reason."""

    count: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


@transaction.atomic
def apply(
    *,
    person: Person,
    bank: CardBank,
    by: Account,
    today: date,
    agrees_to: int = 0,
    replaces: ServiceCard | None = None,
) -> ServiceCard:
    """Apply for a card: the member in the portal, or a clerk at the desk.

    `agrees_to`: the member agrees now to giving the data to the bank, having read this version
    of the text. Errors: CardRefused with the first reason against a card; PeopleRefused where
    that text is not the one in force; PermissionDenied.
    """
    held = Person.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    channel = Channel.PORTAL if is_own(held, by) else Channel.DESK
    require_own_or(held, by, Permission.CARD_APPLY)
    _require_active(bank)
    if replaces is not None:
        _require_replaceable(replaces, held)
    if agrees_to and channel == Channel.PORTAL:
        consents.give(
            person=held,
            purpose=ConsentPurpose.CARD,
            by=by,
            now=timezone.now(),
            today=today,
            seen=agrees_to,
        )
    people = Person.objects.filter(pk=held.pk)
    [known] = queries_cards.facts(people, on=today, replacing=replaces is not None)
    conditions = Conditions.from_config(bank.conditions)
    if code := why_not(known.applicant, conditions, on=today):
        raise CardRefused(*REASONS[code])
    card = ServiceCard.objects.create(
        person=held,
        organization_id=known.organization,
        bank=bank,
        handle=new_handle(),
        channel=channel,
        replaces=replaces,
        applied_by=by,
        state=CardState.UNION_REVIEW,
    )
    audit.record("servicecard.apply", card, by=by, organization=held.organization)
    return card


@transaction.atomic
def apply_many(*, people: QuerySet[Person], bank: CardBank, by: Account, today: date) -> Applied:
    """Apply for everybody of a list who may have a card; say who may not, by reason.

    Only people within the clerk's reach, and only who agreed before. Set-based.
    """
    access.require(by, Permission.CARD_APPLY)
    _require_active(bank)
    within = Person.objects.filter(
        access.scope(by, Permission.CARD_APPLY), pk__in=people.order_by().values("pk")
    )
    # In one order, as every single step does, before judging.
    len(within.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))
    conditions = Conditions.from_config(bank.conditions)
    done, chosen = Applied(), []
    for known in queries_cards.facts(within, on=today):
        if code := why_not(known.applicant, conditions, on=today):
            done.left_out[code] = done.left_out.get(code, 0) + 1
            continue
        chosen.append(
            ServiceCard(
                person_id=known.person,
                organization_id=known.organization,
                bank=bank,
                handle=new_handle(),
                channel=Channel.DESK,
                applied_by=by,
                state=CardState.UNION_REVIEW,
            )
        )
    ServiceCard.objects.bulk_create(chosen, batch_size=_CHUNK)
    done.count = len(chosen)
    audit.record_ref(
        "servicecard.apply_set",
        ServiceCard._meta.label_lower,
        "set",
        by=by,
        bank=bank.pk,
        count=done.count,
        left_out=done.left_out,
    )
    return done


@transaction.atomic
def send_again(*, card: ServiceCard, by: Account, now: datetime) -> None:
    """A returned application goes back to the union's check."""
    require_own_or(card.person, by, Permission.CARD_APPLY)
    step(card, to=CardState.UNION_REVIEW, by=by, now=now)


@transaction.atomic
def check(*, card: ServiceCard, by: Account, now: datetime) -> None:
    """The union confirms that this is its member. Whoever applied for somebody does not check."""
    access.require(by, Permission.CARD_CHECK, card.person.organization)
    _require_other(card.applied_by_id, by)
    lifecycle.advance(card, to=CardState.CITY_REVIEW, by=by, checked_by=by, checked_at=now)


@transaction.atomic
def approve(*, card: ServiceCard, by: Account, now: datetime) -> None:
    """The city's re-check: the application waits for the bank's next batch."""
    access.require(by, Permission.CARD_APPROVE, card.person.organization)
    _require_other(card.checked_by_id, by)
    lifecycle.advance(card, to=CardState.READY, by=by, approved_by=by, approved_at=now)


@transaction.atomic
def check_all(*, organization: Organization, by: Account, now: datetime) -> int:
    """Check every application of a union and below that waits for it, but one's own."""
    access.require(by, Permission.CARD_CHECK, organization)
    waiting = queries_cards.waiting_for(by, Permission.CARD_CHECK, CardState.UNION_REVIEW)
    return lifecycle.advance_set(
        waiting.filter(_below(organization)),
        to=CardState.CITY_REVIEW,
        by=by,
        checked_by=by.pk,
        checked_at=now,
    )


@transaction.atomic
def approve_all(*, organization: Organization, by: Account, now: datetime) -> int:
    """Approve every application of a union and below that its union has checked."""
    access.require(by, Permission.CARD_APPROVE, organization)
    waiting = queries_cards.waiting_for(by, Permission.CARD_APPROVE, CardState.CITY_REVIEW)
    return lifecycle.advance_set(
        waiting.filter(_below(organization)),
        to=CardState.READY,
        by=by,
        approved_by=by.pk,
        approved_at=now,
    )


@transaction.atomic
def send_back(*, card: ServiceCard, by: Account, reason: str, now: datetime) -> None:
    """Return an application to whoever applied, with what is missing."""
    is_unions = card.state == CardState.UNION_REVIEW
    duty = Permission.CARD_CHECK if is_unions else Permission.CARD_APPROVE
    access.require(by, duty, card.person.organization)
    why = require_reason(reason)
    card_changes.keep_checks([card.pk])
    step(card, to=CardState.DRAFT, by=by, now=now, why=why, **dict.fromkeys(_CHECKS))
    returned = ServiceCard.objects.filter(pk=card.pk)
    card_telling.tell(returned, "returned", now.isoformat(), at=now)


@transaction.atomic
def cancel(*, card: ServiceCard, by: Account, now: datetime, reason: str = "") -> None:
    """End an application or a card for good. The member calls off their own application;
    a clerk does so with a reason; once there is a number, the city union decides.

    Errors: CardRefused; Stale if the bank's answer came first.
    """
    own = is_own(card.person, by)
    if card.state in APPLICATIONS:
        require_own_or(card.person, by, Permission.CARD_APPLY, Permission.CARD_APPROVE)
    else:
        access.require(by, Permission.CARD_APPROVE, card.person.organization)
        own = False
    why = reason.strip() if own else require_reason(reason)
    step(card, to=CardState.CANCELLED, by=by, now=now, why=why)


@transaction.atomic
def replace(*, card: ServiceCard, by: Account, today: date, agrees_to: int = 0) -> ServiceCard:
    """Apply for another card in the place of a lost one, at the same bank."""
    person = Person.objects.get(pk=card.person_id)
    return apply(
        person=person, bank=card.bank, by=by, today=today, agrees_to=agrees_to, replaces=card
    )


@transaction.atomic
def call_off(people: Iterable[int] | QuerySet[Any], *, by: card_changes.Actor, reason: str) -> int:
    """End whatever applications of some people are not yet with a bank; how many there were."""
    open_ones = ServiceCard.objects.filter(person__in=people, state__in=APPLICATIONS)
    return card_changes.move_set(
        open_ones, to=CardState.CANCELLED, at=timezone.now(), by=by, reason=reason
    )


def membership_ended(people: Iterable[int] | QuerySet[Any], by: card_changes.Actor) -> None:
    """Cards are for members."""
    call_off(people, by=by, reason=_("the membership has ended"))


def consent_withdrawn(person: Person, purpose: str, by: Account) -> None:
    """Nothing goes to a bank of whoever has withdrawn the consent to it."""
    if purpose == ConsentPurpose.CARD:
        call_off([person.pk], by=by, reason=_("the consent was withdrawn"))


def step(
    card: ServiceCard, *, to: CardState, by: Account, now: datetime, why: str = "", **changes: Any
) -> None:
    """Move a card and note the change; its column `reason` says from then on why it stands so."""
    old, reason = card.state, why[: card_changes.LONGEST_REASON]
    lifecycle.advance(card, to=to, by=by, reason=why, **changes)
    card_changes.note(card, old=old, at=now, by=by, reason=reason)
    if card.reason != reason:
        card.reason = reason
        card.save(update_fields=["reason"])


def is_own(person: Person, account: Account) -> bool:
    """Whether somebody acts for themselves."""
    return person.account_id is not None and person.account_id == account.pk


def require_own_or(person: Person, by: Account, *permissions: Permission) -> None:
    """Errors: PermissionDenied unless it is the person, or staff who hold one of these there."""
    if is_own(person, by):
        return
    if not any(access.may(by, one, person.organization) for one in permissions):
        access.require(by, permissions[0], person.organization)


def new_handle() -> str:
    """A name of a card for codes, which tells nothing and can't be guessed."""
    return secrets.token_hex(16)


def _below(organization: Organization) -> Q:
    return Q(**{f"{PLACE}__startswith": organization.path})


def _require_active(bank: CardBank) -> None:
    if not bank.is_active:
        raise CardRefused(
            gettext_noop("This bank takes no more applications."),
            gettext_noop("Choose another bank."),
        )


def _require_other(account_id: int | None, by: Account) -> None:
    if account_id == by.pk:
        raise CardRefused(
            gettext_noop("You took the step before yourself."),
            gettext_noop("Ask a colleague: two people look at each application."),
        )


def _require_replaceable(card: ServiceCard, person: Person) -> None:
    if card.person_id != person.pk or card.state != CardState.LOST:
        raise CardRefused(
            gettext_noop("Only a card that was reported lost is replaced."),
            gettext_noop("Report the loss first: that also stops the benefits."),
        )
    if card.suspended_at is not None:
        raise CardRefused(
            gettext_noop("The card was suspended before it was lost."),
            gettext_noop("Ask your union to have the suspension lifted first."),
        )
