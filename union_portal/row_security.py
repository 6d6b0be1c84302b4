"""Row security of the database: policies made of `shown_to.py`, applied by `migrate`.

For web processes every row is judged by its reader (`readers.py`); for workers every row is
shown; the owner of the tables, as whom triggers judge, is held by none. A policy carries digests
of what was meant and of what PostgreSQL understood, so that one altered by hand is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db import connection, models, transaction

from union_portal import shown_to
from union_portal.privileges import WEB, WORKER


class Policy(NamedTuple):
    """One policy on one table; `using` judges rows that are there, `check` rows to be written."""

    table: str
    name: str
    role: str
    command: str
    using: str
    check: str

    @property
    def digest(self) -> str:
        return sha256("\0".join(self).encode()).hexdigest()

    def sql(self) -> str:
        using = f" USING ({self.using})" if self.using else ""
        check = f" WITH CHECK ({self.check})" if self.check else ""
        return (
            f'CREATE POLICY {self.name} ON "{self.table}" FOR {self.command} TO {self.role}'
            f"{using}{check}"
        )


_THERE: Final = """
SELECT c.relname::text, p.polname::text, obj_description(p.oid, 'pg_policy'),
       md5(concat_ws('|', p.polcmd, p.polpermissive, p.polroles::regrole[],
                     pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'public'::regnamespace
"""


def differences() -> list[str]:
    """Where the database differs from the page, a sentence each; none if it holds."""
    wanted = {(one.table, one.name): one for one in _wanted()}
    there = _there()
    missing, more = wanted.keys() - there.keys(), there.keys() - wanted.keys()
    altered = {key for key in wanted.keys() & there.keys() if not _stands(wanted[key], there[key])}
    return [
        *(f"policy missing: {name} on {table}" for table, name in sorted(missing)),
        *(f"policy too much: {name} on {table}" for table, name in sorted(more)),
        *(f"policy altered: {name} on {table}" for table, name in sorted(altered)),
        *(f"rows of {table} are open" for table in sorted(_tables() - _guarded())),
    ]


@transaction.atomic
def apply() -> int:
    """Bring the policies in line with the page, as the owner; how much had to be changed."""
    wanted = {(one.table, one.name): one for one in _wanted()}
    there = _there()
    changed = 0
    with connection.cursor() as cursor:
        for table in sorted(_tables() - _guarded()):
            cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
            changed += 1
        for key in sorted(there):
            if key not in wanted or not _stands(wanted[key], there[key]):
                cursor.execute(f'DROP POLICY {key[1]} ON "{key[0]}"')
                changed += 1
        for key, policy in sorted(wanted.items()):
            if key not in there or not _stands(policy, there[key]):
                cursor.execute(policy.sql())
                cursor.execute(f"COMMENT ON POLICY {policy.name} ON \"{policy.table}\" IS ''")
                changed += 1
    _seal(wanted)
    return changed


@transaction.atomic
def withdraw() -> None:
    """Take every policy down and leave the tables guarded: no web process is shown a row."""
    with connection.cursor() as cursor:
        for table, name in sorted(_there()):
            cursor.execute(f'DROP POLICY {name} ON "{table}"')


def judged(model: type[models.Model]) -> tuple[str, str]:
    """The conditions under which a web process is shown a row of the model, and may write it."""
    ways = shown_to.SHOWN[model._meta.label_lower]
    reading = " OR ".join(f"({way.sql(model)})" for way in ways)
    writing = " OR ".join(f"({way.sql(model)})" for way in ways if not way.is_reading)
    return reading, writing or "false"


@cache
def _wanted() -> tuple[Policy, ...]:
    return tuple(_compiled())


def _compiled() -> Iterator[Policy]:
    for label in shown_to.SHOWN:
        model = apps.get_model(label)
        table = model._meta.db_table
        reading, writing = judged(model)
        added = "true" if label in shown_to.ADDED_BY_ANYBODY else writing
        yield Policy(table, "work", WORKER, "ALL", "true", "true")
        yield Policy(table, "read", WEB, "SELECT", reading, "")
        yield Policy(table, "add", WEB, "INSERT", "", added)
        yield Policy(table, "change", WEB, "UPDATE", writing, writing)
        yield Policy(table, "remove", WEB, "DELETE", writing, "")


def _tables() -> set[str]:
    return {apps.get_model(label)._meta.db_table for label in shown_to.SHOWN}


def _guarded() -> set[str]:
    """Tables that PostgreSQL judges row by row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
        )
        return {name for (name,) in cursor.fetchall()}


def _there() -> dict[tuple[str, str], tuple[str, str]]:
    """What was meant and what is understood, by table and name of the policy."""
    with connection.cursor() as cursor:
        cursor.execute(_THERE)
        return {(row[0], row[1]): (row[2] or "", row[3]) for row in cursor.fetchall()}


def _stands(policy: Policy, there: tuple[str, str]) -> bool:
    meant, understood = there
    return meant == _comment(policy, understood)


def _comment(policy: Policy, understood: str) -> str:
    return f"{policy.digest} {understood}"


def _seal(wanted: dict[tuple[str, str], Policy]) -> None:
    """Write down what PostgreSQL understood of what was meant."""
    fresh: dict[tuple[str, str], Any] = {
        key: understood for key, (meant, understood) in _there().items() if not meant
    }
    with connection.cursor() as cursor:
        for key, understood in sorted(fresh.items()):
            said = _comment(wanted[key], understood)
            cursor.execute(f"COMMENT ON POLICY {key[1]} ON \"{key[0]}\" IS '{said}'")
