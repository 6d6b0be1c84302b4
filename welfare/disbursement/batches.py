"""A batch from assembly to release, and its end.

Made, checked and released by three people on one digest. Everything here is set-based: a
batch of one hundred thousand lines takes the same statements as a batch of three.
"""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_noop as _

from members.models import BankAccount
from members.states import BankAccountState
from union_portal import audit, lifecycle
from union_portal.access import Permission
from union_portal.models import Account, Organization
from welfare.disbursement import (
    acting,
    bell,
    candidates,
    drafts,
    formats,
    gate,
    locks,
    motions,
    settlement,
)
from welfare.disbursement.candidates import LeftOut
from welfare.disbursement.models import (
    BatchApproval,
    BatchStep,
    Entitlement,
    Fund,
    Motion,
    MotionKind,
    PayoutBatch,
    PayoutLine,
)
from welfare.disbursement.refusals import NothingToPay, PayoutRefused, explained
from welfare.disbursement.states import BatchState, LineState

THREE = (BatchStep.MAKER, BatchStep.CHECKER, BatchStep.RELEASER)
_CHECKS = (BatchStep.CHECKER, BatchStep.SECOND_CHECKER)
_RELEASES = (BatchStep.RELEASER, BatchStep.SECOND_RELEASER)


@transaction.atomic
def assemble(
    *,
    fund: Fund,
    scheme: str,
    period: str,
    organization: Organization,
    by: Account,
    today: date,
) -> PayoutBatch:
    """Put everybody who can be paid into one draft, up to what the bank's format takes.

    Refuses with NothingToPay, counted by reason, if there is nobody; see `left_out`.
    """
    (made,) = _assembled(fund, scheme, period, organization, by=by, today=today, at_most=1)
    return made


@transaction.atomic
def assemble_all(
    *,
    fund: Fund,
    scheme: str,
    period: str,
    organization: Organization,
    by: Account,
    today: date,
) -> list[PayoutBatch]:
    """Put everybody who can be paid into drafts, as many as the bank's format needs.

    Each is judged once, and the drafts are full but for the last. Refuses as `assemble` does.
    """
    return _assembled(fund, scheme, period, organization, by=by, today=today)


def left_out(
    *, fund: Fund, scheme: str, period: str, organization: Organization, today: date
) -> QuerySet[Entitlement]:
    """Everybody who waits and can't be paid today, annotated `because`, `because_text`."""
    return candidates.left_out(
        fund=fund, scheme=scheme, period=period, organization=organization, today=today
    )


@transaction.atomic
def reissue(*, batch: PayoutBatch, by: Account, today: date) -> PayoutBatch:
    """A new batch for the failed and returned lines of one, linked to it.

    Taken up are those whose account was corrected (entered by one, confirmed by another) or
    whose retry two people approved. The sent lines stay as they are.
    """
    acting.require(by, Permission.BATCH_MAKE, batch.organization)
    _refuse_behind_the_register()
    locks.batch(batch.pk)
    most = formats.layout(formats.stored(batch.fund.bank_format)).max_rows
    chosen = drafts.parted(candidates.again(batch, today=today), most, at_most=1)
    if not chosen:
        raise PayoutRefused(
            _("No failed line of this batch can be issued again yet."),
            _("Enter and confirm the corrected accounts, or have a retry approved."),
        )
    made = drafts.begin(
        batch.fund,
        batch.scheme,
        batch.period,
        batch.organization,
        by=by,
        today=today,
        corrects=batch,
    )
    drafts.fill(made, chosen[0])
    return made


def retry(*, line: PayoutLine, by: Account, reason: str) -> Motion:
    """Move to try a failed line again with the same account, when the bank was the cause."""
    return motions.move(kind=MotionKind.RETRY, line=line, by=by, reason=reason)


@motions.performs(MotionKind.RETRY)
def _retry(motion: Motion, by: Account) -> None:
    """The seconded motion itself is what `reissue` and the line's trigger look for."""


