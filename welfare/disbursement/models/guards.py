"""What the engine's triggers have in common."""

import pgtrigger
from django.db import models

from union_portal.models.audit import refuse_truncate
from union_portal.states import Transitions
from union_portal.triggers import Freeze, Trigger


def refusal(constraint: str, message: str) -> str:
    """One RAISE with a named constraint, as SQL."""
    table, _dot, _rest = constraint.partition("_")
    return (
        f"RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation', "
        f"CONSTRAINT = '{constraint}', TABLE = '{table}';"
    )


def guard(condition: str, constraint: str, message: str) -> str:
    """Raise by name if the condition holds."""
    return f"IF {condition} THEN {refusal(constraint, message)} END IF;\n"


def frozen(name: str, columns: str, message: str, *, when: str = "true") -> Trigger:
    """Refuse an UPDATE that changes one of `columns` while `when` holds."""
    names = [column.strip() for column in columns.split(",")]
    new = ", ".join(f"NEW.{column}" for column in names)
    old = ", ".join(f"OLD.{column}" for column in names)
    return Freeze(
        columns=names if when == "true" else (),
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(f"({when}) AND ({new}) IS DISTINCT FROM ({old})"),
        func=refusal(name, message),
    )


def kept(name: str) -> list[Trigger]:
    """Refuse DELETE and TRUNCATE."""
    return [
        Trigger(
            name=f"{name}_no_delete",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            func=refusal(f"{name}_no_delete", f"{name}: history is never removed"),
        ),
        refuse_truncate(name),
    ]


def pairs(table: Transitions) -> str:
    """The steps of a table as a list of SQL texts `'old>new'`."""
    return ", ".join(
        f"'{old}>{new}'" for old in sorted(table.steps) for new in sorted(table.steps[old])
    )


class TransactionIdField(models.Field):
    """The 64-bit id of a transaction: the same inside savepoints, unlike `xmin`."""

    def db_type(self, connection: object) -> str:
        return "xid8"

    def get_internal_type(self) -> str:
        return "TransactionIdField"
