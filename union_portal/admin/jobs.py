"""Work that workers do: how far it is, why it failed, stop and run again."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from union_portal import access, queue, ways_back
from union_portal.access import Permission
from union_portal.admin.buttons import Button, only_in
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.models import Job
from union_portal.states import JobState

# What runs by itself, by its name in CELERY_BEAT_SCHEDULE, as people call it.
BY_ITSELF: dict[str, str] = {
    "celery.backend_cleanup": gettext_noop("Forget old results"),
    "check-invariants": gettext_noop("Check that ledger, batches and register agree"),
    "count-figures": gettext_noop("Count the headline figures"),
    "drive-batches": gettext_noop("Move batches on"),
    "forget-imports": gettext_noop("Cancel imports that nobody confirmed"),
    "forget-the-past": gettext_noop("Delete what is no longer to be kept"),
    "lapse-roles": gettext_noop("End roles whose time is over"),
    "mark-unanswered": gettext_noop("Mark payments that the bank did not answer"),
    "retention": gettext_noop("Forget what was kept long enough, and count anew"),
    "ring-lost-jobs": gettext_noop("Wake jobs that wait"),
    "seal-audit": gettext_noop("Seal the audit log"),
    "send-messages": gettext_noop("Send messages"),
    "send-witnesses": gettext_noop("Send the head of the audit log to its witnesses"),
}


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

    def panels(self, request: HttpRequest, obj: Job) -> list[Panel]:
        way = ways_back.from_job(obj, request)
        if way is None:
            return []
        return [Panel(_("Where it was begun"), (), (), link=way.url, link_text=way.text)]

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


def called(task: PeriodicTask) -> str:
    """The name that people know."""
    known = BY_ITSELF.get(task.name)
    return gettext(known) if known else task.name


def when(task: PeriodicTask) -> str:
    """How often it runs, in words; the columns of a crontab that have none as they are."""
    if task.interval is not None:
        seconds = int(task.interval.schedule.run_every.total_seconds())
        hours, rest = divmod(seconds, 3600)
        told = ngettext("every second", "every %(count)s seconds", seconds) % {"count": seconds}
        whole = ngettext("every hour", "every %(count)s hours", hours) % {"count": hours}
        return told if rest else whole
    return _by_the_clock(task.crontab) if task.crontab is not None else "–"


def _by_the_clock(at: CrontabSchedule) -> str:
    columns = [at.minute, at.hour, at.day_of_month, at.month_of_year, at.day_of_week]
    if not (at.minute.isdigit() and at.hour.isdigit() and columns[2:4] == ["*", "*"]):
        return " ".join(columns)
    time = f"{int(at.hour):02d}:{int(at.minute):02d}"
    if at.day_of_week == "*":
        return gettext("every day at %(time)s") % {"time": time}
    if not at.day_of_week.isdigit():
        return " ".join(columns)
    # A crontab's week begins with Sunday, that of the calendar with Monday.
    day = WEEKDAYS[(int(at.day_of_week) - 1) % 7]
    return gettext("every week, %(day)s at %(time)s") % {"day": day, "time": time}


# Titles and the way back to the list name a task by this; the package's own shows a crontab.
PeriodicTask.__str__ = called


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ScopedModelAdmin):
    """What runs by itself, and when it last did."""

    section = "system"
    icon = "schedule"
    order = 60
    view_permissions = (Permission.ACCOUNT_MANAGE, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("shown_name", "shown_when", "shown_enabled", "shown_last", "shown_count")
    list_select_related = ("interval", "crontab")
    fields = list_display
    readonly_fields = fields
    shows_trail = False

    @admin.display(description=pgettext_lazy("of a thing", "name"), ordering="name")
    def shown_name(self, task: PeriodicTask) -> str:
        return called(task)

    @admin.display(description=_("when"))
    def shown_when(self, task: PeriodicTask) -> str:
        return when(task)

    @admin.display(description=_("switched on"), ordering="enabled")
    def shown_enabled(self, task: PeriodicTask) -> str:
        return gettext("yes") if task.enabled else gettext("no")

    @admin.display(description=_("last run"), ordering="last_run_at")
    def shown_last(self, task: PeriodicTask) -> Any:
        return task.last_run_at or gettext("not yet")

    @admin.display(description=_("runs so far"), ordering="total_run_count")
    def shown_count(self, task: PeriodicTask) -> int:
        return int(task.total_run_count)
