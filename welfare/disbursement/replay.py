"""Tell a restored database what was sent, from the register and its archive.

In the register's sequence each batch is found or rebuilt with the approvals it had, and
brought to DELIVERED with the very bytes that left; then the bank's archived answers are
imported; over again until nothing changes. What can't be placed blocks its claims.
Source: disbursement protocol, 6.
"""

import base64
import json
import logging
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import Error, connection, transaction
from django.utils.translation import gettext_noop as _

from union_portal import audit, lifecycle
from union_portal.kit.refusals import Refused
from union_portal.models import Account
from welfare.disbursement import (
    acting,
    archive,
    batches,
    delivery,
    formats,
    gate,
    locks,
    motions,
    returns,
)
from welfare.disbursement.models import (
    BatchApproval,
    Fund,
    Motion,
    MotionKind,
    PayoutBatch,
    PayoutLine,
    StrayPayment,
)
from welfare.disbursement.refusals import PayoutRefused
from welfare.disbursement.register import SentMark as Mark
from welfare.disbursement.states import BatchState, LineState

log = logging.getLogger(__name__)
REPLAY = audit.Machine("register replay")


class NotPlaceable(Exception):
    """The database lacks what the batch was made of, or holds something else."""


@dataclass(frozen=True)
class Remaining:
    """What still stands between safe mode and normal work."""

    batches: tuple[str, ...]
    payments: int

    @property
    def is_nothing(self) -> bool:
        return not self.batches and not self.payments


def run() -> Remaining:
    """Replay the register until nothing changes; returns what remains. Safe to repeat."""
    if not gate.look().is_shut:
        return remaining()
    while True:
        changed = [_place(mark) for mark in gate.unplaced(gate.register().marks())]
        collected = returns.collect()
        if not any(changed) and not collected.imported:
            return remaining()


def remaining() -> Remaining:
    """Batches the register knows and this database can't place, and their payments."""
    missing = gate.unplaced(gate.register().marks())
    return Remaining(
        batches=tuple(mark.batch_number for mark in missing),
        payments=StrayPayment.objects.filter(placed_at=None).count(),
    )


def lift(*, by: Account, reason: str) -> Motion:
    """Move to leave safe mode; a second person carries it out, and only if nothing remains."""
    return motions.move(kind=MotionKind.LIFT_GATE, by=by, reason=reason)


@motions.performs(MotionKind.LIFT_GATE)
def _lift(motion: Motion, by: Account) -> None:
    left = run()
    if not left.is_nothing:
        raise PayoutRefused(
            _("%(batches)s sent batches with %(payments)s payments are unknown to the database."),
            _("Restore a later backup, or enter again what they were made of, then replay."),
            {"batches": len(left.batches), "payments": left.payments},
        )
    audit.declare_lost(by=by, reason=motion.reason)
    gate.open_again(by=by, reason=motion.reason)


def _place(mark: Mark) -> bool:
    """Bring one batch to DELIVERED; whether anything changed."""
    page = archive.load(mark.batch_number)
    if page is None:
        log.error("batch %s is registered and not archived", mark.batch_number)
        return False
    try:
        with transaction.atomic():
            gate.mirror(mark)
            _fast_forward(_found(page), page)
            StrayPayment.objects.filter(batch_number=mark.batch_number, placed_at=None).update(
                placed_at=acting.now()
            )
    except (NotPlaceable, Refused, lifecycle.Stale, Error) as fault:
        log.warning("batch %s is not placed: %s", mark.batch_number, type(fault).__name__)
        return _block(mark, page)
    return True


def _found(page: dict[str, Any]) -> PayoutBatch:
    """The batch as the database has it, or rebuilt as a draft."""
    known = PayoutBatch.objects.filter(number=page["number"]).first()
    return locks.batch(known.pk if known else _rebuilt(page).pk)


def _rebuilt(page: dict[str, Any]) -> PayoutBatch:
    fund = Fund.objects.filter(code=page["fund"]).first()
    maker = Account.objects.filter(username=page["made_by"]).first()
    if fund is None or maker is None:
        raise NotPlaceable
    locks.funds([fund.pk])
    made = PayoutBatch.objects.create(
        number=page["number"],
        fund=fund,
        scheme=page["scheme"],
        period=page["period"],
        organization_id=page["organization"],
        bank_format=formats.stored(page["bank_format"]),
        pay_on=date.fromisoformat(page["pay_on"]),
        corrects=PayoutBatch.objects.filter(number=page["corrects"]).first(),
        made_by=maker,
    )
    audit.record("payoutbatch.draft", made, by=REPLAY)
    _clear_the_way(made, page["lines"])
    if _insert_lines(made, page["lines"]) != len(page["lines"]):
        raise NotPlaceable
    return made


