"""Applications to join: taken from anybody, at the public door, in the portal or at the desk.

The public door tells nobody anything: every well-filled application is taken and gets a receipt,
whether its number is known, a member's, or applies for the second time. What is amiss is found
at the desk, and told to whoever holds receipt and phone.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_noop

from members.actions import memberships, profiles
from members.actions.refusals import PeopleRefused
from members.models import Channel, JoinApplication, Membership, Person
from members.rules import memberships as rules
from members.rules.rows import read_employer
from members.states import LIVE_MEMBERSHIPS
from union_portal import access, audit, readers, turns
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit import masks
from union_portal.kit.identity import read_national_id
from union_portal.kit.names import read_name
from union_portal.kit.phone import read_mobile
from union_portal.models import Account, Organization, OrganizationLevel
from union_portal.readers import Door

PER_NUMBER_A_DAY: Final = 3
# A factory shares one address, and all its people may apply in the same hour.
PER_ADDRESS_AN_HOUR: Final = 300
PUBLIC: Final = audit.Machine("public")
# Without letters that are taken for digits; eleven of them are 54 bits that nobody guesses.
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_RECEIPT: Final = 11


class TooManyApplications(PeopleRefused):
    """Applications came too often, for this number or from this address."""


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


def read_columns(values: Mapping[str, str], today: date) -> dict[str, Any]:
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


def details(application: JoinApplication) -> dict[str, Any]:
    """The further fields of an application, opened."""
    return dict(json.loads(str(application.details))) if application.details else {}


def sealed(held: Mapping[str, Any]) -> str:
    """The further fields of an application, to be kept."""
    return json.dumps(held, ensure_ascii=False)


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
        details=sealed({"profile": profiles.read(profile), "consents": list(consents)}),
        **read_columns(values, today),
        **more,
    )
    by = more["applied_by"] or PUBLIC
    audit.record("joinapplication.apply", entered, by=by, channel=str(more["channel"]))
    return entered


def _require_patience(number: str, asked_from: str, *, now: datetime) -> None:
    # Two applications at once count each other.
    turns.take(number, asked_from)
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
