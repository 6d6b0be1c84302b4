"""The ways in which a row comes to be somebody's to see, each as a condition in SQL.

A way is written once in `union_portal/shown_to.py` and compiled for the table it stands at. The
database judges by the account's own roles, as they stand in its tables today: `portal_reach` and
its sisters (migration 0007) read them as the owner. They are asked once per statement, not once
per row: what does not depend on the row stands in a sub-query of its own.
"""

# The SQL below is made of names of our models and words of our own.
# ruff: noqa: S608

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from django.db import models

from union_portal import access
from union_portal.access import Permission
from union_portal.readers import SETTING, Door

Model = type[models.Model]

_ACCOUNT: Final = (
    f"(SELECT nullif(split_part(current_setting('{SETTING}', true), ' ', 1), '')::bigint)"
)
_DOORS: Final = f"string_to_array(split_part(current_setting('{SETTING}', true), ' ', 2), ',')"
_PERSON: Final = "(SELECT portal_person())"


class Way(Protocol):
    """One reason to be shown a row."""

    @property
    def is_reading(self) -> bool:
        """Whether it shows the row only, and lets nobody write it."""

    def sql(self, model: Model) -> str:
        """The condition on a row of the model's table."""


@dataclass(frozen=True)
class Within:
    """Staff who hold one of the permissions for the union that `path` leads to.

    Whoever holds one for the federation sees every row, those without a union too.
    """

    path: str
    permissions: tuple[Permission, ...]
    is_reading: bool = False

    def sql(self, model: Model) -> str:
        roles, steps = _roles(self.permissions), self.path.split("__")
        reached = f"(SELECT portal_reach({roles}))"
        # IN asks once for all rows, except within EXISTS: joined there, it would ask for each.
        among = f"IN {reached}" if len(steps) == 1 else f"= ANY (ARRAY{reached})"
        leads = _led(model, steps, lambda column: f"{column} {among}")
        return f"(SELECT portal_whole({roles})) OR {leads}"


@dataclass(frozen=True)
class Whole:
    """Staff who hold one of the permissions for the federation."""

    permissions: tuple[Permission, ...]
    is_reading: bool = False

    def sql(self, model: Model) -> str:
        return f"(SELECT portal_whole({_roles(self.permissions)}))"


@dataclass(frozen=True)
class Own:
    """The account that `path` leads to."""

    path: str
    is_reading: bool = False

    def sql(self, model: Model) -> str:
        steps = self.path.split("__")
        if steps[-2:] == ["person", "account"]:
            return _led(model, steps[:-1], lambda column: f"{column} = {_PERSON}")
        return _led(model, steps, lambda column: f"{column} = {_ACCOUNT}")


@dataclass(frozen=True)
class Following:
    """Whoever is shown the row that this one hangs on."""

    field: str
    is_reading: bool = False

    def sql(self, model: Model) -> str:
        column, parent = _step(model, self.field)
        return f'EXISTS (SELECT 1 FROM "{_table(parent)}" a WHERE a."{_key(parent)}" = {column})'


@dataclass(frozen=True)
class Matching:
    """Rows that a condition of our own words fits; `{account}`, `{person}`: the reader's."""

    condition: str
    is_reading: bool = False

    def sql(self, model: Model) -> str:
        return self.condition.format(account=_ACCOUNT, person=_PERSON)


@dataclass(frozen=True)
class Only:
    """Another way, for some rows alone."""

    condition: str
    way: Way

    @property
    def is_reading(self) -> bool:
        return self.way.is_reading

    def sql(self, model: Model) -> str:
        return f"{self.condition} AND ({self.way.sql(model)})"


@dataclass(frozen=True)
class Through:
    """A door that stands open, for the rows that the condition fits."""

    door: Door
    condition: str = "true"
    is_reading: bool = True

    def sql(self, model: Model) -> str:
        return f"(SELECT {_DOORS} && ARRAY['{self.door}']) AND ({self.condition})"


def concerns(function: str, permissions: tuple[Permission, ...]) -> Matching:
    """A function of ours, asked for a single row: it looks at rows that hang on it."""
    return Matching(f"{function}(id, {_roles(permissions)})", is_reading=True)


def listed(function: str, permissions: tuple[Permission, ...], column: str = "id") -> Matching:
    """Rows whose numbers a function of ours lists: it looks at rows that hang on them."""
    return Matching(f"{column} IN (SELECT {function}({_roles(permissions)}))", is_reading=True)


def within_paths(column: str, *permissions: Permission) -> Matching:
    """Staff who hold one of the permissions for the union whose path stands in the row."""
    return Matching(f"{column} IN (SELECT portal_paths({_roles(permissions)}))")


ACCOUNTS: Final = Matching("{account} IS NOT NULL")


def _roles(permissions: tuple[Permission, ...]) -> str:
    held = {role.value for one in permissions for role in access.roles_with(one)}
    return "ARRAY[" + ", ".join(f"'{role}'" for role in sorted(held)) + "]"


def _led(model: Model, steps: list[str], judged: Any, alias: str = "") -> str:
    """Follow foreign keys from the row; judge the column that the last one stands in."""
    column, parent = _step(model, steps[0], alias)
    if len(steps) == 1:
        return str(judged(column))
    name = f"a{len(steps)}"
    rest = _led(parent, steps[1:], judged, name)
    return (
        f'EXISTS (SELECT 1 FROM "{_table(parent)}" {name}'
        f' WHERE {name}."{_key(parent)}" = {column} AND {rest})'
    )


def _step(model: Model, name: str, alias: str = "") -> tuple[str, Model]:
    field = cast("models.ForeignKey[Any, Any]", model._meta.get_field(name))
    here = alias or f'"{_table(model)}"'
    return f'{here}."{field.column}"', field.related_model


def _table(model: Model) -> str:
    return model._meta.db_table


def _key(model: Model) -> str:
    return str(model._meta.pk.column)
