"""The frame of a member's own page: every app adds its tasks, its services and its section.

The page itself belongs to `members`, which knows who the reader is; what a higher app has to
tell about a person it adds here, so that no lower app imports a higher one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString

Text = str | Promise


class Urgency(IntEnum):
    """What stands first. NOW: something stops or ends soon unless the member acts."""

    NOW = 1
    SOON = 2
    WHENEVER = 3


@dataclass(frozen=True)
class Task:
    """Something that waits for the member.

    `query(person_id)` finds the rows that wait; without any there is nothing to do. `text` and
    `link` get those rows: one sentence, one address to go to.
    """

    key: str
    query: Callable[[int], Iterable[Any]]
    text: Callable[[Sequence[Any]], str]
    link: Callable[[Sequence[Any]], str]
    urgency: Urgency = Urgency.SOON


@dataclass(frozen=True)
class Service:
    """Something that the member can do at any time: a tile of the page.

    `is_open(person_id)` says whether this one can; without it everybody can.
    """

    key: str
    title: Text
    text: Text
    link: Callable[[], str]
    order: int = 50
    is_open: Callable[[int], bool] | None = None


@dataclass(frozen=True)
class Section:
    """A part of the page: a template and what it needs, given the reader's person id."""

    template: str
    context: Callable[[HttpRequest, int], dict[str, Any]]
    order: int = 50


@dataclass(frozen=True)
class Waiting:
    """A task that has something to do, as the page shows it."""

    key: str
    text: str
    link: str
    urgency: Urgency

    @property
    def is_urgent(self) -> bool:
        return self.urgency == Urgency.NOW


_tasks: dict[str, Task] = {}
_services: dict[str, Service] = {}
_sections: list[Section] = []


def add_task(*tasks: Task) -> None:
    _tasks.update({task.key: task for task in tasks})


def add_service(*services: Service) -> None:
    _services.update({service.key: service for service in services})


def add_section(section: Section) -> None:
    _sections.append(section)


def waiting(person_id: int) -> list[Waiting]:
    """What waits for this person, the most urgent first; each task asks once."""
    found = [(task, rows) for task in _tasks.values() if (rows := list(task.query(person_id)))]
    shown = [Waiting(task.key, task.text(rows), task.link(rows), task.urgency)
             for task, rows in found]  # fmt: skip
    return sorted(shown, key=lambda one: (one.urgency, one.key))


def services(person_id: int) -> list[Service]:
    """What this person can do, in the order of the page."""
    can = [one for one in _services.values() if one.is_open is None or one.is_open(person_id)]
    return sorted(can, key=lambda service: (service.order, service.key))


def rendered(request: HttpRequest, person_id: int) -> list[SafeString]:
    """All sections for one person, in their order."""
    return [
        render_to_string(part.template, part.context(request, person_id), request=request)
        for part in sorted(_sections, key=lambda part: part.order)
    ]
