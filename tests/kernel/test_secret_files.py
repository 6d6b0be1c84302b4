"""Secrets from the environment or from files, one way for all; insecure ones are refused."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core import signing
from django.test import override_settings

from tests.processes import surroundings
from union_portal import secret_files
from union_portal.embedded import places


def test_the_file_wins_and_its_last_line_break_is_no_part_of_it(tmp_path: Path, monkeypatch):
    file = tmp_path / "secret"
    file.write_text("from-the-file\n")
    monkeypatch.setenv("PORTAL_ONE", "from-the-environment")
    env = secret_files.Env()
    assert env.str("PORTAL_ONE") == "from-the-environment"
    monkeypatch.setenv("PORTAL_ONE_FILE", str(file))
    assert env.str("PORTAL_ONE") == "from-the-file"


def test_a_file_that_is_not_there_is_an_error_and_no_default(monkeypatch):
    monkeypatch.setenv("PORTAL_TWO_FILE", "/nowhere/secret")
    with pytest.raises(FileNotFoundError):
        secret_files.Env().str("PORTAL_TWO", "default")


@pytest.mark.parametrize(
    ("address", "password", "whole"),
    [
        ("redis://redis:6379/0", "p@/w", "redis://:p%40%2Fw@redis:6379/0"),
        ("redis://:old@redis:6379/0", "new", "redis://:new@redis:6379/0"),
        ("redis://redis:6379/0", "", "redis://redis:6379/0"),
    ],
)
def test_a_password_given_apart_is_put_into_its_address(address, password, whole):
    assert secret_files.with_password(address, password) == whole


def test_the_secrets_inside_a_value_are_found():
    found = set(secret_files.in_values("redis://:p%40w@h/0", "1:aes:AAAA,2:sm4:BBBB", "plain"))
    assert {"p%40w", "p@w", "AAAA", "BBBB", "plain"} <= found


def test_a_whole_process_takes_its_secrets_from_files(tmp_path: Path):
    """Settings of a process of its own, with nothing secret in its environment."""
    given = surroundings()
    files = {
        "PORTAL_SECRET_KEY": given["PORTAL_SECRET_KEY"],
        "PORTAL_KEYRING": given["PORTAL_KEYRING"],
        "PORTAL_INDEX_KEY": given["PORTAL_INDEX_KEY"],
        "PORTAL_PROBE_TOKEN": "a-token-of-the-file",
        "DATABASE_URL": given["DATABASE_URL"],
    }
    environment = {name: value for name, value in given.items() if name not in files}
    for name, value in files.items():
        (tmp_path / name).write_text(f"{value}\n")
        environment[f"{name}_FILE"] = str(tmp_path / name)
    code = (
        "import django; django.setup(); from django.conf import settings as s;"
        "from union_portal.fields import keyring; from django.db import connection;"
        "keyring(); connection.ensure_connection(); print(s.PROBE_TOKEN)"
    )
    assert _run(code, environment) == "a-token-of-the-file"


def _run(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, capture_output=True, text=True, check=False, cwd=places.CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "begin",
    [
        "import union_portal.wsgi",
        "import union_portal.celery; from celery import signals; signals.worker_init.send(None)",
        "import union_portal.celery; from celery import signals; signals.beat_init.send(None)",
    ],
    ids=["web", "worker", "beat"],
)
def test_nobody_starts_with_the_keys_of_the_checks(begin: str):
    wanted = {"PORTAL_SECRET_KEY", "PORTAL_KEYRING", "PORTAL_INDEX_KEY"}
    environment = {**surroundings(), "PORTAL_EMBEDDED": "0"}
    bare = {name: value for name, value in environment.items() if name not in wanted}
    with pytest.raises(AssertionError) as refused:
        _run(begin, bare)
    assert {name for name in wanted if f"{name} is not set" in str(refused.value)} == wanted


def test_with_keys_of_ones_own_web_starts():
    assert _run("import union_portal.wsgi", {**surroundings(), "PORTAL_EMBEDDED": "0"}) == ""


def test_what_a_former_key_signed_is_read_until_that_key_is_taken_out():
    with override_settings(SECRET_KEY="former-key-of-the-portal"):
        signed = signing.dumps("kept")
    with override_settings(
        SECRET_KEY="key-of-today", SECRET_KEY_FALLBACKS=["former-key-of-the-portal"]
    ):
        assert signing.loads(signed) == "kept"
        new = signing.dumps("new")
    with override_settings(SECRET_KEY="key-of-today"):
        assert signing.loads(new) == "new"
        with pytest.raises(signing.BadSignature):
            signing.loads(signed)
    with (
        override_settings(SECRET_KEY="former-key-of-the-portal"),
        pytest.raises(signing.BadSignature),
    ):
        signing.loads(new)


def test_celerys_banner_shows_no_password():
    code = (
        "from union_portal.celery import app\n"
        "from celery.apps.beat import Beat\n"
        "from celery.apps.worker import Worker\n"
        "app.loader.import_default_modules()\n"
        "print(Worker(app=app, pool='solo').startup_info(artlines=False))\n"
        "print(Beat(app=app).startup_info(app.Beat().Service(app=app)))"
    )
    given = {**surroundings(), "REDIS_URL": "redis://:a-password-of-redis@127.0.0.1:6379/0"}
    said = _run(code, given)
    assert "redis://:**@127.0.0.1:6379/0" in said
    assert "a-password-of-redis" not in said
