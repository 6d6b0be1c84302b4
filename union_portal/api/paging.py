"""Long lists in pages that stay in order while rows come in; nothing is counted.

A page begins behind the last row of the one before, by everything that the list is sorted by; so
none is shown twice and none is left out, whatever is equal and whatever comes in. A cursor is
signed: it names a place in one order, and whoever writes one of their own is refused before it
comes near the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from union_portal.api.problems import Problem

SALT: Final = "union_portal.api.cursor"
NAME: Final = "cursor"
USUAL: Final = 50


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and the addresses of those around them."""

    rows: list[Any]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class _Place:
    """Behind a row of the list, or before it, where the page is read backwards."""

    values: list[Any]
    is_backwards: bool


def page(request: Request, rows: QuerySet[Any], order: tuple[str, ...], limit: int = USUAL) -> Page:
    """The page that the request asks for.

    `order` is written as for `order_by`; none of it is null, and the last one is unique.
    Errors: Problem for a cursor that is not of this list.
    """
    place = _read(request, order)
    is_backwards = place is not None and place.is_backwards
    sorted_by = _turned(order) if is_backwards else order
    if place is not None:
        rows = rows.filter(_behind(place.values, sorted_by))
    found = list(rows.order_by(*sorted_by)[: limit + 1])
    is_more, found = len(found) > limit, found[:limit]
    if is_backwards:
        found.reverse()
    comes_after = is_more or is_backwards
    came_before = is_more if is_backwards else place is not None
    return Page(
        found,
        _link(request, order, found[-1], is_backwards=False) if found and comes_after else None,
        _link(request, order, found[0], is_backwards=True) if found and came_before else None,
    )


def _behind(values: list[Any], order: tuple[str, ...]) -> Q:
    """Rows behind these values: the first that differs decides."""
    condition, equal = Q(pk__in=[]), Q()
    for name, value in zip(order, values, strict=True):
        column = name.lstrip("-")
        behind = "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{column}__{behind}": value})
        equal &= Q(**{column: value})
    return condition


def _turned(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _read(request: Request, order: tuple[str, ...]) -> _Place | None:
    signed = request.query_params.get(NAME)
    if signed is None:
        return None
    try:
        is_backwards, *values = _signer(order).unsign_object(signed)
    except (signing.BadSignature, ValueError):
        raise Problem(
            422,
            "cursor",
            _("This cursor is of no page of this list."),
            _("Begin without one, and follow “next”."),
        ) from None
    return _Place(values, bool(is_backwards))


def _link(request: Request, order: tuple[str, ...], row: Any, *, is_backwards: bool) -> str:
    """The address of the page behind the row, or before it."""
    values = [_plain(getattr(row, name.lstrip("-"))) for name in order]
    signed = _signer(order).sign_object([int(is_backwards), *values])
    return str(replace_query_param(request.build_absolute_uri(), NAME, signed))


def _plain(value: Any) -> Any:
    """As JSON holds it, to the microsecond."""
    return value.isoformat() if isinstance(value, date) else value


def _signer(order: tuple[str, ...]) -> signing.Signer:
    return signing.Signer(salt=f"{SALT} {' '.join(order)}")
