"""Triggers that no session setting switches off."""

from collections.abc import Iterable
from typing import Any

import pgtrigger
from django.db import models
from pgtrigger import compiler


class GuardSql(compiler.UpsertTriggerSql):
    """Installs a trigger without pgtrigger's `ignore` door.

    pgtrigger's own template lets any SQL client silence a trigger with
    `SET pgtrigger.ignore`; a guard that must hold against raw SQL has no such door.
    Migrations refer to this class: the template stays as it is.
    """

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}()
            RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class Trigger(pgtrigger.Trigger):
    """`pgtrigger.Trigger` for rules that hold against raw SQL too."""

    def compile(self, model: type[models.Model]) -> compiler.Trigger:
        plain = super().compile(model)
        written: dict[str, Any] = dict(plain.sql.kwargs)
        written.pop("ignore_func_name", None)
        return compiler.Trigger(name=self.name, sql=GuardSql(**written))

    def render_condition(self, model: type[models.Model]) -> str:
        """Always in brackets: a condition may itself begin with a row in brackets."""
        condition = self.get_condition(model)
        return f"WHEN ({condition.resolve(model).strip()})" if condition else ""


class Freeze(Trigger):
    """A trigger that keeps some columns of a row as they were born, or all but some.

    What it says of itself is believed by `history`, which digests what is frozen.
    """

    def __init__(
        self, *, columns: Iterable[str] = (), all_but: Iterable[str] | None = None, **given: Any
    ) -> None:
        self._columns, self._all_but = frozenset(columns), all_but and frozenset(all_but)
        super().__init__(**given)

    def freezes(self, column: str) -> bool:
        if self._all_but is not None:
            return column not in self._all_but
        return column in self._columns
