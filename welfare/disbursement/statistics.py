"""The planner's knowledge, and its room, when a large set is written.

Until a table is analysed the planner takes a hundred thousand new rows for a few and joins
them row by row, which takes hours. Autovacuum comes too late: it sees nothing before commit.
"""

from typing import Final

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

LARGE: Final = 2000


def refresh(model: type[Model], written: int) -> None:
    """Analyse the table if many of its rows were just written."""
    if written >= LARGE:
        with connection.cursor() as cursor:
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')


def make_room(cursor: CursorWrapper) -> None:
    """Let this transaction sort and hash a large set in memory."""
    cursor.execute("SET LOCAL work_mem = '128MB'")
