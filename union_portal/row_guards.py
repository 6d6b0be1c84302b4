"""What triggers that guard rows have in common."""

from itertools import combinations

import pgtrigger
from django.db import models

from union_portal.models.audit import refuse_truncate
from union_portal.states import Transitions
from union_portal.triggers import Freeze, Trigger


def refusal(constraint: str, message: str) -> str:
    """One RAISE with a named constraint, as SQL."""
    table, _dot, _rest = constraint.partition("_")
    text = message.replace("'", "''")
    return (
        f"RAISE EXCEPTION '{text}' USING ERRCODE = 'check_violation', "
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


def four_eyes(table: str, *columns: str) -> list[models.CheckConstraint]:
    """No two of the columns may name one account."""
    return [
        models.CheckConstraint(
            condition=models.Q(**{f"{one}__isnull": True})
            | models.Q(**{f"{other}__isnull": True})
            | ~models.Q(**{one: models.F(other)}),
            name=f"{table}_{one}_not_{other}",
        )
        for one, other in combinations(columns, 2)
    ]
