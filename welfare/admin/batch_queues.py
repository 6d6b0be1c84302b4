"""Batches and payments that wait for somebody: what the front page counts."""

from typing import Any

from django.db.models import (
    F,
)
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.models import Account
from welfare.admin.batch_steps import (
    CHECKS,
    RELEASES,
    not_checked,
    step_done,
)
from welfare.admin.shown import (
    list_url,
)
from welfare.disbursement import candidates
from welfare.disbursement.models import Entitlement, PayoutBatch
from welfare.disbursement.states import UNPAID, BatchState


def _count(permission: Permission, **conditions: Any) -> Any:
    def count(account: Account) -> int:
        reach = access.scope(account, permission)
        return PayoutBatch.objects.filter(reach, **conditions).count()

    return count


def _sealed(account: Account, permission: Permission) -> list[PayoutBatch]:
    """Sealed batches the account has not approved yet; they are few at any time."""
    sealed = PayoutBatch.objects.filter(
        access.scope(account, permission), state=BatchState.SEALED
    ).exclude(approvals__account=account, approvals__round=F("round"))
    return list(sealed[:200])


def _to_check(account: Account) -> int:
    sealed = _sealed(account, Permission.BATCH_CHECK)
    return sum(1 for batch in sealed if step_done(*CHECKS)(batch, account) is None)


def _to_release(account: Account) -> int:
    return sum(
        1
        for batch in _sealed(account, Permission.BATCH_RELEASE)
        if step_done(*RELEASES)(batch, account) is None and not_checked(batch, account) is None
    )


def _to_pay(account: Account) -> int:
    return candidates.due().filter(access.scope(account, Permission.BATCH_MAKE)).count()


def _failed(account: Account) -> int:
    """Failed or returned payments whose entitlement nobody has issued again yet."""
    waiting = Entitlement.objects.unpaid().filter(access.scope(account, Permission.BATCH_MAKE))
    return waiting.filter(lines__state__in=UNPAID).distinct().count()


def _list(state: str) -> Any:
    return lambda: list_url(PayoutBatch, state__exact=state)


desk.add_queue(
    desk.Queue(
        _("People who wait for their money"),
        Permission.BATCH_MAKE,
        _to_pay,
        lambda: reverse("admin:disbursement_payoutbatch_assemble"),
    ),
    desk.Queue(
        _("Batches to seal"),
        Permission.BATCH_MAKE,
        _count(Permission.BATCH_MAKE, state=BatchState.DRAFT),
        _list(BatchState.DRAFT),
    ),
    desk.Queue(
        _("Failed payments to issue again"),
        Permission.BATCH_MAKE,
        _failed,
        lambda: list_url(Entitlement, payment="failed"),
    ),
    desk.Queue(_("Batches to check"), Permission.BATCH_CHECK, _to_check, _list(BatchState.SEALED)),
    desk.Queue(
        _("Batches to release"), Permission.BATCH_RELEASE, _to_release, _list(BatchState.SEALED)
    ),
    desk.Queue(
        _("Batches to close"),
        Permission.BATCH_SETTLE,
        _count(Permission.BATCH_SETTLE, state=BatchState.RECONCILED),
        _list(BatchState.RECONCILED),
    ),
)
