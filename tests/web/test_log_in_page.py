"""Passwords as they are typed, sessions as they begin, and what is written down of both."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from axes.models import AccessFailureLog, AccessLog
from django.contrib.auth.hashers import identify_hasher
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from tests.cast import Cast
from tests.web.awards_play import browser
from union_portal import settings as defaults
from union_portal.models import Account

pytestmark = pytest.mark.django_db
PASSWORD = "seventeen grey camels"


def log_in(client: Client, password: str, name: str = "lin") -> bool:
    client.post(reverse("account_login"), {"login": name, "password": password})
    return "_auth_user_id" in client.session


def named(account: Account, password: str) -> Account:
    account.set_password(password)
    account.save()
    return account


# -- passwords -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple " * 3,
        " camel  with  spaces ",
        "骆驼草原上的十七只灰骆驼走过",
        "Ａｂｃ ﬀ é é 0123456789",
    ],
)
def test_a_password_is_taken_exactly_as_typed(cast: Cast, password: str):
    named(cast.lin, password)
    for other in (password.strip(), password.upper(), password[:-1], password[:64]):
        if other != password:
            assert not log_in(Client(), other)
    assert log_in(Client(), password)


def test_a_password_is_hidden_as_it_is_typed_and_left_to_password_stores(cast: Cast):
    pages = [
        Client().get(reverse("account_login")),
        browser(named(cast.lin, PASSWORD)).get(reverse("account_change_password")),
        browser(cast.lin, fresh=False).get(reverse("account_reauthenticate")),
    ]
    for page in pages:
        fields = re.findall(r'<input[^>]*name="[^"]*password[^"]*"[^>]*>', page.content.decode())
        assert fields, page.request
        for field in fields:
            assert 'type="password"' in field
            assert re.search(r'autocomplete="(current|new)-password"', field), field
            assert "maxlength" not in field or int(re.findall(r'maxlength="(\d+)', field)[0]) >= 64


def test_a_password_is_changed_by_whoever_knows_the_old_one(cast: Cast):
    client = browser(named(cast.lin, PASSWORD))
    new = {"password1": "forty two red tractors", "password2": "forty two red tractors"}
    client.post(reverse("account_change_password"), {"oldpassword": "wrong", **new})
    assert Account.objects.get(username="lin").check_password(PASSWORD)
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **new})
    assert Account.objects.get(username="lin").check_password(new["password1"])


def test_passwords_are_kept_as_slow_hashes(cast: Cast, settings: Any):
    settings.PASSWORD_HASHERS = defaults.PASSWORD_HASHERS
    hasher = identify_hasher(named(cast.lin, PASSWORD).password)
    assert hasher.algorithm == "scrypt"
    assert (hasher.work_factor >= 2**14, hasher.block_size >= 8, hasher.parallelism >= 1) == (
        True, True, True,
    )  # fmt: skip


def test_a_new_portal_has_no_account():
    assert not Account.objects.exists()


# -- sessions ------------------------------------------------------------------------------------
def test_a_log_in_makes_a_new_session_and_ends_the_one_before(cast: Cast):
    named(cast.lin, PASSWORD)
    client = Client()
    client.get(reverse("members:first-login"))
    before = client.session.session_key
    assert before and log_in(client, PASSWORD)
    after = client.session.session_key
    assert after and after != before
    assert not Session.objects.filter(pk=before).exists()
    client.post(reverse("account_logout"))
    assert not Session.objects.filter(pk=after).exists()


def test_no_session_begins_by_a_link(cast: Cast):
    named(cast.lin, PASSWORD)
    client = Client()
    client.get(reverse("account_login"), {"login": "lin", "password": PASSWORD})
    client.get(reverse("members:me"), {"sessionid": "a" * 32})
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("who", ["lin", "qiao", "feng", "gao", "security_admin"])
def test_every_page_with_a_log_in_shows_the_way_out(cast: Cast, who: str):
    client = browser(getattr(cast, who))
    homes = ["/", "/notices/", "/honours/", reverse("portal:security"), reverse("mfa_index")]
    homes += [reverse("members:me") if who == "lin" else reverse("admin:index")]
    for there in homes:
        page = client.get(there)
        assert page.status_code == 200, there
        forms = re.findall(r'<form[^>]* method="post" action="([^"]+)"', page.content.decode())
        out = reverse("admin:logout" if there == reverse("admin:index") else "account_logout")
        assert out in forms, there


# -- what is written down ------------------------------------------------------------------------
def test_right_and_wrong_log_ins_are_written_down(cast: Cast):
    """The wrong ones stay, whatever came after them."""
    named(cast.lin, PASSWORD)
    client = Client(REMOTE_ADDR="10.7.7.7")
    assert not log_in(client, "wrong wrong wrong")
    assert log_in(client, PASSWORD)
    wrong = AccessFailureLog.objects.get()
    right = AccessLog.objects.get(username="lin", logout_time=None)
    assert (wrong.username, wrong.ip_address) == ("lin", "10.7.7.7")
    assert (right.ip_address, right.attempt_time > wrong.attempt_time) == ("10.7.7.7", True)


def test_a_refused_page_is_written_down(cast: Cast, caplog: pytest.LogCaptureFixture):
    assert browser(cast.lin).get(reverse("admin:login")).status_code == 403
    assert any(
        "Forbidden" in r.getMessage() and "/admin/" in r.getMessage() for r in caplog.records
    )


@pytest.mark.parametrize("asked", ["token", "host", "nul", "key"])
def test_what_no_browser_sends_is_written_down(
    cast: Cast, caplog: pytest.LogCaptureFixture, asked: str
):
    client = browser(cast.lin)
    client.raise_request_exception = False
    if asked == "token":
        client.handler.enforce_csrf_checks = True
        client.post(reverse("set_language"), {"language": "en"})
    elif asked == "host":
        client.get("/", headers={"Host": "evil.example"})
    elif asked == "nul":
        client.get("/honours/?q=%00")
    else:
        client.post(reverse("set_language"), {"language": "en", "once_key": "' OR 1=1"})
    told = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert any(r.name.startswith(("django.security", "django.request")) for r in told)


def test_no_line_of_the_log_is_written_by_a_visitor(cast: Cast, caplog: pytest.LogCaptureFixture):
    client = browser(cast.lin)
    client.get("/nothing/%0a%0d2026-01-01 INFO forged")
    client.get("/nothing/", headers={"Referer": "x\r\nforged", "User-Agent": "y\nforged"})
    log_in(Client(), "x", name="lin\n2026-01-01 INFO forged")
    assert caplog.records
    for record in caplog.records:
        assert "\n" not in record.getMessage() and "\r" not in record.getMessage()
