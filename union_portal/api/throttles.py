"""How often one may call: by account and by address, counted in the database, minute by minute.

One statement counts and answers, so two calls at once never count as one, whichever process
serves them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import Throttled

from union_portal import tries
from union_portal.fields import fingerprint
from union_portal.models import Account, CallCount

KEPT: Final = timedelta(hours=1)
_COUNT: Final = """
    INSERT INTO union_portal_callcount (caller, minute, count) VALUES (%s, %s, 1)
    ON CONFLICT (caller, minute)
    DO UPDATE SET count = union_portal_callcount.count + 1
    RETURNING count
"""


def count_address(request: HttpRequest) -> None:
    """One call more from here. Errors: Throttled."""
    asked_from = fingerprint("address", tries.address_of(request))
    _count(f"address:{asked_from}", settings.API_CALLS_PER_ADDRESS)


def count_account(account: Account) -> None:
    """One call more by this account. Errors: Throttled."""
    _count(f"account:{account.pk}", settings.API_CALLS_PER_ACCOUNT)


def sweep(*, now: datetime) -> int:
    """Forget minutes that are long over."""
    removed, _by_model = CallCount.objects.filter(minute__lt=now - KEPT).delete()
    return removed


def _count(caller: str, most: int) -> None:
    now = timezone.now()
    minute = now.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [caller, minute])
        counted = int(cursor.fetchone()[0])
    if counted > most:
        raise Throttled(wait=60 - now.second)
