"""Whether every guard of the tables stands and is awake, as the models tell.

The owner of the tables can put a trigger to sleep, empty its function or drop a constraint: no
database prevents that of its owner. It is found out instead, here.
"""

from __future__ import annotations

from typing import Final

from django.apps import apps
from django.db import connection
from django.db.models import CheckConstraint, UniqueConstraint

from union_portal import privileges, row_security

# Guards that no model can tell.
BEYOND_MODELS: Final = {"payout_line_amount_of_entitlement"}


def fallen() -> list[str]:
    """A sentence for every guard that is missing, asleep or altered; none if all stand."""
    return [*_triggers(), *_constraints(), *privileges.differences(), *row_security.differences()]


def _triggers() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname, p.prosrc, obj_description(t.oid, 'pg_trigger') FROM pg_trigger t"
            " JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
        )
        there = {name: (source, digest) for name, source, digest in cursor.fetchall()}
        cursor.execute(
            "SELECT DISTINCT c.relname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgenabled IN ('D', 'R')"
        )
        faults = [f"triggers of {table} are asleep" for (table,) in cursor.fetchall()]
    for model in apps.get_models():
        for trigger in getattr(model._meta, "triggers", []):
            name = trigger.get_pgid(model)
            if name not in there:
                faults.append(f"the trigger {trigger.name} is missing")
                continue
            source, digest = there[name]
            is_ours = digest == trigger.compile(model).hash
            if not is_ours or _words(trigger.get_func(model)) not in _words(source):
                faults.append(f"the trigger {trigger.name} does something else")
    return faults


def _constraints() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE convalidated"
            " UNION SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
            " WHERE x.indisunique AND x.indisvalid"
        )
        there = {name for (name,) in cursor.fetchall()}
    told = {
        constraint.name
        for model in apps.get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint)
    }
    return [f"the constraint {name} is missing" for name in sorted((told | BEYOND_MODELS) - there)]


def _words(text: str) -> str:
    return " ".join(text.split())
