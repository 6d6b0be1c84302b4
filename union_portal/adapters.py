"""allauth's questions, answered: nobody signs up by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator, or by a member's first log-in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
