"""Witnesses of the audit log: what its head was, kept where the database's administrator is not.

Three of them: a file beside the sent register on another host (here), a digest sent to the
counties by e-mail every day (`witness_mail`), and a line on every report that is printed. Each
gives the number of a block and its digest. Whoever cuts the log off, or rewrites it from some
block on with every digest recomputed, is found out by any of them that saw a block since.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings

log = logging.getLogger(__name__)

# "12 9f2c…", "12:9f2c…", "第12块 9f2c …": however it was written down, groups of eight included.
_SAID: Final = re.compile(r"(\d{1,18})[^0-9a-fA-F]{1,12}((?:[0-9a-fA-F]{8}\s?){8})(?![0-9a-fA-F])")
_KEPT: Final = re.compile(r"(\d{1,18}) ([0-9a-f]{64})")
HEADS_AT_ONCE: Final = 5000
_END_BYTES: Final = 4096


@dataclass(frozen=True)
class Head:
    """A block as a witness knows it."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number} {self.digest}"


def file() -> Path:
    """Where the heads of the chain are kept, beside the sent register on another host."""
    return Path(settings.REGISTER_DIR) / "audit-heads.txt"


def write_down(head: Head) -> None:
    """Keep a head outside the database. One that is missed, the next one covers."""
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as heads:
            heads.write(f"{head}\n")
            heads.flush()
            os.fsync(heads.fileno())
    except OSError as error:
        log.error("audit block %s has no witness: %s", head.number, type(error).__name__)


def kept() -> Iterator[Head]:
    """Every head in the file; a line cut by a crash is left out."""
    try:
        lines = file().open(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return
    with lines:
        for line in lines:
            if said := _KEPT.fullmatch(line.rstrip("\n")):
                yield Head(int(said[1]), said[2])


def newest() -> int:
    """The highest number that the file holds near its end; 0 without one, or out of reach.

    Sealing goes on while the other host is away: only after a restore does it matter.
    """
    try:
        with file().open("rb") as heads:
            heads.seek(max(0, os.fstat(heads.fileno()).st_size - _END_BYTES))
            end = heads.read().decode("ascii", errors="replace")
    except FileNotFoundError:
        return 0
    except OSError as error:
        log.error("the heads of the audit log can't be read: %s", type(error).__name__)
        return 0
    return max((int(said[1]) for said in map(_KEPT.fullmatch, end.splitlines()) if said), default=0)


def read(text: str) -> list[Head]:
    """Every head that a text names: a line of the file, an e-mail, what a report says."""
    return [
        Head(int(number), "".join(digest.split()).lower()) for number, digest in _SAID.findall(text)
    ]


def read_file(path: Path) -> list[Head]:
    """The heads named in a file: text, or an e-mail as it was saved."""
    content = path.read_bytes()
    letter = message_from_bytes(content, policy=policy.default)
    body = letter.get_body(("plain",)) if "content-type" in letter else None
    return read(body.get_content() if body else content.decode("utf-8", errors="replace"))


def in_parts(heads: Iterable[Head]) -> Iterator[list[Head]]:
    """So many at a time that one question to the database answers for all of them."""
    coming = iter(heads)
    while part := list(islice(coming, HEADS_AT_ONCE)):
        yield part
