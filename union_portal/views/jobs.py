"""How far a piece of work is: a page to leave and come back to, with its stop and its retry."""

from typing import cast
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from union_portal import access, queue, ways_back
from union_portal.access import Permission
from union_portal.models import Account, Job, Organization, OrganizationLevel


def jobs_for(account: Account) -> QuerySet[Job]:
    """One's own jobs; all of them for whoever may watch them for the whole city."""
    own = Q(requested_by=account)
    city = Organization.objects.filter(level=OrganizationLevel.FEDERATION).first()
    if city is not None and access.may(account, Permission.JOB_VIEW, city):
        own |= Q(pk__isnull=False)
    return Job.objects.filter(own)


@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The page, or only its moving part when the page asks again by itself."""
    shown = get_object_or_404(jobs_for(cast(Account, request.user)), pk=job_id)
    is_part = bool(request.headers.get("HX-Request"))
    template = "union_portal/job_progress.html" if is_part else "union_portal/job.html"
    report = shown.reports.select_related("file").first()
    context = {
        "job": shown,
        "report": report,
        "is_own": shown.requested_by_id == request.user.pk,
        "way_back": ways_back.from_job(shown, request),
    }
    return render(request, template, context)


@require_POST
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    queue.cancel(job=_own(request, job_id), by=cast(Account, request.user))
    return redirect("portal:job", job_id)


@require_POST
def job_retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    queue.retry(job=_own(request, job_id), by=cast(Account, request.user))
    return redirect("portal:job", job_id)


def _own(request: HttpRequest, job_id: UUID) -> Job:
    """Only who asked for a job stops or repeats it."""
    return get_object_or_404(Job, pk=job_id, requested_by=cast(Account, request.user))