@transaction.atomic
def seal(*, batch: PayoutBatch, by: Account) -> PayoutBatch:
    """Freeze the draft and approve it as its maker.

    Everybody is checked once more (X3): whoever may not be paid any more leaves the batch
    with the reason in the log. Count, sum, digest and the required steps are frozen.
    """
    acting.require(by, Permission.BATCH_MAKE, batch.organization)
    held = locks.batch(batch.pk)
    if held.made_by_id != by.pk:
        raise PayoutRefused(
            _("Only whoever made a batch seals it."), _("Make a batch of your own, or ask them.")
        )
    _leave_out(held, by=by)
    count, total, digest = content(held)
    if count == 0:
        raise NothingToPay({})
    with explained():
        lifecycle.advance(
            held,
            to=BatchState.SEALED,
            by=by,
            round=held.round + 1,
            required_steps=_required_steps(held.fund, total),
            lines_count=count,
            total_fen=total,
            digest=digest,
            sealed_at=acting.now(),
        )
        _approve(held, BatchStep.MAKER, by=by)
    return held


@transaction.atomic
def check(*, batch: PayoutBatch, by: Account, digest: str) -> PayoutBatch:
    """Approve exactly this content as checker."""
    acting.require(by, Permission.BATCH_CHECK, batch.organization)
    held = _sealed_as_seen(batch, digest)
    _approve(held, _next_step(held, _CHECKS), by=by)
    return held


@transaction.atomic
def release(*, batch: PayoutBatch, by: Account, digest: str) -> PayoutBatch:
    """Approve exactly this content as releaser; the last one needed sets the workers going.

    Refuses if an objection came in, somebody died or lost the honour: reopen and seal again.
    """
    acting.require(by, Permission.BATCH_RELEASE, batch.organization)
    held = _sealed_as_seen(batch, digest)
    if any(step in _missing(held) for step in _CHECKS):
        raise PayoutRefused(
            _("The batch is not checked yet."), _("A checker looks at it before it is released.")
        )
    _approve(held, _next_step(held, _RELEASES), by=by)
    if not _missing(held):
        with explained():
            lifecycle.advance(held, to=BatchState.APPROVED, by=by, approved_at=acting.now())
        bell.ring()
    return held


@transaction.atomic
def reopen(*, batch: PayoutBatch, by: Account, reason: str) -> PayoutBatch:
    """Turn a sealed batch back into a draft; its approvals count no more."""
    acting.require(by, Permission.BATCH_MAKE, batch.organization)
    held = locks.batch(batch.pk)
    lifecycle.advance(held, to=BatchState.DRAFT, by=by, reason=reason)
    return held


def void(*, batch: PayoutBatch, by: Account, reason: str) -> Motion:
    """Move to void a batch that has no bank file yet; a second person carries it out."""
    return motions.move(kind=MotionKind.VOID_BATCH, batch=batch, by=by, reason=reason)


@motions.performs(MotionKind.VOID_BATCH)
def _void(motion: Motion, by: Account) -> None:
    if motion.batch is None:
        raise PayoutRefused(_("The motion names no batch."))
    held = locks.batch(motion.batch.pk)
    lifecycle.advance(
        held, to=BatchState.VOID, by=by, reason=motion.reason, fence=held.fence + 1, owner=""
    )
    lifecycle.advance_set(held.lines.all(), to=LineState.VOID, by=by, reason=motion.reason)
    _judge_what_waited(held, by=by)


@transaction.atomic
def close(*, batch: PayoutBatch, by: Account, statement_debit_fen: int) -> PayoutBatch:
    """File a reconciled batch: the bank statement's debit is what was paid or came back.

    Refuses while a line waits, money is in transit, a return row is open or the sum differs.
    """
    acting.require(by, Permission.BATCH_SETTLE, batch.organization)
    held = locks.batch(batch.pk)
    with explained():
        lifecycle.advance(
            held,
            to=BatchState.CLOSED,
            by=by,
            statement_debit_fen=statement_debit_fen,
            closed_at=acting.now(),
        )
    return held


