"""Acts that take two people: one moves with a reason, another carries it out.

What a motion does when it is seconded is registered by the module that owns the act.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop as _

from union_portal import access, audit, lifecycle
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account, Organization
from welfare.disbursement import acting
from welfare.disbursement.models import (
    Entitlement,
    Motion,
    MotionKind,
    PayoutBatch,
    PayoutLine,
)
from welfare.disbursement.refusals import PayoutRefused, explained
from welfare.disbursement.states import MotionState

# The two duties that must come together, in either order.
DUTIES: Final[dict[MotionKind, tuple[Permission, Permission]]] = {
    MotionKind.VOID_BATCH: (Permission.BATCH_CHECK, Permission.BATCH_RELEASE),
    MotionKind.WITHDRAW: (Permission.BATCH_MAKE, Permission.BATCH_CHECK),
    MotionKind.WRITE_OFF: (Permission.BATCH_MAKE, Permission.BATCH_RELEASE),
    MotionKind.RETRY: (Permission.BATCH_SETTLE, Permission.BATCH_CHECK),
    MotionKind.CERTIFICATE: (Permission.BATCH_SETTLE, Permission.BATCH_CHECK),
    MotionKind.LIFT_GATE: (Permission.GATE_LIFT, Permission.GATE_LIFT),
}

_performers: dict[MotionKind, Callable[[Motion, Account], None]] = {}


def performs(
    kind: MotionKind,
) -> Callable[[Callable[[Motion, Account], None]], Callable[[Motion, Account], None]]:
    """Register what happens when a motion of this kind is seconded."""

    def register(function: Callable[[Motion, Account], None]) -> Callable[[Motion, Account], None]:
        _performers[kind] = function
        return function

    return register


@transaction.atomic
def move(
    *,
    kind: MotionKind,
    by: Account,
    reason: str,
    batch: PayoutBatch | None = None,
    line: PayoutLine | None = None,
    entitlement: Entitlement | None = None,
    detail: dict[str, Any] | None = None,
) -> Motion:
    """Propose an act. The same open proposal by the same person is returned as it is."""
    subject = {"batch": batch, "line": line, "entitlement": entitlement}
    _require_one_of(by, DUTIES[kind], _place_of(batch, line, entitlement))
    why = require_text(reason, _("A reason is needed."), _("Write why in one sentence."))
    waiting = _waiting(kind, subject)
    if waiting is not None:
        return _shared(waiting, by)
    try:
        with transaction.atomic():
            made = Motion.objects.create(
                kind=kind, reason=why[:300], moved_by=by, detail=detail or {}, **subject
            )
    except IntegrityError as error:
        if "motion_one_open_per_" not in str(error):
            raise
        # Somebody moved the same in this moment.
        return _shared(_waiting(kind, subject), by)
    audit.record(
        f"motion.{kind}",
        made,
        by=by,
        reason=made.reason,
        organization=_place_of(batch, line, entitlement),
    )
    return made


def _waiting(kind: MotionKind, subject: dict[str, Any]) -> Motion | None:
    return Motion.objects.filter(kind=kind, state=MotionState.MOVED, **subject).first()


def _shared(waiting: Motion | None, by: Account) -> Motion:
    """The open motion if it is one's own; PayoutRefused if it is a colleague's, or just ended."""
    if waiting is not None and waiting.moved_by_id == by.pk:
        return waiting
    raise PayoutRefused(
        _("The same was moved already and waits for a second person."),
        _("Open that motion and carry it out, or decline it."),
    )


@transaction.atomic
def second(*, motion: Motion, by: Account) -> Motion:
    """Carry a motion out. Whoever moved it can't; the other of its two duties is needed."""
    held = _open(motion)
    organization = _place(held)
    if held.moved_by_id == by.pk:
        raise PayoutRefused(
            _("You moved this yourself: a second person carries it out."), _("Ask a colleague.")
        )
    _require_missing_duty(held, by, organization)
    with explained():
        lifecycle.advance(
            held,
            to=MotionState.SECONDED,
            by=by,
            reason=held.reason,
            seconded_by=by,
            seconded_at=acting.now(),
        )
        _performers[MotionKind(held.kind)](held, by)
    return held


@transaction.atomic
def decline(*, motion: Motion, by: Account, reason: str) -> Motion:
    """Turn a motion down; its mover can't, somebody with one of its duties can."""
    held = _open(motion)
    _require_one_of(
        by,
        DUTIES[MotionKind(held.kind)],
        _place(held),
    )
    with explained():
        lifecycle.advance(
            held,
            to=MotionState.DECLINED,
            by=by,
            reason=reason,
            seconded_by=by,
            seconded_at=acting.now(),
        )
    return held


def _open(motion: Motion) -> Motion:
    return Motion.objects.select_for_update(of=("self",)).get(pk=motion.pk)


def _require_missing_duty(motion: Motion, by: Account, organization: Organization | None) -> None:
    """The two people hold both duties between them."""
    one, other = DUTIES[MotionKind(motion.kind)]
    missing = [
        duty
        for duty in (one, other)
        if one == other or not access.may(motion.moved_by, duty, organization)
    ]
    for duty in missing or [one]:
        access.require(by, duty, organization)


def _require_one_of(
    by: Account, duties: tuple[Permission, Permission], organization: Organization | None
) -> None:
    if not any(access.may(by, duty, organization) for duty in duties):
        access.require(by, duties[0], organization)


def _place(motion: Motion) -> Organization | None:
    return _place_of(motion.batch, motion.line, motion.entitlement)


def _place_of(
    batch: PayoutBatch | None, line: PayoutLine | None, entitlement: Entitlement | None
) -> Organization | None:
    if entitlement is not None:
        return entitlement.fund.organization
    subject = batch or (line.batch if line else None)
    return subject.organization if subject else None
