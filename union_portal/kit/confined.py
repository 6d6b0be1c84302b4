"""Bytes from outside are opened in a child process that can lose nothing but itself.

A decoder, a PDF library or a spreadsheet reader that meets a hostile file may want all memory,
never end, or be taken over. So none of them runs where people are served: `ask` and `stream`
hand the bytes to a child with bounds on memory, processor time, files and file sizes, without
network, without our environment, and without the right to start a program. Whatever becomes of
it, the caller gets an answer, a refusal, or `Failed`.

The first call starts one bare process (`confined_process`); it has the readers loaded, forks for
each call and is gone with its owner. A call so costs milliseconds, and nothing survives it.
An answer is JSON and bytes: nothing that a child says is ever executed.
"""

import contextlib
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from union_portal.kit.refusals import Refused

log = logging.getLogger(__name__)

MEBIBYTE: Final = 1024 * 1024
HEAD: Final = struct.Struct("!IQ")
WORK, PEAK = b"w", b"p"
_PROCESS: Final = Path(__file__).with_name("confined_process.py")
_MOST_TOLD: Final = 16 * MEBIBYTE
_GRACE_SECONDS: Final = 5


@dataclass(frozen=True)
class Bounds:
    """What one call may use: bytes of memory beyond the bare process, seconds, files.

    `seconds` bound the processor time and every wait for an answer. With `files` at 0 the child
    can open nothing at all; `file_bytes` is the longest file it may write.
    """

    memory: int
    seconds: int
    files: int = 0
    file_bytes: int = 0


@dataclass(frozen=True)
class Answer:
    """One part of what a child says: facts, and bytes if there are any."""

    told: dict[str, Any]
    content: bytes = b""


class Failed(Exception):
    """The child gave no answer. `how` is memory, time, killed, or the name of an exception."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how

    @property
    def is_excess(self) -> bool:
        """True when the bytes wanted more than they may have; false when they broke a reader."""
        return self.how in {"memory", "time", "killed"}


def ask(
    work: str,
    content: bytes,
    *,
    bounds: Bounds,
    refusal: type[Refused],
    most_bytes: int = 0,
    **arguments: Any,
) -> Answer:
    """Have one piece of work done on the bytes. At most `most_bytes` come back.

    Errors: `refusal` with the child's reasons; Failed.
    """
    with stream(
        work, content, bounds=bounds, refusal=refusal, most_bytes=most_bytes, **arguments
    ) as answers:
        return next(answers)


@contextmanager
def stream(
    work: str,
    content: bytes = b"",
    *,
    bounds: Bounds,
    refusal: type[Refused],
    most_bytes: int = 0,
    **arguments: Any,
) -> Iterator[Iterator[Answer]]:
    """The same for work that answers in parts, which are taken as they come."""
    with _begun() as channel:
        channel.settimeout(bounds.seconds + _GRACE_SECONDS)
        asked = {"work": work, "bounds": asdict(bounds), "arguments": arguments}
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send(channel, asked, content)
        yield _answers(channel, work, refusal, most_bytes)


def peak_bytes() -> int:
    """The most memory that any child of this process's own has had; for tests and figures."""
    with _begun(PEAK) as channel:
        return int(_received(channel, 0).told["peak_kib"]) * 1024


def send(channel: socket.socket, told: dict[str, Any], content: bytes = b"") -> None:
    """Write one message: its two lengths, JSON, bytes."""
    text = json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")
    channel.sendall(HEAD.pack(len(text), len(content)) + text)
    if content:
        channel.sendall(content)


def receive(channel: socket.socket, size: int) -> bytes:
    """Exactly so many bytes. Errors: EOFError when the other end is gone."""
    parts = []
    while size:
        part = channel.recv(min(size, MEBIBYTE))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _answers(
    channel: socket.socket, work: str, refusal: type[Refused], most_bytes: int
) -> Iterator[Answer]:
    while True:
        try:
            answer = _received(channel, most_bytes)
        except Failed as failure:
            log.warning("confined %s: %s", work, failure.how)
            raise
        match answer.told:
            case {"end": True}:
                return
            case {"refused": [str(message), str(remedy), dict(params)]}:
                raise refusal(message, remedy, params)
            case {"failed": str(how)}:
                log.warning("confined %s: %s", work, how)
                raise Failed(how)
        yield answer


def _received(channel: socket.socket, most_bytes: int) -> Answer:
    try:
        told_size, content_size = HEAD.unpack(receive(channel, HEAD.size))
        if told_size > _MOST_TOLD or content_size > most_bytes:
            raise Failed("memory")
        told = json.loads(receive(channel, told_size))
        return Answer(told, receive(channel, content_size))
    except TimeoutError:
        raise Failed("time") from None
    except (EOFError, ConnectionResetError):
        raise Failed("killed") from None
    except ValueError:
        raise Failed("nonsense") from None


@contextmanager
def _begun(kind: bytes = WORK) -> Iterator[socket.socket]:
    """One end of a channel whose other end a fresh child holds."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            _process.hand_over(kind, theirs)
        yield ours


class _Process:
    """The bare process of this one, started when it is first needed and again if it died."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._control: socket.socket | None = None
        self._running: subprocess.Popen[bytes] | None = None

    def hand_over(self, kind: bytes, channel: socket.socket) -> None:
        with self._starting:
            control = self._control or self._start()
            try:
                socket.send_fds(control, [kind], [channel.fileno()])
            except OSError:
                socket.send_fds(self._start(), [kind], [channel.fileno()])

    def _start(self) -> socket.socket:
        self.stop()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._running = subprocess.Popen(
                [sys.executable, "-I", "-B", "-X", "utf8", str(_PROCESS)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"TMPDIR": tempfile.gettempdir()},
                start_new_session=True,
            )
        return self._control

    def stop(self) -> None:
        """Let it go: it ends when the control channel closes."""
        if self._control is not None:
            self._control.close()
        if self._running is not None:
            self._running.wait()
        self._control = self._running = None

    def forget(self) -> None:
        """In a fork: it belongs to the parent, and must not outlive it because of us."""
        if self._control is not None:
            self._control.close()
        self.__init__()  # type: ignore[misc]


_process = _Process()
os.register_at_fork(after_in_child=_process.forget)
