"""What follows when a library tells that somebody logged in or changed their second factor."""

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.contrib.auth import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from union_portal import audit, sessions
from union_portal.models import Account


@receiver(user_logged_in)
def start_the_clocks(sender: Any, request: HttpRequest, **told: Any) -> None:
    """A new log-in counts from now, in a session that was used before too."""
    sessions.begin(request.session)


@receiver([signals.authenticator_added, signals.authenticator_removed, signals.authenticator_reset])
def end_the_others(
    sender: Any, request: HttpRequest, user: Account, authenticator: Authenticator, **told: Any
) -> None:
    """A session that began under other factors is not let on under the new ones.

    Otherwise whoever came in by the password alone would count as proven, once the owner
    sets a second factor up elsewhere. Recovery codes come and go with the factor they belong to.
    """
    audit.record("account.factor_changed", user, by=user, factor=str(authenticator.type))
    is_alone = told["signal"] is signals.authenticator_reset
    if is_alone or authenticator.type != Authenticator.Type.RECOVERY_CODES:
        sessions.end_others(request)
