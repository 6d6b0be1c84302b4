"""What the processes logged: errors that no lost connection and no kill explains."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from union_portal.embedded.places import CHECKOUT

# Errors that are an outage whatever they say, by the name of their class.
OUTAGES = frozenset({
    "ConnectionError", "ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError",
    "TimeoutError", "WorkerLostError", "SystemExit", "BusyLoadingError",
    "AdminShutdown", "CrashShutdown", "CannotConnectNow", "kombu.exceptions.OperationalError",
})  # fmt: skip
# Errors that are one only in PostgreSQL's words: of a lock or a full disk they tell as well.
OF_DATABASES = frozenset({"OperationalError", "InterfaceError", "DatabaseError"})
LOST = re.compile(
    "server closed the connection|connection already closed|terminating connection"
    "|connection to server|could not (connect|receive data|send data)|SSL connection"
    "|the database system is|no connection to the server|Connection (refused|reset|timed out)"
)
# Followed by the traceback it carries, which is judged by itself.
CARRIER = "billiard.einfo.ExceptionWithTraceback"
CHAINED = ("During handling of the above", "The above exception was")
FRAME = re.compile(r'  File "(.+)", line \d+, in ')
ERROR = re.compile(r"[A-Za-z_][\w.]*(:|$)")
# Whose own loss of composure over a lost broker is no fault of ours.
BELL_RINGERS = ("/site-packages/celery/", "/site-packages/kombu/")
CUT_OFF = "cut off"
# An error's message may have several lines before the next traceback of its chain.
MESSAGE_LINES = 12


@dataclass(frozen=True)
class Told:
    """One traceback: the files it runs through, and the line it ends with."""

    files: tuple[str, ...]
    end: str

    @property
    def is_outage(self) -> bool:
        kind, _colon, said = self.end.partition(":")
        name = kind.rpartition(".")[2]
        if name in OUTAGES or kind in OUTAGES:
            return True
        return name in OF_DATABASES and LOST.search(said) is not None

    @property
    def is_ours(self) -> bool:
        """Whether it runs through a file of the project."""
        inside = f"{CHECKOUT}/"
        return any(f.startswith(inside) and "/site-packages/" not in f for f in self.files)


def faults_of_ours(
    folder: Path, since: Mapping[str, int] | None = None
) -> Iterator[tuple[str, str]]:
    """(process, last line) of each chain of tracebacks that no outage explains.

    `since` leaves out what stood in the logs when `sizes` was asked.
    """
    for log in sorted(folder.glob("*.log")):
        said = log.read_bytes()[(since or {}).get(log.name, 0) :].decode(errors="replace")
        for chain in chains(said.splitlines()):
            if not is_excused(chain):
                yield log.stem, chain[-1].end[:300]


def sizes(folder: Path) -> dict[str, int]:
    """How long each log is now, in bytes."""
    return {log.name: log.stat().st_size for log in folder.glob("*.log")}


def is_excused(chain: list[Told]) -> bool:
    """Whether an outage explains a chain, from its first traceback to its last.

    It ends in an outage; or it began with one, and Celery or kombu made something else of it
    among themselves. What runs through a file of ours is never excused in this second way.
    """
    last = chain[-1]
    if last.is_outage or last.end.startswith(CARRIER):
        return True
    if any(told.is_ours for told in chain):
        return False
    ringing = any(name in file for file in last.files for name in BELL_RINGERS)
    # A process was killed while it wrote: nothing of ours is in what it still said.
    return last.end == CUT_OFF or (ringing and any(told.is_outage for told in chain))


def chains(lines: list[str]) -> Iterator[list[Told]]:
    """The tracebacks of a log; one that came up while another was handled follows it."""
    chain: list[Told] = []
    index = 0
    while index < len(lines):
        if not lines[index].startswith("Traceback "):
            index += 1
            continue
        told, index = _read(lines, index + 1)
        chain.append(told)
        if not _goes_on(lines[index : index + MESSAGE_LINES]):
            yield chain
            chain = []


def _goes_on(following: list[str]) -> bool:
    """Whether another traceback is chained to the one before these lines."""
    between = takewhile(lambda line: not line.startswith("Traceback "), following)
    return any(line.startswith(CHAINED) for line in between)


def _read(lines: list[str], index: int) -> tuple[Told, int]:
    """The traceback whose head stands before `index`, and the index after its end."""
    files = []
    while index < len(lines) and lines[index][:1] in (" ", ""):
        if frame := FRAME.match(lines[index]):
            files.append(frame[1])
        index += 1
    if index < len(lines) and ERROR.match(lines[index]):
        return Told(tuple(files), lines[index]), index + 1
    return Told(tuple(files), CUT_OFF), index
