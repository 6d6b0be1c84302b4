"""`manage.py backup` refuses what it can't do, and says why."""

import importlib.util

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from union_portal.management.commands import backup

pytestmark = pytest.mark.django_db


def test_a_backup_never_goes_into_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CommandError, match="not empty"):
        call_command("backup", tmp_path)


def test_a_role_that_may_not_replicate_is_told_by_the_server(tmp_path):
    with pytest.raises(CommandError, match="pg_basebackup failed"):
        call_command("backup", tmp_path / "new")


def test_the_certificate_of_the_address_is_looked_at_by_the_programs():
    address = "postgres://union_backup:p%40ss@db.example:5433/x?sslmode=verify-full&sslrootcert=/ca"
    assert backup.of_libpq(address) == {
        "PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "union_backup", "PGPASSWORD": "p@ss",
        "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/ca",
    }  # fmt: skip


def test_without_the_private_servers_the_program_is_looked_for_where_it_is_installed(monkeypatch):
    """As in the image of production, which leaves them out."""
    held = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "union_portal.embedded" else held(name),
    )
    monkeypatch.setattr("shutil.which", lambda program: None)
    monkeypatch.setattr("pathlib.Path.glob", lambda folder, pattern: [])
    with pytest.raises(CommandError, match=r"pg_basebackup of PostgreSQL \d+ is not installed"):
        backup._find("pg_basebackup")
