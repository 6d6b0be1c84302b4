"""Appeals against a decision: in time, looked at by somebody else, answered in writing (X16)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal import access, audit, lifecycle
from union_portal.access import Permission
from union_portal.kit.refusals import Refused, require_words
from union_portal.models import Appeal
from union_portal.states import AppealState

if TYPE_CHECKING:
    from union_portal.models import Account, Decision


class AppealTooLate(Refused):
    """The time to appeal has passed."""


def last_day(decision: Decision) -> date:
    """The last day to appeal: so many calendar days after the decision as its rules give."""
    return decision.decided_on + timedelta(days=decision.rule_set.appeal_days)


def require_more(asked_fen: int | None, decision: Decision) -> None:
    """Raise Refused unless nothing is asked for (None), or more (fen) than was decided."""
    if asked_fen is not None and asked_fen <= decision.amount_fen:
        raise Refused(
            gettext_noop("The amount asked for is not more than what was decided."),
            gettext_noop("Enter the amount you think is right, or leave it empty."),
        )


@transaction.atomic
def file(
    *, decision: Decision, text: str, asked_fen: int | None, by: Account, today: date
) -> Appeal:
    """Appeal against a refusal or an amount (fen). That the case is theirs, the caller knows.

    Errors: AppealTooLate, Refused without grounds or while another appeal is open.
    """
    if today > last_day(decision):
        raise AppealTooLate(
            gettext_noop("The time to appeal ended on %(day)s."),
            gettext_noop("Turn to the union's office; a new application may be possible."),
            {"day": last_day(decision).isoformat()},
        )
    require_more(asked_fen, decision)
    try:
        with transaction.atomic():
            appeal = Appeal.objects.create(
                decision=decision, appellant=by, text=require_words(text), asked_fen=asked_fen
            )
    except IntegrityError as error:
        if "appeal_one_open_per_decision" not in str(error):
            raise
        raise Refused(
            gettext_noop("An appeal against this decision is open already."),
            gettext_noop("Wait for its answer, or take it back first."),
        ) from error
    audit.record("appeal.filed", appeal, by=by, organization=decision.organization)
    return appeal


@transaction.atomic
def take(*, appeal: Appeal, by: Account) -> None:
    """Begin to look at an appeal. Neither who decided nor who appeals may.

    Errors: PermissionDenied, Stale when somebody else took it.
    """
    decision = appeal.decision
    access.require(by, Permission.APPEAL_REVIEW, decision.organization)
    if by.pk in (decision.decided_by_id, appeal.appellant_id):
        raise PermissionDenied(_("Whoever decided or appeals does not review the appeal."))
    lifecycle.advance(appeal, to=AppealState.REVIEWING, by=by, reviewer=by)


@transaction.atomic
def uphold(*, appeal: Appeal, outcome: Decision, answer: str, by: Account) -> None:
    """Close an appeal in the appellant's favour with a new decision that adjusts the old one.

    After a refusal the new decision grants the whole sum; after a grant it adds the
    difference: the old one stands as it was paid. It is not by whoever decided first.
    """
    _require_reviewer(appeal, by)
    if outcome.replaces_id != appeal.decision_id:
        raise ValueError("the outcome of an appeal replaces the decision appealed against")
    if outcome.decided_by_id == appeal.decision.decided_by_id:
        raise PermissionDenied(_("Somebody else than before decides after an appeal."))
    _close(appeal, AppealState.UPHELD, by, answer, outcome=outcome)


@transaction.atomic
def dismiss(*, appeal: Appeal, answer: str, by: Account) -> None:
    """Close an appeal without change; the answer says why."""
    _require_reviewer(appeal, by)
    _close(appeal, AppealState.DISMISSED, by, answer)


@transaction.atomic
def take_back(*, appeal: Appeal, by: Account) -> None:
    """The appellant gives the appeal up. Errors: PermissionDenied, Stale once answered."""
    if by.pk != appeal.appellant_id:
        raise PermissionDenied(_("Only whoever appealed takes the appeal back."))
    lifecycle.advance(appeal, to=AppealState.TAKEN_BACK, by=by)


def _close(
    appeal: Appeal, to: AppealState, by: Account, answer: str, outcome: Decision | None = None
) -> None:
    lifecycle.advance(
        appeal,
        to=to,
        by=by,
        answer=require_words(answer),
        answered_at=timezone.now(),
        outcome=outcome,
    )


def _require_reviewer(appeal: Appeal, by: Account) -> None:
    access.require(by, Permission.APPEAL_REVIEW, appeal.decision.organization)
    if appeal.reviewer_id is not None and by.pk != appeal.reviewer_id:
        raise PermissionDenied(_("Whoever took the appeal answers it."))
