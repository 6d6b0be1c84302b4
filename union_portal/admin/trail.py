"""What happened to a row, read from the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q
from django.utils.translation import gettext, gettext_noop

from union_portal.kit import money
from union_portal.models import AuditEntry

LONGEST = 200

# Acts that are no move from state to state, as people read them; apps add theirs.
ACTS: dict[str, str] = {
    "account.create": gettext_noop("Account made"),
    "account.rename": gettext_noop("Account renamed"),
    "account.lock": gettext_noop("Account closed"),
    "account.unlock": gettext_noop("Account opened again"),
    "account.set_password": gettext_noop("New first password"),
    "account.choose_password": gettext_noop("Own password chosen"),
    "account.session_ended": gettext_noop("Logged out after wrong answers"),
    "account.sessions_ended": gettext_noop("Sessions ended"),
    "account.token_issued": gettext_noop("A program logged in"),
    "account.token_ended": gettext_noop("A program was logged out"),
    "account.factor_changed": gettext_noop("Second factor added or removed"),
    "account.factor_reset_asked": gettext_noop("Reset of the second factor asked for"),
    "account.factor_reset": gettext_noop("Second factor taken off"),
    "account_review.open": gettext_noop("Review opened"),
    "account_review.lapse": gettext_noop("What was not reviewed has lapsed"),
    "keys.rotated": gettext_noop("Sealed values written under the new key"),
    "demo.played": gettext_noop("Demonstration played"),
    "demo.taken_over": gettext_noop("Rows of the demonstration taken over"),
    "role.grant": gettext_noop("Role granted"),
    "role.end": gettext_noop("Role ended"),
    "organization.create": gettext_noop("Union added"),
    "organization.describe": gettext_noop("Description corrected"),
    "organization.move": gettext_noop("Moved in the tree"),
    "organization.close": gettext_noop("Union closed"),
    "notice.draft": gettext_noop("List drawn up"),
    "objection.filed": gettext_noop("Objection filed"),
    "objection.unmask": gettext_noop("The objector's phone number was shown"),
    "appeal.filed": gettext_noop("Appeal filed"),
    "decision.made": gettext_noop("Decided"),
    "decision.made_set": gettext_noop("Decided in bulk"),
    "rule_set.draft": gettext_noop("Rule set drafted"),
    "rule_set.edit": gettext_noop("Draft corrected"),
    "rule_set.adopt": gettext_noop("Rule set adopted"),
    "holiday.enter": gettext_noop("Day entered"),
    "holiday.remove": gettext_noop("Day removed"),
    "file.store": gettext_noop("File stored"),
    "file.fetch": gettext_noop("File fetched"),
    "file.forget": gettext_noop("Files removed whose time was over"),
    "report.request": gettext_noop("Report asked for"),
    "job.cancel": gettext_noop("Stopped on request"),
    "job.retry": gettext_noop("Put into the queue again"),
    "message.posted": gettext_noop("Letters posted"),
    "audit.history": gettext_noop("The log took the digest of what is never changed"),
    "audit.restored": gettext_noop("Declared which blocks of the log a restore lost"),
}

# Actors that are nobody: the log keeps their name for programs.
MACHINES: dict[str, str] = {
    "worker": gettext_noop("background job"),
    "bank": gettext_noop("the bank's file"),
    "public": gettext_noop("public page"),
    "first log-in": gettext_noop("first log-in"),
    "register replay": gettext_noop("replay of the sent register"),
    "rotate_keys": gettext_noop("change of keys"),
    "demo": gettext_noop("demonstration"),
    "merchant log-in": gettext_noop("merchant's log-in"),
    "member": gettext_noop("a member"),
}


def name_acts(names: dict[str, str]) -> None:
    """Words for an app's own acts: message ids, translated when they are read."""
    ACTS.update(names)


@dataclass(frozen=True)
class Step:
    """One line of a trail. Of some steps only the day is known (`is_day`)."""

    at: datetime
    who: str
    text: str
    detail: str = ""
    is_day: bool = False


def trail_of(*rows: Model) -> list[Step]:
    """The audit entries of some rows, oldest first."""
    found: list[AuditEntry] = []
    for row in rows:
        found += AuditEntry.objects.filter(
            subject_type=row._meta.label_lower, subject_id=str(row.pk)
        ).order_by("-id")[:LONGEST]
    found.sort(key=lambda entry: entry.pk)
    return [step_of(entry) for entry in found]


def acts_on(row: Model, *, but: Sequence[str] = ()) -> list[Step]:
    """The entries of a row that tell of no move from state to state, nor of the acts named.

    For rows that keep their own history of moves.
    """
    entries = AuditEntry.objects.filter(
        subject_type=row._meta.label_lower, subject_id=str(row.pk)
    ).exclude(Q(detail__has_key="new") | Q(action__in=but))
    return [step_of(entry) for entry in entries.order_by("-id")[:LONGEST]]


def step_of(entry: AuditEntry) -> Step:
    return Step(at=entry.at, who=who(entry), text=told(entry), detail=entry.reason)


def who(entry: AuditEntry) -> str:
    """Who did it: a person by name, a machine in the reader's language."""
    known = MACHINES.get(entry.actor) if entry.actor_id is None else None
    return gettext(known) if known else entry.actor


def told(entry: AuditEntry) -> str:
    """The entry's action as a reader sees it: moves by their states, the rest by name."""
    detail: dict[str, Any] = entry.detail
    if "new" in detail:
        label = entry.subject_type
        new = state_label(label, detail["new"])
        if "old" in detail:
            return gettext("%(old)s → %(new)s") % {
                "old": state_label(label, detail["old"]),
                "new": new,
            }
        return str(new)
    known = ACTS.get(entry.action)
    return gettext(known) if known else entry.action


# What entries keep beside the act, as people call it; the log's own word where it is not here.
DETAILS: dict[str, str] = {
    "old": gettext_noop("before"),
    "new": gettext_noop("after"),
    "count": gettext_noop("rows in all"),
    "fen": gettext_noop("amount"),
    "amount_fen": gettext_noop("amount"),
    "outcome": gettext_noop("outcome"),
    "case": gettext_noop("case"),
    "cases": gettext_noop("cases"),
    "decision": gettext_noop("decision"),
    "rule_set": gettext_noop("rule set"),
    "replaces": gettext_noop("replaces"),
    "period": gettext_noop("period"),
    "columns": gettext_noop("columns"),
    "field": gettext_noop("field"),
    "entry": gettext_noop("entry"),
    "role": gettext_noop("role"),
    "version": gettext_noop("version"),
    "first": gettext_noop("first number"),
    "last": gettext_noop("last number"),
    "ids_sha256": gettext_noop("digest of the numbers"),
}


def detailed(entry: AuditEntry) -> list[tuple[str, str]]:
    """What an entry keeps beside its act, as a reader sees it: (name, value)."""
    detail: dict[str, Any] = entry.detail
    return [
        (gettext(DETAILS[key]) if key in DETAILS else key, _shown(entry.subject_type, key, value))
        for key, value in detail.items()
    ]


def _shown(label: str, key: str, value: Any) -> str:
    if value is None:
        return "–"
    if key in ("old", "new"):
        return state_label(label, str(value))
    if key.endswith("fen") and isinstance(value, int):
        return money.shown(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def state_label(label: str, state: str) -> str:
    """A state's name for people; the bare state if its model is unknown."""
    from django.apps import apps

    try:
        field = apps.get_model(label)._meta.get_field("state")
    except LookupError:
        return state
    return str(dict(getattr(field, "flatchoices", [])).get(state, state))
