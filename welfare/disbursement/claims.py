"""Who works on which batch: a claim, a lease, a fence.

Only the database's clock is read, so that a worker's wrong clock does no harm. The fence
rises with every claim: a worker that lost its lease writes nothing.
Source: disbursement protocol, 3.
"""

import logging
import os
import socket
import threading

from django.conf import settings
from django.db import connection, transaction

from union_portal import audit, outages
from welfare.disbursement import delivery, gate, settlement
from welfare.disbursement.register import NameTaken, RegisterBroken

log = logging.getLogger(__name__)


def wake() -> int:
    """Drive every batch that waits for a worker; returns how many were taken up.

    Safe to run at any time, any number of times at once.
    """
    taken = 0
    with outages.outlived():
        if gate.look().is_shut:
            return 0
        while (claimed := claim()) is not None:
            taken += 1
            _drive(*claimed)
        settlement.reconcile_all(by=audit.WORKER)
        delivery.forget_drafts()
    return taken


def claim() -> tuple[int, int] | None:
    """Take the oldest batch that nobody holds: (id, fence), or None."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE disbursement_payoutbatch SET fence = fence + 1, owner = %s,"
            " lease_until = clock_timestamp() + make_interval(secs => %s) WHERE id = ("
            " SELECT id FROM disbursement_payoutbatch"
            " WHERE state IN ('approved', 'generated', 'delivering')"
            " AND (lease_until IS NULL OR lease_until < clock_timestamp())"
            " ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id, fence",
            [_owner(), settings.QUEUE_LEASE_SECONDS],
        )
        row = cursor.fetchone()
    return (int(row[0]), int(row[1])) if row else None


def _drive(batch_id: int, fence: int) -> None:
    try:
        delivery.drive(batch_id, fence)
    except delivery.Abandoned:
        log.info("batch id %s was taken over", batch_id)
    except delivery.NotReplicated:
        log.warning("batch id %s: the standby did not acknowledge, it waits", batch_id)
    except (RegisterBroken, NameTaken) as error:
        gate.shut(str(error))
    except OSError as error:
        log.error("batch id %s could not be handed over: %s", batch_id, error.strerror)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:80]
