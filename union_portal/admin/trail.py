"""What happened to a row, read from the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from union_portal.models import AuditEntry

LONGEST = 200


@dataclass(frozen=True)
class Step:
    """One line of a trail."""

    at: datetime
    who: str
    text: str
    detail: str = ""


def trail_of(*rows: Model) -> list[Step]:
    """The audit entries of some rows, oldest first."""
    found: list[AuditEntry] = []
    for row in rows:
        found += AuditEntry.objects.filter(
            subject_type=row._meta.label_lower, subject_id=str(row.pk)
        ).order_by("-id")[:LONGEST]
    found.sort(key=lambda entry: entry.pk)
    return [step_of(entry) for entry in found]


def step_of(entry: AuditEntry) -> Step:
    return Step(at=entry.at, who=entry.actor, text=told(entry), detail=entry.reason)


def told(entry: AuditEntry) -> str:
    """The entry's action as a reader sees it: moves by their states, the rest by name."""
    detail: dict[str, Any] = entry.detail
    if "new" in detail:
        label = entry.subject_type
        new = state_label(label, detail["new"])
        if "old" in detail:
            return _("%(old)s → %(new)s") % {
                "old": state_label(label, detail["old"]),
                "new": new,
            }
        return str(new)
    return entry.action


def state_label(label: str, state: str) -> str:
    """A state's name for people; the bare state if its model is unknown."""
    from django.apps import apps

    try:
        field = apps.get_model(label)._meta.get_field("state")
    except LookupError:
        return state
    return str(dict(getattr(field, "flatchoices", [])).get(state, state))
