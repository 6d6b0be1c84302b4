"""Ports of 127.0.0.1 that nobody else wants."""

import random
import socket
from typing import Final

from union_portal.embedded.places import LauncherError

# Below the range from which systems take ports of outgoing connections.
PORTS: Final = range(29000, 32000)


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def address(port: int) -> str:
    """Where a browser finds the site: by a name, because a bare number is refused passkeys."""
    return f"http://localhost:{port}/"


def choose_port(*taken: int) -> int:
    """A free port that no known service is registered for."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        if port in taken or not is_free(port):
            continue
        try:
            socket.getservbyport(port)
        except OSError:
            return port
    raise LauncherError(f"No port between {PORTS[0]} and {PORTS[-1]} is free on 127.0.0.1.")
