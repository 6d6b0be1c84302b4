"""Change rows as a superuser of the database can: any column of any row, no trigger awake."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

from tests.roles import the_superuser

# What is written instead, by PostgreSQL's own name of the type. Never what stood there before.
OTHER = {
    "bigint": "coalesce({0}, 0) + 1000003",
    "integer": "coalesce({0}, 0) + 1009",
    "smallint": "coalesce({0}, 0) + 101",
    "boolean": "NOT coalesce({0}, false)",
    "date": "coalesce({0}, '2026-01-01') + 1",
    "timestamp with time zone": "coalesce({0}, '2026-01-01') + interval '1 second'",
    "jsonb": "CASE jsonb_typeof({0}) WHEN 'object' THEN {0} || '{{\"x\": 1}}' ELSE"
    " coalesce({0}, '[]') || '[\"x\"]' END",
    "bytea": "coalesce({0}, '') || '\\x00'",
    "text": "coalesce({0}, '') || '~'",
    "character varying": "left('~' || coalesce({0}, ''), {1})",
    "uuid": "gen_random_uuid()",
    "xid8": "'1'::xid8",
}


class Column(NamedTuple):
    """A column as the database knows it."""

    table: str
    name: str
    kind: str
    length: int


def columns(table: str) -> list[Column]:
    """Every column of a table, so that one that is added is edited as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, coalesce(character_maximum_length, 0)"
            " FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
            " ORDER BY ordinal_position",
            [table],
        )
        return [Column(table, *row) for row in cursor.fetchall()]


def change(column: Column, rng: random.Random, where: str = "true") -> int:
    """Give one row, drawn among those `where`, another value in this column; rows changed."""
    quoted = f'"{column.name}"'
    other = OTHER[column.kind].format(quoted, column.length)
    return execute(
        f'UPDATE "{column.table}" SET {quoted} = {other} WHERE ctid ='
        f" {_some_row(column.table, rng, where)}"
    )


def remove(table: str, rng: random.Random, where: str = "true") -> int:
    """Delete one row, drawn among those `where`; rows deleted."""
    return execute(f'DELETE FROM "{table}" WHERE ctid = {_some_row(table, rng, where)}')


def execute(statement: str, *parameters: Any) -> int:
    """Run a statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return int(cursor.rowcount)


def row(statement: str, *parameters: Any) -> tuple[Any, ...]:
    """The first row of an answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        found: tuple[Any, ...] = cursor.fetchone()
        return found


def value(statement: str, *parameters: Any) -> Any:
    """The first column of the first row."""
    return row(statement, *parameters)[0]


@contextmanager
def undone() -> Iterator[None]:
    """Whatever a superuser did inside is as if it had never been."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with the_superuser():
            yield
        transaction.set_rollback(True)


def _some_row(table: str, rng: random.Random, where: str) -> str:
    """One row, drawn in the order of the table's text, which is the same in every run."""
    count = value(f'SELECT count(*) FROM "{table}" WHERE {where}')
    lot = rng.randrange(max(1, count))
    return f'(SELECT ctid FROM "{table}" t WHERE {where} ORDER BY t::text OFFSET {lot} LIMIT 1)'
