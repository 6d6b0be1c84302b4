"""What the portal is made of: the locked packages, and the files that were copied in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from union_portal.embedded.places import CHECKOUT

PRODUCTION: Final = CHECKOUT / "requirements.lock"
DEVELOPMENT: Final = CHECKOUT / "requirements-dev.lock"
VENDORED: Final = CHECKOUT / "static" / "vendor" / "VENDORED.md"
_HEAD: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<marker>\s*;[^\\]*)?"
)
_FILE: Final = re.compile(
    r"\| `(?P<file>[^`]+)` \| (?P<source>[^|]+) \| (?P<version>[^|]+) \| (?P<licence>[^|,]+)[^|]*"
    r"\| `(?P<sha256>[0-9a-f]{64})` \|"
)


@dataclass(frozen=True)
class Locked:
    """One package as the lock names it; `marker` says where it is wanted at all."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Copied:
    """One file from elsewhere that lies in the repository."""

    file: str
    version: str
    licence: str
    sha256: str

    @property
    def path(self) -> Path:
        return VENDORED.parent / self.file


def locked(lock: Path = PRODUCTION) -> list[Locked]:
    """Every package of a lock. Errors: ValueError for what is neither pinned nor hashed."""
    return [_read(block) for block in _blocks(lock.read_text("utf-8"))]


def copied() -> list[Copied]:
    """Every file of the table of vendored files."""
    found = (match.groupdict() for match in _FILE.finditer(VENDORED.read_text("utf-8")))
    return [
        Copied(one["file"], one["version"].strip(), one["licence"].strip(), one["sha256"])
        for one in found
    ]


def _blocks(text: str) -> Iterator[str]:
    for block in re.split(r"\n(?=\S)", text.strip()):
        if not block.startswith("#"):
            yield block


def _read(block: str) -> Locked:
    head, *options = [part.strip() for part in block.replace("\\\n", "\n").splitlines()]
    found = _HEAD.fullmatch(head)
    hashes = tuple(sorted(one.removeprefix("--hash=sha256:") for one in options if one))
    if found is None or not hashes or any(not re.fullmatch("[0-9a-f]{64}", one) for one in hashes):
        raise ValueError(f"not pinned by version and SHA-256: {head}")
    marker = (found["marker"] or "").strip(" ;")
    return Locked(canonical(found["name"]), found["version"], marker, hashes)


def canonical(name: str) -> str:
    """A package's name as indexes write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
