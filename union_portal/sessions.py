"""Sessions: how long one lasts, where an account is logged in, and how all of it ends at once.

A session ends by itself after doing nothing for a while (`IDLE_SECONDS`) and, however busy, so
long after the log-in (`SESSION_COOKIE_AGE`). It is ended by counting up its account's round:
sessions of an earlier round open nothing, whichever store or worker holds them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account, ApiToken

if TYPE_CHECKING:
    Actor = Account | audit.Machine

SINCE: Final = "portal_logged_in"
SEEN: Final = "portal_last_seen"
# The session is written at most this often, not on every page.
STEP_SECONDS: Final = 60


@dataclass(frozen=True)
class OpenSession:
    """One browser in which an account is logged in, as its owner sees it."""

    id: int
    since: datetime
    seen_at: datetime
    address: str
    user_agent: str
    is_current: bool


def begin(session: SessionBase) -> None:
    """Start both clocks: somebody has just logged in."""
    session[SINCE] = session[SEEN] = int(time.time())


def is_idle(session: Any) -> bool:
    """Whether nothing happened for too long."""
    now = int(time.time())
    return now - int(session.get(SEEN, now)) > settings.IDLE_SECONDS


def is_over(session: Any) -> bool:
    """Whether the log-in was too long ago, whatever happened since."""
    now = int(time.time())
    return now - int(session.get(SINCE, now)) > settings.SESSION_COOKIE_AGE


def touch(session: SessionBase) -> None:
    """Note that somebody is at work; a session without clocks gets them now."""
    now = int(time.time())
    if SINCE not in session:
        session[SINCE] = now
    if now - int(session.get(SEEN, 0)) >= STEP_SECONDS:
        session[SEEN] = now


def open_sessions(account: Account, *, current: str | None = None) -> list[OpenSession]:
    """Where the account is logged in, the newest first; `current` is the key of one's own."""
    found = []
    for row in UserSession.objects.purge_and_list(account):
        held = row._session_store(row.session_key)
        if is_idle(held) or is_over(held):
            continue
        seen = int(held.get(SEEN, row.last_seen_at.timestamp()))
        found.append(
            OpenSession(
                id=row.pk,
                since=row.created_at,
                seen_at=datetime.fromtimestamp(seen, UTC),
                address=row.ip,
                user_agent=row.user_agent,
                is_current=row.session_key == current,
            )
        )
    return sorted(found, key=lambda one: one.since, reverse=True)


@transaction.atomic
def end_one(*, account: Account, session: int) -> bool:
    """End one of one's own sessions; False if there is none of that number."""
    row = UserSession.objects.filter(user=account, pk=session).first()
    if row is None:
        return False
    row.end()
    audit.record("account.sessions_ended", account, by=account, count=1)
    return True


@transaction.atomic
def end_others(request: HttpRequest, *, reason: str = "") -> int:
    """End every session of the reader's account but the one of this request; how many."""
    account: Account = request.user  # type: ignore[assignment]
    count = _end(account, keep=request.session.session_key)
    request.session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    audit.record("account.sessions_ended", account, by=account, reason=reason, count=count)
    return count


@transaction.atomic
def end_everywhere(request: HttpRequest) -> int:
    """End every session of the reader's account, this one too; how many."""
    account: Account = request.user  # type: ignore[assignment]
    count = _end(account)
    audit.record("account.sessions_ended", account, by=account, count=count)
    return count


@transaction.atomic
def end_all(*, account: Account, by: Account, reason: str) -> int:
    """End every session of an account, as its administrator. Errors: PermissionDenied."""
    access.require(by, Permission.ACCOUNT_MANAGE)
    count = _end(account)
    audit.record("account.sessions_ended", account, by=by, reason=reason, count=count)
    return count


@transaction.atomic
def end_with(*, account: Account, by: Actor) -> None:
    """End every session together with an act that its caller has judged and told the log."""
    if count := _end(account):
        audit.record("account.sessions_ended", account, by=by, count=count)


def _end(account: Account, *, keep: str | None = None) -> int:
    Account.objects.filter(pk=account.pk).update(session_round=F("session_round") + 1)
    account.refresh_from_db(fields=["session_round"])
    rows = list(UserSession.objects.filter(user_id=account.pk).exclude(session_key=keep or ""))
    for row in rows:
        row.end()
    # Programs are logged out with the round as well.
    programs, _by_model = ApiToken.objects.filter(account_id=account.pk).delete()
    return len(rows) + programs
