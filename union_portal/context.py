"""What every page knows: the office, whether this is the demo, who looks at it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from union_portal import access
from union_portal.access import Permission


def portal(request: HttpRequest) -> dict[str, object]:
    account = getattr(request, "user", None)
    return {
        "office": settings.PORTAL_OFFICE,
        "is_demo": settings.EMBEDDED,
        "is_staff": SimpleLazyObject(
            lambda: account is not None and access.may(account, Permission.STAFF_SITE)
        ),
        "is_member": SimpleLazyObject(
            lambda: account is not None and account.is_authenticated and hasattr(account, "person")
        ),
        "is_till": SimpleLazyObject(lambda: account is not None and _stands_at_a_till(account)),
    }


def _stands_at_a_till(account: Any) -> bool:
    """Whether it is a merchant's log-in that has not ended."""
    login = getattr(account, "merchant_login", None) if account.is_authenticated else None
    return login is not None and login.ended_at is None
