"""The yearly review of accounts: who still needs which role, answered by a day.

Opening a review writes down every role that is held. Each is confirmed or ended by somebody
else than its holder; what nobody answered by the day it is due lapses, and the review closes.
Source: GB/T 22239-2019, 8.1.4.2 c: accounts that are superfluous or expired are removed.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal import access, audit, lifecycle, roles
from union_portal.access import Permission
from union_portal.kit.refusals import Refused
from union_portal.models import AccountReview, ReviewedRole, RoleAssignment
from union_portal.states import AccountReviewState, ReviewedRoleState

if TYPE_CHECKING:
    from union_portal.models import Account, Organization

REASON = "not reviewed in time"


class ReviewRefused(Refused):
    """The review can't be opened or closed like this."""


@transaction.atomic
def open_review(*, by: Account, today: date, due_on: date) -> AccountReview:
    """Write down every role held today, to be answered until `due_on`.

    Errors: PermissionDenied; ReviewRefused for a day that is past, or while one is open.
    """
    access.require(by, Permission.ROLE_GRANT)
    if due_on <= today:
        raise ReviewRefused(
            gettext_noop("A review needs at least a day."), gettext_noop("Choose a later day.")
        )
    try:
        with transaction.atomic():
            review = AccountReview.objects.create(opened_on=today, due_on=due_on, opened_by=by)
    except IntegrityError:
        raise ReviewRefused(
            gettext_noop("A review is open already."), gettext_noop("Finish that one first.")
        ) from None
    made = ReviewedRole.objects.bulk_create(
        ReviewedRole(
            review=review,
            account_id=held.account_id,
            role=held.role,
            organization_id=held.organization_id,
        )
        for held in roles.held(today=today)
    )
    audit.record("account_review.open", review, by=by, roles=len(made), due_on=str(due_on))
    return review


@transaction.atomic
def confirm(*, reviewed: ReviewedRole, by: Account, now: datetime) -> None:
    """The role is still needed. Errors: PermissionDenied, for one's own too; Stale."""
    _require_reviewer(reviewed, by)
    lifecycle.advance(
        reviewed, to=ReviewedRoleState.CONFIRMED, by=by, reviewed_by=by, reviewed_at=now
    )


@transaction.atomic
def confirm_all(*, review: AccountReview, union: Organization, by: Account, now: datetime) -> int:
    """Confirm what is open of one union and below it, one's own roles left out; how many."""
    access.require(by, Permission.ROLE_GRANT, union)
    mine = Q(account=by)
    return lifecycle.advance_set(
        review.roles.filter(~mine, organization__path__startswith=union.path),
        to=ReviewedRoleState.CONFIRMED,
        by=by,
        reviewed_by=by.pk,
        reviewed_at=now,
    )


@transaction.atomic
def end(*, reviewed: ReviewedRole, by: Account, reason: str, now: datetime, today: date) -> None:
    """The role is no longer needed: it ends today. Errors: PermissionDenied, Stale."""
    _require_reviewer(reviewed, by)
    lifecycle.advance(
        reviewed,
        to=ReviewedRoleState.ENDED,
        by=by,
        reason=reason,
        reviewed_by=by,
        reviewed_at=now,
    )
    assignment = _still_held(reviewed, today)
    if assignment is not None:
        roles.end(assignment=assignment, by=by, today=today, reason=reason)


def overdue(*, today: date) -> list[ReviewedRole]:
    """What lapses when `lapse` runs: nothing is written. The dry run of the beat's job."""
    late = ReviewedRole.objects.filter(
        review__state=AccountReviewState.OPEN,
        review__due_on__lt=today,
        state=ReviewedRoleState.OPEN,
    )
    return list(late.select_related("review", "account", "organization"))


@transaction.atomic
def lapse(*, today: date) -> int:
    """End every role that nobody answered for in time, and close the review; how many.

    The last one who can grant roles keeps theirs: nobody else could give it back.
    """
    review = (
        AccountReview.objects.select_for_update()
        .filter(state=AccountReviewState.OPEN, due_on__lt=today)
        .first()
    )
    if review is None:
        return 0
    count = 0
    for reviewed in overdue(today=today):
        assignment = _still_held(reviewed, today)
        if assignment is not None and _is_last_granter(assignment, today):
            continue
        lifecycle.advance(
            reviewed,
            to=ReviewedRoleState.LAPSED,
            by=audit.WORKER,
            reason=REASON,
        )
        if assignment is not None:
            roles.end(assignment=assignment, by=audit.WORKER, today=today, reason=REASON)
        count += 1
    lifecycle.advance(
        review, to=AccountReviewState.CLOSED, by=audit.WORKER, reason=REASON, closed_on=today
    )
    audit.record("account_review.lapse", review, by=audit.WORKER, lapsed=count)
    return count


@transaction.atomic
def close(*, review: AccountReview, by: Account, today: date) -> None:
    """Close a review that has been answered whole. Errors: PermissionDenied, ReviewRefused."""
    access.require(by, Permission.ROLE_GRANT)
    if unanswered(review).exists():
        raise ReviewRefused(
            gettext_noop("Some roles have not been answered for."),
            gettext_noop("Confirm or end each of them first."),
        )
    lifecycle.advance(review, to=AccountReviewState.CLOSED, by=by, closed_on=today)


def unanswered(review: AccountReview) -> QuerySet[ReviewedRole]:
    return review.roles.filter(state=ReviewedRoleState.OPEN)


def _still_held(reviewed: ReviewedRole, today: date) -> RoleAssignment | None:
    """The role itself, unless it has ended by another way meanwhile."""
    return (
        roles.held(today=today)
        .filter(
            account=reviewed.account_id,
            role=reviewed.role,
            organization=reviewed.organization_id,
        )
        .first()
    )


def _is_last_granter(assignment: RoleAssignment, today: date) -> bool:
    granting = access.roles_with(Permission.ROLE_GRANT)
    others = roles.held(today=today).filter(role__in=granting, account__is_active=True)
    return assignment.role in granting and not others.exclude(pk=assignment.pk).exists()


def _require_reviewer(reviewed: ReviewedRole, by: Account) -> None:
    access.require(by, Permission.ROLE_GRANT, reviewed.organization)
    if by.pk == reviewed.account_id:
        raise PermissionDenied(_("Nobody changes their own roles."))
