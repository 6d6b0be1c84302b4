"""Everything about one's own log-in on one page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from union_portal import access
from union_portal.middleware import has_second_factor


def overview(request: HttpRequest) -> HttpResponse:
    factor = has_second_factor(request.user)
    needed = access.needs_second_factor(request.user)  # type: ignore[arg-type]
    context = {"has_factor": factor, "must_set_up": needed and not factor}
    return render(request, "union_portal/security.html", context)
