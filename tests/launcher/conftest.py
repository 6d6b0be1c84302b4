"""Private servers of the launcher's own tests: real processes in folders of their own."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from union_portal.embedded import places
from union_portal.embedded.servers import PrivateServers

MakeServers = Callable[..., PrivateServers]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A checkout that every user of the machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="portal-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A checkout below a folder that only its owner can enter, like root's home."""
    closed = Path(tempfile.mkdtemp(prefix="portal-test-", dir="/var/tmp"))
    closed.chmod(0o700)
    checkout = closed / "checkout"
    checkout.mkdir()
    yield checkout
    shutil.rmtree(closed)
    shutil.rmtree(places.outside_folder(checkout), ignore_errors=True)


@pytest.fixture
def make_servers(open_folder: Path) -> Iterator[MakeServers]:
    """Makes servers of one checkout; whatever still runs at the end is stopped."""
    made: list[PrivateServers] = []

    def make(profile: str = "demo", checkout: Path = open_folder) -> PrivateServers:
        made.append(PrivateServers(profile, checkout=checkout))
        return made[-1]

    yield make
    for servers in made:
        servers.close()


def connect(servers: PrivateServers) -> "psycopg2.extensions.connection":
    connection = psycopg2.connect(servers.environment()["DATABASE_URL"])
    connection.autocommit = True
    return connection


def ask(servers: PrivateServers, sql: str) -> object:
    """The first column of the first row."""
    connection = connect(servers)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
    finally:
        connection.close()


def postgres_pid(servers: PrivateServers) -> int:
    return int((servers.postgres.data / "postmaster.pid").read_text().split()[0])


def valkey_pid(servers: PrivateServers) -> int:
    return int((servers.valkey.home / "valkey.pid").read_text())


def is_alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
