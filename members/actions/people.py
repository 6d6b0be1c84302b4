"""Register people, change what is known of them, and show what is sealed."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from members.actions import memberships
from members.actions.refusals import PeopleRefused
from members.models import Person
from members.rules.rows import read_death, read_employer, read_line
from union_portal import access, audit, notifications
from union_portal.access import Permission
from union_portal.kit import masks, names
from union_portal.kit.identity import read_national_id
from union_portal.kit.phone import read_mobile
from union_portal.kit.refusals import require_text
from union_portal.models import Account, Organization

_ADDRESS_LONGEST: Final = 200
notifications.topic("phone_changed", gettext_lazy("change of phone"))
notifications.template(
    "phone_changed",
    gettext_lazy(
        "The phone of your entry at the union was changed, and this one is no longer it. If you"
        " did not ask for that, call your union now: whoever holds the new one can log in as you."
    ),
)
SEALED: Final = ("national_id", "phone", "address")


@transaction.atomic
def register(
    *,
    name: str,
    national_id: str,
    organization: Organization,
    by: Account,
    today: date,
    phone: str = "",
    employer: str = "",
    address: str = "",
) -> Person:
    """Register a person under a union. Sex and birth follow from the number (GB 11643).

    Errors: kit refusals for every wrong value; PeopleRefused if the number is known.
    """
    access.require(by, Permission.PERSON_EDIT, organization)
    return enter(
        national_id=national_id,
        organization=organization,
        by=by,
        today=today,
        name=name,
        phone=phone,
        employer=employer,
        address=address,
    )


def enter(
    *, national_id: str, organization: Organization, by: Account, today: date, **values: str
) -> Person:
    """The same within the transaction of a caller who has asked for permission."""
    identity = read_national_id(national_id, today=today)
    person = Person(
        sex=identity.sex,
        born_on=identity.born_on,
        national_id=identity.number,
        national_id_shown=masks.mask_id(identity.number),
        organization=organization,
        **_read(values),
    )
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        if "person_national_id_once" not in str(error):
            raise
        raise already_registered() from None
    audit.record("person.register", person, by=by)
    return person


@transaction.atomic
def update(*, person: Person, by: Account, reason: str = "", **changes: Any) -> list[str]:
    """Change name, phone, employer, address or organization; return what really changed.

    The log names the columns, never their values. A change of name needs a reason, and a member
    changes unions by a transfer alone.
    """
    held = Person.objects.select_for_update().get(pk=person.pk)
    access.require(by, Permission.PERSON_EDIT, held.organization)
    if "organization" in changes:
        access.require(by, Permission.PERSON_EDIT, changes["organization"])
    wanted = _read(changes)
    columns = sorted(key for key, value in wanted.items() if getattr(held, key) != value)
    if "name" in columns:
        require_document(reason)
    if "organization" in columns:
        memberships.require_no_membership(held)
    if not columns:
        return []
    before = held.phone
    for key in columns:
        setattr(held, key, wanted[key])
        setattr(person, key, wanted[key])
    held.updated_at = person.updated_at = timezone.now()
    written = [*columns, "updated_at", *(["phone_index"] if "phone" in columns else [])]
    held.save(update_fields=written)
    person.phone_index = held.phone_index
    shown = [key for key in columns if key not in _DERIVED]
    audit.record("person.update", held, by=by, reason=reason, columns=shown)
    if "phone" in columns and before:
        _warn_the_old_phone(held, str(before))
    return shown


def require_document(reason: str) -> str:
    """The reason for a change of name. Errors: Refused without one."""
    return require_text(
        reason,
        gettext_noop("A change of name needs a reason."),
        gettext_noop("Say which document shows the new name."),
    )


def _warn_the_old_phone(person: Person, number: str) -> None:
    """Who holds the phone may set the password: its last holder hears of the change."""
    notifications.queue_to_number(
        topic="phone_changed",
        key=f"{person.pk}:{person.updated_at.isoformat()}",
        template="phone_changed",
        recipient=person.pk,
        number=number,
        subject=person,
    )


@transaction.atomic
def record_death(
    *, person: Person, died_on: date, by: Account, today: date, reason: str = ""
) -> None:
    """Note that the person has died: nothing is paid for them from then on (X3).

    Their membership ends with it, and nothing else.
    """
    held = Person.objects.select_for_update().get(pk=person.pk)
    access.require(by, Permission.PERSON_EDIT, held.organization)
    held.died_on = read_death(died_on, held.born_on, today)
    held.updated_at = timezone.now()
    held.save(update_fields=["died_on", "updated_at"])
    person.died_on = held.died_on
    audit.record("person.record_death", held, by=by, reason=reason)
    memberships.end_by_death(person=held, died_on=held.died_on, by=by, reason=reason)


@transaction.atomic
def attach_account(*, person: Person, account: Account, by: Account | audit.Machine) -> None:
    """Let an account log in as this person. An attached account is never swapped silently."""
    held = Person.objects.select_for_update().get(pk=person.pk)
    if isinstance(by, Account):
        access.require(by, Permission.ACCOUNT_MANAGE)
    if held.account_id is not None and held.account_id != account.pk:
        raise PeopleRefused(
            gettext_noop("This person already has an account."),
            gettext_noop("Let them log in with it, or reset its password."),
        )
    if Person.objects.filter(account=account).exclude(pk=held.pk).exists():
        raise PeopleRefused(
            gettext_noop("This account belongs to another person."),
            gettext_noop("Make a new account."),
        )
    held.account = account
    held.save(update_fields=["account"])
    person.account = account
    audit.record("person.attach_account", held, by=by, account=account.pk)


def unmask(*, person: Person, field: str, by: Account, reason: str) -> str:
    """Show one sealed value. The person sees who looked, when and why.

    Errors: PermissionDenied; PeopleRefused without a reason or for a field not sealed.
    """
    access.require(by, Permission.PERSON_UNMASK, person.organization)
    if field not in SEALED:
        raise ValueError(field)
    audit.record("person.unmask", person, by=by, reason=require_reason(reason), field=field)
    return str(getattr(person, field) or "")


def require_reason(reason: str) -> str:
    """Words that the person would understand. Errors: Refused without any."""
    return require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Say why you need to see it; the person can read your reason."),
        shortest=2,
    )


def already_registered() -> PeopleRefused:
    """The refusal of a second row for one number; tells nothing of the first."""
    return PeopleRefused(
        gettext_noop("Somebody with this identity number is registered already."),
        gettext_noop("Search for the number; if another union holds the person, ask for it."),
    )


_DERIVED: Final = frozenset({"pinyin", "initials", "phone_shown"})
_EDITABLE: Final = frozenset({"name", "phone", "employer", "address", "organization"})


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that the given values become. Errors: kit refusals."""
    unknown = values.keys() - _EDITABLE
    if unknown:
        raise ValueError(", ".join(sorted(unknown)))
    read: dict[str, Any] = {}
    if "name" in values:
        name = names.read_name(values["name"])
        read |= {"name": name, "pinyin": names.pinyin(name), "initials": names.initials(name)}
    if "phone" in values:
        phone = read_mobile(values["phone"]) if values["phone"] else None
        read |= {"phone": phone, "phone_shown": masks.mask_phone(phone) if phone else ""}
    if "employer" in values:
        read["employer"] = read_employer(values["employer"])
    if "address" in values:
        read["address"] = read_line(values["address"], _ADDRESS_LONGEST) or None
    if "organization" in values:
        read["organization"] = values["organization"]
    return read
