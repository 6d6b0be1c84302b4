"""Every guard of the schema, attacked by direct SQL with a made-up row, refuses by its name.

`schema_guards.txt` is the list that people review: a guard that vanishes from the schema, or
comes without being listed, fails here. For each check, unique key, truncation guard, append-only
guard and table of steps the database makes up a row that breaks this one guard alone (the
table's other guards are set aside in a savepoint) and must be refused with that very name.
What a guard means beyond that is told by the tests of its own room.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from union_portal.lifecycle import TABLES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_owner")]

LISTED = Path(__file__).with_name("schema_guards.txt")
OURS = ("union_portal", "members", "welfare", "disbursement", "awards", "events")
MODELS = {
    model._meta.db_table: model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label in OURS and model._meta.managed and not model._meta.proxy
}
# A value of every type, the plain one first; checks are broken by trying them in turn.
VALUES = {
    "bool": ["false", "true"],
    "int2": ["1", "0", "-1", "2", "1800"],
    "int": ["1", "0", "-1", "2", "1800", "9999999"],
    "numeric": ["1", "0", "9", "100"],
    "date": ["'2026-03-02'", "'1800-01-01'", "'2999-01-01'"],
    "timestamptz": ["'2026-03-02T00:00Z'", "'1800-01-01T00:00Z'", "'2999-01-01T00:00Z'"],
    "text": ["'a'", "''", "'12345678901'", "'110101199003070000'"],
    "uuid": ["'00000000-0000-4000-8000-000000000001'"],
    "jsonb": ["'{}'", "'[]'", "'[1]'"],
    "bytea": ["'\\x00'", "''"],
    "xid8": ["'1'"],
    "_varchar": ["'{}'", "'{a}'"],
    "_text": ["'{}'", "'{a}'"],
}
TRIES = 20_000
# The engine's large tables watch many rows with one trigger, and their births with more than
# the state: tests/disbursement/test_sql_attacks.py forges those from real rows.
FORGED_ELSEWHERE = {"disbursement.payoutline"}
BORN_UNDER_MORE = {"disbursement.entitlement"}


def rows(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def constraints() -> dict[str, tuple[str, str, str]]:
    """Checks and unique keys by name: table, kind, what must hold (of unique keys: for which)."""
    found = rows(
        "SELECT k.conname, c.relname, 'check', pg_get_expr(k.conbin, k.conrelid)"
        " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        " WHERE k.contype = 'c' AND c.relname = ANY (%s)"
        " UNION ALL SELECT i.relname, c.relname, 'unique',"
        " coalesce(pg_get_expr(x.indpred, x.indrelid), 'true')"
        " FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_class c ON c.oid = x.indrelid"
        " WHERE x.indisunique AND NOT x.indisprimary AND c.relname = ANY (%s)",
        list(MODELS),
        list(MODELS),
    )
    return {name: (table, kind, holds) for name, table, kind, holds in found}


def triggers() -> dict[str, str]:
    """Our triggers by the name that their models give them: the name in the database."""
    return {
        trigger.name: trigger.get_pgid(model)
        for model in MODELS.values()
        for trigger in getattr(model._meta, "triggers", [])
    }


def table_of(trigger: str) -> str:
    return next(
        table
        for table, model in MODELS.items()
        if any(one.name == trigger for one in getattr(model._meta, "triggers", []))
    )


def listed(kind: str) -> list[str]:
    lines = (line.split() for line in LISTED.read_text("utf-8").splitlines())
    return [line[1] for line in lines if line and line[0] == kind]


def test_the_schema_has_the_guards_that_were_reviewed() -> None:
    there = {f"{kind} {name}" for name, (_table, kind, _holds) in constraints().items()}
    in_database = {name for (name,) in rows("SELECT tgname FROM pg_trigger WHERE tgenabled = 'O'")}
    there |= {f"trigger {name}" for name, pgid in triggers().items() if pgid in in_database}
    assert there == set(LISTED.read_text("utf-8").splitlines()), "review the list, then write it"


# -- made-up rows ---------------------------------------------------------------------


def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Columns that a row is given: the family of the type, and whether it may be empty."""
    families = {"int4": "int", "int8": "int", "varchar": "text"}
    return {
        name: (families.get(kind, kind), nullable == "YES")
        for name, kind, nullable in rows(
            "SELECT column_name, udt_name, is_nullable FROM information_schema.columns"
            " WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
            table,
        )
    }


def choices(table: str, column: str) -> list[str]:
    field = next((one for one in MODELS[table]._meta.concrete_fields if one.column == column), None)
    return [f"'{value}'" for value, _label in (getattr(field, "flatchoices", None) or [])]


def candidates(table: str, used: str) -> Iterator[dict[str, str]]:
    """Rows of plain values in which the columns that the expression names take every value."""
    options: dict[str, list[str]] = {}
    for name, (family, nullable) in columns(table).items():
        values = choices(table, name) + VALUES.get(family, ["NULL"])
        if not re.search(rf"\b{name}\b", used):
            values = ["NULL"] if nullable else values[:1]
        elif nullable:
            values = [*values, "NULL"]
        options[name] = list(dict.fromkeys(values))
    for tries, chosen in enumerate(product(*options.values())):
        if tries == TRIES:
            return
        yield dict(zip(options, chosen, strict=True))


def typed(table: str, row: dict[str, str]) -> str:
    kinds = dict(
        rows(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s",
            table,
        )
    )
    return ", ".join(f'({value})::{kinds[name]} AS "{name}"' for name, value in row.items())


