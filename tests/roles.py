"""Who the tests are to the database: a worker, unless they say otherwise.

The connection is the owner's, who may take the roles of the application and give them back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

from django.db import connection

from union_portal.access import Role
from union_portal.models import Account, Organization, RoleAssignment
from union_portal.privileges import WEB, WORKER
from union_portal.readers import SETTING, Door, Reader

# Within one transaction.
AS_OWNER: Final = "SET LOCAL ROLE NONE"


def work_as_worker(**created: Any) -> None:
    """For `connection_created`: the rights of a worker from the first statement on."""
    with created["connection"].cursor() as cursor:
        cursor.execute(f"SET ROLE {WORKER}")


@contextmanager
def playing(role: str) -> Iterator[None]:
    """Be another role of the application, or the owner ("none"), for a while."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before = cursor.fetchone()[0]
        cursor.execute(f"SET ROLE {role}")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {before}")


@contextmanager
def serving() -> Iterator[None]:
    """Be a web process while a request is answered; nobody's count of queries sees it."""
    try:
        connection.ensure_connection()
    except RuntimeError:
        # A test without a database: nothing is asked of one.
        yield
        return
    before = _asked("SELECT current_user")
    _say(f"SET ROLE {WEB}")
    try:
        yield
    finally:
        if connection.connection is not None and connection.connection.closed == 0:
            _say(f"SET ROLE {before}")


def read_as_the_mightiest() -> None:
    """Within a transaction: whom row security keeps least from. Every role, every door.

    An attack as a web process meets the guards behind row security only if it sees the rows.
    """
    with the_superuser():
        account = Account.objects.create(username="mightiest")
        federation = Organization.objects.filter(parent=None).first()
        RoleAssignment.objects.bulk_create(
            RoleAssignment(
                account=account, role=role, organization=federation, valid_from=date(2020, 1, 1)
            )
            for role in (Role if federation else ())
        )
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {SETTING} = '{Reader(account.pk, frozenset(Door))}'")


def _asked(sql: str) -> str:
    with connection.connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])


def _say(sql: str) -> None:
    with connection.connection.cursor() as cursor:
        cursor.execute(sql)


@contextmanager
def the_superuser() -> Iterator[None]:
    """Be somebody whom no trigger stops, within a transaction."""
    with playing("none"), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")
