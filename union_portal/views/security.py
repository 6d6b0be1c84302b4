"""Everything about one's own log-in on one page."""

from typing import Any

from allauth.account.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from union_portal import access, passwords
from union_portal.factors import has_second_factor


def overview(request: HttpRequest) -> HttpResponse:
    factor = has_second_factor(request.user)
    needed = access.needs_second_factor(request.user)  # type: ignore[arg-type]
    context = {"has_factor": factor, "must_set_up": needed and not factor}
    return render(request, "union_portal/security.html", context)


class ChangePasswordView(PasswordChangeView):
    """allauth's page, which says why it is the only one that opens."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told: dict[str, Any] = super().get_context_data(**kwargs)
        return {**told, "is_too_old": passwords.is_too_old(self.request.user)}
