"""Request id, reader, language, time-outs, second factor, refusals, forms sent once."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from union_portal import (
    access,
    audit,
    lifecycle,
    logs,
    metrics,
    once,
    passwords,
    queue,
    readers,
    sessions,
)
from union_portal.api import addresses
from union_portal.factors import has_second_factor
from union_portal.kit.refusals import Refused
from union_portal.views import problems

log = logging.getLogger("union_portal.request")
View = Callable[[HttpRequest], HttpResponse]

# What one needs to set the second factor up, or to leave: these URL names, no more.
FACTOR_FREE = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_reauthenticate",
        "account_change_password",
        "account_set_password",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_activate_totp",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "mfa_reauthenticate_webauthn",
        "portal:security",
        "set_language",
    }
)
# Of a form that came too late, texts from this length on are shown again: secrets never.
WORTH_KEEPING = 10
NOT_TYPED = frozenset({"csrfmiddlewaretoken", once.FIELD, "seen", "next", "credential"})
# With a password that somebody else chose, or that is too old, nothing opens but its change.
PASSWORD_FREE = frozenset({"account_change_password", "account_logout", "set_language"})


class RequestContextMiddleware:
    """Give every request an id that its audit entries and log lines carry, and log it.

    The line names the page, never the address with what was searched for, and never a form.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number = audit.request_id.set(audit.new_request_id())
        asked = logs.current_request.set(request)
        began = time.monotonic()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = audit.request_id.get()
            _log(request, response, time.monotonic() - began)
            return response
        finally:
            logs.current_request.reset(asked)
            audit.request_id.reset(number)


class ReaderMiddleware:
    """Send every statement of the request for whoever is logged in, or for nobody."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with readers.reading_as(request.user.pk):
            return self.get_response(request)


class ChosenLanguageMiddleware:
    """Chinese unless the visitor chose otherwise: the browser's header is not asked.

    A program has no cookie to choose by: of the API its header is asked.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = addresses.language(request) if addresses.is_api(request) else _chosen(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class StaffPolicyMiddleware:
    """Loosen the content security policy for the staff site's skin, on its path only."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response
        self.prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(self.prefix):
            response._csp_replace = settings.STAFF_CONTENT_SECURITY_POLICY  # type: ignore[attr-defined]
        return response


class TimeOutMiddleware:
    """Log out whoever did nothing for a while, and everybody so long after their log-in.

    A page that polls is nobody at work. What was typed is shown once more, so that it can be
    kept: nothing of it was carried out. The forgery check stands before.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return None
        if sessions.is_over(request.session):
            return _timed_out(
                request, _("You were logged out because your log-in is long ago. Log in again.")
            )
        if sessions.is_idle(request.session):
            return _timed_out(
                request,
                _("You were logged out because nothing happened for a while. Log in again."),
            )
        if request.headers.get("HX-Request") != "true":
            sessions.touch(request.session)
        return None


class NoStoreMiddleware:
    """What belongs to one session stays in no cache and in no history of the browser."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated or request.session.session_key is not None:
            response.headers["Cache-Control"] = "private, no-store"
        return response


class FirstPasswordMiddleware:
    """Whoever has a password that was handed to them, or is too old, chooses their own first."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        is_free = match is None or match.view_name in PASSWORD_FREE
        if not is_free and request.user.is_authenticated and passwords.must_change(request.user):
            return redirect("account_change_password")
        return None


class SecondFactorMiddleware:
    """Whoever moves money or unmasks data sets up and uses a second factor first."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        account = request.user
        if (
            match is not None
            and match.view_name not in FACTOR_FREE
            and account.is_authenticated
            and access.needs_second_factor(account)
            and not has_second_factor(account)
        ):
            return redirect("portal:security")
        return None


class ProblemMiddleware:
    """Turn refusals of actions into pages that say what to do next."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _explained(request, error)


class OnceMiddleware:
    """Carry a form out once: the last one before the view, which it calls itself."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        sent = once.read(request)
        if sent is None:
            return None
        try:
            answer = once.carry_out(sent, lambda: view(request, *args, **kwargs))
        except once.Differs:
            return problems.sent_otherwise(request)
        except Exception as error:
            explained = _explained(request, error)
            if explained is None:
                raise
            return explained
        return self._again(request, answer) if isinstance(answer, once.Again) else answer

    def _again(self, request: HttpRequest, kept: once.Again) -> HttpResponse:
        if not kept.location:
            return problems.answered_once(request)
        messages.info(request, _("This form came twice. It was carried out once."))
        return redirect(kept.location)


def _chosen(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE)
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    match = request.resolver_match
    page = match.view_name if match else ""
    metrics.count_request(page, request.method or "", response.status_code, seconds)
    # Style sheets and pictures are no events.
    level = logging.INFO if page or response.status_code >= 400 else logging.DEBUG
    told = {
        "action": page,
        "method": request.method,
        "status": response.status_code,
        "ms": round(seconds * 1000),
    }
    log.log(level, "request", extra=told)


def _explained(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The page for a refusal; None for anything else."""
    if isinstance(error, lifecycle.Stale):
        return problems.conflict(request, str(error))
    if isinstance(error, Refused | queue.Refused):
        return problems.refused(request, str(error))
    return None


def _timed_out(request: HttpRequest, told: str) -> HttpResponse:
    """Out, with the way back; a form is answered by what was typed into it."""
    typed = _typed(request)
    logout(request)
    log_in = reverse("account_login") + "?" + urlencode({"next": _way_back(request)})
    if typed:
        return problems.timed_out(request, told, typed=typed, log_in=log_in)
    messages.warning(request, told)
    return redirect(log_in)


def _typed(request: HttpRequest) -> list[str]:
    """The longer texts of a form: what one would be sorry to write again."""
    return [
        text
        for name, texts in request.POST.lists()
        for text in texts
        if len(text) >= WORTH_KEEPING and name not in NOT_TYPED and not is_secret(name)
    ]


def is_secret(name: str) -> bool:
    """Whether a field of this name holds a password or a code."""
    return "password" in name or name in {"code", "again"}


def _way_back(request: HttpRequest) -> str:
    """The page itself, or the page with the form that was sent."""
    if request.method == "GET":
        return request.get_full_path()
    return problems.way_back(request) or "/"
