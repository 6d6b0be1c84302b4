"""Joining: somebody applies, the union checks, the county approves; only then is there a member.

The public door tells nobody anything: every well-filled application is taken and gets a receipt,
whether its number is known, a member's, or applies for the second time. What is amiss is found
at the desk, and told to whoever holds receipt and phone.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.translation import gettext_noop

from members.actions import memberships, people, profiles, telling
from members.actions.refusals import PeopleRefused
from members.models import Channel, JoinApplication, Membership, Person
from members.rules import memberships as rules
from members.rules.rows import read_employer
from members.states import JOIN_APPLICATION, LIVE_MEMBERSHIPS, JoinState
from union_portal import access, audit, lifecycle, readers
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit import masks
from union_portal.kit.identity import read_national_id
from union_portal.kit.names import read_name
from union_portal.kit.phone import read_mobile
from union_portal.kit.refusals import require_text
from union_portal.models import Account, Organization, OrganizationLevel
from union_portal.readers import Door

PER_NUMBER_A_DAY: Final = 3
# A factory shares one address, and all its people may apply in the same hour.
PER_ADDRESS_AN_HOUR: Final = 300
PUBLIC: Final = audit.Machine("public")
# Without letters that are taken for digits; eleven of them are 54 bits that nobody guesses.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_RECEIPT: Final = 11
_LONGEST: Final = 200

Joined = Callable[[JoinApplication, Person, Sequence[int]], None]
_joined: list[Joined] = []


class TooManyApplications(PeopleRefused):
    """Applications came too often, for this number or from this address."""


def when_joined(act: Joined) -> None:
    """Have `act(application, person, consents)` called as an application is approved.

    `consents` are the numbers of the texts agreed to when applying: whoever keeps consents writes
    them down for the person here, in the same transaction.
    """
    _joined.append(act)


@readers.seeing(Door.JOINING)
@transaction.atomic
def apply(
    *,
    name: str,
    national_id: str,
    phone: str,
    employer: str,
    organization: Organization,
    profile: Mapping[str, Any],
    by: Account | None,
    address: str,
    today: date,
    now: datetime,
    is_by_other: bool = False,
    consents: Sequence[int] = (),
) -> JoinApplication:
    """Take an application from the public page or a member's portal.

    Errors: kit refusals for what is typed wrong; TooManyApplications, counted for numbers that
    nobody has too; PeopleRefused for a union that takes no members. Never for what is known.
    """
    number = read_national_id(national_id, today=today).number
    _require_patience(fingerprint("national_id", number), fingerprint("address", address), now=now)
    return _enter(
        {"name": name, "national_id": number, "phone": phone, "employer": employer},
        profile,
        organization,
        today=today,
        consents=consents,
        applied_by=by,
        applied_at=now,
        asked_from=fingerprint("address", address),
        is_by_other=is_by_other,
        channel=Channel.PORTAL,
    )


def apply_as(
    *,
    person: Person,
    employer: str,
    organization: Organization,
    profile: Mapping[str, Any],
    by: Account,
    address: str,
    today: date,
    now: datetime,
    consents: Sequence[int] = (),
) -> JoinApplication:
    """The same by somebody who is logged in: name, number and phone are the register's.

    Errors: as for `apply`; PeopleRefused for a member, or without a phone in the register.
    """
    if person.account_id != by.pk:
        raise PermissionDenied
    if Membership.objects.filter(person=person, state__in=LIVE_MEMBERSHIPS).exists():
        raise memberships.already_member()
    if not person.phone:
        raise PeopleRefused(
            gettext_noop("The register holds no phone of yours."),
            gettext_noop("Your union's office enters it; then apply again."),
        )
    return apply(
        name=person.name,
        national_id=str(person.national_id),
        phone=str(person.phone),
        employer=employer,
        organization=organization,
        profile=profile,
        by=by,
        address=address,
        today=today,
        now=now,
        consents=consents,
    )


@transaction.atomic
def apply_at_desk(
    *,
    organization: Organization,
    profile: Mapping[str, Any],
    by: Account,
    today: date,
    now: datetime,
    **values: str,
) -> JoinApplication:
    """A clerk enters what somebody brings on paper: marked as filled in by another hand."""
    access.require(by, Permission.MEMBERSHIP_EDIT, organization)
    return _enter(
        values,
        profile,
        organization,
        today=today,
        applied_by=by,
        applied_at=now,
        is_by_other=True,
        channel=Channel.DESK,
    )


@readers.seeing(Door.JOINING)
@transaction.atomic
def check(*, application: JoinApplication, by: Account, now: datetime) -> None:
    """The union has compared it with identity card and roster; the county is next.

    Errors: PermissionDenied, Stale; PeopleRefused for a member or a name that differs.
    """
    held = _hold(application)
    access.require(by, Permission.MEMBERSHIP_EDIT, held.organization)
    _require_may_join(held, _known(held))
    _advance(application, held, JoinState.CHECKED, by, checked_by=by, checked_at=now)


@readers.seeing(Door.JOINING)
@transaction.atomic
def give_back(*, application: JoinApplication, message: str, by: Account, now: datetime) -> None:
    """Return it for completion, from where it lies, with the sentence the applicant reads."""
    held = _hold(application)
    _require_turn(held, by)
    said = _said(message)
    _advance(
        application, held, JoinState.RETURNED, by, reason=said, checked_by=None, checked_at=None
    )
    telling.tell_applicant(held, "returned", f"{now:%Y%m%d%H%M%S}")


@readers.seeing(Door.JOINING)
@transaction.atomic
def complete(
    *,
    application: JoinApplication,
    by: Account | audit.Machine,
    today: date,
    profile: Mapping[str, Any],
    **values: str,
) -> None:
    """The applicant answers, or the clerk for them; an empty identity number stays as it was.

    Errors: PermissionDenied, Stale; kit refusals for what is typed wrong.
    """
    held = _hold(application)
    _require_applicant(held, by)
    if not values.get("national_id"):
        values["national_id"] = str(held.national_id)
    columns = _columns(values, today)
    columns["details"] = _sealed({**details(held), "profile": profiles.read(profile)})
    _advance(
        application,
        held,
        JoinState.APPLIED,
        by,
        **columns,
        national_id_index=fingerprint("national_id", columns["national_id"]),
        phone_index=fingerprint("phone", columns["phone"]),
    )


@readers.seeing(Door.JOINING)
@transaction.atomic
def refuse(*, application: JoinApplication, reason: str, by: Account, now: datetime) -> None:
    """Say no, with the reason that the applicant reads."""
    held = _hold(application)
    _require_turn(held, by)
    said = _said(reason)
    _advance(application, held, JoinState.REFUSED, by, reason=said, decided_by=by, decided_at=now)
    telling.tell_applicant(held, "refused")


@readers.seeing(Door.JOINING)
@transaction.atomic
def take_back(*, application: JoinApplication, by: Account | audit.Machine) -> None:
    """The applicant does not want to any more; the clerk notes it for whoever says so."""
    held = _hold(application)
    _require_applicant(held, by)
    _advance(application, held, JoinState.TAKEN_BACK, by)


@readers.seeing(Door.JOINING)
@readers.seeing(Door.TRANSFER)
@transaction.atomic
def approve(*, application: JoinApplication, by: Account, today: date, now: datetime) -> Membership:
    """Make the member: person, membership and its first change in one transaction.

    Whoever is registered already is taken as they are: neither name nor phone of a known person
    follows from a form that anybody may fill in. Errors: PermissionDenied, also for whoever
    checked it; Stale; PeopleRefused for a member, a name that differs, or a number that somebody
    else was registered under meanwhile.
    """
    held = _hold(application)
    access.require(by, Permission.MEMBERSHIP_APPROVE, held.organization)
    _require_another(held, by)
    if not JOIN_APPLICATION.allows(held.state, JoinState.APPROVED):
        raise _moved()
    person = _registered(held, by, today, now)
    made = memberships.begin(
        person=person,
        organization=held.organization,
        on=today,
        channel=held.channel,
        by=by,
    )
    known = details(held)
    profiles.fill(person=person, values=known.get("profile", {}), by=by)
    _advance(
        application,
        held,
        JoinState.APPROVED,
        by,
        decided_by=by,
        decided_at=now,
        membership=made,
    )
    for act in _joined:
        act(held, person, known.get("consents", []))
    telling.tell_applicant(held, "approved")
    return made


def details(application: JoinApplication) -> dict[str, Any]:
    """The further fields of an application, opened."""
    return dict(json.loads(str(application.details))) if application.details else {}


def _enter(
    values: Mapping[str, str],
    profile: Mapping[str, Any],
    organization: Organization,
    *,
    today: date,
    consents: Sequence[int] = (),
    **more: Any,
) -> JoinApplication:
    if not organization.is_active or organization.level == OrganizationLevel.FEDERATION:
        raise PeopleRefused(
            gettext_noop("This union takes no members."),
            gettext_noop("Choose the union of the employer, or of the place of residence."),
        )
    entered = JoinApplication.objects.create(
        organization=organization,
        receipt="".join(secrets.choice(_ALPHABET) for _place in range(_RECEIPT)),
        details=_sealed({"profile": profiles.read(profile), "consents": list(consents)}),
        **_columns(values, today),
        **more,
    )
    by = more["applied_by"] or PUBLIC
    audit.record("joinapplication.apply", entered, by=by, channel=str(more["channel"]))
    return entered


def _columns(values: Mapping[str, str], today: date) -> dict[str, Any]:
    """What is typed, read into columns. Errors: kit refusals; MembershipRefused by age."""
    identity = read_national_id(values["national_id"], today=today)
    rules.require_working_age(identity.born_on, today)
    phone = read_mobile(values["phone"])
    return {
        "name": read_name(values["name"]),
        "national_id": identity.number,
        "national_id_shown": masks.mask_id(identity.number),
        "phone": phone,
        "phone_shown": masks.mask_phone(phone),
        "employer": read_employer(values.get("employer", "")),
    }


def _hold(application: JoinApplication) -> JoinApplication:
    held = (
        JoinApplication.objects.select_for_update(of=("self",))
        .select_related("organization")
        .get(pk=application.pk)
    )
    if held.state != application.state:
        raise _moved()
    return held


def _moved() -> lifecycle.Stale:
    return lifecycle.Stale(
        gettext_noop("The application was changed by somebody else a moment ago."),
        gettext_noop("Reload the page."),
    )


def _advance(
    application: JoinApplication,
    held: JoinApplication,
    to: JoinState,
    by: Account | audit.Machine,
    *,
    reason: str = "",
    **changes: Any,
) -> None:
    """Move the locked row; `reason` is what the applicant reads, or that nothing is asked."""
    JoinApplication.objects.filter(pk=held.pk).update(reason=reason)
    lifecycle.advance(held, to=to, by=by, reason=reason, **changes)
    for name, value in {"state": str(to), "reason": reason, **changes}.items():
        setattr(application, name, value)


def _require_turn(held: JoinApplication, by: Account) -> None:
    """Whose turn it is: the union's before its check, the county's after it."""
    if held.state == JoinState.CHECKED:
        access.require(by, Permission.MEMBERSHIP_APPROVE, held.organization)
        _require_another(held, by)
    else:
        access.require(by, Permission.MEMBERSHIP_EDIT, held.organization)


def _require_another(held: JoinApplication, by: Account) -> None:
    if held.checked_by_id == by.pk:
        raise PeopleRefused(
            gettext_noop("Whoever checked an application does not decide on it."),
            gettext_noop("A colleague decides."),
        )


def _require_applicant(held: JoinApplication, by: Account | audit.Machine) -> None:
    """The applicant's own account, the union's clerk, or a page that has seen the receipt."""
    if isinstance(by, Account) and held.applied_by_id != by.pk:
        access.require(by, Permission.MEMBERSHIP_EDIT, held.organization)


def _known(held: JoinApplication) -> Person | None:
    """The person registered under the number, if there is one; of a merged one the one kept."""
    known = Person.objects.filter(national_id_index=held.national_id_index).first()
    while known is not None and known.merged_into_id is not None:
        known = Person.objects.get(pk=known.merged_into_id)
    return known


def _require_may_join(held: JoinApplication, known: Person | None) -> None:
    if known is None:
        return
    if known.name != held.name or known.died_on is not None:
        raise PeopleRefused(
            gettext_noop("The register holds this number under another name, or as deceased."),
            gettext_noop("Compare both with the identity card and return the application."),
        )
    if Membership.objects.filter(person=known, state__in=LIVE_MEMBERSHIPS).exists():
        raise memberships.already_member()


def _registered(held: JoinApplication, by: Account, today: date, now: datetime) -> Person:
    """The person of an application: the one the register knows, or a new one."""
    known = _known(held)
    if known is None:
        return people.enter(
            name=held.name,
            national_id=str(held.national_id),
            phone=str(held.phone),
            employer=held.employer,
            organization=held.organization,
            by=by,
            today=today,
        )
    person = Person.objects.select_for_update(of=("self",)).get(pk=known.pk)
    _require_may_join(held, person)
    person.organization = held.organization
    person.employer = held.employer or person.employer
    person.updated_at = now
    person.save(update_fields=["organization", "employer", "updated_at"])
    audit.record("person.join", person, by=by, application=held.pk)
    return person


def _require_patience(number: str, asked_from: str, *, now: datetime) -> None:
    with connection.cursor() as cursor:
        # Two applications at once count each other.
        for key in sorted((number, asked_from)):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    applications = JoinApplication.objects.filter(channel=Channel.PORTAL)
    of_number = applications.filter(
        national_id_index=number, applied_at__gt=now - timedelta(days=1)
    )
    of_address = applications.filter(asked_from=asked_from, applied_at__gt=now - timedelta(hours=1))
    if of_number.count() >= PER_NUMBER_A_DAY or of_address.count() >= PER_ADDRESS_AN_HOUR:
        raise TooManyApplications(
            gettext_noop("Applications came too often."),
            gettext_noop("Wait a day, or go to your union's office."),
        )


def _said(text: str) -> str:
    return require_text(
        text,
        gettext_noop("The reason is missing."),
        gettext_noop("Say what is missing or wrong; the applicant reads it."),
        shortest=2,
    )[:_LONGEST]


def _sealed(held: Mapping[str, Any]) -> str:
    return json.dumps(held, ensure_ascii=False)