def written_out(table: str, condition: str) -> str:
    """The condition with every generated column as what it is generated from."""
    for name, made_of in rows(
        "SELECT column_name, generation_expression FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'ALWAYS'",
        table,
    ):
        condition = re.sub(rf"\b{name}\b", f"({made_of})", condition)
    return condition


def row_where(table: str, condition: str) -> dict[str, str]:
    """A made-up row for which the condition is true."""
    condition = written_out(table, condition)
    found = list(candidates(table, condition))
    for start in range(0, len(found), 200):
        part = found[start : start + 200]
        union = " UNION ALL ".join(
            f"SELECT {number} AS candidate, {typed(table, row)}" for number, row in enumerate(part)
        )
        hit = rows(f"SELECT candidate FROM ({union}) {table} WHERE ({condition}) LIMIT 1")
        if hit:
            return part[hit[0][0]]
    raise AssertionError(f"no row of {table} found where {condition}")


def insert(table: str, row: dict[str, str]) -> str:
    names = ", ".join(f'"{name}"' for name in row)
    return (
        f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(row.values())})"
    )


def with_key(table: str, row: dict[str, str], number: int) -> dict[str, str]:
    key = MODELS[table]._meta.pk
    uuid = f"'00000000-0000-4000-8000-00000000000{number}'"
    return {**row, key.column: uuid if key.get_internal_type() == "UUIDField" else str(number)}


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def alone(table: str, name: str) -> None:
    """Set the table's other checks and keys aside, and every trigger asleep."""
    execute("SET LOCAL session_replication_role = replica", f"DELETE FROM {table}")
    execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey CASCADE")
    for other, (there, _kind, _holds) in constraints().items():
        if there == table and other != name:
            is_constraint = rows("SELECT 1 FROM pg_constraint WHERE conname = %s", other)
            execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {other} CASCADE"
                if is_constraint
                else f"DROP INDEX {other}"
            )


def sleep_all_but(table: str, trigger: str) -> None:
    execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    execute(f"ALTER TABLE {table} ENABLE TRIGGER {triggers()[trigger]}")


def refusal(*statements: str) -> str:
    """The name of what refused the last of the statements."""
    try:
        with transaction.atomic():
            execute(*statements)
    except DatabaseError as error:
        return str(error.__cause__.diag.constraint_name)  # type: ignore[union-attr]
    return "nothing"


# -- the attacks ----------------------------------------------------------------------


@pytest.mark.parametrize("name", listed("check"))
def test_a_row_that_breaks_a_check_is_refused(name: str) -> None:
    table, _kind, holds = constraints()[name]
    row = row_where(table, f"NOT ({holds})")
    alone(table, name)
    assert refusal(insert(table, row)) == name


@pytest.mark.parametrize("name", listed("unique"))
def test_a_second_row_with_the_same_key_is_refused(name: str) -> None:
    table, _kind, condition = constraints()[name]
    keys = ", ".join(
        one
        for (one,) in rows(
            "SELECT pg_get_indexdef(indexrelid, n, true) FROM pg_index,"
            " generate_series(1, indnkeyatts) n WHERE indexrelid = %s::regclass",
            name,
        )
    )
    filled = " AND ".join(f"({key}) IS NOT NULL" for key in keys.split(", "))
    row = row_where(table, f"({condition}) AND {filled}")
    alone(table, name)
    holds_key = MODELS[table]._meta.pk.column in keys.split(", ")
    execute(insert(table, with_key(table, row, 1)))
    assert refusal(insert(table, with_key(table, row, 1 if holds_key else 2))) == name


@pytest.mark.parametrize("name", [one for one in listed("trigger") if one.endswith("no_truncate")])
def test_a_kept_table_is_not_emptied(name: str) -> None:
    for table in MODELS:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    sleep_all_but(table_of(name), name)
    assert refusal(f"TRUNCATE {table_of(name)} CASCADE") == name


@pytest.mark.parametrize(
    "name", [one for one in listed("trigger") if one.endswith(("append_only", "no_delete"))]
)
def test_a_kept_row_is_not_deleted_or_edited(name: str) -> None:
    table = table_of(name)
    alone(table, name)
    row = next(candidates(table, ""))
    execute(insert(table, row), "SET LOCAL session_replication_role = origin")
    sleep_all_but(table, name)
    assert refusal(f"DELETE FROM {table}") == name
    if name.endswith("append_only"):
        for column in columns(table):
            assert refusal(f'UPDATE {table} SET "{column}" = "{column}"') == name, column


@pytest.mark.parametrize("label", sorted(set(TABLES) - FORGED_ELSEWHERE))
def test_no_step_beside_the_table(label: str) -> None:
    model = apps.get_model(label)
    table, steps = model._meta.db_table, TABLES[label]
    name = f"{steps.name}_steps"
    alone(table, name)
    plain = next(candidates(table, ""))
    states = [value.strip("'") for value in choices(table, "state")]
    assert set(states) == {*steps.steps, *(new for news in steps.steps.values() for new in news)}
    for number, state in enumerate(states, start=1):
        execute(insert(table, with_key(table, {**plain, "state": f"'{state}'"}, number)))
    execute("SET LOCAL session_replication_role = origin")
    sleep_all_but(table, name)
    born = with_key(table, plain, 9)
    for old, new in product(states, states):
        if new != old and not steps.allows(old, new):
            sql = f"UPDATE {table} SET state = '{new}' WHERE state = '{old}'"
            assert refusal(sql) == name, f"{old} > {new}"
    for state in set() if label in BORN_UNDER_MORE else set(states) - steps.initial:
        assert refusal(insert(table, {**born, "state": f"'{state}'"})) == name, state
