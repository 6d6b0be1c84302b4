"""From a released batch to the bank: one file, written down before it leaves.

Every write carries the fence its worker got; an old fence writes nothing. The bytes are
committed before anything leaves, the sent register is written before the file is offered,
and doing any of it again repeats the same bytes under the same name.
Source: disbursement protocol, 3 and 4.
"""

import base64
import logging
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_noop as _

from union_portal import audit, lifecycle
from union_portal.fields import keyring
from union_portal.kit.refusals import Refused
from welfare.disbursement import (
    acting,
    archive,
    bankfile,
    batches,
    crash,
    formats,
    gate,
    ledger,
    locks,
    settlement,
)
from welfare.disbursement.models import BankFile, EntryKind, PayoutBatch, ReturnFile
from welfare.disbursement.refusals import PayoutRefused, explained
from welfare.disbursement.register import SentRegister, drop_old_drafts, put_once
from welfare.disbursement.states import BatchState, LineState

log = logging.getLogger(__name__)
# So many leases after its last byte nobody writes a draft to its end.
DRAFT_LEASES: Final = 5


class Abandoned(Exception):
    """Another worker holds the batch now, or it has moved on: this one writes nothing."""


class NotReplicated(Exception):
    """The commit was not acknowledged by the standby: the file does not leave yet."""


def drive(batch_id: int, fence: int) -> None:
    """Take a claimed batch as far as it goes. Raises Abandoned when it is not ours any more."""
    state = PayoutBatch.objects.values_list("state", flat=True).get(pk=batch_id)
    if state == BatchState.APPROVED and not generate(batch_id, fence):
        return
    if state in (BatchState.APPROVED, BatchState.GENERATED):
        announce(batch_id, fence)
    hand_over(batch_id, fence)


def generate(batch_id: int, fence: int) -> bool:
    """Write the bank file and book the money into transit, in one transaction.

    False if the batch can't be paid as it was released (somebody objected, died, or the
    bank's format can't hold it): it is held with the reason, and people void it.
    """
    try:
        with transaction.atomic():
            _generate(_ours(batch_id, fence, BatchState.APPROVED))
    except Refused as refusal:
        _hold(batch_id, fence, str(refusal))
        return False
    return True


def announce(batch_id: int, fence: int) -> None:
    """Commit DELIVERING, acknowledged by the standby, before the bank hears anything."""
    with transaction.atomic():
        batch = _ours(batch_id, fence, BatchState.GENERATED)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = remote_apply")
        _advance(batch, to=BatchState.DELIVERING)
        _forget_notices()
    _require_clean_commit()


def hand_over(batch_id: int, fence: int) -> None:
    """Register the file outside the database, offer it, and commit DELIVERED."""
    batch = PayoutBatch.objects.get(pk=batch_id)
    if batch.state != BatchState.DELIVERING or batch.fence != fence:
        raise Abandoned
    if gate.look().is_shut:
        raise Abandoned
    file = BankFile.objects.get(pk=batch_id)
    archive.keep(batch, file)
    crash.point("deliver.before_register")
    mark = SentRegister(Path(settings.REGISTER_DIR)).append(
        batch_number=batch.number,
        file_name=file.name,
        content_sha256=file.sha256,
        lines=file.lines_count,
        total_fen=file.total_fen,
        sent_at=acting.now().isoformat(),
    )
    crash.point("deliver.before_file")
    put_once(Path(settings.BANK_DIR) / "outgoing", file.name, content_of(file))
    crash.point("deliver.after_file")
    with transaction.atomic():
        held = _ours(batch_id, fence, BatchState.DELIVERING)
        gate.mirror(mark)
        _advance(held, to=BatchState.DELIVERED, delivered_at=acting.now(), lease_until=None)
        settlement.reconcile_if_done([held.pk], by=audit.WORKER)


def forget_drafts() -> None:
    """Clear away what dead workers left of files that others have offered: see `register`."""
    age = DRAFT_LEASES * settings.QUEUE_LEASE_SECONDS
    for folder in (Path(settings.BANK_DIR) / "outgoing", archive.folder()):
        drop_old_drafts(folder, seconds=age)


def content_of(file: BankFile | ReturnFile) -> bytes:
    """The exact bytes that were committed. Raises ValueError if they do not fit their digest."""
    content = base64.b64decode(file.body)
    if sha256(content).hexdigest() != file.sha256:
        raise ValueError(f"the stored bytes of {file.name} do not fit their digest")
    return content


