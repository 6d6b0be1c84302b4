"""Lines the bank does not answer: never a success, never sent again, settled in the open."""

from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop as _

from union_portal import audit, lifecycle
from union_portal.kit import workdays
from union_portal.models import Account
from union_portal.workdays import calendar
from welfare.disbursement import locks, motions, settlement
from welfare.disbursement.models import Motion, MotionKind, PayoutBatch, PayoutLine, Result
from welfare.disbursement.refusals import PayoutRefused
from welfare.disbursement.states import BatchState, LineState


def mark(*, today: date) -> int:
    """Lines unanswered for so many bank days after delivery become `unknown`; how many did."""
    limit = _days_before(today, settings.PAYOUT_ANSWER_DAYS)
    late = PayoutBatch.objects.filter(
        state=BatchState.DELIVERED, delivered_at__date__lte=limit, lines__state=LineState.SENT
    )
    count = 0
    for batch_id in late.order_by("pk").distinct().values_list("pk", flat=True):
        with transaction.atomic():
            batch = locks.batch(batch_id)
            count += lifecycle.advance_set(
                batch.lines.filter(state=LineState.SENT),
                to=LineState.UNKNOWN,
                by=audit.WORKER,
                reason=batch.number,
            )
    return count


def certify(*, line: PayoutLine, result: str, bank_ref: str, by: Account, reason: str) -> Motion:
    """Move what a certificate of the bank says of an unanswered line: paid or failed.

    A second person carries it out with the paper in hand.
    """
    if line.state != LineState.UNKNOWN or result not in (Result.PAID, Result.FAILED):
        raise PayoutRefused(
            _("A certificate settles only a line the bank has not answered, as paid or failed."),
            _("Wait until the line counts as unanswered."),
        )
    return motions.move(
        kind=MotionKind.CERTIFICATE,
        line=line,
        by=by,
        reason=reason,
        detail={"result": str(result), "bank_ref": bank_ref[:64]},
    )


@motions.performs(MotionKind.CERTIFICATE)
def _certify(motion: Motion, by: Account) -> None:
    if motion.line is None:
        raise PayoutRefused(_("The motion names no line."))
    batch = locks.batch(motion.line.batch_id)
    line = PayoutLine.objects.select_related("batch__fund").get(pk=motion.line.pk)
    settlement.settle_line(
        line,
        LineState(motion.detail["result"]),
        cause=f"M{motion.pk}",
        by=by,
        reason=motion.reason,
    )
    settlement.apply_kept([batch.pk], cause=f"M{motion.pk}", by=by)
    settlement.reconcile_if_done([batch.pk], by=audit.WORKER)


def _days_before(today: date, days: int) -> date:
    """The day that lies `days` bank days back; plain weekdays where a year is not entered."""
    table = calendar().holidays
    day = today
    while days > 0:
        day -= timedelta(days=1)
        days -= workdays.is_workday(day, holidays=table, known_years={day.year})
    return day
