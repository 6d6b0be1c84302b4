"""Every app goes back to nothing and forward again, on a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from tests import migrated

OURS = ("union_portal", "members", "disbursement", "awards")


@pytest.fixture
def own_database() -> Iterator[str]:
    """The name of a database of its own on the tests' server, migrated from nothing."""
    name = f"walk_{os.getpid()}"
    ask("postgres", f"CREATE DATABASE {name} TEMPLATE {migrated.template()}")
    yield name
    ask("postgres", f"DROP DATABASE {name} WITH (FORCE)")


def ask(database: str, statement: str) -> list[tuple[object, ...]]:
    given = connection.settings_dict
    server = psycopg2.connect(
        dbname=database,
        host=given["HOST"],
        port=given["PORT"],
        user=given["USER"],
        password=given["PASSWORD"],
    )
    server.autocommit = True
    try:
        with server.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        server.close()


def migrate_in(database: str) -> Callable[..., None]:
    given = connection.settings_dict
    url = (
        f"postgres://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{database}"
    )

    def migrate(*to: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0", *to],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]

    return migrate


def ours(database: str) -> int:
    """How many tables and functions of ours the database holds."""
    named = " OR ".join(f"relname LIKE '{label}%'" for label in OURS)
    ((tables,),) = ask(database, f"SELECT count(*) FROM pg_class WHERE {named}")
    ((functions,),) = ask(
        database, "SELECT count(*) FROM pg_proc WHERE proname LIKE 'disbursement_%'"
    )
    return int(str(tables)) + int(str(functions))


def test_every_app_goes_back_to_nothing_and_forward_again(own_database):
    migrate = migrate_in(own_database)
    before = ours(own_database)
    migrate("union_portal", "0001")
    migrate("union_portal", "zero")
    assert ours(own_database) == 0
    migrate()
    assert ours(own_database) == before
    assert ask(own_database, "SELECT count(*) > 0 FROM disbursement_bankformat") == [(True,)]
