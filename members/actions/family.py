"""The people of a member's family: entered by the member or at the desk, and removed again.

A child under 14 is entered with its guardian, who has consented (Personal Information Protection
Law, art. 31). The database refuses it otherwise, too.
"""

from datetime import date, datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from members.actions import consents
from members.actions.refusals import PeopleRefused
from members.models import Consent, ConsentPurpose, FamilyMember, Person
from members.rules.family import is_child, read_birth, require_guardian
from union_portal import audit
from union_portal.kit import masks, names
from union_portal.kit.identity import read_national_id
from union_portal.models import Account

MOST: Final = 20


@transaction.atomic
def enter(
    *,
    person: Person,
    name: str,
    relation: str,
    by: Account,
    today: date,
    now: datetime,
    born_on: date | None = None,
    national_id: str = "",
    guardian: str = "",
) -> FamilyMember:
    """Enter somebody. With an identity number the birth date follows from it.

    Errors: PermissionDenied, kit refusals; FamilyUnsound without a birth date or a child's
    guardian; ConsentMissing without the guardian's; PeopleRefused for whom is entered already.
    """
    held = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    consents.channel_of(held, by)
    number = read_national_id(national_id, today=today) if national_id.strip() else None
    born = read_birth(number, born_on, today=today)
    named = names.read_name(guardian) if guardian.strip() else ""
    made = FamilyMember(
        person=held,
        name=names.read_name(name),
        relation=relation,
        born_on=born,
        national_id=number.number if number else None,
        national_id_shown=masks.mask_id(number.number) if number else "",
        guardian=named,
        guardian_consent=_guardian_consent(held, born, named, today),
        entered_by=by,
        entered_at=now,
    )
    _save(made)
    audit.record("family.enter", held, by=by, relation=relation, is_child=bool(named))
    return made


@transaction.atomic
def remove(*, member: FamilyMember, by: Account) -> None:
    """Forget somebody of a member's family; nothing else refers to the entry."""
    person = member.person
    consents.channel_of(person, by)
    member.delete()
    audit.record("family.remove", person, by=by, relation=member.relation)


def _guardian_consent(person: Person, born_on: date, guardian: str, today: date) -> Consent | None:
    require_guardian(born_on, guardian, today=today)
    if not is_child(born_on, today=today):
        return None
    return consents.require(person, ConsentPurpose.FAMILY, today=today)


def _save(member: FamilyMember) -> None:
    if FamilyMember.objects.filter(person=member.person).count() >= MOST:
        raise PeopleRefused(
            gettext_noop("No more family members can be entered."),
            gettext_noop("Remove those who need not be known."),
        )
    try:
        with transaction.atomic():
            member.save()
    except IntegrityError as error:
        if "family_member_once" not in str(error):
            raise
        raise PeopleRefused(
            gettext_noop("This identity number is entered already."),
            gettext_noop("Remove the old entry first if it is wrong."),
        ) from None
