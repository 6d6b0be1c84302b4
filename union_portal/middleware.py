"""Request id, reader, language, idle time-out, second factor, refusals, forms sent once."""

import logging
import time
from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
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

from union_portal import access, audit, lifecycle, once, queue, readers
from union_portal.kit.refusals import Refused
from union_portal.views import problems

log = logging.getLogger(__name__)
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
# With a password that somebody else chose, nothing opens but its change.
PASSWORD_FREE = frozenset({"account_change_password", "account_logout", "set_language"})
IDLE_KEY = "portal_last_seen"
# The session is written at most this often, not on every page.
IDLE_STEP_SECONDS = 60


class RequestContextMiddleware:
    """Give every request an id that its audit entries and log lines carry."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = audit.request_id.set(audit.new_request_id())
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = audit.request_id.get()
            return response
        finally:
            audit.request_id.reset(token)


class ReaderMiddleware:
    """Send every statement of the request for whoever is logged in, or for nobody."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with readers.reading_as(request.user.pk):
            return self.get_response(request)


class ChosenLanguageMiddleware:
    """Chinese unless the visitor chose otherwise: the browser's header is not asked."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE)
        known = dict(settings.LANGUAGES)
        language = chosen if chosen in known else settings.LANGUAGE_CODE
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


class IdleMiddleware:
    """Log out whoever did nothing for a while; a page that polls is nobody at work."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        now = int(time.time())
        seen = request.session.get(IDLE_KEY, now)
        if now - seen > settings.IDLE_SECONDS:
            logout(request)
            messages.warning(
                request,
                _("You were logged out because nothing happened for a while. Log in again."),
            )
            return redirect(
                reverse("account_login") + "?" + urlencode({"next": _way_back(request)})
            )
        is_poll = request.headers.get("HX-Request") == "true"
        if not is_poll and (IDLE_KEY not in request.session or now - seen >= IDLE_STEP_SECONDS):
            request.session[IDLE_KEY] = now
        return self.get_response(request)


class FirstPasswordMiddleware:
    """Whoever logs in with the password they were handed chooses their own first."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        match = request.resolver_match
        is_free = match is None or match.view_name in PASSWORD_FREE
        if not is_free and getattr(request.user, "is_password_first", False):
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


def _explained(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The page for a refusal; None for anything else."""
    if isinstance(error, lifecycle.Stale):
        return problems.conflict(request, str(error))
    if isinstance(error, Refused | queue.Refused):
        return problems.refused(request, str(error))
    return None


def has_second_factor(account: object) -> bool:
    """Whether the account has TOTP or a passkey; recovery codes alone do not count."""
    return Authenticator.objects.filter(
        user=account, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    ).exists()


def _way_back(request: HttpRequest) -> str:
    return request.get_full_path() if request.method == "GET" else "/"
