"""Reports that were asked for, and who fetched which file."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access, files, reports, titles
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text
from union_portal.admin.filters import in_words, kind_of_row
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account, FileDownload, ReportRun, StoredFile
from union_portal.states import ReportState


def _not_asked_again(run: ReportRun, account: Account) -> Text | None:
    kind = reports.kinds().get(run.kind)
    if kind is None:
        return _("This report is no longer made.")
    if kind.permission is None or not access.may(account, kind.permission, run.organization):
        return _("Your role does not ask for this report.")
    if run.state == ReportState.REQUESTED:
        return _("It is being made.")
    return None


def _kinds() -> dict[str, Any]:
    return {name: reports.kinds()[name].title for name in reports.of_offices()}


def ask_again(run: ReportRun, by: Account, data: dict[str, Any]) -> str:
    """The next version of the same report; earlier ones stay."""
    made = reports.request(
        kind=run.kind,
        subject=_subject(run),
        by=by,
        organization=run.organization,
        **run.parameters,
    )
    return reverse("portal:job", args=[made.job_id])


def _subject(run: ReportRun) -> Any:
    from django.apps import apps

    return apps.get_model(run.subject_type)._base_manager.get(pk=run.subject_id)


def download_link(run: ReportRun) -> Any:
    """A link to the file, or to the progress while it is being made."""
    if run.file_id:
        url = reverse("portal:file", args=[run.file_id])
        return format_html('<a class="st-btn is-quiet" href="{}">{}</a>', url, gettext("Download"))
    if run.job_id:
        url = reverse("portal:job", args=[run.job_id])
        return format_html('<a href="{}">{}</a>', url, gettext("Progress"))
    return "–"


@admin.register(ReportRun)
class ReportRunAdmin(ScopedModelAdmin):
    section = "reports"
    icon = "picture_as_pdf"
    order = 10
    view_permissions = (Permission.REPORT_DISBURSEMENT, Permission.TRAIL_VIEW)
    list_display = (
        "shown_title",
        "version",
        "state",
        "pages",
        "requested_by",
        "requested_at",
        "fetch",
    )
    list_filter = ("state", ("kind", in_words(_("report"), _kinds)))
    list_select_related = ("requested_by", "job", "file")
    search_fields = ("title", "=subject_id")
    fields = (
        "shown_title",
        "version",
        "state",
        "pages",
        "digest",
        "requested_by",
        "requested_at",
        "organization",
        "error",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="again",
            label=_("Make it again"),
            permission=Permission.REPORT_DISBURSEMENT,
            act=ask_again,
            explain=_("The next version is made from the data as they are now; this one stays."),
            why_not=_not_asked_again,
            reauth=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportRun]:
        """Those of offices: what people ask for about themselves is nobody else's."""
        return super().get_queryset(request).exclude(kind__in=reports.of_persons())

    @admin.display(description=_("title"), ordering="title")
    def shown_title(self, run: ReportRun) -> str:
        return titles.shown(run.title)

    @admin.display(description=_("file"))
    def fetch(self, run: ReportRun) -> Any:
        return download_link(run)

    def facts(self, request: HttpRequest, obj: ReportRun) -> list[Fact]:
        return [Fact(_("File"), download_link(obj)), Fact(_("State"), obj.get_state_display())]

    def panels(self, request: HttpRequest, obj: ReportRun) -> list[Panel]:
        fetched = FileDownload.objects.filter(file=obj.file_id).select_related("account")
        rows = [
            (localtime(one.at).strftime("%Y-%m-%d %H:%M"), one.account, one.reason)
            for one in fetched
        ]
        return [Panel(_("Who fetched it"), (_("When"), _("Who"), _("Why")), rows)]


@admin.register(FileDownload)
class FileDownloadAdmin(ScopedModelAdmin):
    section = "system"
    icon = "download"
    order = 50
    view_permissions = (Permission.AUDIT_VIEW,)
    scope_path = None
    list_display = ("at", "account", "file", "shown_purpose", "reason")
    list_select_related = ("account", "file")
    search_fields = ("account__username", "file__name")
    fields = ("at", "account", "file", "shown_purpose", "reason")
    readonly_fields = fields
    shows_trail = False

    @admin.display(description=_("purpose"))
    def shown_purpose(self, download: FileDownload) -> str:
        return files.label_of(download.file.purpose)


@admin.register(StoredFile)
class StoredFileAdmin(ScopedModelAdmin):
    """What is kept, by digest; the bytes are fetched through the permission of the purpose."""

    section = "system"
    icon = "folder"
    order = 51
    view_permissions = (Permission.AUDIT_VIEW,)
    scope_path = None
    list_display = ("name", "shown_purpose", "size", "uploaded_by", "created_at")
    list_filter = (("purpose", in_words(_("purpose"), files.labels)),)
    list_select_related = ("uploaded_by",)
    search_fields = ("name", "=sha256")
    fields = (
        "name",
        "shown_purpose",
        "content_type",
        "size",
        "sha256",
        "shown_kind",
        "subject_id",
        "organization",
        "uploaded_by",
        "created_at",
    )
    readonly_fields = fields

    @admin.display(description=_("purpose"), ordering="purpose")
    def shown_purpose(self, file: StoredFile) -> str:
        return files.label_of(file.purpose)

    @admin.display(description=_("kind of subject"))
    def shown_kind(self, file: StoredFile) -> str:
        return kind_of_row(file.subject_type)
