"""The official fields of a union and its yearly report."""

from datetime import date
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from members.models import UnionProfile, UnionYear
from members.rules import unions as rules
from members.rules.rows import read_line
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit.credit_code import read_credit_code
from union_portal.models import Account, Organization

_LINES: Final = {
    "office": 80,
    "approved_by": 120,
    "approval_number": 60,
    "employer_name": 120,
    "certificate_number": 60,
    "legal_representative": 60,
    "handler": 60,
    "handler_phone": 30,
}
_CODES: Final = ("employer_nature", "industry")
_DAYS: Final = ("first_committee_on", "committee_on", "committee_until")
FIELDS: Final = (*_LINES, "employer_code", *_CODES, *_DAYS)
COUNTS: Final = ("workers_count", *rules.PARTS, "cadres_count")
FIGURES: Final = (*COUNTS, *rules.INCOME)


@transaction.atomic
def describe(
    *, organization: Organization, by: Account, today: date, **fields: Any
) -> UnionProfile:
    """Write official fields of a union; the log names the columns that changed.

    Errors: PermissionDenied; UnionRefused for days out of order; CreditCodeError; RowError.
    """
    access.require(by, Permission.UNION_EDIT, organization)
    profile, is_new = UnionProfile.objects.select_for_update(of=("self",)).get_or_create(
        organization=organization
    )
    wanted = _read(fields)
    changed = sorted(name for name, value in wanted.items() if getattr(profile, name) != value)
    for name in changed:
        setattr(profile, name, wanted[name])
    rules.require_committee(
        profile.first_committee_on, profile.committee_on, profile.committee_until, today=today
    )
    if changed or is_new:
        profile.updated_at = timezone.now()
        profile.save()
        audit.record("unionprofile.describe", profile, by=by, columns=changed)
    return profile


@transaction.atomic
def report_year(
    *, organization: Organization, year: int, by: Account, today: date, **figures: int
) -> UnionYear:
    """Report a year of a union, or correct its report: one row a year.

    Errors: PermissionDenied; UnionRefused for figures that contradict each other.
    """
    access.require(by, Permission.UNION_EDIT, organization)
    counted = {name: figures.get(name) or 0 for name in FIGURES}
    rules.require_year(counted, year=year, today=today)
    report, is_new = UnionYear.objects.select_for_update(of=("self",)).get_or_create(
        organization=organization, year=year, defaults={**counted, "reported_by": by}
    )
    changed = sorted(name for name in FIGURES if getattr(report, name) != counted[name])
    if not is_new:
        for name in changed:
            setattr(report, name, counted[name])
        report.reported_by, report.reported_at = by, timezone.now()
        report.save()
    if is_new or changed:
        audit.record("unionyear.report", report, by=by, year=year, columns=changed)
    return report


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(fields.keys() - set(FIELDS))
    if unknown:
        raise ValueError(", ".join(unknown))
    read = dict(fields)
    for name, longest in _LINES.items():
        if name in read:
            read[name] = read_line(read[name] or "", longest)
    if read.get("employer_code"):
        read["employer_code"] = read_credit_code(read["employer_code"]).code
    return read
