"""The headline figures as they were counted, and the report that prints them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal import access, figure_reports, figures
from union_portal.access import Permission
from union_portal.admin.buttons import Act, Button
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.reports import download_link
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.models import Account, CountedFigure, ReportRun


def _ask(kind: str) -> Act:
    def ask(obj: CountedFigure | None, by: Account, data: dict[str, Any]) -> str:
        day = timezone.localdate() if obj is None else obj.day
        run = figure_reports.ask(kind=kind, day=day, by=by)
        return reverse("portal:job", args=[run.job_id])

    return ask


_PAPERS = (
    Button(
        name="pdf",
        label=_("As PDF"),
        permission=Permission.STAFF_SITE,
        act=_ask(figure_reports.PDF_KIND),
        explain=_("Every figure as it was counted by that day, and how; kept, with its version."),
        done=_("The report is being made."),
    ),
    Button(
        name="xlsx",
        label=_("As a spreadsheet"),
        permission=Permission.STAFF_SITE,
        act=_ask(figure_reports.XLSX_KIND),
        explain=_("The same as XLSX, with the months behind each figure."),
        done=_("The report is being made."),
    ),
)


@admin.register(CountedFigure)
class CountedFigureAdmin(ScopedModelAdmin):
    section = "reports"
    icon = "monitoring"
    order = 30
    view_permissions = (Permission.STAFF_SITE,)
    scope_path = None
    shows_trail = False
    list_display = ("title", "day", "number", "counted_at")
    list_filter = ("day",)
    search_fields = ("=key",)
    fields = ("title", "day", "number", "counted_at")
    readonly_fields = fields
    empty_hint = _("A worker counts every hour; the first count comes within one.")
    list_buttons = _PAPERS
    buttons = _PAPERS

    @admin.display(description=_("figure"), ordering="key")
    def title(self, obj: CountedFigure) -> str:
        return obj.title

    @admin.display(description=pgettext_lazy("of a figure", "number"), ordering="value")
    def number(self, obj: CountedFigure) -> str:
        known = figures.known(obj.key)
        return known.shown(obj.value) if known else str(obj.value)

    def facts(self, request: HttpRequest, obj: CountedFigure) -> list[Fact]:
        known = figures.known(obj.key)
        about = [Fact(_("How it is counted"), known.about)] if known and known.about else []
        return [Fact(self.title(obj), self.number(obj)), *about]

    def panels(self, request: HttpRequest, obj: CountedFigure) -> list[Panel]:
        months = [
            (f"{month.day:%Y-%m}", text)
            for kept in figures.kept(until=obj.day)
            if kept.figure.key == obj.key
            for month, text, _share in kept.bars
        ]
        made = ReportRun.objects.filter(
            access.scope(reader(request), Permission.STAFF_SITE),
            kind__in=(figure_reports.PDF_KIND, figure_reports.XLSX_KIND),
        ).select_related("requested_by", "file", "job")
        files = [
            (run.title, run.version, run.requested_by or "–", download_link(run))
            for run in made.order_by("-pk")[:10]
        ]
        return [
            Panel(
                _("Month by month"), (_("Month"), pgettext_lazy("of a figure", "number")), months
            ),
            Panel(_("Files"), (_("Report"), _("Version"), _("Asked for by"), _("File")), files),
        ]
