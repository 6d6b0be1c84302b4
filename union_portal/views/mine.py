"""The frame of a member's own page: every app adds its section.

The page itself belongs to `members`, which knows who the reader is; what a higher app has to
tell about a person it adds here, so that no lower app imports a higher one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Section:
    """A part of the page: a template and what it needs, given the reader's person id."""

    template: str
    context: Callable[[HttpRequest, int], dict[str, Any]]
    order: int = 50


_sections: list[Section] = []


def add_section(section: Section) -> None:
    _sections.append(section)


def rendered(request: HttpRequest, person_id: int) -> list[SafeString]:
    """All sections for one person, in their order."""
    return [
        render_to_string(part.template, part.context(request, person_id), request=request)
        for part in sorted(_sections, key=lambda part: part.order)
    ]
