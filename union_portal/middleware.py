"""Request id, chosen language, and the second factor that roles demand."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation

from union_portal import access, audit

View = Callable[[HttpRequest], HttpResponse]

# Pages one needs to set the second factor up, or to leave.
FACTOR_FREE = ("/account/", "/static/", "/i18n/", "/jsi18n/")


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


class SecondFactorMiddleware:
    """Whoever moves money or unmasks data sets up and uses a second factor first."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        account = request.user
        if (
            account.is_authenticated
            and not request.path.startswith(FACTOR_FREE)
            and access.needs_second_factor(account)
            and not has_second_factor(account)
        ):
            return redirect("mfa_index")
        return self.get_response(request)


def has_second_factor(account: object) -> bool:
    """Whether the account has TOTP or a passkey; recovery codes alone do not count."""
    from allauth.mfa.models import Authenticator

    return Authenticator.objects.filter(
        user=account, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    ).exists()
