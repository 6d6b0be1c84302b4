"""Confirming once more who one is. A few wrong answers end the session.

Whoever sits at a session left open may guess here without the lock-out of the log-in; the
count lives in the session, and the log-in that follows has the lock-out.
"""

from typing import Any, Final

from allauth.account.views import ReauthenticateView as ByPassword
from allauth.mfa.base.views import ReauthenticateView as ByCode
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from union_portal import audit

WRONG_ANSWERS: Final = 5
_COUNTED: Final = "portal_wrong_answers"


class _Counted:
    """Counts wrong answers of either kind together."""

    request: HttpRequest

    def form_invalid(self, form: Any) -> HttpResponseBase:
        session, account = self.request.session, self.request.user
        session[_COUNTED] = session.get(_COUNTED, 0) + 1
        if session[_COUNTED] < WRONG_ANSWERS or not account.is_authenticated:
            again: HttpResponseBase = super().form_invalid(form)  # type: ignore[misc]
            return again
        audit.record("account.session_ended", account, by=account, wrong_answers=WRONG_ANSWERS)
        logout(self.request)
        messages.error(
            self.request,
            _("Too many wrong answers: you are logged out. Log in again to go on."),
        )
        return redirect("account_login")

    def form_valid(self, form: Any) -> HttpResponseBase:
        self.request.session.pop(_COUNTED, None)
        right: HttpResponseBase = super().form_valid(form)  # type: ignore[misc]
        return right


class PasswordView(_Counted, ByPassword):
    """By the password."""


class CodeView(_Counted, ByCode):
    """By the authenticator app or a recovery code."""
