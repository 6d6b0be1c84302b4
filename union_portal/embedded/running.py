"""One demo at a time, `./portal status` and `./portal stop`."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from union_portal.embedded import held, places, ports
from union_portal.embedded.places import LauncherError
from union_portal.embedded.servers import PROFILES, PrivateServers

STOP_SECONDS: Final = 60


def _file(var: Path) -> Path:
    return var / "demo.lock"


@contextmanager
def only_run(var: Path, *, port: int | None) -> Iterator[None]:
    """Hold the place of this checkout's one demo. Raises LauncherError: one runs already."""
    lock = held.try_lock(_file(var))
    if lock is None:
        raise LauncherError(f"A demo runs already{_described(var)}.\nTo end it: ./portal stop")
    try:
        os.truncate(lock, 0)
        os.pwrite(lock, json.dumps({"pid": os.getpid(), "port": port}).encode(), 0)
        yield
    finally:
        os.truncate(lock, 0)
        os.close(lock)


def running_demo(var: Path) -> dict[str, Any] | None:
    """Process and port of the demo that runs now."""
    if not _file(var).exists() or not held.is_held(_file(var)):
        return None
    with suppress(ValueError):
        return dict(json.loads(_file(var).read_text("utf-8")))
    return {}


def _described(var: Path) -> str:
    found = running_demo(var) or {}
    where = f", {ports.address(found['port'])}" if found.get("port") else ""
    return f" (process {found['pid']}{where})" if "pid" in found else ""


def status(checkout: Path = places.CHECKOUT) -> int:
    """Print what runs; 0 if a demo runs, else 3 (as service scripts answer)."""
    var = checkout / "var" / "demo"
    demo_runs = running_demo(var) is not None
    print(f"demo: {'runs' + _described(var) if demo_runs else 'does not run'}")
    for profile in PROFILES:
        servers = PrivateServers(profile, checkout=checkout)
        for name, runs in servers.status().items():
            print(f"{profile}, private {name}: {'runs' if runs else 'does not run'}")
    return 0 if demo_runs else 3


def stop(checkout: Path = places.CHECKOUT) -> int:
    """End the demo and the private servers that no other run uses; 0 if nothing is left."""
    var = checkout / "var" / "demo"
    found = running_demo(var)
    if found and "pid" in found:
        print(f"portal: ending the demo{_described(var)}", flush=True)
        with suppress(ProcessLookupError):
            os.kill(found["pid"], signal.SIGTERM)
        if not held.wait_until_free(_file(var), seconds=STOP_SECONDS):
            raise LauncherError(f"The demo{_described(var)} does not end.")
    left = [p for p in PROFILES if not PrivateServers(p, checkout=checkout).stop()]
    for profile in left:
        print(f"portal: the {profile} servers are in use by another run and stay")
    print("portal: stopped" if not left else "portal: the rest is stopped")
    return 1 if left else 0
