"""What is never changed again, digested once a day into the audit log.

The chain of the log proves the log. This proves the rows it tells of: of every append-only table
all columns, of others those that a trigger freezes. The triggers keep everybody else from
changing them; a superuser puts triggers to sleep, but can't change the digest that is sealed in
the log and witnessed outside.

A day's record covers the rows that were there the day before, so that no transaction still under
way holds a number below the last one that is covered. Sealed columns are left out: a new key
seals them anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db import connection, models, transaction

from union_portal import audit
from union_portal.fields import SealedTextField
from union_portal.models import AuditEntry
from union_portal.triggers import Freeze

log = logging.getLogger(__name__)
ACTION: Final = "audit.history"
# Rows whose digests are joined into one, before these are joined: a text has an end.
PART: Final = 100_000


class Covered(NamedTuple):
    """What was recorded of one table: rows up to a number, and the last number that day."""

    columns: list[str]
    upto: int
    rows: int
    digest: str
    last: int


def kept() -> dict[str, list[str]]:
    """Columns that are never changed, by table, from the models' own triggers."""
    found = {model._meta.db_table: list(_kept_of(model)) for model in apps.get_models()}
    return {table: columns for table, columns in found.items() if columns}


@transaction.atomic
def record(*, today: date) -> list[str]:
    """Write today's digests into the log, once a day; what differs from the last ones, if any.

    What differs is never recorded over: the last digests stay the ones to compare with.
    """
    known, day = _recorded()
    if day == today.isoformat():
        return []
    faults = _differences(known)
    if faults:
        log.error("history was changed, nothing is recorded: %s", faults[0])
        return faults
    audit.record_ref(
        ACTION,
        "union_portal.auditblock",
        "history",
        by=audit.WORKER,
        day=today.isoformat(),
        tables={
            table: _cover(table, columns, known.get(table))._asdict()
            for table, columns in kept().items()
        },
    )
    return []


def differences() -> list[str]:
    """Rows that are no longer what the log recorded; a sentence a table, none if all hold."""
    return _differences(_recorded()[0])


def _differences(known: dict[str, Covered]) -> list[str]:
    faults = []
    for table, covered in known.items():
        if not set(covered.columns) <= _columns(table):
            continue  # a migration replaced them; the next record begins anew
        rows, digest = _digest(table, covered.columns, covered.upto)
        if rows != covered.rows:
            faults.append(f"{table} holds {rows} old rows, recorded were {covered.rows}")
        elif digest != covered.digest:
            faults.append(f"an old row of {table} was changed")
    return faults


def _cover(table: str, columns: list[str], before: Covered | None) -> Covered:
    upto = before.last if before else 0
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT coalesce(max(id), 0) FROM "{table}"')  # noqa: S608
        last = int(cursor.fetchone()[0])
    return Covered(columns, upto, *_digest(table, columns, upto), last)


def _digest(table: str, columns: list[str], upto: int) -> tuple[int, str]:
    """How many rows up to a number, and one digest over their columns, in order."""
    listed = ", ".join(f'"{column}"' for column in columns)
    leaf = f"encode(sha256(convert_to(jsonb_build_array({listed})::text, 'UTF8')), 'hex')"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT coalesce(sum(n), 0)::bigint, coalesce(
                encode(sha256(convert_to(string_agg(root, '' ORDER BY part), 'UTF8')), 'hex'), '')
            FROM (
                SELECT id / {PART} AS part, count(*) AS n, encode(sha256(convert_to(
                    string_agg({leaf}, '' ORDER BY id), 'UTF8')), 'hex') AS root
                FROM "{table}" WHERE id <= %s GROUP BY 1
            ) parts
            """,  # noqa: S608
            [upto],
        )
        rows, digest = cursor.fetchone()
    return int(rows), str(digest)


def _recorded() -> tuple[dict[str, Covered], str]:
    """The last record, and its day; nothing before the first."""
    last: Any = AuditEntry.objects.filter(action=ACTION).order_by("-id").first()
    if last is None:
        return {}, ""
    tables = last.detail["tables"]
    return {table: Covered(**covered) for table, covered in tables.items()}, last.detail["day"]


def _columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {
            column.name for column in connection.introspection.get_table_description(cursor, table)
        }


def _kept_of(model: type[models.Model]) -> Iterator[str]:
    """Only of tables numbered by a sequence: a row that comes later has a higher number."""
    if not isinstance(model._meta.pk, models.BigAutoField) or model is AuditEntry:
        return
    triggers = getattr(model._meta, "triggers", [])
    is_append_only = any(trigger.name.endswith("_append_only") for trigger in triggers)
    freezers = [trigger for trigger in triggers if isinstance(trigger, Freeze)]
    for field in model._meta.concrete_fields:
        column = field.column
        if column is None or isinstance(field, SealedTextField):
            continue
        is_frozen = any(freezer.freezes(column) for freezer in freezers)
        if is_append_only or is_frozen or (freezers and field.primary_key):
            yield column
