"""Memberships begin, change and end: each change with its day, its reason and its row."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_noop

from members.actions import telling
from members.actions.refusals import PeopleRefused
from members.models import (
    Channel,
    Membership,
    MembershipChange,
    MembershipTransfer,
    Person,
)
from members.rules import memberships as rules
from members.states import (
    LIVE_MEMBERSHIPS,
    OPEN_TRANSFERS,
    MembershipState,
    TransferState,
)
from union_portal import access, audit, lifecycle, sets
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account, Organization

Actor = Account | audit.Machine
People = Iterable[int] | QuerySet[Any]
Ended = Callable[[People, Actor], object]
_ended: list[Ended] = []
# A transfer and a death have actions of their own.
BY_HAND: Final = (
    MembershipState.ACTIVE,
    MembershipState.RETAINED,
    MembershipState.RETIRED,
    MembershipState.WITHDRAWN,
)
_REASON_LONGEST: Final = 200


def begin(
    *,
    person: Person,
    organization: Organization,
    on: date,
    channel: Channel | str,
    by: Actor,
    previous: Membership | None = None,
    state: MembershipState = MembershipState.ACTIVE,
) -> Membership:
    """Begin a membership within the caller's transaction, who has asked for permission.

    `first_joined_on` is carried over from the one before. Errors: PeopleRefused for somebody
    who is a member already.
    """
    try:
        with transaction.atomic():
            made = Membership.objects.create(
                person=person,
                organization=organization,
                joined_on=on,
                first_joined_on=previous.first_joined_on if previous else on,
                previous=previous,
                channel=channel,
                state=state,
            )
    except IntegrityError as error:
        if "membership_one_live" not in str(error):
            raise
        raise already_member() from None
    note(made, old="", on=on, by=by)
    audit.record("membership.begin", made, by=by, person=person.pk, channel=str(channel))
    return made


@transaction.atomic
def change(
    *, membership: Membership, to: MembershipState, on: date, reason: str, by: Account, today: date
) -> None:
    """Retain, retire, make active again or withdraw, as of a day, for a reason.

    Nobody is withdrawn by the clock: half a year without dues is a person's decision too.
    Errors: PermissionDenied, Stale, MembershipRefused for a day out of order, Refused without
    a reason.
    """
    if to not in BY_HAND:
        raise ValueError(to)
    held = hold(membership)
    access.require(by, Permission.MEMBERSHIP_EDIT, held.organization)
    rules.require_day(on, since=last_change(held), today=today)
    _move(held, to=to, on=on, reason=_said(reason), by=by)
    telling.tell_change(held, f"membership_{to}")
    membership.refresh_from_db()


def end_by_death(*, person: Person, died_on: date, by: Actor, reason: str) -> None:
    """End the membership of somebody who died, within the transaction that notes the death.

    Whoever may note a death may do this; nothing else of the person is touched.
    """
    live = Membership.objects.filter(person=person, state__in=LIVE_MEMBERSHIPS).first()
    if live is None:
        return
    held = hold(live)
    on = rules.last_day(died_on, held.joined_on)
    _move(held, to=MembershipState.DECEASED, on=on, reason=reason[:_REASON_LONGEST], by=by)


@transaction.atomic
def end_of_the_dead(*, by: Actor) -> int:
    """End the memberships of all whose death is noted: a file may bring thousands at once.

    One statement writes the changes and one moves the rows; the locks that the first takes hold
    until both are done. Returns how many ended.
    """
    dead = Membership.objects.filter(state__in=LIVE_MEMBERSHIPS, person__died_on__isnull=False)
    ended = Greatest(F("person__died_on"), F("joined_on"))
    source = sets.source(
        dead.select_for_update(of=("self",)).values(key=F("pk"), old=F("state"), on=ended),
        "key",
        "old",
        "on",
    )
    if source is None:
        return 0
    sets.insert(
        "INSERT INTO members_membershipchange"
        ' (membership_id, old_state, new_state, "on", reason, noted_by_id, noted_at)'
        " SELECT r.key, r.old, 'deceased', r.\"on\", '', NULL, clock_timestamp() FROM {rows}",
        source,
        ("key", "old", "on"),
    )
    noted = MembershipChange.objects.filter(
        membership=OuterRef("pk"), new_state=MembershipState.DECEASED
    )
    told = dead.filter(Exists(noted))
    for transfer in MembershipTransfer.objects.filter(
        membership__in=told.values("pk"), state__in=OPEN_TRANSFERS
    ):
        _close_transfer(transfer.membership, by)
    _tell_ended(told.values("person"), by)
    return lifecycle.advance_set(
        told, to=MembershipState.DECEASED, by=by, ended_on=Subquery(noted.values("on")[:1])
    )


def when_ended(act: Ended) -> None:
    """Have `act(people, by)` called as memberships end, in the transaction that ends them.

    `people` are numbers, or a query of them. Whoever has begun something for a member ends here
    what can still be ended.
    """
    _ended.append(act)


def hold(membership: Membership) -> Membership:
    """The row under its lock, as it stands. Errors: Stale if it has moved since it was read.

    Whoever writes more of the person locks that row before this one.
    """
    held = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("organization", "person")
        .get(pk=membership.pk)
    )
    if held.state != membership.state:
        raise lifecycle.Stale(
            gettext_noop("The membership was changed by somebody else a moment ago."),
            gettext_noop("Reload the page."),
        )
    return held


def note(
    membership: Membership, *, old: str, on: date, by: Actor, reason: str = ""
) -> MembershipChange:
    """Write down the change to the state in which the membership is now."""
    return MembershipChange.objects.create(
        membership=membership,
        old_state=old,
        new_state=membership.state,
        on=on,
        reason=reason,
        noted_by=by if isinstance(by, Account) else None,
    )


def last_change(membership: Membership) -> date:
    """The day of the newest change; no other may lie before it."""
    newest = membership.changes.order_by("-on").first()
    return newest.on if newest is not None else membership.joined_on


def require_no_membership(person: Person) -> None:
    """Errors: PeopleRefused for a member, whose union is where the membership is."""
    if Membership.objects.filter(person=person, state__in=LIVE_MEMBERSHIPS).exists():
        raise PeopleRefused(
            gettext_noop("A member changes unions by a transfer."),
            gettext_noop("Ask for the transfer: both unions act, and the member sees it."),
        )


def already_member() -> PeopleRefused:
    """The refusal of a second membership; tells nothing of the first."""
    return PeopleRefused(
        gettext_noop("This person is a member already."),
        gettext_noop("Whoever changes unions is transferred, and does not join again."),
    )


def _move(held: Membership, *, to: MembershipState, on: date, reason: str, by: Actor) -> None:
    old = held.state
    ends: dict[str, Any] = {} if to in LIVE_MEMBERSHIPS else {"ended_on": on}
    lifecycle.advance(held, to=to, by=by, reason=reason, **ends)
    note(held, old=old, on=on, by=by, reason=reason)
    if ends:
        _close_transfer(held, by)
        _tell_ended([held.person_id], by)


def _tell_ended(people: People, by: Actor) -> None:
    for act in _ended:
        act(people, by)


def _close_transfer(ended: Membership, by: Actor) -> None:
    """Nobody is left to be transferred."""
    asked = MembershipTransfer.objects.filter(membership=ended, state__in=OPEN_TRANSFERS)
    for transfer in asked.select_for_update(of=("self",)).select_related("target"):
        lifecycle.advance(
            transfer,
            to=TransferState.REFUSED,
            by=by,
            decided_by=by if isinstance(by, Account) else None,
            decided_at=timezone.now(),
        )


def _said(reason: str) -> str:
    said = require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Say why; the member can read it."),
        shortest=2,
    )
    return said[:_REASON_LONGEST]
