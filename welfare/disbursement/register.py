"""The sent register: what was handed to the bank, kept outside the database.

One JSON line per file sent, append-only, numbered without a gap, each line's digest covering
the one before, flushed to the disk before the file leaves. In production the folder lies on
another host. After a restore it tells which batches the bank already has (see `gate`).
Source: disbursement protocol, 4.3 and 6.
"""

import fcntl
import glob
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, Self

from welfare.disbursement import crash

GENESIS: Final = "0" * 64
FILE_NAME: Final = "sent.jsonl"


class RegisterBroken(Exception):
    """The register does not agree with itself: nothing may be sent until people looked."""


class NameTaken(Exception):
    """A file of this name lies there already with other bytes."""


@dataclass(frozen=True)
class SentMark:
    """One file that left. `content_sha256` is of the bank file's bytes."""

    sequence: int
    batch_number: str
    file_name: str
    content_sha256: str
    lines: int
    total_fen: int
    sent_at: str
    previous: str
    digest: str

    def to_line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        return cls(**json.loads(line))

    def expected_digest(self) -> str:
        return _digest(
            self.sequence,
            self.batch_number,
            self.file_name,
            self.content_sha256,
            self.lines,
            self.total_fen,
            self.sent_at,
            self.previous,
        )


class SentRegister:
    """The register in one folder. Many processes may append; they queue for its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME

    def append(
        self,
        *,
        batch_number: str,
        file_name: str,
        content_sha256: str,
        lines: int,
        total_fen: int,
        sent_at: str,
    ) -> SentMark:
        """Note a file before it leaves; the same batch again returns the mark it has.

        Raises RegisterBroken if the batch is noted with other bytes.
        """
        with self._locked() as stream:
            marks = list(_read(stream))
            known = next((mark for mark in marks if mark.batch_number == batch_number), None)
            if known is not None:
                if known.content_sha256 != content_sha256:
                    raise RegisterBroken(
                        f"batch {batch_number} is registered with other bytes"
                        f" (sequence {known.sequence})"
                    )
                return known
            sequence = len(marks) + 1
            previous = marks[-1].digest if marks else GENESIS
            content = (batch_number, file_name, content_sha256, lines, total_fen, sent_at)
            mark = SentMark(sequence, *content, previous, _digest(sequence, *content, previous))
            stream.seek(0, os.SEEK_END)
            stream.write(mark.to_line())
            stream.flush()
            os.fsync(stream.fileno())
        _fsync_folder(self.folder)
        return mark

    def marks(self) -> list[SentMark]:
        """Every mark in sequence. Raises RegisterBroken where the chain does not hold."""
        with self._locked() as stream:
            return list(_read(stream))

    def head(self) -> int:
        """The last sequence number; 0 for an empty register."""
        marks = self.marks()
        return marks[-1].sequence if marks else 0

    @contextmanager
    def _locked(self) -> Iterator[IO[str]]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.open("a+", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            _drop_torn_end(stream)
            stream.seek(0)
            yield stream


def put_once(folder: Path, name: str, content: bytes) -> Path:
    """Offer a file under a name that is used once: identical bytes again are success.

    The file appears whole or not at all. Raises NameTaken if other bytes lie there.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / name
    draft = folder / f".{name}.{os.getpid()}.part"
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        crash.point("put_once.before_link")
        os.link(draft, target)
    except FileExistsError:
        if target.read_bytes() != content:
            raise NameTaken(f"{name} lies there already with other bytes") from None
    finally:
        draft.unlink(missing_ok=True)
    _drop_left_drafts(folder, name)
    _fsync_folder(folder)
    return target


def drop_old_drafts(folder: Path, *, seconds: int) -> int:
    """Remove drafts that nobody has written to for so long; how many.

    Whoever died while it wrote a file that another had offered meanwhile left one that no later
    offer clears away, and payees stand in it. By the disk's own clock: a host's may be wrong.
    """
    drafts = list(folder.glob(".*.part"))
    if not drafts:
        return 0
    with tempfile.TemporaryFile(dir=folder) as clock:
        now = os.fstat(clock.fileno()).st_mtime
    gone = 0
    for draft in drafts:
        with suppress(FileNotFoundError):
            if now - draft.stat().st_mtime > seconds:
                draft.unlink()
                gone += 1
    return gone


def _drop_left_drafts(folder: Path, name: str) -> None:
    """What processes left that died while they wrote: the file stands, theirs is not needed.

    One that still writes finds its draft gone, and the file when it tries again.
    """
    for draft in folder.glob(f".{glob.escape(name)}.*.part"):
        draft.unlink(missing_ok=True)


def _read(stream: IO[str]) -> Iterator[SentMark]:
    previous = GENESIS
    for number, line in enumerate(stream, start=1):
        try:
            mark = SentMark.from_line(line)
        except (ValueError, TypeError) as error:
            raise RegisterBroken(f"line {number} of the register can't be read") from error
        if (
            mark.sequence != number
            or mark.previous != previous
            or mark.digest != mark.expected_digest()
        ):
            raise RegisterBroken(f"line {number} of the register was changed or moved")
        previous = mark.digest
        yield mark


def _drop_torn_end(stream: IO[str]) -> None:
    """A crash in the middle of a line leaves no newline: that file never left."""
    stream.seek(0)
    text = stream.read()
    if text and not text.endswith("\n"):
        whole = text[: text.rfind("\n") + 1]
        stream.truncate(len(whole.encode()))


def _digest(*content: object) -> str:
    return sha256("|".join(str(part) for part in content).encode()).hexdigest()


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
