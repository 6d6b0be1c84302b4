"""Whether the portal can serve, and what else is not as it should be.

A check is a function that says a fault, or nothing. `needed` ones decide whether this process may
be sent visitors; the others are told and alarm somebody, because taking every web server away
when beat stands still would help nobody. Apps register theirs with `check`.

Not django-health-check: of our checks two are in it, and its views answer without our token.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once_a_process
from pathlib import Path
from typing import Any, Final

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from redis.backoff import NoBackoff
from redis.retry import Retry

WAITING_SECONDS: Final = 600
FREE_BYTES: Final = 500 * 1024 * 1024
BROKER_SECONDS: Final = 1
_PULSE: Final = "health.pulse"


@dataclass(frozen=True)
class Check:
    """One question about the surroundings."""

    name: str
    is_needed: bool
    fault: Callable[[], str]


@dataclass(frozen=True)
class Report:
    """What was found: a sentence for each check, empty where all is well."""

    faults: dict[str, str]
    is_ready: bool

    @property
    def status(self) -> str:
        if not self.is_ready:
            return "not ready"
        return "degraded" if any(self.faults.values()) else "ready"

    def told(self) -> dict[str, Any]:
        """For machines and eyes: no datum of anybody stands in it."""
        return {
            "status": self.status,
            "checks": {name: fault or "ok" for name, fault in self.faults.items()},
        }


_checks: dict[str, Check] = {}


def check(name: str, *, needed: bool = False) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Register a check."""

    def register(function: Callable[[], str]) -> Callable[[], str]:
        _checks[name] = Check(name, needed, function)
        return function

    return register


def report() -> Report:
    """Ask every check; one that fails itself is a fault named by its class alone."""
    faults = {each.name: _asked(each) for each in _checks.values()}
    is_ready = not any(faults[each.name] for each in _checks.values() if each.is_needed)
    return Report(faults, is_ready)


def _asked(each: Check) -> str:
    try:
        return each.fault()
    except Exception as error:
        return type(error).__name__


@check("database", needed=True)
def database() -> str:
    """A lost connection is thrown away: the next visitor finds a fresh one."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        connection.close()
        return type(error).__name__
    return ""


@check("migrations", needed=True)
def migrations() -> str:
    """Code that is newer than the tables must not serve."""
    missing = unapplied_migrations()
    return f"{len(missing)} are not applied" if missing else ""


@check("broker")
def broker() -> str:
    """Bells; without it work waits for nothing but beat's next round."""
    once = Retry(NoBackoff(), 0)
    with redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=BROKER_SECONDS,
        socket_timeout=BROKER_SECONDS,
        retry=once,
    ) as client:
        return "" if client.ping() else "no answer"


@check("beat")
def beat() -> str:
    """Whether bells are rung again: three rounds without one are too many."""
    age = pulse_seconds()
    if age is None:
        return "no worker has heard it yet"
    return f"last heard {age} s ago" if age > 3 * settings.BEAT_SECONDS + 30 else ""


@check("jobs")
def jobs() -> str:
    """The oldest job that nobody took."""
    age = oldest_waiting_seconds()
    return f"one waits for {age} s" if age > WAITING_SECONDS else ""


@check("disks")
def disks() -> str:
    """Register, bank and uploads: writable and not nearly full."""
    faults = []
    for name, folder in folders().items():
        if not os.access(_existing(folder), os.W_OK | os.X_OK):
            faults.append(f"{name} is not writable")
        elif free_bytes(folder) < FREE_BYTES:
            faults.append(f"{name} is nearly full")
    return ", ".join(faults)


def unapplied_migrations() -> frozenset[tuple[str, str]]:
    """Those of the code that the database has not seen, by app and name."""
    return _migrations_of_the_code() - set(MigrationRecorder(connection).applied_migrations())


def note_pulse() -> None:
    """A worker heard beat. Kept where used codes are kept: it outlives the broker."""
    cache.set(_PULSE, int(time.time()), None)


def pulse_seconds() -> int | None:
    """How long ago a worker last heard beat; None if never."""
    heard = cache.get(_PULSE)
    return None if heard is None else max(0, int(time.time()) - heard)


def oldest_waiting_seconds() -> int:
    """The age of the oldest job that nobody took, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::bigint"
            " FROM union_portal_job WHERE state = 'queued'"
        )
        return int(cursor.fetchone()[0])


def folders() -> dict[str, Path]:
    """Where the portal writes beside the database."""
    return {
        "register": Path(settings.REGISTER_DIR),
        "bank": Path(settings.BANK_DIR),
        "media": Path(settings.MEDIA_ROOT),
    }


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there: it is made when it is needed."""
    return next(path for path in (folder, *folder.parents) if path.exists())


@once_a_process
def _migrations_of_the_code() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