def build(batch: PayoutBatch) -> bytes:
    """The batch as its bank wants it: the same batch gives the same bytes."""
    lines = batch.lines.counted().order_by("e2e")
    purpose = f"{batch.fund.name}{batch.period}"
    payments = [
        bankfile.PayLine(
            sequence=index,
            e2e=line.e2e,
            amount_fen=line.amount_fen,
            holder=line.payee_name,
            account=str(line.account_number),
            bank_name=line.bank_name,
            bank_code=line.bank_code,
            purpose=purpose,
        )
        for index, line in enumerate(lines.iterator(chunk_size=5000), start=1)
    ]
    _require_the_approved_accounts(batch, payments)
    head = bankfile.FileHead(
        batch_number=batch.number,
        payer_name=batch.fund.payer_name,
        payer_account=batch.fund.payer_account,
        pay_on=batch.pay_on,
        made_at=batch.made_at,
        count=batch.lines_count,
        total_fen=batch.total_fen,
        purpose=purpose,
    )
    return bankfile.build(formats.layout(batch.bank_format), head, payments)


def _require_the_approved_accounts(
    batch: PayoutBatch, payments: Sequence[bankfile.PayLine]
) -> None:
    """Three people approved the fingerprints of the accounts: the numbers must be theirs.

    A sealed number may be sealed anew under another key, so the database doesn't freeze it.
    Errors: PayoutRefused, naming the first line whose number is another one.
    """
    approved = dict(batch.lines.counted().values_list("e2e", "account_fingerprint"))
    now = keyring().fingerprint_many("bank_account", [payment.account for payment in payments])
    for payment, mark in zip(payments, now, strict=True):
        if approved[payment.e2e] != mark:
            raise PayoutRefused(
                _("The account of line %(line)s is not the one that was approved."),
                _("Tell the people who answer for the database, and void the batch."),
                {"line": payment.e2e},
            )


def write_file(batch: PayoutBatch, content: bytes, name: str) -> BankFile:
    """Keep the bytes; lines go to SENT and the money into transit. The caller holds the lock."""
    file = BankFile.objects.create(
        batch=batch,
        name=name,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        lines_count=batch.lines_count,
        total_fen=batch.total_fen,
        digest=batch.digest,
        body=base64.b64encode(content).decode(),
    )
    sent = lifecycle.advance_set(
        batch.lines.counted(), to=LineState.SENT, by=audit.WORKER, reason=batch.number
    )
    if sent != batch.lines_count:
        raise PayoutRefused(_("The lines do not agree with what was released."))
    ledger.book(
        fund=batch.fund,
        kind=EntryKind.SEND,
        key=f"send:{batch.number}",
        amount_fen=batch.total_fen,
        by=audit.WORKER,
        batch=batch,
    )
    return file


def _generate(batch: PayoutBatch) -> None:
    stopped = batches.unpayable(batch).count()
    if stopped:
        raise PayoutRefused(
            _("%(count)s lines of this batch may not be paid any more."),
            _("Void the batch: a new one leaves them out."),
            {"count": stopped},
        )
    layout = formats.layout(batch.bank_format)
    with explained():
        write_file(batch, build(batch), f"{batch.number}.{layout.extension}")
        _advance(
            batch,
            to=BatchState.GENERATED,
            generated_at=acting.now(),
            held_since=None,
            held_reason="",
        )
    settlement.apply_kept([batch.pk], cause=f"generate:{batch.number}", by=audit.WORKER)


def _ours(batch_id: int, fence: int, state: BatchState) -> PayoutBatch:
    batch = locks.batch(batch_id)
    if batch.fence != fence or batch.state != state:
        raise Abandoned
    return batch


def _advance(batch: PayoutBatch, *, to: BatchState, **changes: Any) -> None:
    try:
        lifecycle.advance(batch, to=to, by=audit.WORKER, guard={"fence": batch.fence}, **changes)
    except lifecycle.Stale as error:
        raise Abandoned from error


def _hold(batch_id: int, fence: int, reason: str) -> None:
    with transaction.atomic():
        batch = _ours(batch_id, fence, BatchState.APPROVED)
        if batch.held_since is None:
            audit.record("payoutbatch.hold", batch, by=audit.WORKER, reason=reason[:300])
        PayoutBatch.objects.filter(pk=batch.pk, fence=fence).update(
            held_since=batch.held_since or acting.now(), held_reason=reason[:300]
        )
    log.warning("batch %s is held", batch.number)


def _forget_notices() -> None:
    notices = getattr(connection.connection, "notices", None)
    if notices:
        notices.clear()


def _require_clean_commit() -> None:
    """A cancelled wait for the standby reports success with a warning: that is no success."""
    notices = list(getattr(connection.connection, "notices", None) or [])
    if any("synchronous replication" in notice or "canceling wait" in notice for notice in notices):
        raise NotReplicated
