"""Lists of people that leave the portal: masked unless there is a right and a reason."""

from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from members.actions.people import require_reason
from members.models import Membership, Person, UnionProfile
from members.queries import people_for
from union_portal import access, audit, sets
from union_portal.access import Permission
from union_portal.models import Account, Organization

# One entry for each person, so that each of them sees it.
_SHOWN_TO_EACH: Final = """
INSERT INTO union_portal_auditentry (
    actor_id, actor, action, subject_type, subject_id, organization_path, reason, detail,
    request_id)
SELECT %s, %s, 'person.unmask', %s, id::text, '', %s, '{{"field": "export"}}', %s
FROM ({people}) AS people(id)
"""


@transaction.atomic
def begin(
    *, people: QuerySet[Person], by: Account, kind: str, masked: bool = True, reason: str = ""
) -> QuerySet[Person]:
    """Log an export and return the rows of it that lie within the account's reach.

    Whole numbers need the right to unmask and a reason, and every person can see both.
    """
    access.require(by, Permission.EXPORT)
    rows = people_for(by, Permission.EXPORT).filter(pk__in=people.order_by().values("pk"))
    if not masked:
        access.require(by, Permission.PERSON_UNMASK)
        reason = require_reason(reason)
        rows = rows.filter(access.scope(by, Permission.PERSON_UNMASK))
        _log_to_each(rows, by, reason)
    audit.record_ref(
        "person.export",
        Person._meta.label_lower,
        "set",
        by=by,
        reason=reason.strip(),
        kind=kind,
        masked=masked,
        count=rows.count(),
    )
    return rows.order_by("pk")


@transaction.atomic
def begin_memberships(
    *, memberships: QuerySet[Membership], by: Account, kind: str
) -> QuerySet[Membership]:
    """Log an export and return the memberships of it within reach whose people are shown."""
    access.require(by, Permission.EXPORT)
    rows = memberships.filter(
        access.scope(by, Permission.EXPORT), person__name__isnull=False
    ).order_by("organization__path", "pk")
    label = Membership._meta.label_lower
    audit.record_ref("membership.export", label, "set", by=by, kind=kind, count=rows.count())
    return rows


@transaction.atomic
def begin_unions(*, by: Account) -> QuerySet[Organization]:
    """Log an export and return the unions within reach."""
    access.require(by, Permission.EXPORT)
    rows = Organization.objects.filter(access.scope(by, Permission.EXPORT, "path"))
    label = UnionProfile._meta.label_lower
    audit.record_ref("unionprofile.export", label, "set", by=by, count=rows.count())
    return rows.select_related("profile").order_by("path")


def _log_to_each(rows: QuerySet[Person], by: Account, reason: str) -> None:
    table = sets.source(rows.order_by(), "pk")
    if table is None:
        return
    values: list[Any] = [by.pk, str(by), Person._meta.label_lower, reason]
    with connection.cursor() as cursor:
        cursor.execute(
            _SHOWN_TO_EACH.format(people=table.sql),
            [*values, audit.request_id.get(), *table.parameters],
        )
