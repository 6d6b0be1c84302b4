"""Imports of people: upload, dry run with every finding, preview, one confirm."""

from io import BytesIO
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members import queries, resources
from members.actions import imports
from members.models import ImportFinding, ImportRun, StagedRow
from members.states import ImportState
from union_portal import access, ways_back
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.fields import union_field
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.downloads import download_sheet
from union_portal.kit.plain_text import enumerated
from union_portal.models import Account

ROWS_SHOWN = 50

for _work in ("members.check_import", "members.apply_import"):
    ways_back.begun_at(_work, model=ImportRun, number="import_id")


def upload_form(obj: None, by: Account) -> type[forms.Form]:
    class UploadForm(forms.Form):
        content = forms.FileField(
            label=_("File (XLSX or CSV)"),
            help_text=_("CSV from Excel may be GBK or UTF-8; either works."),
            widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.csv,.txt"}),
        )
        organization = union_field(by, Permission.PERSON_IMPORT)

    return UploadForm


class ConfirmForm(forms.Form):
    without_conflicts = forms.BooleanField(
        label=_("Leave out the rows in conflict"), required=False
    )


def _upload(obj: None, by: Account, data: dict[str, Any]) -> str:
    content = data["content"]
    run = imports.upload(
        content=content, name=content.name, organization=data["organization"], by=by
    )
    return reverse("admin:members_importrun_change", args=[run.pk])


def _confirm(run: ImportRun, by: Account, data: dict[str, Any]) -> str:
    imports.confirm(run=run, by=by, now=timezone.now(), **data)
    return reverse("admin:members_importrun_change", args=[run.pk])


def _has_errors(run: ImportRun, account: Account) -> Text | None:
    if run.error_count:
        return _("The file has errors: mend the rows listed below and upload it again.")
    return None


def _not_mine(run: ImportRun, account: Account) -> Text | None:
    return _("Whoever uploaded the file confirms it.") if run.uploaded_by_id != account.pk else None


def _facts(run: ImportRun, account: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Rows"), run.rows_count),
        (_("New"), run.new_count),
        (_("Changed"), run.changed_count),
        (_("Unchanged"), run.unchanged_count),
        (_("Conflicts"), run.conflict_count),
        (_("Warnings"), run.warning_count),
    ]


