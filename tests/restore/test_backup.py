"""`manage.py backup` refuses what it can't do, and says why."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

pytestmark = pytest.mark.django_db


def test_a_backup_never_goes_into_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(CommandError, match="not empty"):
        call_command("backup", tmp_path)


def test_a_role_that_may_not_replicate_is_told_by_the_server(tmp_path):
    with pytest.raises(CommandError, match="pg_basebackup failed"):
        call_command("backup", tmp_path / "new")
