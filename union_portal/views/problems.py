"""Pages for what went wrong: each says what happened and what to do next."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from union_portal import audit
from union_portal.api import addresses
from union_portal.api import problems as api_problems


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "400.html", 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "403.html", 403, reason=str(exception or ""))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(request, "500.html", 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, "403_csrf.html", 403)


def conflict(request: HttpRequest, reason: str) -> HttpResponse:
    """409: the row moved since the page was opened."""
    return _page(request, "409.html", 409, reason=reason)


def sent_otherwise(request: HttpRequest) -> HttpResponse:
    """409: this very form was carried out before, with other content."""
    return _page(request, "union_portal/sent_otherwise.html", 409)


def answered_once(request: HttpRequest) -> HttpResponse:
    """409: this very form was carried out before, and its answer is kept nowhere."""
    return _page(request, "union_portal/answered_once.html", 409)


def refused(request: HttpRequest, reason: str) -> HttpResponse:
    """422: the step can't be done as asked; the reason says how to mend it."""
    return _page(request, "union_portal/refused.html", 422, reason=reason)


def _page(request: HttpRequest, template: str, status: int, *, reason: str = "") -> HttpResponse:
    if addresses.is_api(request):
        return api_problems.page(request, status)
    context = {
        "reason": reason,
        "request_number": audit.request_id.get(),
        "way_back": way_back(request),
    }
    return render(request, template, context, status=status)


def timed_out(request: HttpRequest, told: str, *, typed: list[str], log_in: str) -> HttpResponse:
    """401: a form came after the session had ended; what was typed is shown this once."""
    context = {"reason": told, "typed": typed, "log_in": log_in}
    answer = render(request, "union_portal/timed_out.html", context, status=401)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def way_back(request: HttpRequest) -> str:
    """The page the reader came from, if it is one of ours."""
    came_from = request.headers.get("Referer", "")
    try:
        host = request.get_host()
    except DisallowedHost:  # this page is its answer, too
        return ""
    ours = url_has_allowed_host_and_scheme(
        came_from, allowed_hosts={host}, require_https=request.is_secure()
    )
    return came_from if ours and came_from != request.build_absolute_uri() else ""
