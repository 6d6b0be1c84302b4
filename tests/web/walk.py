"""Every URL and every form of the portal, found anew each time, so that a new one is walked too."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.forms import BaseForm
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern
from rest_framework.views import APIView

# What a parameter is filled with where no row is meant: nothing has these ids.
NOBODYS: dict[str, Any] = {
    "int": 987654321,
    "uuid": UUID("00000000-0000-4000-8000-000000000000"),
    "slug": "nothing",
    "str": "nothing",
    "path": "nothing",
}


def patterns(
    resolver: URLResolver | None = None, prefix: str = "", names: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, URLPattern]]:
    """Yield (name with namespaces, route, pattern) of every URL."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = (*names, entry.namespace) if entry.namespace else names
            yield from patterns(entry, route, inner)
        else:
            yield ":".join((*names, entry.name or route)), route, entry


def address(route: str, pattern: URLPattern) -> str:
    """A path that matches the pattern, with ids that belong to nobody."""
    if isinstance(pattern.pattern, RegexPattern):
        return "/admin/nothing/"
    path = route
    for kind, _name, text in _parameters(route):
        path = path.replace(text, str(NOBODYS.get(kind, "nothing")))
    return "/" + path


def _parameters(route: str) -> Iterator[tuple[str, str, str]]:
    for piece in route.split("<")[1:]:
        inside = piece.split(">")[0]
        kind, _colon, name = inside.rpartition(":")
        yield kind or "str", name, f"<{inside}>"


def is_endpoint(pattern: URLPattern) -> bool:
    """Whether it is called by programs, with a token: tests/api walks those."""
    return issubclass(getattr(pattern.callback, "cls", object), APIView)


def forms(kind: type = BaseForm) -> Iterator[type[BaseForm]]:
    """Every form, ours and the libraries': with the URLconf every view is there, and its forms."""
    get_resolver().url_patterns  # noqa: B018
    for form in kind.__subclasses__():
        if hasattr(form, "base_fields"):  # the libraries' bases have none
            yield form
        yield from forms(form)
