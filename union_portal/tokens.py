"""Tokens of the API: made at a log-in, found by their digest, ended with the sessions.

A token is as good as a session and lives no longer than what made it: a new password, a new
round of sessions, a closed account and its own end close it, and so does a role that begins to
ask for a second factor which the log-in did not show (docs/adr/0014).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from union_portal import access, audit
from union_portal.models import Account, ApiToken

# Found by secret scanners, and by whoever finds one in a log that is not ours.
PREFIX: Final = "upt_"
# Its use is noted at most this often, not at every call.
STEP: Final = timedelta(minutes=1)


@transaction.atomic
def issue(
    *, account: Account, label: str, address: str, has_factor: bool, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token for somebody who has just shown who they are; the text is told once."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        account=account,
        digest=_digest(text),
        session_hash=account.get_session_auth_hash(),
        label=label,
        has_factor=has_factor,
        address=address or None,
        created_at=now,
        used_at=now,
        expires_at=now + lifetime(account),
    )
    audit.record("account.token_issued", account, by=account, token=token.pk)
    return token, text


def lifetime(account: Account) -> timedelta:
    """Staff log in as often as on the pages; a till or a phone keeps its token for weeks."""
    if account.is_staff:
        return timedelta(seconds=settings.SESSION_COOKIE_AGE)
    return timedelta(days=settings.API_LOG_IN_DAYS)


def find(text: str, *, now: datetime) -> ApiToken | None:
    """The token of this text, if it opens something now."""
    if not text.startswith(PREFIX):
        return None
    token = ApiToken.objects.filter(digest=_digest(text)).select_related("account").first()
    return token if token is not None and _is_good(token, now) else None


def note_use(token: ApiToken, *, now: datetime) -> None:
    """Keep when the token was used last, roughly."""
    if now - token.used_at >= STEP:
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)


def open_tokens(account: Account, *, now: datetime) -> list[ApiToken]:
    """Programs that are logged in for the account, the newest first."""
    held = ApiToken.objects.filter(account=account).order_by("-created_at", "-id")
    for token in held:
        token.account = account
    return [token for token in held if _is_good(token, now)]


@transaction.atomic
def end_one(*, account: Account, token: int) -> bool:
    """End one of one's own tokens; False if there is none of that number."""
    removed, _by_model = ApiToken.objects.filter(account=account, pk=token).delete()
    if removed:
        audit.record("account.token_ended", account, by=account, token=token)
    return bool(removed)


def sweep(*, now: datetime) -> int:
    """Forget tokens that have run out."""
    removed, _by_model = ApiToken.objects.filter(expires_at__lt=now).delete()
    return removed


def _is_good(token: ApiToken, now: datetime) -> bool:
    account = token.account
    return (
        account.is_active
        and token.expires_at > now
        and not _is_idle(token, now)
        and _is_of_this_round(token)
        and (token.has_factor or not access.needs_second_factor(account))
    )


def _is_idle(token: ApiToken, now: datetime) -> bool:
    """Staff who do nothing for a while are out; a till may be closed over the weekend."""
    return token.account.is_staff and now - token.used_at > timedelta(seconds=settings.IDLE_SECONDS)


def _is_of_this_round(token: ApiToken) -> bool:
    """Whether password and round of sessions are those of its log-in, under any key of ours."""
    account = token.account
    good = [account.get_session_auth_hash(), *account.get_session_auth_fallback_hash()]
    return any(constant_time_compare(token.session_hash, one) for one in good)


def _digest(text: str) -> str:
    """A token is 256 random bits: what can't be guessed needs no slow hash."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
