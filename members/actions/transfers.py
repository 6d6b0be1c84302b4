"""接转: a member changes unions; the old union releases, the new one accepts, the member sees it.

Who is on the way is known to both unions, and seen through the door TRANSFER by whoever acts for
one of them: row security shows a union no people of another.
"""

from datetime import date, datetime
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members.actions import memberships, telling
from members.actions.refusals import PeopleRefused
from members.models import Channel, Membership, MembershipTransfer, Person
from members.rules.rows import read_employer
from members.states import (
    LIVE_MEMBERSHIPS,
    OPEN_TRANSFERS,
    MembershipState,
    TransferState,
)
from union_portal import access, audit, lifecycle, readers
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit.names import read_name
from union_portal.kit.plain_text import digits_as_typed
from union_portal.kit.refusals import Refused, require_text
from union_portal.models import Account, Organization, OrganizationLevel
from union_portal.readers import Door

_LONGEST: Final = 200


@readers.seeing(Door.TRANSFER)
@transaction.atomic
def request(
    *, membership: Membership, target: Organization, employer: str, reason: str, by: Account
) -> MembershipTransfer:
    """Ask for a transfer: the member, or the clerk of the new union.

    Errors: PermissionDenied for anybody else; PeopleRefused for a union that takes no members,
    the own one, or a second request; Stale for a membership that is over.
    """
    _hold_person(membership)
    held = memberships.hold(membership)
    if not _is_own(held, by):
        access.require(by, Permission.MEMBERSHIP_EDIT, target)
    _require_target(held, target)
    try:
        with transaction.atomic():
            asked = MembershipTransfer.objects.create(
                membership=held,
                source=held.organization,
                target=target,
                employer=read_employer(employer),
                reason=_said(reason),
                requested_by=by,
            )
    except IntegrityError as error:
        if "transfer_one_open" not in str(error):
            raise
        raise PeopleRefused(
            gettext_noop("A transfer of this membership is on its way already."),
            gettext_noop("It is taken back first, or brought to its end."),
        ) from None
    audit.record("membershiptransfer.request", asked, by=by, membership=held.pk)
    telling.tell_transfer(asked, "requested")
    return asked


def request_by_number(
    *, name: str, national_id: str, target: Organization, employer: str, reason: str, by: Account
) -> MembershipTransfer:
    """The same by the new union's clerk, who has the identity card before them.

    Name and number must both fit; whether one of them is known is not told.
    """
    access.require(by, Permission.MEMBERSHIP_EDIT, target)
    with readers.seeing(Door.TRANSFER):
        found = _find(name, national_id)
        if found is None:
            raise PeopleRefused(
                gettext_noop("No member is found under this name and number."),
                gettext_noop("Compare both with the card; who is no member yet applies to join."),
            )
        return request(membership=found, target=target, employer=employer, reason=reason, by=by)


@readers.seeing(Door.TRANSFER)
@transaction.atomic
def release(*, transfer: MembershipTransfer, by: Account, now: datetime) -> None:
    """The old union lets the member go. Nothing moves before the new one accepts."""
    access.require(by, Permission.MEMBERSHIP_EDIT, transfer.source)
    lifecycle.advance(transfer, to=TransferState.RELEASED, by=by, released_by=by, released_at=now)
    telling.tell_transfer(transfer, "released")


@readers.seeing(Door.TRANSFER)
@transaction.atomic
def accept(*, transfer: MembershipTransfer, by: Account, today: date, now: datetime) -> Membership:
    """The new union takes the member in: one membership ends today and the next begins today.

    Person, employer and both memberships change in this one transaction, so that there is
    neither a gap nor a double membership; whoever comes second finds the row moved on (Stale).
    """
    access.require(by, Permission.MEMBERSHIP_EDIT, transfer.target)
    person = _hold_person(transfer.membership)
    old = memberships.hold(transfer.membership)
    asked = _hold(transfer)
    was = MembershipState(old.state)
    lifecycle.advance(old, to=MembershipState.TRANSFERRED, by=by, ended_on=today)
    memberships.note(old, old=was, on=today, by=by, reason=asked.reason)
    _move_person(person, asked, by, now)
    made = memberships.begin(
        person=person,
        organization=asked.target,
        on=today,
        channel=Channel.DESK,
        by=by,
        previous=old,
        state=MembershipState.RETIRED if was == MembershipState.RETIRED else MembershipState.ACTIVE,
    )
    lifecycle.advance(
        asked, to=TransferState.ACCEPTED, by=by, decided_by=by, decided_at=now, made=made
    )
    telling.tell_transfer(asked, "accepted")
    transfer.refresh_from_db()
    return made


