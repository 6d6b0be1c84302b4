"""allauth's questions, answered: nobody signs up by themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from union_portal import access, accounts, factors, keys, passwords, tries
from union_portal.access import Permission


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator, or by a member's first log-in."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("Name and password do not belong together."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff land on their desk, members on their own page."""
        if access.may(request.user, Permission.STAFF_SITE):  # type: ignore[arg-type]
            return reverse("admin:index")
        return reverse("members:me")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """A first password that nobody took up in time is as good as a wrong one."""
        account = super().authenticate(request, **credentials)
        if account is not None and passwords.is_handed_over_too_late(account):
            return None
        return account

    def login(self, request: HttpRequest, user: Any) -> None:
        """Tell whoever comes in what others did to their log-in meanwhile."""
        before = user.last_login
        super().login(request, user)
        for told in factors.told_since(user, before):
            messages.warning(request, told)

    def get_client_ip(self, request: HttpRequest) -> str:
        return tries.address_of(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Tries are counted by name and address: a stranger locks nobody else out."""
        name = tries.counted(str(credentials.get("username", "")))
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
    """Secrets of factors are sealed like personal data; the last stays while a role needs it."""

    def encrypt(self, text: str) -> str:
        return keys.seal_factor(text)

    def decrypt(self, encrypted_text: str) -> str:
        return keys.open_factor(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return factors.may_remove(authenticator)