class Outcome(admin.SimpleListFilter):
    """States, and apart from those that wait for a confirmation the files with errors."""

    title = _("state")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*ImportState.choices, ("faulty", _("errors: mend the file and upload it again"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[ImportRun]:
        match self.value():
            case None:
                return queryset
            case "faulty":
                return queryset.with_errors()
            case ImportState.CHECKED:
                return queryset.to_confirm()
            case state:
                return queryset.filter(state=state)


@admin.register(ImportRun)
class ImportRunAdmin(ScopedModelAdmin):
    section = "people"
    icon = "upload_file"
    order = 30
    view_permissions = (Permission.PERSON_IMPORT,)
    list_display = (
        "file_name",
        "shown_outcome",
        "rows_count",
        "new_count",
        "changed_count",
        "error_count",
        "uploaded_by",
        "uploaded_at",
    )
    list_filter = (Outcome,)
    list_select_related = ("uploaded_by", "organization")
    search_fields = ("file_name",)
    empty_hint = _(
        "Files appear here once they are uploaded. Download the sheet to fill in, then upload it."
    )
    fields = ("file_name", "organization", "uploaded_by", "uploaded_at", "shown_outcome")
    readonly_fields = fields
    change_form_outer_before_template = "admin/import_head.html"
    list_before_template = "admin/import_list_head.html"
    list_buttons = (
        Button(
            name="upload",
            label=_("Upload a file"),
            permission=Permission.PERSON_IMPORT,
            act=_upload,
            explain=_("It is checked first: nothing is written before you have seen the result."),
            done=_("The file is being checked."),
            form_for=upload_form,
        ),
    )
    buttons = (
        Button(
            name="confirm",
            label=_("Write it"),
            permission=Permission.PERSON_IMPORT,
            act=_confirm,
            explain=_("All rows are written at once. The same file again changes nothing."),
            done=_("The file is being written."),
            why_not=every(only_in(ImportState.CHECKED), _not_mine, _has_errors),
            facts=_facts,
            form=ConfirmForm,
        ),
        Button(
            name="cancel",
            label=_("Give up"),
            permission=Permission.PERSON_IMPORT,
            act=lambda obj, by, data: imports.cancel(run=obj, by=by),
            explain=_("Nothing of the file is written."),
            why_not=only_in(ImportState.UPLOADED, ImportState.CHECKED),
            danger=True,
        ),
    )

    @admin.display(description=_("state"), ordering="state")
    def shown_outcome(self, run: ImportRun) -> str:
        return run.outcome

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        return super().get_queryset(request).select_related("job")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("template.xlsx", view(self.template_file), name="members_importrun_template"),
            path(
                "<int:run_id>/findings.xlsx",
                view(self.findings_file),
                name="members_importrun_findings",
            ),
            path(
                "<int:run_id>/preview.xlsx",
                view(self.preview_file),
                name="members_importrun_preview",
            ),
            *super().get_urls(),
        ]

    def template_file(self, request: HttpRequest) -> HttpResponseBase:
        access.require(reader(request), Permission.PERSON_IMPORT)
        sheet = BytesIO()
        resources.write_template(sheet)
        return download_sheet(sheet, name=gettext("people-template") + ".xlsx")

    def findings_file(self, request: HttpRequest, run_id: int) -> HttpResponseBase:
        run = self._run(request, run_id)
        sheet = BytesIO()
        resources.write_findings(sheet, run)
        return download_sheet(sheet, name=f"findings-{run.pk}.xlsx")

    def preview_file(self, request: HttpRequest, run_id: int) -> HttpResponseBase:
        run = self._run(request, run_id)
        sheet = BytesIO()
        resources.write_preview(sheet, run)
        return download_sheet(sheet, name=f"preview-{run.pk}.xlsx")

    def _run(self, request: HttpRequest, run_id: int) -> ImportRun:
        run: ImportRun | None = self.get_queryset(request).filter(pk=run_id).first()
        if run is None:
            raise Http404
        return run

    def facts(self, request: HttpRequest, obj: ImportRun) -> list[Fact]:
        """What was counted; of a file that nobody could read, or is still read, nothing was."""
        if not obj.rows_count:
            return [Fact(_("State"), obj.outcome, "bad" if obj.is_to_mend else "wait")]
        told = [Fact(label, value) for label, value in _facts(obj, reader(request))]
        tone = "bad" if obj.error_count else "good"
        return [*told, Fact(_("Errors"), obj.error_count, tone)]

    def panels(self, request: HttpRequest, obj: ImportRun) -> list[Panel]:
        if not obj.rows_count:
            return []
        found = ImportFinding.objects.filter(run=obj).order_by("row", "id")
        staged = StagedRow.objects.filter(run=obj).select_related("organization").order_by("row")
        findings = [
            (one.row, one.column, one.shown, one.get_severity_display(), one.message, one.remedy)
            for one in found[:ROWS_SHOWN]
        ]
        rows = [
            (
                one.row,
                one.name,
                one.national_id_shown,
                one.organization or "",
                one.get_kind_display(),
                enumerated(resources.changed_labels(one.changed)),
            )
            for one in staged[:ROWS_SHOWN]
        ]
        limit = gettext("The first %(count)s; the sheet holds all.") % {"count": ROWS_SHOWN}
        return [
            Panel(
                _("What is wrong"),
                (_("Row"), _("Column"), _("Value"), _("Kind"), _("What is wrong"), _("Remedy")),
                findings,
                note=limit if len(findings) == ROWS_SHOWN else "",
                link=reverse("admin:members_importrun_findings", args=[obj.pk]) if findings else "",
                link_text=_("All findings as a sheet"),
            ),
            Panel(
                _("What would happen"),
                (
                    _("Row"),
                    _("Name"),
                    _("Identity number"),
                    _("Union"),
                    _("What would happen"),
                    _("Columns that change"),
                ),
                rows,
                note=limit if len(rows) == ROWS_SHOWN else "",
                link=reverse("admin:members_importrun_preview", args=[obj.pk]) if rows else "",
                link_text=_("The whole preview as a sheet"),
            ),
        ]


desk.add_queue(
    desk.Queue(
        "imports",
        _("Checked files to confirm"),
        Permission.PERSON_IMPORT,
        ImportRun,
        queries.imports_to_confirm,
        icon="upload_file",
    )
)
