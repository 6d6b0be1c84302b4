"""The further real-name fields of a person: written by staff of their union."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from members.models import MemberProfile, Person
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account

EDITABLE = frozenset(
    {"ethnicity", "education", "political_status", "hukou_type", "employment"}
    | {"technical_grade", "is_farmer_worker"}
)


@transaction.atomic
def update(*, person: Person, by: Account, reason: str = "", **changes: Any) -> list[str]:
    """Change further fields; return what really changed. The log names columns, never values.

    Errors: PermissionDenied; ValidationError for a value that is none of the choices.
    """
    held = Person.objects.select_for_update(of=("self",)).get(pk=person.pk)
    access.require(by, Permission.PERSON_EDIT, held.organization)
    if unknown := changes.keys() - EDITABLE:
        raise ValueError(", ".join(sorted(unknown)))
    profile = MemberProfile.objects.filter(person=held).first() or MemberProfile(person=held)
    columns = sorted(key for key, value in changes.items() if getattr(profile, key) != value)
    if not columns:
        return []
    for key in columns:
        setattr(profile, key, changes[key])
    profile.updated_at = timezone.now()
    profile.clean_fields(exclude=["person"])
    profile.save()
    audit.record("person.update", held, by=by, reason=reason, columns=columns)
    return columns
