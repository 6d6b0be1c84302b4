"""Work that workers do: how far it is, why it failed, stop and run again."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from union_portal import access, queue
from union_portal.access import Permission
from union_portal.admin.buttons import Button, only_in
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.models import Job
from union_portal.states import JobState


@admin.register(Job)
class JobAdmin(ScopedModelAdmin):
    """Everybody sees their own jobs; auditors and administrators see all."""

    section = "reports"
    icon = "manufacturing"
    order = 40
    view_permissions = (Permission.JOB_VIEW,)
    scope_path = None
    list_display = (
        "title_or_name",
        "state",
        "progress",
        "note",
        "requested_by",
        "created_at",
        "finished_at",
    )
    list_filter = ("state",)
    list_select_related = ("requested_by",)
    search_fields = ("title", "name", "=id")
    fields = (
        "title_or_name",
        "state",
        "progress",
        "note",
        "error",
        "attempts",
        "requested_by",
        "created_at",
        "started_at",
        "finished_at",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="cancel",
            label=_("Stop"),
            permission=Permission.JOB_VIEW,
            act=lambda obj, by, data: queue.cancel(job=obj, by=by),
            explain=_("A waiting job stops at once, a running one at its next step."),
            done=_("The job was asked to stop."),
            why_not=only_in(JobState.QUEUED, JobState.RUNNING),
            danger=True,
        ),
        Button(
            name="retry",
            label=_("Run again"),
            permission=Permission.JOB_VIEW,
            act=lambda obj, by, data: queue.retry(job=obj, by=by),
            explain=_("The job goes back into the queue. What it has done stays done."),
            done=_("The job is in the queue again."),
            why_not=only_in(JobState.FAILED, JobState.CANCELLED),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        rows = super().get_queryset(request)
        account = reader(request)
        sees_all = any(
            access.may(account, permission)
            for permission in (Permission.AUDIT_VIEW, Permission.ACCOUNT_MANAGE)
        )
        return rows if sees_all else rows.filter(Q(requested_by=account))

    @admin.display(description=_("job"))
    def title_or_name(self, job: Job) -> str:
        return str(job)

    @admin.display(description=_("progress"))
    def progress(self, job: Job) -> Any:
        if not job.total_count:
            return "–"
        return format_html(
            '<progress class="st-progress" max="100" value="{}">{}%</progress> {} / {}',
            job.percent,
            job.percent,
            job.done_count,
            job.total_count,
        )


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ScopedModelAdmin):
    """What runs by itself, and when it last did."""

    section = "system"
    icon = "schedule"
    order = 60
    view_permissions = (Permission.ACCOUNT_MANAGE, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("name", "task", "interval", "enabled", "last_run_at", "total_run_count")
    list_select_related = ("interval",)
    fields = ("name", "task", "interval", "enabled", "last_run_at", "total_run_count")
    readonly_fields = fields
    shows_trail = False
