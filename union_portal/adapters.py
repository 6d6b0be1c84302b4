"""allauth's questions, answered: nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from union_portal import access
from union_portal.access import Permission


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator, or by a member's first log-in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff land on their desk, members on their own page."""
        if access.may(request.user, Permission.STAFF_SITE):  # type: ignore[arg-type]
            return reverse("admin:index")
        return reverse("members:me")
