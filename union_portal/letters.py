"""Letters to people whom no phone reaches: one sheet each, printed as one PDF (X13)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from union_portal import papers
from union_portal.kit.pdf_assembly import Printed

LANGUAGE = "zh-hans"
PER_SECTION = 100


@dataclass(frozen=True)
class Letter:
    """What goes onto one sheet; `address` may have several lines."""

    name: str
    address: str
    text: str
    reference: str
    written_on: date


def print_letters(
    letters: Iterable[Letter],
    out: Path,
    *,
    folder: Path,
    made_at: str,
    witness: str,
    phone: str = "",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Printed | None:
    """Print letters in Chinese into `out`; None when there is none.

    `folder` holds the sections on the way; `witness` is the head of the audit log. Errors: see
    `Assembly.print`.
    """
    paper = papers.begin(folder, style="reports/letter.css")
    waiting = iter(letters)
    with override(LANGUAGE):
        while run := list(islice(waiting, PER_SECTION)):
            html = "".join(_sheet(letter, phone, witness) for letter in run)
            marks = [(letter.name, page, 0) for page, letter in enumerate(run)]
            paper.add("letters", html, len(run), marks, is_guess=True)
        details = papers.details(_("Letters"), made_at=made_at)
    if not paper.sections:
        return None
    return paper.print(out, details=details, progress=progress)


def _sheet(letter: Letter, phone: str, witness: str) -> str:
    day = letter.written_on
    return render_to_string(
        "reports/letter.html",
        {
            "letter": letter,
            "office": settings.PORTAL_OFFICE,
            "phone": phone,
            "witness": witness,
            "day": f"{day.year}年{day.month}月{day.day}日",
        },
    )
