"""The rules of passwords, in two sets: those of ASVS, and those of 等保 level 3 (ADR 0010).

`asvs` asks for length and refuses what is guessed first; it asks for no kinds of letters and
for no change without a cause. `dengbao` asks for three kinds of letters besides, for a new
password every quarter, and for one that was not used lately. Everything that one set forbids
as guessable the other forbids too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any, Final
from unicodedata import normalize

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from union_portal.models import Account, PastPassword

LONGEST: Final = 128
# 等保 level 3 as assessors read it: kinds of letters, days, passwords remembered.
KINDS: Final = 3
DAYS: Final = timedelta(days=90)
REMEMBERED: Final = 5
DENGBAO: Final = "dengbao"
# Of a password made with words that everybody here knows, so much must be left without them.
LEFT: Final = 8
# A unit so short, repeated to the end, is one choice and not many.
UNIT: Final = 6
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_KIND: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")


def is_dengbao() -> bool:
    return bool(settings.PASSWORD_RULES == DENGBAO)


def must_change(account: Account, *, now: datetime | None = None) -> bool:
    """Whether nothing opens before a new password is chosen."""
    return account.is_password_first or is_too_old(account, now=now)


def is_too_old(account: Account, *, now: datetime | None = None) -> bool:
    """Under 等保 a password serves a quarter; who has none, as with a passkey, changes none."""
    if not is_dengbao() or not account.has_usable_password():
        return False
    return (now or timezone.now()) - account.password_set_at > DAYS


def is_handed_over_too_late(account: Account, *, now: datetime | None = None) -> bool:
    """A first password that nobody took up opens nothing any more."""
    validity = timedelta(hours=settings.FIRST_PASSWORD_HOURS)
    age = (now or timezone.now()) - account.password_set_at
    return account.is_password_first and age > validity


def remember(account: Account, *, now: datetime) -> None:
    """Keep the hash that is about to be replaced, where the rules ask for it; older ones go."""
    if not is_dengbao() or not account.pk or not account.has_usable_password():
        return
    PastPassword.objects.create(account=account, password=account.password, replaced_at=now)
    kept = account.past_passwords.values("pk")[:REMEMBERED]
    account.past_passwords.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


class RulesValidator:
    """Every rule of the set that is in force; the first that is broken is told."""

    def validate(self, password: str, user: Any = None) -> None:
        for rule in _rules():
            if told := rule(password, user):
                raise ValidationError(told, code="password_rules")

    def get_help_text(self) -> str:
        told = _("At least %(count)d characters; a sentence of several words is best.") % {
            "count": settings.PASSWORD_LENGTH
        }
        if is_dengbao():
            told += " " + _(
                "Three of: small letters, capitals, digits, other characters. It is changed every"
                " 90 days, and none of the last five is taken again."
            )
        return told


Rule = Callable[[str, Any], str]


def _rules() -> tuple[Rule, ...]:
    rules: tuple[Rule, ...] = (_length, _common, _one_choice, _context, _breached)
    return (*rules, _kinds, _used_lately) if is_dengbao() else rules


def _length(password: str, user: Any) -> str:
    if len(password) < settings.PASSWORD_LENGTH:
        return _("At least %(count)d characters are needed.") % {"count": settings.PASSWORD_LENGTH}
    if len(password) > LONGEST:
        return _("At most %(count)d characters are taken.") % {"count": LONGEST}
    return ""


def _common(password: str, user: Any) -> str:
    """Among the most used ones, as it is or with digits and signs hung on."""
    plain = folded(password)
    known = _most_used()
    if plain in known or (plain.strip("0123456789!@#$%^&*()._- ") or plain) in known:
        return _("Many people use this password, so it is guessed first.")
    return ""


def _one_choice(password: str, user: Any) -> str:
    """One short unit over and over, or keys in a row."""
    plain = folded(password)
    repeated = any(
        (plain[:size] * len(plain))[: len(plain)] == plain for size in range(1, UNIT + 1)
    )
    if repeated or any(plain in row * 3 or plain in row[::-1] * 3 for row in _ROWS):
        return _("This repeats itself or runs along the keyboard, so it is guessed first.")
    return ""


def _context(password: str, user: Any) -> str:
    """Built around the office, the portal, or the person's own names."""
    plain = folded(password)
    own = [getattr(user, name, "") or "" for name in ("username", "name")]
    for word in sorted({folded(one) for one in (*settings.PASSWORD_WORDS, *own)}, key=len)[::-1]:
        if len(word) > 1:
            plain = plain.replace(word, "")
    left = re.sub(r"[\W_]", "", plain)
    if plain != folded(password) and len(left) < LEFT:
        return _("This is built around a name that everybody here knows. Choose other words.")
    return ""


def _breached(password: str, user: Any) -> str:
    place = settings.BREACHED_PASSWORDS
    if place and is_listed(Path(place), password):
        return _("This password is known from a leak. Choose another one.")
    return ""


def _kinds(password: str, user: Any) -> str:
    if sum(bool(re.search(kind, password)) for kind in _KIND) < KINDS:
        return _("Three of these are needed: small letters, capitals, digits, other characters.")
    return ""


def _used_lately(password: str, user: Any) -> str:
    if not isinstance(user, Account) or user.pk is None:
        return ""
    hashes = [user.password, *user.past_passwords.values_list("password", flat=True)]
    if any(check_password(password, one) for one in hashes[: REMEMBERED + 1]):
        return _("This password was used lately. Choose another one.")
    return ""


def folded(text: str) -> str:
    """As guessers write it: one width, one case."""
    return normalize("NFKC", text).casefold()


@cache
def _most_used() -> set[str]:
    """The list that Django brings along."""
    return set(CommonPasswordValidator().passwords)


def is_listed(path: Path, password: str) -> bool:
    """Look a password up in a file of SHA-1 hashes in order, `HASH` or `HASH:count` a line.

    By halves, so that a list of any size costs some forty reads. That is the form in which
    lists of leaked passwords are published; the hash protects nothing, it only names.
    """
    wanted = sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as lines:
        low, high = 0, lines.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            lines.seek(middle)
            if middle:
                lines.readline()  # the rest of a line that begins before
            line = lines.readline()
            if not line or line[: len(wanted)].upper() > wanted:
                high = middle
            elif line[: len(wanted)].upper() == wanted:
                return True
            else:
                low = middle + 1
        lines.seek(0)
        return lines.readline()[: len(wanted)].upper() == wanted
