"""Hosts of their own for workers: a network namespace each, with one cable that can be pulled.

A host reaches our side of its cable and nothing else. It shares our disk, so that one that is
cut off from database and broker can still hand a file to the bank: the worst that may happen.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256

from union_portal.embedded.places import CHECKOUT

# Set aside for measurements (RFC 2544): nobody's own network.
NETWORK = "198.18"
# Runs of several checkouts do not meet.
MARK = sha256(str(CHECKOUT).encode()).digest()[0]


class NotAllowed(Exception):
    """This system lets us make no hosts; the message says why."""


@dataclass(frozen=True)
class Host:
    """The `number`th host."""

    number: int

    @property
    def name(self) -> str:
        return f"union{MARK}-host{self.number}"

    @property
    def cable(self) -> str:
        """Our end of its cable."""
        return f"union{MARK}-way{self.number}"

    @property
    def ours(self) -> str:
        """Our address, as the host sees it."""
        return f"{NETWORK}.{MARK}.{4 * self.number + 1}"

    @property
    def its(self) -> str:
        return f"{NETWORK}.{MARK}.{4 * self.number + 2}"

    @property
    def inside(self) -> tuple[str, ...]:
        """What a command begins with that runs on the host."""
        return ("ip", "netns", "exec", self.name)

    def pull(self) -> None:
        """Cut it off: not a packet passes, and nobody is told."""
        _ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        """Put the cable back."""
        _ip("link", "set", self.cable, "up")

    def make(self) -> None:
        self.drop()
        _ip("netns", "add", self.name)
        _ip("link", "add", self.cable, "type", "veth", "peer", "name", "cable", "netns", self.name)
        _ip("address", "add", f"{self.ours}/30", "dev", self.cable)
        _ip("link", "set", self.cable, "up")
        for words in (
            ("address", "add", f"{self.its}/30", "dev", "cable"),
            ("link", "set", "cable", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", self.name, *words)

    def drop(self) -> None:
        """Take it down, if it is there: the cable goes with it."""
        for words in (("link", "del", self.cable), ("netns", "del", self.name)):
            subprocess.run(["ip", *words], check=False, capture_output=True)


@contextmanager
def made(count: int) -> Iterator[list[Host]]:
    """So many hosts, gone at the end. Raises NotAllowed where the system does not let us."""
    hosts = [Host(number) for number in range(1, count + 1)]
    if hosts:
        _require_allowed()
    with ExitStack() as stack:
        for host in hosts:
            stack.callback(host.drop)
            host.make()
        yield hosts


def _require_allowed() -> None:
    if shutil.which("ip") is None:
        raise NotAllowed("No hosts of their own: the program `ip` (iproute2) is not installed.")
    if os.geteuid() != 0:
        raise NotAllowed("No hosts of their own: only root may make network namespaces.")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True)
    if done.returncode:
        told = done.stderr.strip() or f"exit status {done.returncode}"
        raise NotAllowed(f"No hosts of their own: `ip {' '.join(words)}` says: {told}")
