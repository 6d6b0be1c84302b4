"""The room a statement gets that writes a large set."""

from django.db.backends.utils import CursorWrapper


def make_room(cursor: CursorWrapper) -> None:
    """Let this transaction sort and hash a large set in memory."""
    cursor.execute("SET LOCAL work_mem = '128MB'")
