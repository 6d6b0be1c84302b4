"""The further real-name fields of a person: written by staff of their union."""

from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from members.models import MemberProfile, Person
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account

FIELDS: Final = (
    "ethnicity",
    "education",
    "political_status",
    "hukou_type",
    "employment",
    "technical_grade",
    "is_farmer_worker",
)


@transaction.atomic
def write(*, person: Person, by: Account, **values: Any) -> list[str]:
    """Correct the fields of a person; return the names of those that really changed.

    Errors: PermissionDenied; ValidationError for a value that is none of the choices.
    """
    access.require(by, Permission.PERSON_EDIT, person.organization)
    if unknown := values.keys() - set(FIELDS):
        raise ValueError(", ".join(sorted(unknown)))
    profile, _born = MemberProfile.objects.select_for_update(of=("self",)).get_or_create(
        person=person
    )
    changed = sorted(name for name, value in values.items() if getattr(profile, name) != value)
    if not changed:
        return []
    for name in changed:
        setattr(profile, name, values[name])
    profile.updated_at = timezone.now()
    profile.clean_fields(exclude=["person"])
    profile.save(update_fields=[*changed, "updated_at"])
    audit.record("person.profile", person, by=by, columns=changed)
    return changed
