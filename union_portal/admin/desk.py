"""The front page of the staff site: what waits for me, and the figures of the day.

Every app registers its work queues, figures and charts here; each is shown to those who
hold its permission and counts only what lies within their reach. A queue is its rows: the
tile counts them and leads to their list, where `WaitsFilter` shows the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

from union_portal import access
from union_portal.access import Permission
from union_portal.admin.shown import list_url
from union_portal.kit.shares import thousandths
from union_portal.models import Account

Text = str | Promise


# What chooses a queue in the address of a list.
WAITS: Final = "waits"


@dataclass(frozen=True)
class Queue:
    """Work that waits for holders of a permission: rows of one model, each once.

    `key` names it in addresses for good. `rows` are asked for an account that holds the permission,
    and lie where it does, so that its list shows them all. `link` leads elsewhere where the work is
    not done on a list.
    """

    key: str
    title: Text
    permission: Permission
    model: type[Model]
    rows: Callable[[Account], QuerySet[Any]]
    icon: str = "inbox"
    link: Callable[[], str] | None = None

    def url(self) -> str:
        """Where the work is done: the list of exactly these rows, unless `link` says otherwise."""
        if self.link is not None:
            return self.link()
        return list_url(self.model, **{WAITS: self.key})


@dataclass(frozen=True)
class Figure:
    """A headline figure, already written for people."""

    title: Text
    permission: Permission
    value: Callable[[Account], str]
    note: Callable[[Account], str] = lambda account: ""


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: its share of the longest in per mille."""

    label: str
    text: str
    per_mille: int


@dataclass(frozen=True)
class Chart:
    title: Text
    permission: Permission
    bars: Callable[[Account], list[tuple[str, str, int]]]


@dataclass(frozen=True)
class Caution:
    """A sentence about something that will go wrong unless staff act; empty if nothing.

    `link` leads to where one acts, if the site has such a page.
    """

    permissions: tuple[Permission, ...]
    text: Callable[[Account], str]
    link: Callable[[], str] = lambda: ""


_queues: dict[str, Queue] = {}
_figures: list[Figure] = []
_charts: list[Chart] = []
_cautions: list[Caution] = []


def add_queue(*queues: Queue) -> None:
    """Raise ValueError for a key that another queue has."""
    for queue in queues:
        if queue.key in _queues:
            raise ValueError(f"two queues are called {queue.key!r}")
        _queues[queue.key] = queue


def add_figure(*figures: Figure) -> None:
    _figures.extend(figures)


def add_chart(*charts: Chart) -> None:
    _charts.extend(charts)


def add_caution(*cautions: Caution) -> None:
    _cautions.extend(cautions)


def queues() -> list[Queue]:
    return list(_queues.values())


def queues_for(account: Account) -> list[Queue]:
    """The work that this account may do somewhere."""
    return [queue for queue in queues() if access.may(account, queue.permission)]


def waiting(account: Account) -> list[dict[str, Any]]:
    """The account's work queues, those with work first."""
    tiles = [
        {"title": q.title, "icon": q.icon, "link": q.url(), "count": q.rows(account).count()}
        for q in queues_for(account)
    ]
    return sorted(tiles, key=lambda tile: tile["count"] == 0)


def front(request: HttpRequest) -> dict[str, Any]:
    """What the front page shows to this reader."""
    account: Account = request.user  # type: ignore[assignment]
    queues = waiting(account)
    cautions = [
        {"text": text, "link": caution.link()}
        for caution in _cautions
        if any(access.may(account, permission) for permission in caution.permissions)
        and (text := caution.text(account))
    ]
    return {
        "waiting": queues,
        "waits_for_nothing": not cautions and not any(row["count"] for row in queues),
        "figures": [
            {"title": f.title, "value": f.value(account), "note": f.note(account)}
            for f in _figures
            if access.may(account, f.permission)
        ],
        "charts": [
            {"title": chart.title, "bars": scaled(chart.bars(account))}
            for chart in _charts
            if access.may(account, chart.permission)
        ],
        "cautions": cautions,
        "my_roles": account.roles.select_related("organization"),
    }


def scaled(rows: list[tuple[str, str, int]]) -> list[Bar]:
    """Bars relative to the longest; an empty chart stays empty."""
    longest = max((value for _label, _text, value in rows), default=0)
    return [Bar(label, text, thousandths(value, longest)) for label, text, value in rows]
