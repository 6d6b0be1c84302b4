"""One after another: whoever asks for the same keys waits until the other's transaction ends."""

from django.db import connection


def take(*keys: str) -> None:
    """Hold the keys until the transaction ends; in one order, so that nobody waits in a ring.

    What is counted or looked up afterwards is not changed meanwhile by anybody who takes them too.
    """
    with connection.cursor() as cursor:
        for key in sorted(set(keys)):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
