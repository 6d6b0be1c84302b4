"""Yearly statistics: drawn and listed, as a spreadsheet and as PDF."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import statistics as actions
from members.models import YearStatistics
from members.queries import statistics
from union_portal import reports, ways_back
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Act, Button
from union_portal.admin.fields import union_field
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.reports import download_link
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import name_acts
from union_portal.kit import money
from union_portal.models import Account, ReportRun

ways_back.begun_at(actions.JOB, model=YearStatistics)
name_acts({"yearstatistics.count": gettext_noop("Counted")})


def count_form(obj: None, by: Account) -> type[forms.Form]:
    class CountForm(forms.Form):
        organization = union_field(by, Permission.PERSON_VIEW)
        year = forms.IntegerField(
            label=_("Year"),
            min_value=1949,
            max_value=2200,
            initial=lambda: timezone.localdate().year,
        )

    return CountForm


def _count(obj: None, by: Account, data: dict[str, Any]) -> str:
    return reverse("portal:job", args=[actions.request(by=by, **data).pk])


def _again(kept: YearStatistics, by: Account, data: dict[str, Any]) -> str:
    job = actions.request(organization=kept.organization, year=kept.year, by=by)
    return reverse("portal:job", args=[job.pk])


def _ask(kind: str) -> Act:
    def ask(kept: YearStatistics, by: Account, data: dict[str, Any]) -> str:
        run = reports.request(kind=kind, subject=kept, by=by, organization=kept.organization)
        return reverse("portal:job", args=[run.job_id])

    return ask


@admin.register(YearStatistics)
class YearStatisticsAdmin(ScopedModelAdmin):
    section = "reports"
    icon = "bar_chart"
    order = 20
    view_permissions = (Permission.PERSON_VIEW,)
    list_display = ("organization", "year", "members", "counted_at")
    list_filter = ("year", "organization__level")
    list_select_related = ("organization",)
    search_fields = ("organization__name",)
    fields = ("organization", "year", "counted_at")
    readonly_fields = fields
    change_form_outer_after_template = "members/statistics_foot.html"
    empty_hint = _("Have a year counted: unions and members by county, drawn and as a file.")
    list_buttons = (
        Button(
            name="count",
            label=_("Count a year"),
            permission=Permission.PERSON_VIEW,
            act=_count,
            explain=_("A worker counts the union and everything below it; you may leave the page."),
            done=_("It is being counted."),
            form_for=count_form,
        ),
    )
    buttons = (
        Button(
            name="again",
            label=_("Count again"),
            permission=Permission.PERSON_VIEW,
            act=_again,
            explain=_("The new count takes the place of this one."),
            done=_("It is being counted."),
        ),
        Button(
            name="xlsx",
            label=_("As a spreadsheet"),
            permission=Permission.PERSON_VIEW,
            act=_ask("union_statistics_xlsx"),
            explain=_("The figures as they stand here, as XLSX; kept, with its version."),
            done=_("The report is being made."),
        ),
        Button(
            name="pdf",
            label=_("As PDF"),
            permission=Permission.PERSON_VIEW,
            act=_ask("union_statistics_pdf"),
            explain=_("The figures as they stand here, to print and sign; kept, with its version."),
            done=_("The report is being made."),
        ),
    )

    @admin.display(description=_("members"))
    def members(self, kept: YearStatistics) -> int:
        return statistics.Table.from_json(kept.figures).total.members

    def facts(self, request: HttpRequest, obj: YearStatistics) -> list[Fact]:
        total = statistics.Table.from_json(obj.figures).total
        return [
            Fact(statistics.HEADERS[name], getattr(total, name))
            for name in ("unions", "members", "women", "farmer_workers", "joined", "left")
        ]

    def panels(self, request: HttpRequest, obj: YearStatistics) -> list[Panel]:
        table = statistics.Table.from_json(obj.figures)
        columns = (_("County"), *statistics.HEADERS.values())
        lines = [cells(row) for row in table.rows]
        if lines:
            lines.append((_("In all"), *cells(table.total)[1:]))
        about = YearStatistics._meta.label_lower
        files = [
            (run.get_state_display(), run.version, run.requested_by or "–", download_link(run))
            for run in ReportRun.objects.filter(
                subject_type=about, subject_id=str(obj.pk)
            ).select_related("requested_by", "file", "job")
        ]
        return [
            Panel(_("By county"), columns, lines),
            _kinds(_("Unions by nature of the employer"), table.by_nature),
            _kinds(_("Unions by industry"), table.by_industry),
            Panel(_("Files"), (_("State"), _("Version"), _("Asked for by"), _("File")), files),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        charts = [] if obj is None else charts_of(statistics.Table.from_json(obj.figures))
        return super().change_view(request, object_id, form_url, {"charts": charts})


def cells(row: statistics.Row) -> tuple[Any, ...]:
    """A line as people read it: income in yuan."""
    values = (getattr(row, name) for name in statistics.FIGURES[:-1])
    return (row.name, *values, money.shown(row.income_fen))


def charts_of(table: statistics.Table) -> list[dict[str, Any]]:
    """The figures people compare, as bars."""
    drawn: list[tuple[Any, list[tuple[str, str, int]]]] = [
        (_("Members by county"), [(row.name, str(row.members), row.members) for row in table.rows]),
        (
            _("Joined in the year by county"),
            [(row.name, str(row.joined), row.joined) for row in table.rows],
        ),
        (_("Unions by nature of the employer"), _bars(table.by_nature)),
        (_("Unions by industry"), _bars(table.by_industry)),
    ]
    return [{"title": title, "bars": desk.scaled(bars)} for title, bars in drawn]


def _bars(kinds: list[statistics.Counted]) -> list[tuple[str, str, int]]:
    return [(str(one.label), str(one.unions), one.unions) for one in kinds]


def _kinds(title: Any, kinds: list[statistics.Counted]) -> Panel:
    return Panel(title, (_("Kind"), _("Unions")), [(one.label, one.unions) for one in kinds])
