"""A report of a page or two: one section of HTML in the style of statistics."""

from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string

from union_portal import queue, reports
from union_portal.kit.pdf_assembly import Assembly
from union_portal.kit.pdf_join import Details
from union_portal.models import ReportRun


def print_short(
    run: queue.Run, report: ReportRun, out: Path, *, html: str, digest: str, name: str
) -> reports.Produced:
    """Print `html` into `out`; `digest` is that of the data, `name` how the file is called.

    Errors: see `Assembly.print`.
    """
    folder = out / "sections"
    folder.mkdir()
    assembly = Assembly(
        folder,
        cache_dir=settings.VAR_DIR / "fontconfig",
        style=render_to_string("reports/statistics.css"),
        furniture=lambda first, total: "",
        is_tagged=True,
    )
    assembly.add("section", html, 2, [(report.title, 0, 0)], is_guess=True)
    printed = assembly.print(
        out / "report.pdf",
        details=Details(
            title=report.title,
            author=settings.PORTAL_OFFICE,
            made_at=report.requested_at.isoformat(),
        ),
        progress=run.progress,
    )
    return reports.Produced(path=printed.path, pages=printed.pages, digest=digest, name=name)
