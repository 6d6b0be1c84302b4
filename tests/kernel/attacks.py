"""Direct SQL that the database itself must refuse, to the owner of the tables too."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.roles import AS_OWNER


def refused_by(constraint, statement, parameters=()):
    """Run SQL that must be refused by the named constraint (or one of several: a|b)."""
    with (
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(AS_OWNER)
        cursor.execute(statement, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert caught.value.__cause__.diag.constraint_name in constraint.split("|")
