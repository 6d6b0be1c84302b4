"""The one lock order: ceilings → fund → rows of ceilings by id → batch → lines by end-to-end
id → ledger accounts.

Whatever moves money takes its locks in this order, so that two movements wait for each
other instead of dying of a deadlock.
"""

from collections.abc import Iterable

from django.db import connection

from welfare.disbursement.models import PayoutBatch
from welfare.disbursement.models.caps import CAPS_LOCK

# First key of the advisory locks on funds; the second is the fund's id.
_FUND_LOCKS = 20_190_101


def caps(*, alone: bool = False) -> None:
    """Hold the set of ceilings: shared to grant under them, alone to set new ones.

    A ceiling counts what was granted before it, and so does a merge of two people; no grant may
    be half done meanwhile.
    """
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s, 0)", [CAPS_LOCK])


def funds(fund_ids: Iterable[int]) -> None:
    """Hold the funds until the transaction ends, lowest id first."""
    with connection.cursor() as cursor:
        for fund_id in sorted(set(fund_ids)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_FUND_LOCKS, fund_id])


def batches(batch_ids: Iterable[int]) -> list[PayoutBatch]:
    """Hold the batches (and first their funds), lowest id first; returns them as they are."""
    wanted = sorted(set(batch_ids))
    funds(PayoutBatch.objects.filter(pk__in=wanted).values_list("fund_id", flat=True))
    held = PayoutBatch.objects.filter(pk__in=wanted).order_by("pk")
    return list(held.select_for_update(of=("self",)).select_related("fund", "bank_format"))


def batch(batch_id: int) -> PayoutBatch:
    """Hold one batch and its fund."""
    (held,) = batches([batch_id])
    return held
