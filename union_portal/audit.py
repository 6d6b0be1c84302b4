"""record(): who did what to which row, when and why.

Entries are written in the transaction of the change they tell of. A beat task seals them
into blocks, each block's digest covering the one before (`seal`); `verify` recounts all.
Each head is witnessed outside the database as well (`witnesses`), so that cutting off the end of
the chain, or rewriting all of it, shows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, models, transaction
from django.db.models import Max

from union_portal import logs, readers, witnesses
from union_portal.models import AuditBlock, AuditEntry
from union_portal.readers import Door
from union_portal.witnesses import Head

if TYPE_CHECKING:
    from union_portal.models import Account, Organization

GENESIS = "0" * 64
LOST = "audit.restored"

# What is hashed, and what the audit pack prints line by line: PostgreSQL's own text of a
# JSON array, so that a third party needs only sha256.
LINE = """jsonb_build_array(
    id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor_id, actor,
    action, subject_type, subject_id, organization_path, reason, detail, request_id)::text"""
LEAF = f"encode(sha256(convert_to({LINE}, 'UTF8')), 'hex')"
ROOT = f"encode(sha256(convert_to(string_agg({LEAF}, '' ORDER BY id), 'UTF8')), 'hex')"

# Every block beside what its entries add up to now; entries of no block, and blocks of none.
RECOUNT = f"""
    SELECT b.number, b.sealed_at, b.entries, b.root, b.previous, b.digest, c.block, c.entries,
           c.root
    FROM union_portal_auditblock b FULL JOIN (
        SELECT block, count(*) AS entries, {ROOT} AS root FROM union_portal_auditentry
        WHERE block IS NOT NULL GROUP BY block
    ) c ON c.block = b.number
    ORDER BY b.number
"""  # noqa: S608
ROWS_AT_ONCE = 2000

# The id of the request or job that is being served; log lines carry it too.
request_id = logs.request_id


@dataclass(frozen=True)
class Machine:
    """An actor that is no person: a worker, a scheduled task, the bank's file."""

    name: str

    pk: None = None

    def __str__(self) -> str:
        return self.name


WORKER = Machine("worker")


@dataclass(frozen=True)
class Lost:
    """Blocks that a restore lost, and the entry that declares them."""

    first: int
    last: int
    entry: int

    def __str__(self) -> str:
        return f"blocks {self.first} to {self.last} were lost in a restore (entry {self.entry})"


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
    """Seal every committed, unsealed entry into the next block; None if there is none.

    A number that was witnessed is never given again: after a restore the numbers go on behind
    the lost blocks (`declare_lost`).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('audit_seal'))")
        before = head()
        number = max(before.number if before else 0, witnesses.newest()) + 1
        cursor.execute(
            "UPDATE union_portal_auditentry SET block = %s WHERE block IS NULL", [number]
        )
        if cursor.rowcount == 0:
            return None
        cursor.execute(
            f"SELECT {ROOT}, count(*), clock_timestamp() FROM union_portal_auditentry"  # noqa: S608
            " WHERE block = %s",
            [number],
        )
        root, count, sealed_at = cursor.fetchone()
    previous = before.digest if before else GENESIS
    block = AuditBlock.objects.create(
        number=number,
        sealed_at=sealed_at,
        entries=count,
        root=root,
        previous=previous,
        digest=block_digest(number, sealed_at, count, previous, root),
    )
    transaction.on_commit(partial(witnesses.write_down, Head(number, block.digest)))
    return block


def head() -> Head | None:
    """The last sealed block: what witnesses keep and reports print."""
    last = AuditBlock.objects.order_by("-number").values_list("number", "digest").first()
    return Head(*last) if last else None


@transaction.atomic
def declare_lost(*, by: Account | Machine, reason: str) -> AuditEntry | None:
    """Say in the log itself which witnessed blocks a restore lost; None if it lost none.

    They stay named by `lost` and by everybody who verifies: a restore is no secret.
    """
    unknown = [
        head.number
        for heads in witnesses.in_parts(witnesses.kept())
        for head in _without_block(heads)
    ]
    last = max(unknown, default=0)
    if not last or _is_lost(last, last, lost()):
        return None
    before = AuditBlock.objects.filter(number__lt=last).aggregate(last=Max("number"))["last"] or 0
    return record_ref(
        LOST,
        "union_portal.auditblock",
        str(before + 1),
        by=by,
        reason=reason,
        first=before + 1,
        last=last,
    )


def lost() -> list[Lost]:
    """The blocks that restores lost, as the log declares them."""
    entries = AuditEntry.objects.filter(action=LOST).order_by("id")
    return [Lost(entry.detail["first"], entry.detail["last"], entry.pk) for entry in entries]


def block_digest(number: int, sealed_at: datetime, entries: int, previous: str, root: str) -> str:
    """What a block's digest covers: everything about it, the block before and its entries."""
    text = f"{number}|{moment(sealed_at)}|{entries}|{previous}|{root}"
    return sha256(text.encode()).hexdigest()


