"""Locks that tell whether a process lives.

A lock on an open file lasts as long as some process holds that file open, and the kernel
ends it however the process ends. A child that inherits the open file therefore proves by
the lock alone that it, or a child of its own, still runs: no process number to be reused.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """The locked file's descriptor, or None while another process holds it."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock, and hold it inside the block."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def wait_until_free(path: Path, *, seconds: float) -> bool:
    """Whether the holder ended within `seconds`."""
    deadline = time.monotonic() + seconds
    while is_held(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def write_private(path: Path, text: str) -> None:
    """Write `text` so that a reader finds the old file or the new one, and only the owner can."""
    fresh = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.rename(path)
