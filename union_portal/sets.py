"""INSERT … SELECT from a queryset: many rows in one statement, the caller names the columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet, Window
from django.db.models.functions import RowNumber

# From so many new rows on the planner is told of them.
LARGE: Final = 2000


@dataclass(frozen=True)
class Source:
    """The rows of a queryset as SQL, with exactly the columns that were asked for."""

    sql: str
    parameters: tuple[Any, ...]


def source(rows: QuerySet[Any], *names: str) -> Source | None:
    """The queryset as a table with these columns, in this order; None if it can hold no row.

    Each name is an attribute of the rows' model or an annotation (`values(key=F("id"))`).
    """
    try:
        sql, parameters = rows.values_list(*names).query.sql_with_params()
    except EmptyResultSet:
        return None
    return Source(sql, tuple(parameters))


def listed(**columns: tuple[str, Sequence[Any]]) -> Source:
    """Rows that stand in no table yet: each column by its PostgreSQL type and its values."""
    arrays = ", ".join(f"%s::{kind}[]" for kind, _values in columns.values())
    return Source(
        f"SELECT * FROM unnest({arrays})",  # noqa: S608
        tuple(list(values) for _kind, values in columns.values()),
    )


def numbered(rows: QuerySet[Any], name: str, *, last: str) -> QuerySet[Any]:
    """The rows with their place in their own order as column `name`; `last` breaks ties.

    The order of a subquery says nothing about the rows of the statement around it: an order
    that matters is a column.
    """
    order = [*(rows.query.order_by or rows.model._meta.ordering), last]
    return rows.order_by().annotate(**{name: Window(RowNumber(), order_by=order)})


def has(rows: QuerySet[Any], name: str) -> bool:
    """Whether the queryset was given a column of this name."""
    query = rows.query
    return name in query.annotation_select or name in query.values_select


@dataclass(frozen=True)
class Inserted:
    """How many rows were written, and a digest of their ids for the audit entry."""

    count: int
    ids_sha256: str


def insert(
    statement: str,
    table: Source,
    names: tuple[str, ...],
    *,
    before: Sequence[Any] = (),
    after: Sequence[Any] = (),
) -> Inserted:
    """Run `INSERT INTO t (…) SELECT … FROM {rows} …` with the source in place of `{rows}`.

    The source is table `r` with the columns `names`; `before` and `after` fill the marks on
    either side of it.
    """
    columns = ", ".join(f'"{name}"' for name in names)
    body = statement.replace("{rows}", f"({table.sql}) AS r ({columns})")
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH made AS ({body} RETURNING id) SELECT count(*), encode(sha256("  # noqa: S608
            "convert_to(string_agg(id::text, ',' ORDER BY id), 'UTF8')), 'hex') FROM made",
            [*before, *table.parameters, *after],
        )
        count, digest = cursor.fetchone()
    return Inserted(count, digest or "")


def refresh(model: type[Model], written: int) -> None:
    """Tell the planner of many rows just written.

    Until a table is analysed the planner takes a hundred thousand new rows for a few and joins
    them row by row, which takes hours. Autovacuum comes too late: it sees nothing before commit.
    """
    if written >= LARGE:
        analyse(model._meta.db_table)


def analyse(table: str, *columns: str) -> None:
    """Count a table anew for the planner, whole or some columns of it, as the owner may.

    An ANALYZE of our own roles would be passed over with a warning that nobody reads.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT portal_analyse(%s::regclass, %s::text[])", [table, list(columns)])
