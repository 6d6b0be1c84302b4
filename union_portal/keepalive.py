"""How long a connection may be silent before it is given up.

A host that is cut off would hold its rows until its cable is back, and on a connection whose other
end is gone a worker would wait for bells for ever. Knows no settings: the settings are made with
it.
"""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Silence:
    """Seconds without a sign of life, as PostgreSQL and sockets want them told."""

    seconds: int

    def of_database(self) -> dict[str, str | int]:
        """For libpq, and for the server's end of the connection."""
        asking = {f"keepalives_{name}": value for name, value in self._asking().items()}
        ours = {**asking, "tcp_user_timeout": self._milliseconds}
        theirs = {f"tcp_{name}": value for name, value in asking.items()}
        theirs["tcp_user_timeout"] = self._milliseconds
        return {**ours, "options": " ".join(f"-c {name}={value}" for name, value in theirs.items())}

    def of_socket(self) -> dict[int, int]:
        """By number, as this system calls them."""
        asking = self._asking()
        wanted = {
            "TCP_KEEPIDLE": asking["idle"],
            "TCP_KEEPINTVL": asking["interval"],
            "TCP_KEEPCNT": asking["count"],
            "TCP_USER_TIMEOUT": self._milliseconds,
        }
        return {
            getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)
        }

    @property
    def _milliseconds(self) -> int:
        return 1000 * self.seconds

    def _asking(self) -> dict[str, int]:
        """Half the time quiet, then asked three times."""
        return {
            "idle": max(1, self.seconds // 2),
            "interval": max(1, self.seconds // 6),
            "count": 3,
        }
