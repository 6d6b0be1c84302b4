"""The only writer of a `state` column: compare-and-swap, one row or a set.

Every model with a lifecycle names its table of steps in `TABLES` (registered by the app
that owns it). A trigger made from the same table guards against everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from union_portal import audit
from union_portal.kit.refusals import Refused
from union_portal.states import (
    ACCOUNT_REVIEW,
    APPEAL,
    DECISION,
    FACTOR_RESET,
    JOB,
    MESSAGE,
    NOTICE,
    OBJECTION,
    REPORT,
    REVIEWED_ROLE,
    Transitions,
)

if TYPE_CHECKING:
    from union_portal.models import Account

TABLES: dict[str, Transitions] = {
    "union_portal.decision": DECISION,
    "union_portal.notice": NOTICE,
    "union_portal.objection": OBJECTION,
    "union_portal.appeal": APPEAL,
    "union_portal.job": JOB,
    "union_portal.reportrun": REPORT,
    "union_portal.message": MESSAGE,
    "union_portal.factorreset": FACTOR_RESET,
    "union_portal.accountreview": ACCOUNT_REVIEW,
    "union_portal.reviewedrole": REVIEWED_ROLE,
}

# Lifecycles of machinery: their moves would drown the log of what people did.
UNLOGGED = frozenset({"union_portal.job", "union_portal.message"})


class Stale(Refused):
    """Somebody else moved the row first, or it is not where this step starts."""


def register(label: str, table: Transitions) -> None:
    """Name the table of steps of a model (`app.model`, lower case)."""
    TABLES[label] = table


@transaction.atomic
def advance(
    subject: models.Model,
    *,
    to: str,
    by: Account | audit.Machine,
    reason: str = "",
    guard: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Move one row from the state it was read in; write `changes` with it.

    `guard` adds conditions such as a fence. Raises Stale if the row has moved meanwhile or
    the step is not in its table; the row object is left as it was then.
    """
    label = subject._meta.label_lower
    old = str(subject.state)  # type: ignore[attr-defined]
    if not TABLES[label].allows(old, to):
        raise Stale(
            _("%(what)s is “%(old)s”: it can't become “%(new)s” now. Reload the page.")
            % {"what": subject, "old": _shown(subject, old), "new": _shown(subject, to)}
        )
    manager = type(subject)._base_manager
    moved = manager.filter(pk=subject.pk, state=old, **(guard or {})).update(
        state=str(to), **changes
    )
    if moved != 1:
        raise Stale(
            _("%(what)s was changed by somebody else a moment ago. Reload the page.")
            % {"what": subject}
        )
    if label not in UNLOGGED:
        audit.record(
            f"{subject._meta.model_name}.{to}", subject, by=by, reason=reason, old=old, new=str(to)
        )
    for name, value in {"state": str(to), **changes}.items():
        setattr(subject, name, value)


@transaction.atomic
def advance_set(
    rows: QuerySet[Any, Any],
    *,
    to: str,
    by: Account | audit.Machine,
    reason: str = "",
    **changes: Any,
) -> int:
    """Move every row of a set that stands where the step starts; one statement, one entry.

    The rows are locked in the order of their keys, and a row that left the set while we
    waited for its lock stays where it is. Returns how many moved. The audit entry holds the
    count and a digest of the ids.
    """
    model = rows.model
    label = model._meta.label_lower
    sources = sorted(TABLES[label].sources(to))
    if not sources:
        raise ValueError(f"no step of {label} leads to {to}")
    try:
        count, digest = _move(
            _lockable(rows).filter(state__in=sources), {"state": str(to), **changes}
        )
    except EmptyResultSet:
        return 0
    if count and label not in UNLOGGED:
        audit.record_ref(
            f"{model._meta.model_name}.{to}",
            label,
            "set",
            by=by,
            reason=reason,
            count=count,
            ids_sha256=digest,
            new=str(to),
        )
    return count


def _move(rows: QuerySet[Any, Any], changes: dict[str, Any]) -> tuple[int, str | None]:
    """Write the changes to the rows; how many there were, and a digest of their ids."""
    model = rows.model
    table, key = model._meta.db_table, model._meta.pk.column
    selected, parameters = rows.order_by("pk").values("pk").query.sql_with_params()
    sets, values = _assignments(model, changes)
    with connection.cursor() as cursor:
        cursor.execute(
            f'WITH chosen ("{key}") AS ({selected} FOR UPDATE OF "{table}"),'  # noqa: S608
            f' moved AS (UPDATE "{table}" SET {sets} FROM chosen'
            f' WHERE "{table}"."{key}" = chosen."{key}" RETURNING "{table}"."{key}" AS id)'
            " SELECT count(*), encode(sha256(convert_to("
            "string_agg(id::text, ',' ORDER BY id), 'UTF8')), 'hex') FROM moved",
            [*parameters, *values],
        )
        count, digest = cursor.fetchone()
    return int(count), digest


def _lockable(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """The same rows in a form that PostgreSQL can lock."""
    query = rows.query
    if query.distinct or query.group_by or query.combinator or query.is_sliced:
        return rows.model._base_manager.filter(pk__in=rows.values("pk"))
    return rows


def _assignments(model: type[models.Model], changes: dict[str, Any]) -> tuple[str, list[Any]]:
    query = models.sql.UpdateQuery(model)
    compiler = query.get_compiler(connection=connection)
    parts: list[str] = []
    values: list[Any] = []
    for name, value in changes.items():
        column = cast("models.Field[Any, Any]", model._meta.get_field(name))
        if hasattr(value, "resolve_expression"):
            resolved = value.resolve_expression(query, allow_joins=False, for_save=True)
            sql, parameters = compiler.compile(resolved)
        else:
            sql, parameters = "%s", [column.get_db_prep_save(value, connection)]
        parts.append(f'"{column.column}" = {sql}')
        values.extend(parameters)
    return ", ".join(parts), values


def _shown(subject: models.Model, state: str) -> str:
    field = subject._meta.get_field("state")
    return str(dict(field.flatchoices).get(state, state))  # type: ignore[union-attr]
