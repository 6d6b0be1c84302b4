"""What the portal holds of a person, section by section: every app adds its own.

A copy of one's data (Personal Information Protection Law, art. 45) tells all of it. Lower apps
can't import higher ones, so each registers its sections here, and `members` asks them all. A
test compares the sections with the models: a new table about people is told, or named with the
reason why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from union_portal.fields import BlindIndexField, FenField
from union_portal.kit import money

Text = str | Promise


@dataclass(frozen=True)
class Entry:
    """One value: under its column's name for machines, under its label for people."""

    name: str
    label: str
    value: Any
    text: str


Row = list[Entry]


@dataclass(frozen=True)
class Section:
    """One kind of data. `rows(person_id)` are all there are; `tells` names their models."""

    key: str
    title: Text
    rows: Callable[[int], Iterable[Row]]
    tells: tuple[type[models.Model], ...]
    order: int = 50


_sections: dict[str, Section] = {}


def add(*sections: Section) -> None:
    """Register sections; the key of each is its name in the copy for machines."""
    _sections.update({section.key: section for section in sections})


def sections() -> list[Section]:
    """All of them, in the order in which they are told."""
    return sorted(_sections.values(), key=lambda section: (section.order, section.key))


def of_model(
    key: str,
    title: Text,
    model: type[models.Model],
    to_person: str | Callable[[int], models.Q],
    *,
    leave_out: Mapping[str, str] | None = None,
    labels: Mapping[str, Text] | None = None,
    words: Mapping[str, Callable[[Any], str]] | None = None,
    order: int = 50,
) -> Section:
    """A section of a model's rows, all columns of each.

    `to_person` is the look-up that leads from the row to the person, or a function that makes
    the condition. Keyed hashes are derived and say nothing; `leave_out` names other columns that
    are not told, each with its reason. For people, `labels` names the columns of other people's
    models, and `words` say what a column holds as a code or as JSON.
    """
    named, said = labels or {}, words or {}

    def rows(person: int) -> Iterator[Row]:
        condition = to_person(person) if callable(to_person) else models.Q(**{to_person: person})
        found = model._base_manager.filter(condition).select_related(*_joined(columns))
        for row in found.order_by("pk").iterator(chunk_size=500):
            yield [
                _entry(column, row, named.get(column.name), said.get(column.name))
                for column in columns
            ]

    left = {to_person, *(leave_out or {})}
    columns = [
        column
        for column in model._meta.concrete_fields
        if column.name not in left and not isinstance(column, BlindIndexField)
    ]
    return Section(key, title, rows, (model,), order)


def entry(name: str, label: Text, value: Any) -> Entry:
    """A value that stands in no column of its own."""
    return Entry(name, str(label), _plain(value), _text(value))


def _joined(columns: Iterable[Any]) -> list[str]:
    return [column.name for column in columns if column.is_relation]


def _entry(
    column: models.Field[Any, Any],
    row: models.Model,
    label: Text | None,
    words: Callable[[Any], str] | None,
) -> Entry:
    """Choices in words, other rows by their name, amounts in fen for machines."""
    value = getattr(row, column.name)
    label = str(label or column.verbose_name)
    if words is not None:
        return Entry(column.name, label, _plain(value), words(value) or "–")
    if column.choices:
        shown = str(getattr(row, f"get_{column.name}_display")())
        return Entry(column.name, label, value, shown or "–")
    if isinstance(column, FenField):
        text = "–" if value is None else money.shown(value)
        return Entry(column.name, label, value, text)
    if isinstance(value, models.Model):
        value = str(value)
    return Entry(column.name, label, _plain(value), _text(value))


def _plain(value: Any) -> Any:
    """As JSON knows it: days and instants in ISO 8601."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | bool | list | dict) or value is None:
        return value
    return str(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    return "–" if value is None or value == "" else str(value)
