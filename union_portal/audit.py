"""record(): who did what to which row, when and why.

Entries are written in the transaction of the change they tell of. A beat task seals them
into blocks, each block's digest covering the one before (`seal`); `verify` recounts all.
Each head is written to a witness file outside the database as well, so that cutting off the
end of the chain, or rewriting all of it, shows.
"""

from __future__ import annotations

import logging
import os
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, models, transaction

from union_portal import readers
from union_portal.models import AuditBlock, AuditEntry
from union_portal.readers import Door

if TYPE_CHECKING:
    from union_portal.models import Account, Organization

log = logging.getLogger(__name__)

GENESIS = "0" * 64

# What is hashed, and what the audit pack prints line by line: PostgreSQL's own text of a
# JSON array, so that a third party needs only sha256.
LINE = """jsonb_build_array(
    id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor_id, actor,
    action, subject_type, subject_id, organization_path, reason, detail, request_id)::text"""
LEAF = f"encode(sha256(convert_to({LINE}, 'UTF8')), 'hex')"
ROOT = f"encode(sha256(convert_to(string_agg({LEAF}, '' ORDER BY id), 'UTF8')), 'hex')"

# The id of the request or job that is being served; log lines carry it too.
request_id: ContextVar[str] = ContextVar("request_id", default="")


@dataclass(frozen=True)
class Machine:
    """An actor that is no person: a worker, a scheduled task, the bank's file."""

    name: str

    pk: None = None

    def __str__(self) -> str:
        return self.name


WORKER = Machine("worker")


def record(
    action: str,
    subject: models.Model,
    *,
    by: Account | Machine,
    reason: str = "",
    organization: Organization | None = None,
    **detail: Any,
) -> AuditEntry:
    """Write one entry. `detail` holds no personal data: names of columns, ids, sums."""
    return record_ref(
        action,
        subject._meta.label_lower,
        str(subject.pk),
        by=by,
        reason=reason,
        organization=organization or getattr(subject, "organization", None),
        **detail,
    )


def record_ref(
    action: str,
    subject_type: str,
    subject_id: str,
    *,
    by: Account | Machine,
    reason: str = "",
    organization: Organization | None = None,
    **detail: Any,
) -> AuditEntry:
    """The same for a subject named by label and id, such as a whole set."""
    with readers.seeing(Door.AUDIT):
        return AuditEntry.objects.create(
            actor_id=by.pk,
            actor=str(by),
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            organization_path=organization.path if organization else "",
            reason=reason,
            detail=detail,
            request_id=request_id.get(),
        )


def new_request_id() -> str:
    return str(uuid.uuid4())


@transaction.atomic
def seal() -> AuditBlock | None:
    """Seal every committed, unsealed entry into the next block; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('audit_seal'))")
        previous = AuditBlock.objects.order_by("-number").first()
        number = previous.number + 1 if previous else 1
        before = previous.digest if previous else GENESIS
        cursor.execute(
            "UPDATE union_portal_auditentry SET block = %s WHERE block IS NULL", [number]
        )
        if cursor.rowcount == 0:
            return None
        root, count = _root(number)
        cursor.execute(
            "SELECT encode(sha256(convert_to(%s, 'UTF8')), 'hex')",
            [f"{number}|{count}|{before}|{root}"],
        )
        digest = cursor.fetchone()[0]
    transaction.on_commit(partial(_bear_witness, number, digest))
    return AuditBlock.objects.create(
        number=number, entries=count, root=root, previous=before, digest=digest
    )


def verify() -> list[str]:
    """Recount the whole chain; a sentence for each difference, none if it holds."""
    faults: list[str] = []
    before, expected = GENESIS, 1
    for block in AuditBlock.objects.order_by("number").iterator():
        if block.number != expected:
            faults.append(f"block {expected} is missing")
            expected = block.number
        faults += _block_faults(block, before)
        before, expected = block.digest, block.number + 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM union_portal_auditentry e WHERE block IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM union_portal_auditblock b WHERE b.number = e.block)"
        )
        strays = cursor.fetchone()[0]
    if strays:
        faults.append(f"{strays} entries name a block that does not exist")
    return faults + _witness_faults()


def witness_file() -> Path:
    """Where the heads of the chain are kept, beside the sent register on another host."""
    return Path(settings.REGISTER_DIR) / "audit-heads.txt"


def _bear_witness(number: int, digest: str) -> None:
    """Write a block's head outside the database. A head that is missed, the next one covers."""
    path = witness_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as heads:
            heads.write(f"{number} {digest}\n")
            heads.flush()
            os.fsync(heads.fileno())
    except OSError as error:
        log.error("the head of audit block %s has no witness: %s", number, type(error).__name__)


def _witness_faults() -> list[str]:
    path = witness_file()
    if not path.exists():
        return []
    digests = dict(AuditBlock.objects.values_list("number", "digest"))
    faults = []
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        number, _space, digest = line.partition(" ")
        if not number.isdigit() or len(digest) != len(GENESIS):
            continue  # a line cut by a crash
        if int(number) not in digests:
            faults.append(f"block {number} is missing, but was seen from outside")
        elif digests[int(number)] != digest:
            faults.append(f"block {number} is not the one that was seen from outside")
    return faults


def _block_faults(block: AuditBlock, before: str) -> list[str]:
    faults = []
    root, count = _root(block.number)
    if count != block.entries:
        faults.append(f"block {block.number} holds {count} entries, sealed {block.entries}")
    if root != block.root:
        faults.append(f"an entry of block {block.number} was changed")
    if block.previous != before:
        faults.append(f"block {block.number} does not follow the one before")
    sealed = f"{block.number}|{block.entries}|{block.previous}|{block.root}"
    if sha256(sealed.encode()).hexdigest() != block.digest:
        faults.append(f"the digest of block {block.number} was changed")
    return faults


def _root(number: int) -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {ROOT}, count(*) FROM union_portal_auditentry WHERE block = %s",  # noqa: S608
            [number],
        )
        root, count = cursor.fetchone()
    return root or "", count
