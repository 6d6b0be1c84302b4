"""What docs/safeguards.md says is what the code does."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest
from django.apps import apps
from django.conf import settings

from members.actions import first_login, redemptions
from tests.architecture.sources import ROOT
from union_portal import queue
from union_portal import settings as loaded
from union_portal.celery import app
from union_portal.fields import SealedTextField
from union_portal.views import reauthentication

PAPER = (ROOT / "docs/safeguards.md").read_text("utf-8")
TEXT_OF_SETTINGS = (ROOT / "union_portal/settings.py").read_text("utf-8")
CONSTANTS = {
    "WRONG_ANSWERS": reauthentication.WRONG_ANSWERS,
    "MINUTES": first_login.MINUTES,
    "TRIES": first_login.TRIES,
    "PER_PERSON_AN_HOUR": first_login.PER_PERSON_AN_HOUR,
    "PER_ADDRESS_AN_HOUR": first_login.PER_ADDRESS_AN_HOUR,
    "WRONG_CODES": redemptions.WRONG_CODES,
    "WRONG_CODES_PER_ADDRESS": redemptions.WRONG_CODES_PER_ADDRESS,
    "DATA_UPLOAD_MAX_MEMORY_SIZE": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
}


def rows(title: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = PAPER.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@pytest.fixture
def by_default(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The settings of a server that was told nothing."""
    for name in set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', TEXT_OF_SETTINGS)):
        monkeypatch.delenv(name, raising=False)
    spec = importlib.util.spec_from_file_location("default_settings", loaded.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_limit_on_paper_is_the_one_in_force(by_default: ModuleType):
    for name, value, _what in rows("Limits"):
        plain = name.strip("`")
        if plain in CONSTANTS:
            assert float(value) == CONSTANTS[plain], plain
        else:
            said = re.search(rf'"{plain}",\s*([0-9_.* ]+)', TEXT_OF_SETTINGS)
            assert said is not None, plain
            product = 1.0
            for factor in said[1].split("*"):
                product *= float(factor)
            assert float(value) == product, plain
    assert by_default.SESSION_COOKIE_AGE == 28800


def test_every_kind_of_sealed_data_has_its_level_on_paper():
    kinds = {
        field.kind
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedTextField)
    }
    told = {row[0].strip("`") for row in rows("Data and how it is kept") if row[0].startswith("`")}
    assert kinds - told == set()


def test_every_way_to_log_in_is_on_paper():
    told = {name for row in rows("Ways to log in") for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(settings.MFA_SUPPORTED_TYPES)
    assert settings.AUTHENTICATION_BACKENDS == [
        "axes.backends.AxesStandaloneBackend",
        "union_portal.backends.RoleBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ]
    assert "allauth.socialaccount" not in settings.INSTALLED_APPS


def test_every_key_and_every_connection_on_paper_is_read_by_the_settings():
    named = {
        name
        for title in ("Keys and algorithms", "Connections")
        for row in rows(title)
        for name in re.findall(r"`((?:PORTAL_|DATABASE_|REDIS_)\w+)`", " ".join(row))
    }
    beside = {"PORTAL_PUBLISH"}  # read by docker-compose.yml
    assert named - beside - set(re.findall(r'"([A-Z_]+)"', TEXT_OF_SETTINGS)) == set()
    read = set(re.findall(r'"(PORTAL_\w*(?:KEY|KEYRING|URL))"', TEXT_OF_SETTINGS))
    assert read - named == set()


def test_every_log_on_paper_is_a_table_of_the_database():
    tables = {model._meta.db_table for model in apps.get_models()}
    named = {t for row in rows("What is logged") for t in re.findall(r"`(\w+)`", row[0])}
    assert named
    assert named - tables == set()


def test_every_work_of_the_queue_is_on_paper():
    app.loader.import_default_modules()
    said = PAPER.split("\n## Costly work\n")[1].split("\n## ")[0]
    ours = {name for name in queue.names() if not name.startswith("tests.")}
    assert ours
    assert set(re.findall(r"`(\w+\.\w+)`", said)) == ours


def test_the_time_frames_for_faults_of_libraries_are_on_paper():
    frames = "within 3 days when it is exploited or critical, 14 when high, 60 otherwise"
    assert frames in " ".join(PAPER.split("\n## Libraries\n")[1].split())


def test_every_library_that_opens_foreign_bytes_is_told():
    said = PAPER.split("\n## Libraries\n")[1]
    for library in ("Pillow", "pikepdf", "lxml", "calamine", "openpyxl", "WeasyPrint"):
        assert library in said
