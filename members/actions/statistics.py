"""Yearly statistics: asked for at the desk, counted by a worker, kept with the day of the count."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from members.models import YearStatistics
from members.queries import statistics
from union_portal import access, audit, queue
from union_portal.access import Permission
from union_portal.models import Account, Job, Organization

JOB = "members.count_year"


@transaction.atomic
def request(*, organization: Organization, year: int, by: Account) -> Job:
    """Have a union's tree counted for a year. Asking twice at once counts once."""
    access.require(by, Permission.PERSON_VIEW, organization)
    return queue.enqueue(
        JOB,
        by=by,
        title=_("Statistics %(year)s: %(union)s") % {"year": year, "union": organization.name},
        key=f"statistics:{organization.pk}:{year}",
        organization=organization.pk,
        year=year,
    )


@transaction.atomic
def count(*, organization: Organization, year: int, now: datetime) -> YearStatistics:
    """Count, and put the count in the place of the one before."""
    table = statistics.of_year(organization, year)
    kept, _is_new = YearStatistics.objects.update_or_create(
        organization=organization,
        year=year,
        defaults={"figures": table.as_json(), "counted_at": now},
    )
    audit.record("yearstatistics.count", kept, by=audit.WORKER, year=year)
    return kept
