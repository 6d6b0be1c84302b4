"""Sessions: how they begin, how long they last, and everything that ends them."""

import runpy
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.forms import PasswordInput
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.cast import Cast
from tests.web.awards_play import browser
from tests.web.log_in import (
    PASSWORD,
    SECRET,
    a_browser,
    code_now,
    is_in,
    logged_in,
    may_log_in,
    set_back,
)
from tests.web.walk import address, forms, is_endpoint, patterns
from union_portal import accounts, roles, sessions
from union_portal import settings as defaults
from union_portal.access import Role
from union_portal.middleware import is_secret
from union_portal.models import Account, AuditEntry

pytestmark = pytest.mark.django_db
HERE = "usersessions_list"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def lin(cast: Cast) -> Account:
    return may_log_in(cast.lin)


# -- how long ------------------------------------------------------------------------------
def test_whoever_does_nothing_for_a_while_is_out_and_told_why(lin: Account, settings: Any):
    client = logged_in(lin)
    set_back(client, portal_last_seen=settings.IDLE_SECONDS + 1)
    answer = client.get("/me/?page=2")
    assert answer.url == reverse("account_login") + "?next=%2Fme%2F%3Fpage%3D2"
    assert "nothing happened for a while" in client.get(answer.url).content.decode()
    assert not is_in(client)


