"""Real log-ins through the pages, as many browsers of one account as a test needs."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from union_portal.models import Account

PASSWORD = "seventeen grey camels"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ADDRESS = "10.0.0.1"


def may_log_in(account: Account, *, factor: bool = False) -> Account:
    """Give an account a password, and an authenticator app where it is to have one."""
    account.set_password(PASSWORD)
    account.save(update_fields=["password"])
    if factor:
        Authenticator.objects.create(
            user=account,
            type=Authenticator.Type.TOTP,
            data={"secret": get_adapter().encrypt(SECRET)},
        )
    return account


def a_browser(**settings: Any) -> Client:
    client = Client(**settings)
    client.cookies["django_language"] = "en"
    return client


def logged_in(account: Account, *, client: Client | None = None, agent: str = "Firefox") -> Client:
    """A browser in which the account logged in through the page, with its second factor."""
    client = client or a_browser()
    form = {"login": account.username, "password": PASSWORD}
    where = {"REMOTE_ADDR": ADDRESS, "headers": {"User-Agent": agent}}
    answer = client.post(reverse("account_login"), form, **where)
    if answer.url == reverse("mfa_authenticate"):
        cache.clear()  # the same code serves the next browser, too
        client.post(answer.url, {"code": code_now()}, **where)
    assert is_in(client), answer.content.decode()[-2000:]
    return client


def code_now() -> str:
    counter = next(iter(auth.yield_hotp_counters_from_time()))
    return str(auth.format_hotp_value(auth.hotp_value(SECRET, counter)))


def is_in(client: Client) -> bool:
    """Whether a page opens that needs a log-in, and no second factor."""
    return bool(client.get(reverse("portal:security")).status_code == 200)


def set_back(client: Client, **seconds: int) -> None:
    """Set clocks of the session back: `portal_logged_in`, `portal_last_seen`."""
    session = client.session
    for clock, by in seconds.items():
        session[clock] -= by
    session.save()
