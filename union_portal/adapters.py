"""allauth's questions, answered: nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.urls import reverse

from union_portal import access, accounts, keys, tries
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

    def get_client_ip(self, request: HttpRequest) -> str:
        return tries.address_of(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Tries are counted by name and address: a stranger locks nobody else out."""
        name = tries.folded(str(credentials.get("username", "")))
        return f"{name}|{tries.address_of(request)}"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def clean_password(self, password: str, user: Any = None) -> str:
        """The password rules; the first password is no choice of one's own."""
        cleaned = super().clean_password(password, user)
        if user is not None:
            accounts.check_chosen(account=user, password=cleaned)
        return cleaned

    def set_password(self, user: Any, password: str) -> None:
        accounts.choose_password(account=user, password=password)


class FactorAdapter(DefaultMFAAdapter):
    """What a second factor is made from is sealed like personal data: a dump opens no door."""

    def encrypt(self, text: str) -> str:
        return keys.seal_factor(text)

    def decrypt(self, encrypted_text: str) -> str:
        return keys.open_factor(encrypted_text)
