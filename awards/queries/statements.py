"""What a case tells about illness and need, for those who work on it and for the member."""

import json
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from awards.models import HomeVisit, SubsidyCase
from awards.rules import grounds
from union_portal import access
from union_portal.access import Permission
from union_portal.kit import money
from union_portal.models import Account, StoredFile

# Whoever takes a step of the case, reviews an appeal or audits reads the statement; whoever
# pays does not need it.
_READERS = (
    Permission.SUBSIDY_VISIT,
    Permission.SUBSIDY_REVIEW,
    Permission.SUBSIDY_DECIDE,
    Permission.APPEAL_REVIEW,
    Permission.TRAIL_VIEW,
)


def may_read(account: Account, case: SubsidyCase) -> bool:
    """Whether this account of the staff reads the statement, the findings and the opinion."""
    return any(access.may(account, one, case.organization) for one in _READERS)


def details_of(case: SubsidyCase) -> dict[str, Any]:
    """The statement as it is stored: amounts in fen."""
    read: dict[str, Any] = json.loads(str(case.details or "{}"))
    return read


def stated(case: SubsidyCase) -> list[tuple[str, str]]:
    """The statement as questions and answers."""
    details = details_of(case)
    known = grounds.PATIENTS | grounds.CAUSES.get(case.ground, {})
    labels = {
        "patient": _("Who is ill"),
        "cause": _("What caused the hardship"),
        "costs_fen": _("Costs of the illness in all (yuan)"),
        "basic_fen": _("Paid by basic medical insurance (yuan)"),
        "major_illness_fen": _("Paid by major-illness insurance (yuan)"),
        "assistance_fen": _("Paid by medical assistance (yuan)"),
        "worker_aid_fen": _("Paid by the aid to workers in hardship (yuan)"),
        "text": _("What happened, and what it costs"),
    }
    return [
        (label, _said(name, details[name], known))
        for name, label in labels.items()
        if details.get(name) not in (None, "")
    ]


def files_of(case: SubsidyCase) -> QuerySet[StoredFile]:
    """The documents the member sent, oldest first."""
    return StoredFile.objects.filter(
        subject_type=SubsidyCase._meta.label_lower,
        subject_id=str(case.pk),
        purpose="subsidy_document",
    ).order_by("created_at")


def visit_files(visit: HomeVisit) -> QuerySet[StoredFile]:
    """Photos of a home visit, and its signature."""
    photos = Q(subject_type=HomeVisit._meta.label_lower, subject_id=str(visit.pk))
    return StoredFile.objects.filter(photos | Q(pk=visit.signature_id)).order_by("created_at")


def _said(name: str, value: Any, known: dict[str, str]) -> str:
    if name.endswith("_fen"):
        return money.yuan(value)
    return _(known[value]) if value in known else str(value)
