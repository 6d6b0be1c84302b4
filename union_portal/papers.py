"""The office's papers: sections of HTML, one style sheet, printed as one PDF."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string

from union_portal import queue, reports
from union_portal.kit.pdf_assembly import Assembly
from union_portal.kit.pdf_join import Details
from union_portal.models import ReportRun


def begin(
    folder: Path,
    *,
    style: str,
    furniture: Callable[[int, int], str] = lambda first, total: "",
    is_tagged: bool = True,
) -> Assembly:
    """A paper without a section yet; `folder` holds them on the way.

    `style` is the template of its style sheet; for `furniture` see `Assembly`.
    """
    return Assembly(
        folder,
        cache_dir=settings.VAR_DIR / "fontconfig",
        style=render_to_string(style),
        furniture=furniture,
        is_tagged=is_tagged,
    )


def details(title: str, *, made_at: str) -> Details:
    """What a paper says about itself: the office is its author."""
    return Details(title=title, author=settings.PORTAL_OFFICE, made_at=made_at)


def print_short(
    run: queue.Run, report: ReportRun, out: Path, *, html: str, digest: str, name: str
) -> reports.Produced:
    """Print `html`, a page or two in the style of statistics, into `out`.

    `digest` is that of the data, `name` how the file is called. Errors: see `Assembly.print`.
    """
    folder = out / "sections"
    folder.mkdir()
    paper = begin(folder, style="reports/statistics.css")
    paper.add("section", html, 2, [(report.title, 0, 0)], is_guess=True)
    printed = paper.print(
        out / "report.pdf",
        details=details(report.title, made_at=report.requested_at.isoformat()),
        progress=run.progress,
    )
    return reports.Produced(path=printed.path, pages=printed.pages, digest=digest, name=name)
