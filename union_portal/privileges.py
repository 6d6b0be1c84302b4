"""What the roles of the database may: one rule, derived from the models, and applied by `migrate`.

Three roles. The owner of the tables migrates and does nothing else. `union_web` serves pages and
`union_worker` carries out tasks and commands; neither owns anything, and what they may is told
here. A new table is covered by its model: kept history (triggers `*_append_only`, `*_no_delete`)
can't be changed or deleted, nobody empties a table, and a table without a model is closed.

Trigger functions judge as the owner, by all rows rather than by those that the caller sees, with
a fixed search path. Nobody else may bind them to a table of his own making.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db import connection, models, transaction

WEB: Final = "union_web"
WORKER: Final = "union_worker"
APPLICATION: Final = (WEB, WORKER)
EVERY: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
SEARCH_PATH: Final = "search_path=public, pg_temp"

HOW_TO_MAKE_ROLES: Final = (
    "The database server knows no {0}: web and workers can only connect as the owner of the "
    "tables, which the portal should not. Make the roles (docs/runbook.md, “Roles of the "
    "database”), then run: manage.py grant_roles"
)

# Tables that no model stands for.
UNMODELLED: Final = {
    "union_portal_cache": EVERY,
    "django_migrations": frozenset({"SELECT"}),
}
# Rows that a trigger alone changes after their birth: the ledger's balances.
BY_TRIGGER: Final = frozenset({"disbursement.ledgeraccount"})
# What a page never writes: the chain of the audit log.
WORKERS_ALONE: Final = frozenset({"union_portal.auditblock"})
# What a page does not even read: rows on their way in, which its view shows by import.
CLOSED_TO_PAGES: Final = frozenset({"members.stagedperson"})
# Single columns of kept rows that are written once, later than the row.
WRITTEN_LATER: Final = {"union_portal.auditentry": {WORKER: ("block",)}}
# Functions that our statements call by name; all others are called by triggers alone.
CALLED: Final = frozenset(
    {"disbursement_batch_content", "disbursement_batch_fault"}
    # asked by the policies of row security
    | {"portal_reach", "portal_whole", "portal_paths", "portal_person", "awards_honoured"}
    | {"portal_merged"}
    | {"awards_people", "awards_own_cases", "disbursement_people"}
    | {"members_moving", "members_moving_memberships", "portal_merchant"}
    | {"disbursement_fund_concerns", "disbursement_batch_concerns"}
    # narrow looks past it
    | {"members_named", "members_spelled", "memberships_named", "memberships_spelled"}
    | {"members_sharers", "members_shown_runs"}
    # the planner told of new rows, which the owner alone may otherwise
    | {"portal_analyse"}
)


# It is asked from a view that reads as the owner, and answers by what its caller is shown.
AS_CALLER: Final = frozenset({"members_shown_runs"})


class Grant(NamedTuple):
    """One privilege of one role on one thing."""

    role: str
    thing: str
    privilege: str
    column: str = ""


def differences() -> list[str]:
    """Where the database differs from the rule, a sentence each; none if it holds."""
    wanted, there = set(_wanted()), set(_granted())
    faults = [f"missing: {_said(one)}" for one in sorted(wanted - there)]
    faults += [f"too much: {_said(one)}" for one in sorted(there - wanted)]
    return faults + [f"judges as its caller: {name}" for name, _is_ours in _functions(closed=False)]


def missing_roles() -> list[str]:
    """Roles of the application that the server does not know."""
    known = {name for (name,) in _rows("SELECT rolname FROM pg_roles")}
    return [role for role in APPLICATION if role not in known]


@transaction.atomic
def apply() -> int:
    """Bring the database in line with the rule, as the owner; how much had to be changed."""
    wanted, there = set(_wanted()), set(_granted())
    changed = {(one.thing, _kind(one)) for one in wanted ^ there}
    with connection.cursor() as cursor:
        everybody = ", ".join(("PUBLIC", *APPLICATION))
        for thing, kind in sorted(changed):
            cursor.execute(f"REVOKE ALL ON {kind} {thing} FROM {everybody}")
            for one in sorted(wanted):
                if (one.thing, _kind(one)) == (thing, kind):
                    column = f' ("{one.column}")' if one.column else ""
                    cursor.execute(f"GRANT {one.privilege}{column} ON {kind} {thing} TO {one.role}")
        open_ones = list(_functions(closed=False))
        for name, _is_called in open_ones:
            cursor.execute(f"ALTER FUNCTION {name} SECURITY DEFINER SET {SEARCH_PATH}")
    return len(changed) + len(open_ones)


def of_model(model: type[models.Model], role: str) -> frozenset[str]:
    """Privileges on the whole table of a model."""
    label = model._meta.label_lower
    if role == WEB and label in CLOSED_TO_PAGES:
        return frozenset()
    if not model._meta.managed or (role == WEB and label in WORKERS_ALONE):
        return frozenset({"SELECT"})
    guards = [trigger.name for trigger in getattr(model._meta, "triggers", [])]
    refused = set()
    if label in BY_TRIGGER or any(name.endswith("_append_only") for name in guards):
        refused |= {"UPDATE", "DELETE"}
    if any(name.endswith("_no_delete") for name in guards):
        refused.add("DELETE")
    return EVERY - refused


def _wanted() -> Iterator[Grant]:
    by_table = {
        model._meta.db_table: model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
    }
    for kind, name in _things():
        for role in APPLICATION:
            model = by_table.get(name)
            rights = UNMODELLED.get(name, frozenset()) if model is None else of_model(model, role)
            if kind == "S":
                rights = frozenset({"USAGE"})
            yield from (Grant(role, name, right) for right in rights)
            if model is not None:
                columns = WRITTEN_LATER.get(model._meta.label_lower, {}).get(role, ())
                yield from (Grant(role, name, "UPDATE", column) for column in columns)
    for name, is_called in _functions():
        if is_called:
            yield from (Grant(role, name, "EXECUTE") for role in APPLICATION)
    yield from (Grant(role, "public", "USAGE") for role in APPLICATION)
    yield from (Grant(role, _database(), "CONNECT") for role in APPLICATION)


def _granted() -> Iterator[Grant]:
    """What everybody and the roles of the application hold now."""
    for role, thing, privilege, column in _rows(
        """
        WITH held AS (
            SELECT c.relname::text AS thing, c.relowner AS owner, '' AS col,
                   coalesce(c.relacl, acldefault(
                       CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) AS acl
            FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
              AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
            UNION ALL
            SELECT c.relname, c.relowner, a.attname, a.attacl FROM pg_attribute a
            JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'public'::regnamespace AND a.attacl IS NOT NULL
            UNION ALL
            SELECT p.oid::regprocedure::text, p.proowner, '',
                   coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc p
            WHERE p.pronamespace = 'public'::regnamespace
              AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
            UNION ALL
            SELECT 'public', nspowner, '', coalesce(nspacl, acldefault('n', nspowner))
            FROM pg_namespace WHERE nspname = 'public'
            UNION ALL
            SELECT %s, datdba, '', coalesce(datacl, acldefault('d', datdba))
            FROM pg_database WHERE datname = current_database()
        )
        SELECT coalesce(r.rolname, 'PUBLIC'), held.thing, x.privilege_type, held.col
        FROM held CROSS JOIN LATERAL aclexplode(held.acl) x
        LEFT JOIN pg_roles r ON r.oid = x.grantee
        WHERE x.grantee <> held.owner AND (x.grantee = 0 OR r.rolname = ANY (%s))
        """,
        [_database(), list(APPLICATION)],
    ):
        yield Grant(role, thing, privilege, column)


def _things() -> list[tuple[str, str]]:
    """Tables, views and sequences, each with its kind."""
    return _rows(
        "SELECT relkind, relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT EXISTS"
        " (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
    )


def _functions(*, closed: bool | None = None) -> list[tuple[str, bool]]:
    """Our functions and whether statements call them; `closed=False`: those open to a caller."""
    fixed = (
        "p.prosecdef IS DISTINCT FROM p.proname = ANY (%s)"
        " AND coalesce(%s = ANY (p.proconfig), false)"
    )
    found = _rows(
        f"SELECT p.oid::regprocedure::text, p.proname = ANY (%s), {fixed} FROM pg_proc p"  # noqa: S608
        " WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS"
        " (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
        [sorted(CALLED), sorted(AS_CALLER), SEARCH_PATH],
    )
    return [(name, called) for name, called, is_closed in found if closed in (None, is_closed)]


def _kind(one: Grant) -> str:
    if one.privilege == "EXECUTE":
        return "FUNCTION"
    if one.thing == "public":
        return "SCHEMA"
    if one.thing == _database():
        return "DATABASE"
    return "SEQUENCE" if one.privilege == "USAGE" else "TABLE"


def _database() -> str:
    return f'"{connection.settings_dict["NAME"]}"'


def _said(one: Grant) -> str:
    column = f" ({one.column})" if one.column else ""
    return f"{one.privilege}{column} on {one.thing} for {one.role}"


def _rows(sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return list(cursor.fetchall())
