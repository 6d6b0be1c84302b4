"""What the processes logged: errors that no lost connection and no kill explains."""

from collections.abc import Iterator
from pathlib import Path

# How an outage shows: by class name, or by PostgreSQL's and Celery's own words.
OUTAGES = (
    "OperationalError", "InterfaceError", "ConnectionError", "ConnectionRefusedError",
    "ConnectionResetError", "BrokenPipeError", "TimeoutError", "WorkerLostError", "SystemExit",
    "redis.exceptions", "server closed the connection", "SSL connection has been closed",
)  # fmt: skip
# Followed by the traceback it carries, which is judged by itself.
CARRIER = "billiard.einfo.ExceptionWithTraceback"
CHAINED = ("During handling of the above", "The above exception was")


def faults_of_ours(folder: Path) -> Iterator[tuple[str, str]]:
    """(process, last line) of each traceback that ends in something else than an outage."""
    for log in sorted(folder.glob("*.log")):
        for told in _ends(log.read_text(errors="replace").splitlines()):
            if not told.startswith(CARRIER) and not any(word in told for word in OUTAGES):
                yield log.stem, told[:300]


def _ends(lines: list[str]) -> Iterator[str]:
    """The error each chain of tracebacks ends with."""
    index = 0
    while index < len(lines):
        if not lines[index].startswith("Traceback "):
            index += 1
            continue
        index += 1
        while index < len(lines) and lines[index][:1] in (" ", ""):
            index += 1
        told = lines[index] if index < len(lines) else "cut off"
        following = " ".join(lines[index + 1 : index + 4])
        if not any(words in following for words in CHAINED):
            yield told
