"""Batches and payments that wait for somebody on the front page."""

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.models import Account
from welfare.admin.batch_steps import CHECKS, RELEASES
from welfare.disbursement import candidates
from welfare.disbursement.models import (
    BatchApproval,
    BatchStep,
    Entitlement,
    PayoutBatch,
    PayoutLine,
)
from welfare.disbursement.states import UNPAID, BatchState


def _in_state(
    permission: Permission, state: BatchState
) -> Callable[[Account], QuerySet[PayoutBatch]]:
    return lambda account: PayoutBatch.objects.filter(
        access.scope(account, permission), state=state
    )


def _sealed(account: Account, permission: Permission) -> QuerySet[PayoutBatch]:
    """Sealed batches the account has not approved yet."""
    sealed = PayoutBatch.objects.filter(access.scope(account, permission), state=BatchState.SEALED)
    return sealed.exclude(Exists(_approvals().filter(account=account)))


def _to_check(account: Account) -> QuerySet[PayoutBatch]:
    return _sealed(account, Permission.BATCH_CHECK).filter(_misses(CHECKS))


def _to_release(account: Account) -> QuerySet[PayoutBatch]:
    """A checker looks at them first."""
    sealed = _sealed(account, Permission.BATCH_RELEASE)
    return sealed.filter(_misses(RELEASES)).exclude(_misses(CHECKS))


def _misses(steps: tuple[BatchStep, ...]) -> Q:
    """Batches whose current round still needs one of the steps."""
    missing = Q(pk__in=[])
    for step in steps:
        is_done = Exists(_approvals().filter(step=step))
        missing |= Q(~is_done, required_steps__contains=[step])
    return missing


def _approvals() -> QuerySet[BatchApproval]:
    """Those of a batch's current round."""
    return BatchApproval.objects.filter(batch=OuterRef("pk"), round=OuterRef("round"))


def _to_pay(account: Account) -> QuerySet[Entitlement]:
    return candidates.due().filter(access.scope(account, Permission.BATCH_MAKE))


def _failed(account: Account) -> QuerySet[Entitlement]:
    """Failed or returned payments whose entitlement nobody has issued again yet."""
    failed = PayoutLine.objects.filter(entitlement=OuterRef("pk"), state__in=UNPAID)
    waiting = Entitlement.objects.unpaid().filter(access.scope(account, Permission.BATCH_MAKE))
    return waiting.filter(Exists(failed))


desk.add_queue(
    desk.Queue(
        "unpaid",
        _("People who wait for their money"),
        Permission.BATCH_MAKE,
        Entitlement,
        _to_pay,
        link=lambda: reverse("admin:disbursement_payoutbatch_assemble"),
    ),
    desk.Queue(
        "batch-drafts",
        _("Batches to seal"),
        Permission.BATCH_MAKE,
        PayoutBatch,
        _in_state(Permission.BATCH_MAKE, BatchState.DRAFT),
    ),
    desk.Queue(
        "failed-payments",
        _("Failed payments to issue again"),
        Permission.BATCH_MAKE,
        Entitlement,
        _failed,
    ),
    desk.Queue(
        "batch-checks",
        _("Batches to check"),
        Permission.BATCH_CHECK,
        PayoutBatch,
        _to_check,
    ),
    desk.Queue(
        "batch-releases",
        _("Batches to release"),
        Permission.BATCH_RELEASE,
        PayoutBatch,
        _to_release,
    ),
    desk.Queue(
        "batch-closes",
        _("Batches to close"),
        Permission.BATCH_SETTLE,
        PayoutBatch,
        _in_state(Permission.BATCH_SETTLE, BatchState.RECONCILED),
    ),
)
