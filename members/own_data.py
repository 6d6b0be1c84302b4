"""A copy of one's own data, written from the sections that every app adds (`my_data`)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from members.models import Person
from union_portal import my_data, papers
from union_portal.kit.pdf_assembly import Printed
from union_portal.my_data import Row, Section

FORMAT: Final = "union-portal-my-data/1"
ROWS_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Part:
    """Some rows of a section; `is_further` after its first."""

    section: Section
    rows: list[Row]
    is_further: bool


def write_json(person: Person, out: Path, *, made_at: datetime, witness: str) -> str:
    """Write the copy for machines; the digest of its bytes. Keys are names of columns."""
    told: dict[str, Any] = {
        "format": FORMAT,
        "made_at": timezone.localtime(made_at).isoformat(),
        "made_by": settings.PORTAL_OFFICE,
        "witness": witness,
        "sections": [
            {
                "key": section.key,
                "title": str(section.title),
                "rows": [
                    {entry.name: entry.value for entry in row} for row in section.rows(person.pk)
                ],
            }
            for section in my_data.sections()
        ],
    }
    content = json.dumps(told, ensure_ascii=False, indent=2).encode()
    out.write_bytes(content)
    return sha256(content).hexdigest()


def print_copy(
    person: Person,
    out: Path,
    *,
    folder: Path,
    made_at: datetime,
    witness: str,
    progress: Callable[[int, int], None],
) -> Printed:
    """Print the copy for people. `folder` holds its sections on the way; errors: see Assembly."""
    paper = papers.begin(folder, style="reports/my_data.css", furniture=_furniture)
    counts: dict[str, int] = {}
    for group in _groups(person, counts):
        html = render_to_string("reports/my_data_section.html", {"parts": group})
        paper.add("section", html, 1, [(str(group[0].section.title), 0, 0)], is_guess=True)
    front = render_to_string(
        "reports/my_data_front.html",
        {
            "person": person,
            "office": settings.PORTAL_OFFICE,
            "day": f"{timezone.localtime(made_at):%Y-%m-%d %H:%M}",
            "witness": witness,
            "listed": [(section.title, counts[section.key]) for section in my_data.sections()],
        },
    )
    marks = [(_("Copy of my data"), 0, 0)]
    paper.add("front", front, 1, marks, is_guess=True, is_first=True)
    details = papers.details(_("Copy of my data"), made_at=made_at.isoformat())
    return paper.print(out, details=details, progress=progress)


def _groups(person: Person, counts: dict[str, int]) -> Iterator[list[Part]]:
    """What is printed together: parts of some hundred rows in all; `counts` is filled on the way.

    Sections without rows are told of on the front page alone.
    """
    group: list[Part] = []
    held = 0
    for section in my_data.sections():
        counts[section.key] = 0
        rows = iter(section.rows(person.pk))
        while run := list(islice(rows, ROWS_AT_ONCE)):
            group.append(Part(section, run, is_further=counts[section.key] > 0))
            counts[section.key] += len(run)
            held += len(run)
            if held >= ROWS_AT_ONCE:
                yield group
                group, held = [], 0
    if group:
        yield group


def _furniture(first: int, total: int) -> str:
    page = _("Page")
    return (
        f'@page{{@bottom-center{{content:"{page} " counter(page) " / {total}";font-size:8pt}}}}'
        f"@page:first{{counter-reset:page {first}}}"
    )
