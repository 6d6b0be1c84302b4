"""Who acts, and when: people need a role, machines carry out what people decided."""

from datetime import datetime

from django.db import connection

from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account, Organization

Actor = Account | audit.Machine


def require(by: Actor, permission: Permission, organization: Organization) -> None:
    """Raise PermissionDenied unless a person holds the permission there."""
    if not isinstance(by, audit.Machine):
        access.require(by, permission, organization)


def now() -> datetime:
    """The database's clock, the only one the engine reads: workers' clocks may differ."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at
