"""Decisions are taken back: their cases follow, and what they owe ends with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from union_portal import audit, lifecycle
from union_portal.kit.refusals import require_text
from union_portal.models import Decision
from union_portal.states import DecisionState

if TYPE_CHECKING:
    from union_portal.models import Account

Follower = Callable[..., None]
_followers: dict[str, Follower] = {}

Hold = Callable[[QuerySet[Decision]], None]
_owing: list[tuple[Hold, Follower]] = []


def when_withdrawn(subject_type: str) -> Callable[[Follower], Follower]:
    """Register what follows for the cases of a kind (`app.model`) whose decisions are withdrawn.

    The function gets `subjects` (the cases' ids), `by` and `reason`.
    """

    def register(function: Follower) -> Follower:
        _followers[subject_type] = function
        return function

    return register


def when_owing(*, hold: Hold, end: Follower) -> None:
    """Register how what decisions owe ends with them, whatever case they are about.

    `hold` gets the decisions before any of them is locked, so that money and decisions are
    always locked in one order; `end` gets `decisions` (ids), `by` and `reason` once they are
    withdrawn.
    """
    _owing.append((hold, end))


def hold(decisions: QuerySet[Decision]) -> None:
    """Hold the money of decisions that are about to be withdrawn; before their own rows."""
    for held, _end in _owing:
        held(decisions)


@transaction.atomic
def withdraw_set(*, decisions: QuerySet[Decision], by: Account | audit.Machine, reason: str) -> int:
    """Take back every decision of a set that stands; its cases follow, and what is owed ends.

    Returns how many.
    """
    standing = decisions.exclude(state=DecisionState.WITHDRAWN).order_by()
    hold(standing)
    ids: list[int] = []
    cases: dict[str, list[int]] = defaultdict(list)
    for decision, kind, case in standing.values_list("pk", "subject_type", "subject_id"):
        ids.append(decision)
        cases[kind].append(case)
    moved = lifecycle.advance_set(standing, to=DecisionState.WITHDRAWN, by=by, reason=reason)
    for kind, subjects in sorted(cases.items()):
        _follow(kind, subjects, by, reason)
    _owe_no_more(ids, by, reason)
    return moved


@transaction.atomic
def withdraw(*, decision: Decision, by: Account | audit.Machine, reason: str) -> None:
    """Take a decision back for good, with a reason that the member reads.

    Its case follows, and what it owes ends unless a payment is on its way. Errors: Refused
    without a reason; Stale if it is withdrawn already.
    """
    why = require_text(
        reason,
        gettext_noop("A decision is not withdrawn without a reason."),
        gettext_noop("Write the reason; the member reads it."),
    )
    hold(Decision.objects.filter(pk=decision.pk))
    lifecycle.advance(decision, to=DecisionState.WITHDRAWN, by=by, reason=why)
    _follow(decision.subject_type, [decision.subject_id], by, why)
    _owe_no_more([decision.pk], by, why)


def _follow(
    subject_type: str, subjects: Sequence[int], by: Account | audit.Machine, reason: str
) -> None:
    follower = _followers.get(subject_type)
    if follower is not None:
        follower(subjects=subjects, by=by, reason=reason)


def _owe_no_more(ids: Sequence[int], by: Account | audit.Machine, reason: str) -> None:
    for _hold, end in _owing:
        end(decisions=ids, by=by, reason=reason)