def test_a_session_ends_so_long_after_the_log_in_however_busy_it_is(lin: Account, settings: Any):
    """Every request writes the session, which alone would let it live on."""
    client = logged_in(lin)
    step = settings.IDLE_SECONDS - 60
    for _turn in range(settings.SESSION_COOKIE_AGE // step):
        set_back(client, portal_logged_in=step, portal_last_seen=step)
        assert is_in(client)
    stored = Session.objects.get(session_key=client.session.session_key)
    assert stored.expire_date > timezone.now()
    set_back(client, portal_logged_in=settings.SESSION_COOKIE_AGE % step + 1)
    answer = client.get("/me/")
    assert "log-in is long ago" in client.get(answer.url).content.decode()
    assert not is_in(client)


def test_a_page_that_polls_is_nobody_at_work(lin: Account):
    client = logged_in(lin)
    set_back(client, portal_last_seen=600)
    before = client.session[sessions.SEEN]
    client.get("/me/", headers={"HX-Request": "true"})
    assert client.session[sessions.SEEN] == before
    client.get("/me/")
    assert client.session[sessions.SEEN] > before


def test_both_clocks_start_at_the_log_in_whatever_the_session_held_before(lin: Account):
    client = a_browser()
    client.get("/first-login/")
    session, now = client.session, timezone.now().timestamp()
    session[sessions.SINCE], session[sessions.SEEN] = int(now) - 5000, int(now) - 500
    session.save()
    logged_in(lin, client=client)
    assert client.session[sessions.SINCE] >= int(now)
    assert client.session[sessions.SEEN] >= int(now)


def test_what_was_typed_into_a_form_that_came_too_late_is_shown_once_more(
    lin: Account, settings: Any
):
    client = logged_in(lin)
    set_back(client, portal_last_seen=settings.IDLE_SECONDS + 1)
    typed = {"text": "My honour <stands>, and here is why.", "oldpassword": PASSWORD, "x": "short"}
    answer = client.post(reverse(HERE), typed, headers={"Referer": "http://testserver/me/"})
    page = answer.content.decode()
    assert answer.status_code == 401
    assert "My honour &lt;stands&gt;, and here is why." in page
    assert PASSWORD not in page and "short" not in page
    assert reverse("account_login") + "?next=" in page
    assert "no-store" in answer["Cache-Control"]
    assert not is_in(client)


def test_no_field_of_a_secret_is_ever_shown_again():
    """Every field for a password or a code, in our forms and those of the libraries."""
    secret = {
        name
        for form in forms()
        for name, field in form.base_fields.items()
        if isinstance(field.widget, PasswordInput)
        or field.widget.attrs.get("autocomplete") in {"one-time-code", "new-password"}
    }
    assert len(secret) > 3
    assert [name for name in secret if not is_secret(name)] == []


# -- where one is logged in -------------------------------------------------------------------
def test_the_page_tells_browser_and_address_and_ends_one_or_all_others(lin: Account):
    mine = logged_in(lin)
    phone = logged_in(lin, agent="Mozilla/5.0 (iPhone) MicroMessenger/8.0")
    library = logged_in(lin)
    page = mine.get(reverse(HERE)).content.decode()
    assert "WeChat · iPhone" in page and "10.0.0.1" in page
    assert page.count("this one") == 1
    by_age = sessions.open_sessions(lin, current=mine.session.session_key)
    assert [one.is_current for one in by_age] == [False, False, True]
    mine.post(reverse(HERE), {"session": str(by_age[1].id)})
    assert [is_in(one) for one in (mine, phone, library)] == [True, False, True]
    mine.post(reverse(HERE), {})
    assert [is_in(one) for one in (mine, phone, library)] == [True, False, False]
    told = AuditEntry.objects.filter(action="account.sessions_ended", actor_id=lin.pk)
    assert [entry.detail["count"] for entry in told.order_by("id")] == [1, 1]


def test_nobody_ends_a_session_of_somebody_else(lin: Account, cast: Cast):
    theirs = logged_in(lin)
    (one,) = sessions.open_sessions(lin)
    logged_in(may_log_in(cast.qiao)).post(reverse(HERE), {"session": str(one.id)})
    assert is_in(theirs)


def test_a_session_that_is_over_is_not_listed(lin: Account, settings: Any):
    set_back(logged_in(lin), portal_last_seen=settings.IDLE_SECONDS + 1)
    assert sessions.open_sessions(lin) == []


def test_the_account_administrator_ends_every_session_of_an_account(lin: Account, cast: Cast):
    client = logged_in(lin)
    url = reverse("admin:union_portal_account_do", args=[lin.pk, "sessions"])
    page = browser(cast.account_admin)
    seen = page.get(url).context["seen"]
    page.post(url, {"seen": seen, "reason": "phone stolen"})
    assert not is_in(client)
    entry = AuditEntry.objects.get(action="account.sessions_ended")
    assert (entry.actor_id, entry.reason) == (cast.account_admin.pk, "phone stolen")


# -- what ends them ------------------------------------------------------------------------
def new_password(account: Account, cast: Cast) -> None:
    accounts.set_password(account=account, password="eleven blue lanterns", by=cast.account_admin)


def own_password(account: Account, cast: Cast) -> None:
    accounts.choose_password(account=account, password="eleven blue lanterns")


def close_and_open_again(account: Account, cast: Cast) -> None:
    accounts.lock(account=account, by=cast.account_admin, reason="left")
    accounts.unlock(account=account, by=cast.account_admin, reason="came back")


def end_a_role(account: Account, cast: Cast) -> None:
    roles.end(
        assignment=account.roles.get(),
        by=cast.security_admin,
        today=timezone.localdate(),
        reason="left",
    )


@pytest.mark.parametrize(
    "act", [new_password, own_password, close_and_open_again, end_a_role], ids=lambda f: f.__name__
)
def test_sessions_end_with(cast: Cast, act: Any):
    client = logged_in(may_log_in(cast.qiao))
    act(Account.objects.get(pk=cast.qiao.pk), cast)
    assert not is_in(client)


def test_a_session_begun_without_the_factor_is_not_let_on_when_one_is_set_up_elsewhere(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    """Whoever knew only the password would count as proven by the owner's own factor."""
    # The request commits before its session is saved; the test's own transaction never does.
    monkeypatch.setattr(transaction, "on_commit", lambda act, **_more: act())
    thief = logged_in(may_log_in(cast.feng))
    owner = logged_in(cast.feng)
    assert thief.get("/admin/").url == reverse("portal:security")
    activate = reverse("mfa_activate_totp")
    fresh = {"method": "password", "at": timezone.now().timestamp(), "reauthenticated": True}
    session = owner.session
    session["account_authentication_methods"] = [fresh]
    session.save()
    owner.get(activate)
    session = owner.session
    session["mfa.totp.secret"] = SECRET
    session.save()
    answer = owner.post(activate, {"code": code_now()})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert owner.get("/admin/").status_code == 200
    assert not is_in(thief)
    kept = Authenticator.objects.get(user=cast.feng, type=Authenticator.Type.TOTP)
    assert SECRET not in str(kept.data)


# -- the session itself ------------------------------------------------------------------------
def test_a_planted_session_is_not_the_one_that_is_logged_in(lin: Account):
    client = a_browser()
    client.get("/first-login/")
    planted = client.session.session_key
    assert planted
    logged_in(lin, client=client)
    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_the_session_of_another_account_is_not_inherited(lin: Account, cast: Cast):
    client = logged_in(lin)
    before, held = client.session.session_key, client.session
    held["left behind"] = "x"
    held.save()
    client.logout()
    logged_in(may_log_in(cast.qiao), client=client)
    assert client.session.session_key != before
    assert "left behind" not in client.session


def in_production(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings as they are read where nothing is embedded."""
    monkeypatch.setenv("PORTAL_EMBEDDED", "0")
    monkeypatch.setenv("PORTAL_DEBUG", "0")
    return runpy.run_path(defaults.__file__)


def test_cookies_are_the_hosts_own_out_of_reach_of_scripts_and_of_other_sites(
    settings: Any, monkeypatch: pytest.MonkeyPatch
):
    for name, value in in_production(monkeypatch).items():
        if "_COOKIE_" in name:
            setattr(settings, name, value)
    client = Client(headers={"X-Forwarded-Proto": "https"})
    answer = client.get("/first-login/", secure=True)
    assert {"__Host-portal", "__Host-portal-csrf"} <= set(answer.cookies)
    for name, cookie in answer.cookies.items():
        assert name.startswith("__Host-")
        assert (cookie["secure"], cookie["httponly"]) == (True, True), name
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", ""), name


def test_no_cache_keeps_what_somebody_sees_who_is_logged_in(lin: Account, cast: Cast):
    staff, member = browser(cast.security_admin), logged_in(lin)
    answers = [
        (name, staff.get(address(route, pattern)))
        for name, route, pattern in patterns()
        # The description of the API is the same for everybody.
        if name not in {"account_logout", "api:openapi"}
    ]
    answers += [(name, member.get(reverse(name))) for name in ("members:me", "portal:home", HERE)]
    assert [
        name for name, answer in answers if "no-store" not in answer.get("Cache-Control", "")
    ] == []
    assert "no-store" not in Client().get("/").get("Cache-Control", "")


def test_no_address_takes_a_form_that_comes_from_elsewhere(lin: Account):
    """Nothing is exempt but what no cookie opens; the rest is refused before its page."""
    exempt = [
        name
        for name, _route, one in patterns()
        if getattr(one.callback, "csrf_exempt", False) and not is_endpoint(one)
    ]
    assert exempt == []
    client = logged_in(lin)
    client.handler.enforce_csrf_checks = True
    assert client.post(reverse(HERE)).status_code == 403
    assert is_in(client)


def test_a_role_granted_meanwhile_leads_to_the_second_factor_at_the_next_click(cast: Cast):
    client = logged_in(may_log_in(cast.qiao))
    assert client.get("/admin/").status_code == 200
    roles.end(
        assignment=cast.qiao.roles.get(),
        by=cast.security_admin,
        today=timezone.localdate(),
        reason="moves on",
    )
    client = logged_in(cast.qiao)
    roles.grant(
        account=Account.objects.get(pk=cast.qiao.pk),
        role=Role.FINANCE_MAKER,
        organization=cast.tree.city,
        by=cast.security_admin,
        valid_from=timezone.localdate(),
    )
    assert client.get("/admin/").url == reverse("portal:security")
    assert "set up an authenticator app" in client.get(reverse("portal:security")).content.decode()