@readers.seeing(Door.TRANSFER)
@transaction.atomic
def refuse(*, transfer: MembershipTransfer, reason: str, by: Account, now: datetime) -> None:
    """One of the unions says no, with the reason that the member reads: the membership stays.

    The new union may say so at any time; the old one as long as it has not released.
    """
    if not access.may(by, Permission.MEMBERSHIP_EDIT, transfer.target):
        access.require(by, Permission.MEMBERSHIP_EDIT, transfer.source)
        if transfer.state == TransferState.RELEASED:
            raise PermissionDenied
    lifecycle.advance(
        transfer,
        to=TransferState.REFUSED,
        by=by,
        decided_by=by,
        decided_at=now,
        answer=_said(reason),
    )
    telling.tell_transfer(transfer, "refused")


@readers.seeing(Door.TRANSFER)
@transaction.atomic
def take_back(*, transfer: MembershipTransfer, by: Account) -> None:
    """The member changes their mind, or the clerk who asked for them does."""
    if not _is_own(transfer.membership, by):
        access.require(by, Permission.MEMBERSHIP_EDIT, transfer.target)
        if transfer.requested_by_id == transfer.membership.person.account_id:
            raise PermissionDenied
    lifecycle.advance(transfer, to=TransferState.TAKEN_BACK, by=by)
    telling.tell_transfer(transfer, "taken_back")


def _find(name: str, national_id: str) -> Membership | None:
    """The live membership of the person with this number and name."""
    try:
        plain = read_name(name)
    except Refused:
        return None
    return (
        Membership.objects.filter(
            person__national_id_index=fingerprint(
                "national_id", digits_as_typed(national_id).upper()
            ),
            person__name=plain,
            state__in=LIVE_MEMBERSHIPS,
        )
        .select_related("organization", "person")
        .first()
    )


def _is_own(membership: Membership, by: Account) -> bool:
    return membership.person.account_id == by.pk


def _require_target(membership: Membership, target: Organization) -> None:
    if target.pk == membership.organization_id:
        raise PeopleRefused(
            gettext_noop("The member is in this union already."),
            gettext_noop("Choose the union of the new employer."),
        )
    if not target.is_active or target.level == OrganizationLevel.FEDERATION:
        raise PeopleRefused(
            gettext_noop("This union takes no members."),
            gettext_noop("Choose the union of the employer, or of the place of residence."),
        )


def _hold_person(membership: Membership) -> Person:
    """Lock the person first, as everybody does who writes more than the membership.

    Without the union joined to it: whoever waited here while the person moved would be shown
    no row, since the join is judged anew by the union of before.
    """
    return Person.objects.select_for_update().get(pk=membership.person_id)


def _hold(transfer: MembershipTransfer) -> MembershipTransfer:
    held = (
        MembershipTransfer.objects.select_for_update(of=("self",))
        .select_related("source", "target", "membership__person")
        .get(pk=transfer.pk)
    )
    if held.state != transfer.state or held.state not in OPEN_TRANSFERS:
        raise lifecycle.Stale(
            gettext_noop("The transfer was changed by somebody else a moment ago."),
            gettext_noop("Reload the page."),
        )
    return held


def _move_person(person: Person, transfer: MembershipTransfer, by: Account, now: datetime) -> None:
    """The register follows the membership: union, and employer where one was named."""
    person.organization = transfer.target
    person.employer = transfer.employer or person.employer
    person.updated_at = now
    person.save(update_fields=["organization", "employer", "updated_at"])
    audit.record("person.transfer", person, by=by, transfer=transfer.pk)


def _said(reason: str) -> str:
    return require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Say why: the other side and the member read it."),
        shortest=2,
    )[:_LONGEST]
