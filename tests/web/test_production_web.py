"""The web as production sets it: the settings are read anew as a server would read them."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.architecture.sources import ROOT
from tests.cast import Cast
from tests.web.walk import address, patterns
from union_portal import settings as defaults

HOST = "portal.example"
GIVEN = {
    "PORTAL_EMBEDDED": "false",
    "PORTAL_DEBUG": "false",
    "PORTAL_ALLOWED_HOSTS": HOST,
    "PORTAL_TRUSTED_ORIGINS": f"https://{HOST}",
    "PORTAL_SECRET_KEY": "a long word of nothing but a test, 0123456789 " * 2,
    "PORTAL_KEYRING": "1:aes:" + "QUJD" * 10 + "QUI=",
    "PORTAL_INDEX_KEY": "REVG" * 10 + "REU=",
}
# The browser's side of the settings; places, servers and keys stay those of the test.
TAKEN = ("SECURE", "SESSION_COOKIE", "CSRF", "LANGUAGE_COOKIE", "ALLOWED_HOSTS", "DEBUG", "MFA")
YEAR = 31_536_000


def read_settings() -> ModuleType:
    spec = importlib.util.spec_from_file_location("production_settings", defaults.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, settings: Any) -> ModuleType:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    module = read_settings()
    for name, value in vars(module).items():
        if name.isupper() and name.startswith(TAKEN):
            setattr(settings, name, value)
    return module


def phone(**headers: str) -> Client:
    return Client(
        SERVER_NAME=HOST, REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-Proto": "https", **headers}
    )


@pytest.mark.django_db
def test_every_answer_over_https_binds_the_browser_to_https_for_a_year(production: ModuleType):
    client = phone()
    faults = []
    for _name, route, pattern in patterns():
        answer = client.get(there := address(route, pattern))
        if answer.headers.get("Strict-Transport-Security") != f"max-age={YEAR}; includeSubDomains":
            faults.append(there)
    assert faults == []
    assert "Strict-Transport-Security" in client.get("/static/union_portal/portal.css").headers


def test_what_comes_without_https_is_sent_there_and_answered_nothing_else(production: ModuleType):
    for there in ("/", "/account/login/", "/admin/"):
        answer = Client(SERVER_NAME=HOST).get(there)
        assert (answer.status_code, answer.url) == (301, f"https://{HOST}{there}")


@pytest.mark.django_db
def test_every_cookie_is_for_this_host_over_https_and_for_no_script(
    production: ModuleType, cast: Cast
):
    cast.lin.set_password("seventeen grey camels")
    cast.lin.save()
    client = phone()
    client.get(reverse("account_login"))
    client.post(reverse("set_language"), {"language": "en"})
    client.post(reverse("account_login"), {"login": "lin", "password": "seventeen grey camels"})
    assert len(client.cookies) == 3  # session, token of the forms, language
    for name, cookie in client.cookies.items():
        assert name.startswith("__Host-")
        assert cookie["secure"] and cookie["httponly"], name
        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax"), name
        assert len(name) + len(cookie.value) < 4096


@pytest.mark.django_db
def test_a_session_ends_with_the_browser_and_its_cookie_tells_nothing(
    production: ModuleType, cast: Cast
):
    told = set()
    for client in (phone(), phone()):
        client.force_login(cast.lin, backend="union_portal.backends.RoleBackend")
        cookie = client.cookies[production.SESSION_COOKIE_NAME]
        assert not cookie["expires"] and not cookie["max-age"]
        assert re.fullmatch("[a-z0-9]{32}", cookie.value)
        told.add(cookie.value)
    assert len(told) == 2, "drawn for the session, not made from the account"


@pytest.mark.parametrize("host", ["evil.example", f"{HOST}.evil.example", f"evil.{HOST}", "[::1]"])
def test_another_host_is_answered_nothing(production: ModuleType, host: str):
    answer = Client(headers={"Host": host, "X-Forwarded-Proto": "https"}).get("/account/login/")
    assert answer.status_code == 400
    assert host not in answer.content.decode()


@pytest.mark.django_db
def test_a_host_named_beside_the_host_is_not_believed(production: ModuleType):
    client = phone(**{"X-Forwarded-Host": "evil.example", "X-Original-URL": "/admin/"})
    answer = client.get("/account/login/")
    assert answer.status_code == 200
    assert "evil.example" not in answer.content.decode()


def test_production_has_no_debugging_and_passkeys_need_https(production: ModuleType):
    assert production.DEBUG is False
    assert production.EMBEDDED is False
    assert production.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN is False
    kinds = {"debug_toolbar", "django_extensions", "silk", "rest_framework.authtoken"}
    assert not kinds & set(production.INSTALLED_APPS)
    assert not [name for name in production.INSTALLED_APPS if "test" in name]


def deploy_check(**given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env=os.environ | GIVEN | given, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_check_before_a_deployment_finds_nothing_and_refuses_public_secrets():
    sound = deploy_check()
    assert sound.returncode == 0, sound.stderr
    public = deploy_check(
        PORTAL_SECRET_KEY=defaults.INSECURE_SECRET,
        PORTAL_KEYRING=defaults.INSECURE_KEYRING,
        PORTAL_INDEX_KEY=defaults.INSECURE_INDEX_KEY,
    )
    assert public.returncode == 1
    for name in ("PORTAL_SECRET_KEY", "PORTAL_KEYRING", "PORTAL_INDEX_KEY"):
        assert f"E_{name}" in public.stderr
