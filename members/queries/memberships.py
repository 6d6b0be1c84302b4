"""Memberships, applications and transfers, scoped to who looks."""

from django.db.models import Q, QuerySet

from members.models import (
    JoinApplication,
    MemberProfile,
    Membership,
    MembershipChange,
    MembershipTransfer,
    Person,
)
from members.states import LIVE_MEMBERSHIPS, OPEN_TRANSFERS, JoinState, TransferState
from union_portal import access, readers
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit.phone import read_mobile
from union_portal.kit.plain_text import digits_as_typed, halfwidth, without_invisible
from union_portal.kit.refusals import Refused
from union_portal.models import Account, Organization, OrganizationLevel
from union_portal.readers import Door

UNIONS_SHOWN = 20


def membership_of(person: Person | int) -> Membership | None:
    """The membership that the person has now."""
    live = Membership.objects.filter(person=person, state__in=LIVE_MEMBERSHIPS)
    return live.select_related("organization", "person").first()


def memberships_of(person: Person) -> QuerySet[Membership]:
    """Every membership the person ever had, the newest first."""
    return Membership.objects.filter(person=person).select_related("organization")


def changes_of(person: Person) -> QuerySet[MembershipChange]:
    """What changed in all of them, the newest first."""
    changes = MembershipChange.objects.filter(membership__person=person)
    return changes.select_related("membership__organization").order_by("-on", "-id")


def transfers_of(person: Person | int) -> QuerySet[MembershipTransfer]:
    """The person's transfers, the newest first."""
    rows = MembershipTransfer.objects.filter(membership__person=person)
    return rows.select_related("source", "target", "membership__person")


def open_transfer_of(person: Person | int) -> MembershipTransfer | None:
    return transfers_of(person).filter(state__in=OPEN_TRANSFERS).first()


def profile_of(person: Person) -> MemberProfile | None:
    return MemberProfile.objects.filter(person=person).first()


def memberships_for(
    account: Account, permission: Permission = Permission.PERSON_VIEW
) -> QuerySet[Membership]:
    """Memberships of the unions within reach; nobody's by default."""
    return Membership.objects.filter(access.scope(account, permission))


def transfers_for(account: Account, *permissions: Permission) -> QuerySet[MembershipTransfer]:
    """Transfers from or to the unions within reach."""
    reach = Q(pk__in=[])
    for permission in permissions:
        reach |= access.scope(account, permission, "source__path")
        reach |= access.scope(account, permission, "target__path")
    return MembershipTransfer.objects.filter(reach)


def applications_to_check(account: Account) -> QuerySet[JoinApplication]:
    """Applications that wait for this clerk."""
    within = access.scope(account, Permission.MEMBERSHIP_EDIT)
    return JoinApplication.objects.filter(within, state=JoinState.APPLIED)


def applications_to_approve(account: Account) -> QuerySet[JoinApplication]:
    """Applications that wait for this county, without those the account has checked itself."""
    within = access.scope(account, Permission.MEMBERSHIP_APPROVE)
    waiting = JoinApplication.objects.filter(within, state=JoinState.CHECKED)
    return waiting.exclude(checked_by=account)


def transfers_to_release(account: Account) -> QuerySet[MembershipTransfer]:
    """Members whom another union asks of this clerk's."""
    within = access.scope(account, Permission.MEMBERSHIP_EDIT, "source__path")
    return MembershipTransfer.objects.filter(within, state=TransferState.REQUESTED)


def transfers_to_accept(account: Account) -> QuerySet[MembershipTransfer]:
    """Members who were released towards this clerk's union."""
    within = access.scope(account, Permission.MEMBERSHIP_EDIT, "target__path")
    return MembershipTransfer.objects.filter(within, state=TransferState.RELEASED)


def unions_named(text: str) -> QuerySet[Organization]:
    """Unions one can join whose name or short name holds the text; none for an empty one."""
    typed = " ".join(without_invisible(halfwidth(text)).split())[:60]
    if not typed:
        return Organization.objects.none()
    joinable = Organization.objects.filter(is_active=True)
    named = joinable.exclude(level=OrganizationLevel.FEDERATION).filter(
        Q(name__icontains=typed) | Q(short_name__icontains=typed)
    )
    return named.select_related("parent").order_by("path")[:UNIONS_SHOWN]


def union_to_join(key: str) -> Organization | None:
    """The union of an address, if it takes members."""
    if not key.isdecimal() or len(key) > 12:
        return None
    joinable = Organization.objects.filter(is_active=True)
    return joinable.exclude(level=OrganizationLevel.FEDERATION).filter(pk=int(key)).first()


def application_by(receipt: str, phone: str) -> JoinApplication | None:
    """The application with this receipt, if the phone is the one given with it.

    A receipt is eleven characters of chance: nobody guesses one, and it tells nothing alone.
    """
    code = digits_as_typed(receipt).upper()
    try:
        index = fingerprint("phone", read_mobile(phone))
    except Refused:
        return None
    with readers.seeing(Door.JOINING):
        found = JoinApplication.objects.filter(receipt=code, phone_index=index)
        return found.select_related("organization").first()


def application_with(receipt: str) -> JoinApplication | None:
    """An application whose receipt and phone this session has shown before."""
    with readers.seeing(Door.JOINING):
        found = JoinApplication.objects.filter(receipt=receipt)
        return found.select_related("organization").first()


def others_with_number(application: JoinApplication) -> int:
    """How many more open applications within the reader's reach have the same number."""
    same = JoinApplication.objects.filter(national_id_index=application.national_id_index)
    still_open = same.filter(state__in=(JoinState.APPLIED, JoinState.CHECKED, JoinState.RETURNED))
    return still_open.exclude(pk=application.pk).count()
