"""Who asks for a token: the rules of the log-in page, told in problems.

The same lock counts the tries, in the same words for every name; a second factor is asked for
where the account has one, and must be there where a role needs one.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.models import update_last_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from union_portal import access, factors, passwords
from union_portal.api.problems import Problem
from union_portal.models import Account

TRIES_SECONDS: Final = 300


def prove(request: HttpRequest, *, login: str, password: str, code: str) -> tuple[Account, bool]:
    """The account, and whether it showed a second factor. Errors: Problem."""
    account = _by_password(request, login, password)
    has_factor = _by_factor(account, code)
    if passwords.must_change(account):
        raise Problem(
            403,
            "password_to_change",
            _("This password opens nothing but its change."),
            _("Log in on the website, choose your own password, then come back."),
        )
    return account, has_factor


def note(request: HttpRequest, account: Account) -> list[str]:
    """Note the log-in as the pages do; what others did to the account since the one before."""
    told = factors.told_since(account, account.last_login)
    AxesProxyHandler.user_logged_in(sender=Account, request=request, user=account)
    update_last_login(None, account)  # type: ignore[arg-type]
    return told


def _by_password(request: HttpRequest, login: str, password: str) -> Account:
    try:
        account = get_adapter(request).authenticate(request, username=login, password=password)
    except ValidationError:
        raise _too_many(TRIES_SECONDS) from None
    if _is_locked(request):
        raise _too_many(int(settings.AXES_COOLOFF_TIME * 3600))
    if not isinstance(account, Account) or not account.is_active:
        raise Problem(
            401,
            "wrong",
            _("Name and password do not belong together."),
            _("Check both; who has forgotten the password asks for a new one."),
        )
    return account


def _is_locked(request: HttpRequest) -> bool:
    """Whether the lock holds; the page that it would show instead is for browsers."""
    held: Any = request
    return bool(held.__dict__.pop("axes_locked_out", False))


def _by_factor(account: Account, code: str) -> bool:
    if not factors.has_second_factor(account):
        if access.needs_second_factor(account):
            raise Problem(
                403,
                "second_factor_missing",
                _("A role of this account needs a second factor, and there is none."),
                _("Log in on the website and set one up, then come back."),
            )
        return False
    if not code:
        raise Problem(401, "second_factor", *_code_needed(account))
    form = AuthenticateForm({"code": code}, user=account)
    if not form.is_valid():
        errors = form.errors.as_data().get("code", [])
        if any(error.code == "too_many_login_attempts" for error in errors):
            raise _too_many(TRIES_SECONDS)
        raise Problem(
            401,
            "wrong_code",
            _("This code is wrong, or was used already."),
            _("Send the code that the app shows now."),
        )
    return True


def _code_needed(account: Account) -> tuple[str, str]:
    has_app = Authenticator.objects.filter(user=account, type=Authenticator.Type.TOTP).exists()
    remedy = (
        _("Send the code of your app as “code”.")
        if has_app
        else _("A passkey can't be shown here: set up an app on the website, or send a spare code.")
    )
    return _("This account logs in with a second factor."), remedy


def _too_many(seconds: int) -> Problem:
    return Problem(
        429,
        "too_many_tries",
        _("There were too many wrong tries."),
        _("Wait as long as “Retry-After” says."),
        wait=seconds,
    )
