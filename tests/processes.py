"""Processes beside the tests: where they find the test's own database, and what they start."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

# A busy machine takes its time to recover a server; none of it is waited for without need.
PATIENCE_SECONDS = 180


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a worker of its own on the database of this test."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "union_portal.settings",
        "DATABASE_URL": url_of("WORKER"),
        **more,
    }


def url_of(role: str) -> str:
    """The database of this test as WEB or WORKER."""
    given = urlsplit(os.environ[f"PORTAL_{role}_DATABASE_URL"])
    return given._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def children(parent: int) -> list[int]:
    """What a process started itself; nothing, if it is gone."""
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split()]


def family(parent: int) -> list[int]:
    """Everything that runs below a process."""
    found = children(parent)
    return found + [below for child in found for below in family(child)]


def until(
    is_true: Callable[[], object],
    patience: float = PATIENCE_SECONDS,
    *,
    alive: Sequence[subprocess.Popen[str]] = (),
) -> None:
    """Look again and again. A process of `alive` that ended meanwhile tells why.

    Errors: TimeoutError after `patience` seconds.
    """
    deadline = time.monotonic() + patience
    while not is_true():
        ended = [one for one in alive if one.poll() is not None]
        assert not ended, ended[0].communicate()[0]
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for does not come")
        time.sleep(0.02)


def restart_peak() -> int:
    """Let the kernel count this process's peak anew; what it holds now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak() -> int:
    """The most this process held since then, in bytes. Not `ru_maxrss`: that survives exec, so
    that whoever is started by something large inherits its peak."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
