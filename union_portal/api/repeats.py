"""A call that does something is carried out once, however often it arrives.

The caller sends a key of its own with each act. The key is inserted first, in the transaction
of the act: of two calls at one moment the second waits for the first and gets its answer. Only
what was done is kept; what was refused may be sent again under the same key. The same idea as
that of forms (`union_portal/once.py`), whose answer is an address; here it is the answer itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, Final

from django.db import connection, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from union_portal import once
from union_portal.api.problems import KEY_MISSING, Problem
from union_portal.models import Account, SentCall

KEPT: Final = timedelta(days=1)
REPLAYED: Final = "Idempotent-Replayed"
Method = Callable[..., Response]


@dataclass(frozen=True)
class Call:
    """One arrival of a call."""

    account: int
    route: str
    key: str
    body_digest: str


def once_per_key(method: Method) -> Method:
    """Carry the method out once for each `Idempotency-Key`, which it asks for."""

    @wraps(method)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        call = read(request, view.account)
        return carry_out(call, lambda: method(view, request, *args, **kwargs))

    guarded.is_once_per_key = True  # type: ignore[attr-defined]
    return guarded


def read(request: Request, account: Account) -> Call:
    """The arrival, bound to its account and address. Errors: Problem without a good key."""
    key = request.headers.get(once.HEADER, "")
    if not once.is_key(key):
        raise Problem(400, "idempotency_key", *(_(text) for text in KEY_MISSING))
    try:
        body = json.dumps(request.data, sort_keys=True).encode()
    except RecursionError:  # read just within the depth that it is not written in
        raise ParseError from None
    digest = salted_hmac("union_portal.api" + key, sha256(body).digest(), algorithm="sha256")
    route = f"{request.method} {request.path}"[:300]
    return Call(account.pk, route, key, digest.hexdigest())


@transaction.atomic
def carry_out(call: Call, act: Callable[[], Response]) -> Response:
    """Do it, or give the answer that it got. Errors: once.Differs; whatever the act raises."""
    claimed = _claim(call)
    if claimed is None:
        kept = SentCall.objects.get(account_id=call.account, route=call.route, key=call.key)
        if kept.body_digest != call.body_digest:
            raise once.Differs
        return Response(kept.answer, status=kept.status, headers={REPLAYED: "true"})
    answer = act()
    said = json.loads(JSONRenderer().render(answer.data))
    SentCall.objects.filter(pk=claimed).update(status=answer.status_code, answer=said)
    return answer


def sweep(*, now: datetime) -> int:
    """Forget calls that nobody sends again."""
    removed, _by_model = SentCall.objects.filter(sent_at__lt=now - KEPT).delete()
    return removed


def _claim(call: Call) -> int | None:
    """Insert the key; waits while another connection holds it. None if it is there already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO union_portal_sentcall"
            " (account_id, route, key, body_digest, status, answer)"
            " VALUES (%s, %s, %s, %s, 0, '{}')"
            " ON CONFLICT (account_id, route, key) DO NOTHING RETURNING id",
            [call.account, call.route, call.key, call.body_digest],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])
