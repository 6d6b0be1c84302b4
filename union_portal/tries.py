"""Counted tries and used one-time codes: where they come from, and when they are forgotten."""

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from unicodedata import normalize

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from union_portal.fields import fingerprint
from union_portal.kit import scrub
from union_portal.kit.plain_text import digits_as_typed


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: what the last trusted proxy saw, never what the client says.

    `PORTAL_PROXY_COUNT` proxies each append one address to X-Forwarded-For; what stands before
    them was written by the client. A request that came round the proxies counts by its peer.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    trusted = settings.PROXY_COUNT
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    if not 0 < trusted <= len(seen):
        return peer
    try:
        return str(ip_address(seen[-trusted].strip()))
    except ValueError:
        return peer


def name_of(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str | None:
    """The log-in name as the lock counts it: one name, however its letters are written.

    Names are found without regard to case, so “Feng”, “FENG” and “ﬀeng” are one door. Who types
    an identity number or a phone in its place finds it kept nowhere: it counts by its fingerprint.
    """
    return counted((credentials or {}).get("username") or "") or None


def counted(name: str) -> str:
    """One door, however its name is written: a number by its keyed hash, without its spaces."""
    plain = folded(name)
    number = folded(digits_as_typed(plain))
    if sum(sign.isdigit() for sign in number) >= scrub.DIGITS:
        return fingerprint("log_in_name", number)
    return plain


def folded(name: str) -> str:
    """A name without what the look-up does not see either."""
    return normalize("NFKC", name).strip().upper().casefold()


def sweep(*, now: datetime) -> int:
    """Forget what has expired, so that the table stays far below what the cache would cull."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM union_portal_cache WHERE expires < %s", [now])
        return int(cursor.rowcount)
