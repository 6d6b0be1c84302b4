"""From a piece of work back to the page where it was begun.

A page that begins work registers itself here; a report leads to the page of its subject, or to
the one that it is asked for on.
"""

from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from union_portal import reports
from union_portal.models import Account, Job, ReportRun


@dataclass(frozen=True)
class WayBack:
    """A link, and its words."""

    url: str
    text: str


_begun: dict[str, tuple[type[models.Model], str]] = {}


def begun_at(work: str, *, model: type[models.Model], number: str = "") -> None:
    """Register the staff's page that begins jobs of a name.

    `number` is the job's argument that names the row; without one it is the list of the rows.
    """
    _begun[work] = (model, number)


def from_job(job: Job, request: HttpRequest) -> WayBack | None:
    """Where the reader came from to this job; None where no page of theirs began it."""
    report = job.reports.first()
    if report is not None:
        return _from_report(report, request)
    if job.name not in _begun:
        return None
    model, number = _begun[job.name]
    return _at_desk(model, str(job.arguments[number]) if number else "", request)


def _from_report(report: ReportRun, request: HttpRequest) -> WayBack | None:
    kind = reports.kinds().get(report.kind)
    if kind is not None and (url := kind.page_for(cast(Account, request.user), report)):
        return WayBack(url, _("Back to where you asked for it"))
    return _at_desk(apps.get_model(report.subject_type), report.subject_id, request)


def _at_desk(model: type[models.Model], number: str, request: HttpRequest) -> WayBack | None:
    """The staff's page of a row or of the list, if the reader may open it."""
    page: Any = admin.site._registry.get(model)
    if page is None or not page.has_view_permission(request):
        return None
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    if not number:
        return _way(reverse(f"{name}_changelist"), model._meta.verbose_name_plural)
    row = page.get_queryset(request).filter(pk=number).first()
    if row is None or not page.has_view_permission(request, row):
        return None
    return _way(reverse(f"{name}_change", args=[row.pk]), row)


def _way(url: str, name: Any) -> WayBack:
    return WayBack(url, _("Back to “%(name)s”") % {"name": name})