def _clear_the_way(batch: PayoutBatch, lines: list[dict[str, Any]]) -> None:
    """Void the ready lines that unsent batches of the past still hold of what was sent here.

    Such a batch no longer has the content that was approved: people reopen it or void it.
    """
    keys = [line["entitlement__claim_key"] for line in lines]
    lifecycle.advance_set(
        PayoutLine.objects.filter(entitlement__claim_key__in=keys, state=LineState.READY),
        to=LineState.VOID,
        by=REPLAY,
        reason=f"sent in {batch.number}",
    )


def _insert_lines(batch: PayoutBatch, lines: list[dict[str, Any]]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO disbursement_payoutline (batch_id, entitlement_id, attempt, position,
                e2e, amount_fen, bank_account_id, payee_name, account_number,
                account_fingerprint, account_last_four, bank_name, bank_code, state)
            SELECT %s, e.id, s.attempt, s.position, s.e2e, s.amount_fen, a.id, s.payee_name,
                   a.number, a.fingerprint, a.last_four, a.bank_name, s.bank_code, 'ready'
            FROM jsonb_to_recordset(%s::jsonb) AS s (e2e text, position integer,
                attempt integer, amount_fen bigint, payee_name text, account_fingerprint text,
                bank_code text, entitlement__claim_key text)
            JOIN disbursement_entitlement e ON e.claim_key = s.entitlement__claim_key
                 AND e.state = 'granted' AND e.amount_fen = s.amount_fen
            JOIN members_bankaccount a ON a.payee = e.payee AND a.state = 'confirmed'
                 AND a.fingerprint = s.account_fingerprint
            """,
            [batch.pk, json.dumps(lines)],
        )
        return int(cursor.rowcount)


def _fast_forward(batch: PayoutBatch, page: dict[str, Any]) -> None:
    """The steps it took, with the approvals it had and the bytes that left."""
    PayoutBatch.objects.filter(pk=batch.pk).update(fence=batch.fence + 1)
    batch.fence += 1
    if batch.state == BatchState.DRAFT:
        _seal(batch, page)
    if batch.digest != page["digest"]:
        raise NotPlaceable
    if batch.state == BatchState.SEALED:
        _approve(batch, page)
    if batch.state == BatchState.APPROVED:
        delivery.write_file(batch, base64.b64decode(page["file"]["body"]), page["file"]["name"])
        lifecycle.advance(batch, to=BatchState.GENERATED, by=REPLAY, generated_at=acting.now())
    if batch.bank_file.sha256 != page["file"]["sha256"]:
        raise NotPlaceable
    if batch.state == BatchState.GENERATED:
        lifecycle.advance(batch, to=BatchState.DELIVERING, by=REPLAY)
    if batch.state == BatchState.DELIVERING:
        lifecycle.advance(
            batch, to=BatchState.DELIVERED, by=REPLAY, delivered_at=acting.now(), lease_until=None
        )


def _seal(batch: PayoutBatch, page: dict[str, Any]) -> None:
    sent = [line["e2e"] for line in page["lines"]]
    lifecycle.advance_set(batch.lines.exclude(e2e__in=sent), to=LineState.VOID, by=REPLAY)
    count, total, digest = batches.content(batch)
    if digest != page["digest"]:
        raise NotPlaceable
    lifecycle.advance(
        batch,
        to=BatchState.SEALED,
        by=REPLAY,
        round=batch.round + 1,
        required_steps=page["required_steps"],
        lines_count=count,
        total_fen=total,
        digest=digest,
        sealed_at=acting.now(),
    )


def _approve(batch: PayoutBatch, page: dict[str, Any]) -> None:
    """The approvals people gave to exactly this digest before the restore."""
    taken = set(batch.approvals.filter(round=batch.round).values_list("step", flat=True))
    for approval in page["approvals"]:
        account = Account.objects.filter(username=approval["account__username"]).first()
        if account is None:
            raise NotPlaceable
        if approval["step"] not in taken:
            BatchApproval.objects.create(
                batch=batch,
                round=batch.round,
                step=approval["step"],
                account=account,
                digest=batch.digest,
            )
    lifecycle.advance(batch, to=BatchState.APPROVED, by=REPLAY, approved_at=acting.now())


@transaction.atomic
def _block(mark: Mark, page: dict[str, Any]) -> bool:
    """Keep the claims of what can't be placed from being paid again; whether any is new."""
    before = StrayPayment.objects.count()
    StrayPayment.objects.bulk_create(
        (
            StrayPayment(
                e2e=line["e2e"],
                claim_key=line["entitlement__claim_key"],
                amount_fen=line["amount_fen"],
                batch_number=mark.batch_number,
            )
            for line in page["lines"]
        ),
        ignore_conflicts=True,
        batch_size=5000,
    )
    return StrayPayment.objects.count() > before
