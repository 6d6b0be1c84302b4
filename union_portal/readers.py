"""For whom a statement is sent: every statement of a page carries its reader with it.

The policies of row security (`union_portal/row_security.py`) judge a row by one setting,
`portal.reader`. It is not set once and remembered: each statement brings it along in the same
message, as `SET LOCAL`, so it ends with the transaction that the statement runs in. Nothing is
left on the connection for whoever uses it next, behind a pool that lends connections by the
transaction too, and it costs no round trip. A statement without it is nobody's and sees nothing.

Where a page has to look further than its reader may, it says so: `with seeing(Door.…)` opens one
named door for the statements inside. What each door shows stands in `union_portal/shown_to.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, Final

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import connection

SETTING: Final = "portal.reader"
# In a transaction that has failed, nothing may stand before these.
_STEPS: Final = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


class Door(StrEnum):
    """A wider look than the reader's own, each for one purpose."""

    AUDIT = "audit"
    FIRST_LOG_IN = "first_log_in"
    LOG_IN = "log_in"
    OBJECTION = "objection"
    HONOURS_ROLL = "honours_roll"
    GRANTING = "granting"
    LIVE_JOB = "live_job"
    PROBES = "probes"
    REGISTER = "register"
    JOINING = "joining"
    TRANSFER = "transfer"
    TILL = "till"
    MY_USES = "my_uses"
    DIRECTORY = "directory"
    MERCHANT_APPLYING = "merchant_applying"
    MERGING = "merging"
    NEXT_VERSION = "next_version"


@dataclass(frozen=True)
class Reader:
    """An account, or nobody, and the doors that stand open."""

    account: int | None = None
    doors: frozenset[Door] = frozenset()

    def __str__(self) -> str:
        """The value of the setting: the account's number, a space, the open doors."""
        return f"{self.account or ''} {','.join(sorted(self.doors))}"


NOBODY: Final = Reader()
_reader: ContextVar[Reader] = ContextVar("reader", default=NOBODY)


def now() -> Reader:
    """For whom the next statement is sent."""
    return _reader.get()


@contextmanager
def reading_as(account: int | None) -> Iterator[None]:
    """Send the statements of this connection for an account, or for nobody."""
    token = _reader.set(Reader(account))
    chunked = connection.chunked_cursor
    connection.chunked_cursor = partial(_chunked, chunked)  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(_carry):
            yield
    finally:
        connection.chunked_cursor = chunked  # type: ignore[method-assign]
        _reader.reset(token)


@contextmanager
def seeing(door: Door) -> Iterator[None]:
    """Open a door for the statements inside. Run them inside: a lazy queryset runs later."""
    before = _reader.get()
    token = _reader.set(replace(before, doors=before.doors | {door}))
    try:
        yield
    finally:
        _reader.reset(token)


def preamble(reader: Reader) -> str:
    """What is sent before a statement, in the same message. It holds a number and our words."""
    return f"SET LOCAL {SETTING} = '{reader}'; "


def _carry(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if sql.startswith(_STEPS):
        return execute(sql, params, many, context)
    cursor = context["cursor"].cursor
    if getattr(cursor, "name", None):
        _tell_ahead()
        return execute(sql, params, many, context)
    return execute(preamble(_reader.get()) + sql, params, many, context)


def _tell_ahead() -> None:
    """Before a cursor of the server, which takes one statement alone."""
    with connection.connection.cursor() as plain:
        plain.execute(preamble(_reader.get()))


def _chunked(chunked: Callable[[], Any]) -> Any:
    """A cursor of the server inside a transaction; outside of one nothing could be told ahead.

    Libraries iterate there too: they get all rows at once.
    """
    return chunked() if connection.in_atomic_block else connection.cursor()


def become(account: int | None) -> None:
    """The reader of the rest of this request, if it is one."""
    if _carry in connection.execute_wrappers:
        _reader.set(replace(_reader.get(), account=account))


def _logged_in(**said: Any) -> None:
    become(said["user"].pk)


def _logged_out(**said: Any) -> None:
    become(None)


user_logged_in.connect(_logged_in, dispatch_uid="reader_logged_in")
user_logged_out.connect(_logged_out, dispatch_uid="reader_logged_out")
