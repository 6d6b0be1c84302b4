"""The further real-name fields of a person: read, written, logged by their names alone."""

from collections.abc import Mapping
from typing import Any, Final, cast

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Field
from django.utils import timezone
from django.utils.translation import gettext_noop

from members.actions.refusals import PeopleRefused
from members.models import MemberProfile, Person
from members.rules import memberships as rules
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit.ethnicities import read_ethnicity
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


def read(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are stored. Errors: kit refusals; PeopleRefused for an unknown code."""
    unknown = values.keys() - set(FIELDS)
    if unknown:
        raise ValueError(", ".join(sorted(unknown)))
    said = {name: value for name, value in values.items() if value not in ("", None)}
    if "ethnicity" in said:
        said["ethnicity"] = read_ethnicity(said["ethnicity"])
    for name in said.keys() - {"ethnicity", "is_farmer_worker"}:
        _require_code(name, said[name])
    is_farmer_worker = bool(said.get("is_farmer_worker"))
    rules.require_rural_hukou(said.get("hukou_type", ""), is_farmer_worker=is_farmer_worker)
    return {name: said.get(name, "") for name in values if name != "is_farmer_worker"} | (
        {"is_farmer_worker": is_farmer_worker} if "is_farmer_worker" in values else {}
    )


@transaction.atomic
def write(*, person: Person, by: Account, **values: Any) -> list[str]:
    """Correct the fields of a person; return the names of those that really changed."""
    access.require(by, Permission.PERSON_EDIT, person.organization)
    return fill(person=person, values=values, by=by)


def fill(*, person: Person, values: Mapping[str, Any], by: Account | audit.Machine) -> list[str]:
    """The same within the transaction of a caller who has asked for permission."""
    profile, _born = MemberProfile.objects.select_for_update(of=("self",)).get_or_create(
        person=person
    )
    wanted = read({**{name: getattr(profile, name) for name in FIELDS}, **values})
    changed = sorted(name for name, value in wanted.items() if getattr(profile, name) != value)
    if not changed:
        return []
    for name in changed:
        setattr(profile, name, wanted[name])
    profile.updated_at = timezone.now()
    profile.save(update_fields=[*changed, "updated_at"])
    audit.record("person.profile", person, by=by, columns=changed)
    return changed


def _require_code(name: str, value: Any) -> None:
    field = cast("Field[Any, Any]", MemberProfile._meta.get_field(name))
    try:
        field.clean(value, None)
    except ValidationError:
        raise PeopleRefused(
            gettext_noop("The register knows no such answer."),
            gettext_noop("Choose one of the list."),
        ) from None
