"""What monitoring is told of the engine: batches, the gate, the invariants when last checked."""

import time
from collections.abc import Iterator
from typing import Final

from django.core.cache import cache
from django.db import connection

from union_portal import health, metrics
from union_portal.metrics import Gauge
from welfare.disbursement import invariants
from welfare.disbursement.invariants import Result
from welfare.disbursement.models import Gate
from welfare.disbursement.states import GateState

_INVARIANTS: Final = "disbursement.invariants"
# They are checked every night: one night may be missed.
_STALE_SECONDS: Final = 50 * 3600


@health.check("restore gate")
def gate_is_open() -> str:
    """Only read: the gate is judged where something wants to pass it."""
    return "safe mode: nothing is sent" if _is_shut() else ""


@health.check("invariants")
def invariants_hold() -> str:
    """As found when they were last checked; a new database has nothing to tell before its night."""
    last = cache.get(_INVARIANTS)
    if last is None:
        return ""
    if last["broken"]:
        return f"{last['broken']} broken"
    age = _age(last)
    return f"not checked for {age // 3600} hours" if age > _STALE_SECONDS else ""


@metrics.source
def engine() -> Iterator[Gauge]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*),"
            " greatest(coalesce(extract(epoch FROM now() - min(lease_until)), 0), 0)::bigint"
            " FROM disbursement_payoutbatch GROUP BY state ORDER BY state"
        )
        rows = cursor.fetchall()
    for state, count, _lapsed in rows:
        yield Gauge("portal_batches", "Payout batches", count, {"state": state})
    lapsed = max((row[2] for row in rows), default=0)
    yield Gauge("portal_batch_lease_lapsed_seconds", "Since the oldest lapsed lease ended", lapsed)
    yield Gauge("portal_gate_shut", "1 in safe mode, where nothing is sent", int(_is_shut()))
    last = cache.get(_INVARIANTS)
    if last is not None:
        yield Gauge("portal_invariants_checked", "Invariants at the last check", last["checked"])
        yield Gauge("portal_invariants_broken", "Broken at the last check", last["broken"])
        yield Gauge("portal_invariants_age_seconds", "Since they were last checked",
                    _age(last))  # fmt: skip


def check_invariants() -> list[Result]:
    """Check all of them, the guards of the tables too, and keep what was found for whoever asks."""
    results = [*invariants.check_all(), invariants.GUARDS.check()]
    broken = sum(not result.holds for result in results)
    kept = {"at": int(time.time()), "checked": len(results), "broken": broken}
    cache.set(_INVARIANTS, kept, None)
    return results


def _is_shut() -> bool:
    return Gate.objects.filter(state=GateState.SAFE).exists()


def _age(last: dict[str, int]) -> int:
    return max(0, int(time.time()) - last["at"])
