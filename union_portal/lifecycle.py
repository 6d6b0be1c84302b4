"""The only writer of a `state` column: compare-and-swap, one row or a set.

Every model with a lifecycle names its table of steps in `TABLES` (registered by the app
that owns it). A trigger made from the same table guards against everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from union_portal import audit
from union_portal.states import (
    APPEAL,
    DECISION,
    JOB,
    MESSAGE,
    NOTICE,
    OBJECTION,
    REPORT,
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
}

# Lifecycles of machinery: their moves would drown the log of what people did.
UNLOGGED = frozenset({"union_portal.job", "union_portal.message"})


class Stale(Exception):
    """Somebody else moved the row first, or it is not where this step starts."""


def register(label: str, table: Transitions) -> None:
    """Name the table of steps of a model (`app.model`, lower case)."""
    TABLES[label] = table


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
    for name, value in {"state": str(to), **changes}.items():
        setattr(subject, name, value)
    if label not in UNLOGGED:
        audit.record(
            f"{subject._meta.model_name}.{to}", subject, by=by, reason=reason, old=old, new=str(to)
        )


def advance_set(
    rows: QuerySet[Any],
    *,
    to: str,
    by: Account | audit.Machine,
    reason: str = "",
    **changes: Any,
) -> int:
    """Move every row of a set that stands where the step starts; one statement, one entry.

    Returns how many moved. The audit entry holds the count and a digest of the ids.
    """
    model = rows.model
    label = model._meta.label_lower
    sources = sorted(TABLES[label].sources(to))
    selected, parameters = (
        rows.filter(state__in=sources).order_by().values("pk").query.sql_with_params()
    )
    names = ["state", *changes]
    columns = [model._meta.get_field(name) for name in names]
    values = [str(to), *changes.values()]
    prepared = [
        column.get_db_prep_save(value, connection)
        for column, value in zip(columns, values, strict=True)
    ]
    sets = ", ".join(f'"{column.column}" = %s' for column in columns)
    marks = ", ".join(["%s"] * len(sources))
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'WITH moved AS (UPDATE "{table}" SET {sets} WHERE id IN ({selected})'  # noqa: S608
            f" AND state IN ({marks}) RETURNING id)"
            " SELECT count(*), encode(sha256(convert_to("
            "string_agg(id::text, ',' ORDER BY id), 'UTF8')), 'hex') FROM moved",
            [*prepared, *parameters, *sources],
        )
        count, digest = cursor.fetchone()
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
    return int(count)


def _shown(subject: models.Model, state: str) -> str:
    field = subject._meta.get_field("state")
    return str(dict(field.flatchoices).get(state, state))  # type: ignore[union-attr]