def content(batch: PayoutBatch) -> tuple[int, int, str]:
    """Count, sum and digest of the lines as they are now, computed in SQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM disbursement_batch_content(%s)", [batch.pk])
        count, total, digest = cursor.fetchone()
    return int(count), int(total), str(digest)


def unpayable(batch: PayoutBatch) -> QuerySet[PayoutLine]:
    """Lines of the batch whose entitlement may not be paid any more, or not to this account."""
    lines = batch.lines.counted()
    owed = Entitlement.objects.filter(lines__in=lines)
    stopped = candidates.judged(owed, scheme=batch.scheme, today=batch.pay_on).filter(
        Q(because__isnull=False) & ~Q(because=LeftOut.SENT_BEFORE)
    )
    confirmed = BankAccount.objects.filter(
        pk=OuterRef("bank_account_id"), state=BankAccountState.CONFIRMED
    )
    return lines.filter(Q(entitlement__in=stopped.order_by().values("pk")) | ~Exists(confirmed))


def _refuse_behind_the_register() -> None:
    """In safe mode nobody makes a batch: its number and its payees may have been sent already."""
    if gate.look().is_shut:
        raise PayoutRefused(
            _("Safe mode: what was sent to the bank is not entered again yet."),
            _("Replay the sent register first; it stands on the page of the restore gate."),
        )


def _assembled(
    fund: Fund,
    scheme: str,
    period: str,
    organization: Organization,
    *,
    by: Account,
    today: date,
    at_most: int | None = None,
) -> list[PayoutBatch]:
    """The drafts of everybody who can be paid today, `at_most` so many."""
    acting.require(by, Permission.BATCH_MAKE, organization)
    _refuse_behind_the_register()
    locks.funds([fund.pk])
    waiting = candidates.waiting(fund=fund, scheme=scheme, period=period, organization=organization)
    payable = candidates.judged(candidates.fresh(waiting), scheme=scheme, today=today).filter(
        because__isnull=True
    )
    most = formats.layout(formats.stored(fund.bank_format)).max_rows
    made = []
    for ids in drafts.parted(payable, most, at_most=at_most):
        batch = drafts.begin(fund, scheme, period, organization, by=by, today=today)
        drafts.fill(batch, ids)
        made.append(batch)
    if not made:
        left = left_out(
            fund=fund, scheme=scheme, period=period, organization=organization, today=today
        )
        raise NothingToPay(candidates.counted(left))
    return made


def _leave_out(batch: PayoutBatch, *, by: Account) -> int:
    """Void the lines that may not be paid any more before the content is frozen."""
    if batch.state != BatchState.DRAFT:
        return 0
    left = lifecycle.advance_set(
        unpayable(batch),
        to=LineState.VOID,
        by=by,
        reason=f"{batch.number}: not payable when the batch was sealed",
    )
    _judge_what_waited(batch, by=by)
    return left


def _judge_what_waited(batch: PayoutBatch, *, by: Account) -> None:
    """A row that waited for a line now void waits in vain: it contradicts what is known."""
    settlement.apply_kept([batch.pk], cause=f"void:{batch.number}", by=by)


def _required_steps(fund: Fund, total_fen: int) -> list[str]:
    """Maker, checker, releaser, and what the amount tiers of fund and settings add."""
    tiers = [*settings.PAYOUT_APPROVAL_TIERS, *fund.approval_tiers]
    further = {step for tier in tiers if total_fen >= tier["from_fen"] for step in tier["steps"]}
    return [str(step) for step in BatchStep if step in THREE or step in further]


def _sealed_as_seen(batch: PayoutBatch, digest: str) -> PayoutBatch:
    held = locks.batch(batch.pk)
    if held.state != BatchState.SEALED:
        raise PayoutRefused(
            _("Batch %(number)s is not waiting for approval."),
            _("Reload the page."),
            {"number": held.number},
        )
    if digest != held.digest:
        raise PayoutRefused(
            _("The content is not what you looked at."), _("Reload the page and check it again.")
        )
    stopped = unpayable(held).count()
    if stopped:
        raise PayoutRefused(
            _("%(count)s lines of this batch may not be paid any more."),
            _("Reopen the batch: sealing it again leaves them out."),
            {"count": stopped},
        )
    return held


def _missing(batch: PayoutBatch) -> list[str]:
    taken = set(
        BatchApproval.objects.filter(batch=batch, round=batch.round).values_list("step", flat=True)
    )
    return [step for step in batch.required_steps if step not in taken]


def _next_step(batch: PayoutBatch, steps: Sequence[BatchStep]) -> BatchStep:
    missing = _missing(batch)
    step = next((step for step in steps if step in missing), None)
    if step is None:
        raise PayoutRefused(_("Somebody else took this step a moment ago."), _("Reload the page."))
    return step


def _approve(batch: PayoutBatch, step: BatchStep, *, by: Account) -> None:
    with explained():
        made = BatchApproval.objects.create(
            batch=batch, round=batch.round, step=step, account=by, digest=batch.digest
        )
    audit.record(f"payoutbatch.approve_{step}", batch, by=by, digest=batch.digest, approval=made.pk)
