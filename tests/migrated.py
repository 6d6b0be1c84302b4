"""One migrated database that every database of a test run is a copy of.

To migrate takes ten seconds, and leaves what it built in memory behind; a copy takes a blink.
What `migrate` does at its end, rights and row security, it does on each copy again.
"""

import os
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from urllib.parse import urlsplit

import psycopg2
from django.db import connection
from psycopg2 import sql

from union_portal.embedded.places import CHECKOUT

NAME = "union_portal_migrated"
APPS = ("union_portal", "members", "welfare", "awards", "events")
# Any number, as long as it is the same: who makes it holds the others off.
TURN = 610800


def template() -> str:
    """The name of the migrated database; made anew when code or packages changed."""
    now = digest()
    with closing(_connect()) as server, server.cursor() as cursor:
        server.autocommit = True
        cursor.execute("SELECT pg_advisory_lock(%s)", [TURN])
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [NAME],
        )
        if cursor.fetchone() != (now,):
            name = sql.Identifier(NAME)
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(name))
            migrate(_url())
            cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, sql.Literal(now)))
    return NAME


def migrate(url: str, **more: str) -> None:
    """In a process of its own, whose memory goes with it."""
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"],
        cwd=CHECKOUT,
        env={**os.environ, **more, "DATABASE_URL": url},
        check=True,
    )


def digest() -> str:
    """Of all that can change what `migrate` makes: migrations use fields, guards and rules."""
    files = [CHECKOUT / "requirements-dev.lock"]
    files += sorted(path for app in APPS for path in (CHECKOUT / app).rglob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _connect() -> "psycopg2.extensions.connection":
    given = connection.settings_dict
    return psycopg2.connect(
        dbname="postgres",
        host=given["HOST"],
        port=given["PORT"],
        user=given["USER"],
        password=given["PASSWORD"],
    )


def _url() -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{NAME}").geturl()
