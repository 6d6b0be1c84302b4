"""A form is carried out once, however often it arrives.

Every form carries a key (the tag `csrf_token` writes it, so that no form can be forgotten); a
client of ours may send it as the header `Idempotency-Key`. The key is inserted first, in the
same transaction as the act: of two requests at one moment the second waits for the first and
then gets its answer. Kept are only forms that were carried out: what is sent back to be mended
is sent again under the same key or another, as it pleases. Source: the table `idem_request` of
the disbursement protocol, UNIQUE(user, route, key).
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from union_portal.models import SentForm

FIELD: Final = "once_key"
HEADER: Final = "Idempotency-Key"
KEPT: Final = timedelta(days=2)
# Log-in, second factor, password: their answers carry a session, and their counts of wrong
# tries must outlive a refusal.
LOG_IN: Final = "/account/"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NOT_CONTENT: Final = frozenset({FIELD, "csrfmiddlewaretoken"})
_SHOWN_ONCE: Final = "once_shown"
_HARMLESS: Final = "once_harmless"

View = Callable[[], HttpResponseBase]


class Differs(Exception):
    """The key was used for another content: nothing was done."""


@dataclass(frozen=True)
class Sent:
    """One arrival of a form."""

    sender: str
    route: str
    key: str
    body_digest: str


@dataclass(frozen=True)
class Again:
    """The form was carried out before; `location` is empty where the answer was shown once."""

    location: str


def new_key() -> str:
    return secrets.token_urlsafe(18)


def is_key(text: str) -> bool:
    """Whether the text could be a key: long enough that nobody meets another's by chance."""
    return _KEY.fullmatch(text) is not None


def read(request: HttpRequest) -> Sent | None:
    """The arrival, or None where there is no key or nobody it could be bound to.

    A visitor without an account is bound to their session: the pages with forms for visitors
    open one (`hold_session`). Without it two strangers could not be told apart, so nothing is
    kept. Errors: SuspiciousOperation for a key that no form of ours carried.
    """
    if request.method != "POST" or request.path.startswith(LOG_IN):
        return None
    key = request.headers.get(HEADER) or request.POST.get(FIELD)
    sender = _sender(request)
    if not key or sender is None:
        return None
    if not is_key(key):
        raise SuspiciousOperation("the key of a form is malformed")
    return Sent(sender, request.path[:300], key, _digest(request, key))


def hold_session(request: HttpRequest) -> None:
    """Open a session for a visitor who is shown a form."""
    if request.session.session_key is None:
        request.session.create()


@transaction.atomic
def carry_out(sent: Sent, view: View) -> HttpResponseBase | Again:
    """Carry the form out, or tell that it was. Errors: Differs; whatever the view raises."""
    claimed = _claim(sent)
    if claimed is None:
        kept = SentForm.objects.get(sender=sent.sender, route=sent.route, key=sent.key)
        if kept.body_digest != sent.body_digest:
            raise Differs
        return Again(kept.location)
    answer = view()
    row = SentForm.objects.filter(pk=claimed)
    if _is_done(answer):
        row.update(location=_path(answer))
    else:
        row.delete()
    return answer


def shown_once(answer: HttpResponseBase) -> None:
    """Say that this page is the outcome of an act, not the form shown again."""
    setattr(answer, _SHOWN_ONCE, True)


def harmless(answer: HttpResponseBase) -> None:
    """Say that nothing was done, though the answer leads on: a search may be sent again."""
    setattr(answer, _HARMLESS, True)


def sweep(*, now: datetime) -> int:
    """Forget forms that nobody sends again."""
    removed, _by_model = SentForm.objects.filter(sent_at__lt=now - KEPT).delete()
    return removed


def _sender(request: HttpRequest) -> str | None:
    if request.user.is_authenticated:
        return f"account:{request.user.pk}"
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not session:
        return None
    return "visitor:" + salted_hmac("union_portal.once", session, algorithm="sha256").hexdigest()


def _claim(sent: Sent) -> int | None:
    """Insert the key; waits while another connection holds it. None if it is there already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO union_portal_sentform (sender, route, key, body_digest, location)"
            " VALUES (%s, %s, %s, %s, '') ON CONFLICT (sender, route, key) DO NOTHING"
            " RETURNING id",
            [sent.sender, sent.route, sent.key, sent.body_digest],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _is_done(answer: HttpResponseBase) -> bool:
    """Whether the answer says that the act was done and can be given again.

    A way round by the log-in is no act; an answer that sets cookies can't be repeated.
    """
    if getattr(answer, _SHOWN_ONCE, False):
        return True
    if getattr(answer, _HARMLESS, False):
        return False
    is_redirect = 300 <= answer.status_code < 400 and not answer.cookies
    return is_redirect and not answer.headers.get("Location", LOG_IN).startswith(LOG_IN)


def _path(answer: HttpResponseBase) -> str:
    """Where the answer leads, without its query: a list's search may hold a name."""
    return urlsplit(answer.headers.get("Location", "")).path


def _digest(request: HttpRequest, key: str) -> str:
    """A keyed digest of everything that was sent, files included."""
    whole = hashlib.sha256()
    for part in _parts(request):
        whole.update(len(part).to_bytes(8, "big") + part)
    return salted_hmac("union_portal.once" + key, whole.digest(), algorithm="sha256").hexdigest()


def _parts(request: HttpRequest) -> Iterator[bytes]:
    yield request.META.get("QUERY_STRING", "").encode()
    for name, values in sorted(request.POST.lists()):
        if name not in _NOT_CONTENT:
            yield from (text.encode("utf-8", "surrogatepass") for text in (name, *values, ""))
    for name, uploads in sorted(request.FILES.lists()):
        yield name.encode("utf-8", "surrogatepass")
        for upload in uploads:
            yield from _parts_of(upload)


def _parts_of(upload: UploadedFile) -> Iterator[bytes]:
    yield (upload.name or "").encode("utf-8", "surrogatepass")
    yield from upload.chunks()
    upload.seek(0)