def moment(at: datetime) -> str:
    """A time as digests cover it: UTC, to the microsecond."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def verify() -> list[str]:
    """Recount the whole chain; a sentence for each difference, none if it holds.

    One statement, read in parts: neither side holds more than some blocks at a time.
    """
    faults: list[str] = []
    before, expected, declared = GENESIS, 1, lost()
    for row in _recounted():
        if row.number is None:
            faults.append(f"{row.found} entries name block {row.named}, which does not exist")
            continue
        if row.number != expected and not _is_lost(expected, row.number - 1, declared):
            faults.append(f"block {expected} is missing")
        faults += _block_faults(row, before)
        before, expected = row.digest, row.number + 1
    return faults + compare(witnesses.kept())


def compare(seen: Iterable[Head]) -> list[str]:
    """What was seen from outside against the chain; a sentence for each difference.

    Blocks that a restore lost differ from nothing.
    """
    faults, declared = [], lost()
    for heads in witnesses.in_parts(seen):
        faults += [
            f"block {head.number} is missing, but was seen from outside"
            for head in _without_block(heads)
            if not _is_lost(head.number, head.number, declared)
        ]
        digests = _digests(heads)
        faults += [
            f"block {head.number} is not the one that was seen from outside"
            for head in heads
            if digests.get(head.number, head.digest) != head.digest
        ]
    return faults


def _without_block(heads: list[Head]) -> list[Head]:
    digests = _digests(heads)
    return [head for head in heads if head.number not in digests]


def _digests(heads: list[Head]) -> dict[int, str]:
    """Digests of the blocks of these numbers, as far as there are any."""
    numbers = {head.number for head in heads}
    return dict(AuditBlock.objects.filter(pk__in=numbers).values_list("number", "digest"))


def _is_lost(first: int, last: int, declared: list[Lost]) -> bool:
    return any(one.first <= first and last <= one.last for one in declared)


class Recounted(NamedTuple):
    """A block as it is stored, and what its entries add up to now."""

    number: int | None
    sealed_at: datetime
    entries: int
    root: str
    previous: str
    digest: str
    named: int | None
    found: int | None
    found_root: str | None


def _recounted() -> Iterator[Recounted]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(RECOUNT)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from map(Recounted._make, rows)


def _block_faults(row: Recounted, before: str) -> list[str]:
    faults = []
    count = row.found or 0
    if count != row.entries:
        faults.append(f"block {row.number} holds {count} entries, sealed {row.entries}")
    if (row.found_root or "") != row.root:
        faults.append(f"an entry of block {row.number} was changed")
    if row.previous != before:
        faults.append(f"block {row.number} does not follow the one before")
    sealed = block_digest(row.number or 0, row.sealed_at, row.entries, row.previous, row.root)
    if sealed != row.digest:
        faults.append(f"the digest of block {row.number} was changed")
    return faults
