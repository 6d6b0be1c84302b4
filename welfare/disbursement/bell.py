"""The engine's bell: after commit, tell a worker that a batch may be waiting.

The batch row is what counts. A bell that nobody hears is rung again by the beat.
"""

import logging

from django.db import transaction

log = logging.getLogger(__name__)


def ring() -> None:
    """Ring when the running transaction commits."""
    transaction.on_commit(_send)


def _send() -> None:
    from union_portal.celery import app

    try:
        app.send_task("disbursement.wake", retry=False)
    except Exception as error:
        log.warning("bell for the batches not sent: %s", type(error).__name__)
