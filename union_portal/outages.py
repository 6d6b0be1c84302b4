"""The database going away: whoever lost it lets go, and the next bell finds where things stand.

Work is written down in rows, so a lost connection loses nothing and an unheard answer to COMMIT
needs no guess: running again does what is left. Source: disbursement protocol, 3.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connection

log = logging.getLogger(__name__)

# After an error of these classes the connection is worthless: gone, rolled back, shut down.
LOST_CLASSES = ("08", "40", "57")


def is_outage(error: DatabaseError | InterfaceError) -> bool:
    """SQLSTATE of class 08, 40 or 57, or a connection that is gone."""
    if isinstance(error, InterfaceError):
        return True
    code = getattr(error.__cause__, "pgcode", None)
    return code is None or str(code).startswith(LOST_CLASSES)


@contextmanager
def outlived() -> Iterator[None]:
    """End the block early and quietly if the database goes away in it; other errors pass."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        if not is_outage(error):
            raise
        log.warning("lost the database (%s), the next bell goes on", type(error).__name__)
        if not connection.in_atomic_block:
            connection.close()
