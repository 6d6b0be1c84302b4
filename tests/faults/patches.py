"""What a defect does to the running processes: each takes one thing of the engine out of order.

A patch gets `swap(place, name, new)`, which remembers how it was before.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connection, transaction

from union_portal import audit, lifecycle
from welfare.disbursement import (
    batches,
    claims,
    crash,
    delivery,
    drafts,
    ledger,
    locks,
    returns,
    settlement,
)
from welfare.disbursement.models import EntryKind, LedgerKind, PayoutBatch, PayoutLine, Posting
from welfare.disbursement.register import SentMark, SentRegister
from welfare.disbursement.states import BatchState, LineState

# A place of our own, between the two things that a defect has put into the wrong order.
BETWEEN = "defect.between"
# The other desk may have other work in hand, or be killed and have to start again.
COMPANY_SECONDS, LOOK_SECONDS = 5.0, 0.02
Swap = Callable[[Any, str, Any], None]


def no_locks(swap: Swap) -> None:
    """Nobody waits for the fund, and a draft is filled in the company of a second one."""
    swap(locks, "funds", lambda fund_ids: None)
    fill = drafts.fill

    def with_company(batch: PayoutBatch, ids: str) -> None:
        fill(batch, ids)
        _meet(int(batch.period[1:]))

    swap(drafts, "fill", with_company)


def _meet(period: int) -> None:
    """Wait until a second transaction has come as far as this one; in vain only for so long.

    Whoever sees that the other waits at an earlier period goes there instead.
    """
    until = time.monotonic() + COMPANY_SECONDS
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(8, %s)", [period])
        while time.monotonic() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 8"
                " AND objid <= %s AND database = (SELECT oid FROM pg_database"
                " WHERE datname = current_database())",
                [period],
            )
            is_met = cursor.fetchone()[0] > 1
            time.sleep(LOOK_SECONDS)
            if is_met:
                time.sleep(5 * LOOK_SECONDS)  # the other has to see it, too
                return


def fresh_names(swap: Swap) -> None:
    """A file that is offered again gets a number of its own."""
    put, numbers = delivery.put_once, count(int(time.time() * 1000) % 10**7)

    def offered(folder: Path, name: str, content: bytes) -> Path:
        if not list(folder.glob(f"{name[:4]}*")):
            return put(folder, name, content)
        number, extension = name.split(".")
        fresh = f"{number[:5]}{next(numbers):07d}"
        return put(folder, f"{fresh}.{extension}", content.replace(number.encode(), fresh.encode()))

    swap(delivery, "put_once", offered)


def no_parking(swap: Swap) -> None:
    """What comes before its time is dropped."""
    swap(settlement, "_JUDGE", settlement._JUDGE.replace("THEN 'early'", "THEN 'repeat'"))


def no_approvals(swap: Swap) -> None:
    """The first approval releases."""

    @transaction.atomic
    def check(*, batch: PayoutBatch, by: Any, digest: str) -> PayoutBatch:
        held = locks.batch(batch.pk)
        lifecycle.advance(held, to=BatchState.APPROVED, by=by)
        return held

    swap(batches, "check", check)


def no_register(swap: Swap) -> None:
    """The register is told, and writes nothing down."""
    numbers = count(1)

    def append(self: SentRegister, **content: Any) -> SentMark:
        known = {"sent_at", "batch_number", "file_name", "content_sha256", "lines", "total_fen"}
        assert known == set(content)
        sequence = int(content["batch_number"][5:]) * 1000 + next(numbers)
        return SentMark(sequence=sequence, previous="", digest="0" * 64, **content)

    swap(SentRegister, "append", append)


def long_lease(swap: Swap) -> None:
    swap(settings, "QUEUE_LEASE_SECONDS", 3600)


def no_log(swap: Swap) -> None:
    """Steps of sets leave no entry."""
    swap(lifecycle.audit, "record_ref", lambda *names, **more: None)


def no_transit(swap: Swap) -> None:
    """What is sent counts as spent."""
    way = (LedgerKind.RESERVED, LedgerKind.SPENT)
    swap(ledger, "WAYS", {**ledger.WAYS, EntryKind.SEND: way})


def freed(swap: Swap) -> None:
    """What failed is given to the next as if nobody were owed it."""
    way = (LedgerKind.TRANSIT, LedgerKind.AVAILABLE)
    swap(ledger, "WAYS", {**ledger.WAYS, EntryKind.FAILED: way})


def one_leg(swap: Swap) -> None:
    """An entry of what was paid has no other side."""
    post = ledger._post

    def posted(entry: Any, source: LedgerKind, target: LedgerKind, amount_fen: int) -> None:
        if entry.kind != EntryKind.PAID:
            post(entry, source, target, amount_fen)
            return
        account = ledger.LedgerAccount.objects.get(fund=entry.fund_id, kind=source)
        Posting.objects.bulk_create(
            [Posting(entry=entry, position=1, account=account, amount_fen=-amount_fen)]
        )

    swap(ledger, "_post", posted)


def silence_is_success(swap: Swap) -> None:
    """Whatever the bank has not answered when somebody looks is taken for paid."""
    reconcile = settlement.reconcile_all

    def settled(*, by: Any) -> int:
        with transaction.atomic():
            waiting = PayoutLine.objects.filter(
                state=LineState.SENT, batch__state=BatchState.DELIVERED
            )
            lifecycle.advance_set(waiting, to=LineState.PAID, by=by)
        return reconcile(by=by)

    swap(settlement, "reconcile_all", settled)


def told_before_sent(swap: Swap) -> None:
    """The batch counts as delivered before its file leaves."""
    real = delivery.put_once

    def later(folder: Path, name: str, content: bytes) -> Path:
        pending.append((folder, name, content))
        return folder / name

    pending: list[tuple[Path, str, bytes]] = []
    hand_over = delivery.hand_over

    def handed(batch_id: int, fence: int) -> None:
        hand_over(batch_id, fence)
        crash.point(BETWEEN)
        while pending:
            real(*pending.pop())

    swap(delivery, "put_once", later)
    swap(delivery, "hand_over", handed)


def read_once(swap: Swap) -> None:
    """An answer is thrown away before what it says is written down."""
    real = returns.import_return

    def imported(*, content: bytes, name: str, **more: Any) -> Any:
        with suppress(FileNotFoundError):
            (Path(settings.BANK_DIR) / "incoming" / name).unlink()
        crash.point(BETWEEN)
        return real(content=content, name=name, **more)

    swap(returns, "import_return", imported)


def no_late_returns(swap: Swap) -> None:
    swap(settlement, "_MOVES", settlement._MOVES[:3])


def failed_is_paid(swap: Swap) -> None:
    """The reader takes a refusal for a success."""
    read = returns.bankfile.read_return

    def misread(layout: Any, content: bytes) -> Any:
        contents = read(layout, content)
        rows = [
            replace(row, result=returns.bankfile.ReturnResult.PAID)
            if row.result == "failed"
            else row
            for row in contents.rows
        ]
        return replace(contents, rows=rows)

    swap(returns.bankfile, "read_return", misread)


def short_file(swap: Swap) -> None:
    """The last payee of a file is cut off on its way."""
    content_of = delivery.content_of

    def shortened(file: Any) -> bytes:
        lines = content_of(file).splitlines(keepends=True)
        return b"".join(lines[:-2] + lines[-1:])

    swap(delivery, "content_of", shortened)


def unguarded(subject: Any, *, to: str, by: Any, reason: str = "", **changes: Any) -> None:
    """A step that looks neither at the state nor at the fence it starts from."""
    changes.pop("guard", None)
    type(subject)._base_manager.filter(pk=subject.pk).update(state=str(to), **changes)
    name, old = subject._meta.model_name, subject.state
    audit.record(f"{name}.{to}", subject, by=by, reason=reason, old=old, new=str(to))
    for field, value in {"state": str(to), **changes}.items():
        setattr(subject, field, value)


def no_fence(swap: Swap) -> None:
    """Who lost the lease goes on as if nothing had happened."""

    def as_it_was(fence: int, pk: int) -> PayoutBatch:
        batch = PayoutBatch.objects.get(pk=pk)
        batch.state, batch.fence = BatchState.DELIVERING, fence
        return batch

    def handed(batch_id: int, fence: int) -> None:
        batches_of_old = SimpleNamespace(get=partial(as_it_was, fence))
        with patch.object(delivery, "PayoutBatch", SimpleNamespace(objects=batches_of_old)):
            hand_over(batch_id, fence)

    def driven(batch_id: int, fence: int) -> None:
        crash.point(BETWEEN)
        drive(batch_id, fence)

    def advanced(batch: PayoutBatch, *, to: BatchState, **changes: Any) -> None:
        unguarded(batch, to=to, by=audit.WORKER, **changes)

    drive, hand_over = delivery.drive, delivery.hand_over
    swap(delivery, "_ours", lambda batch_id, fence, state: locks.batch(batch_id))
    swap(delivery, "_advance", advanced)
    swap(delivery, "hand_over", handed)
    swap(delivery, "drive", driven)


def no_digest(swap: Swap) -> None:
    """What is approved is no digest of the content."""
    content = batches.content

    def same(batch: PayoutBatch) -> tuple[int, int, str]:
        lines, total, _digest = content(batch)
        return lines, total, "0" * 64

    swap(batches, "content", same)


def one_approver(swap: Swap) -> None:
    """Whoever made the batch approves it in everybody's name."""
    approve = batches._approve

    def approved(batch: PayoutBatch, step: Any, *, by: Any) -> None:
        approve(batch, step, by=batch.made_by)

    swap(batches, "_approve", approved)


def approvals_without_lock(swap: Swap) -> None:
    """Two who approve at once do not wait for each other, and neither looks where it starts."""
    approve = batches._approve

    def approved(batch: PayoutBatch, step: Any, *, by: Any) -> None:
        approve(batch, step, by=by)
        time.sleep(0.5)

    def seen(batch_id: int) -> PayoutBatch:
        return PayoutBatch.objects.select_related("fund", "bank_format").get(pk=batch_id)

    swap(batches, "_approve", approved)
    swap(locks, "batch", seen)
    swap(lifecycle, "advance", unguarded)


def not_taken_over(swap: Swap) -> None:
    """What another worker began stays with it, even if it died."""

    def claim() -> tuple[int, int] | None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE disbursement_payoutbatch SET fence = fence + 1, owner = %s WHERE id ="
                " (SELECT id FROM disbursement_payoutbatch WHERE state = 'approved'"
                " ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id, fence",
                [claims._owner()],
            )
            row = cursor.fetchone()
        return (row[0], row[1]) if row else None

    swap(claims, "claim", claim)


def never_judged(swap: Swap) -> None:
    """The bank's rows are kept and not looked at."""
    swap(settlement, "apply_kept", lambda batch_ids, *, cause, by: 0)


def returned_freed(swap: Swap) -> None:
    """What came back is given to the next as if nobody were owed it."""
    way = (LedgerKind.SPENT, LedgerKind.AVAILABLE)
    swap(ledger, "WAYS", {**ledger.WAYS, EntryKind.RETURNED: way})


def sent_twice_in_the_books(swap: Swap) -> None:
    book = ledger.book

    def booked(*, kind: EntryKind, key: str, **more: Any) -> Any:
        if kind == EntryKind.SEND:
            book(kind=kind, key=f"{key}:once more", **more)
        return book(kind=kind, key=key, **more)

    swap(ledger, "book", booked)


def paid_not_booked(swap: Swap) -> None:
    book = ledger.book

    def booked(*, kind: EntryKind, **more: Any) -> Any:
        return None if kind == EntryKind.PAID else book(kind=kind, **more)

    swap(ledger, "book", booked)


def silence_is_failure(swap: Swap) -> None:
    """Whatever the bank has not answered when somebody looks is taken for failed."""
    reconcile = settlement.reconcile_all

    def settled(*, by: Any) -> int:
        with transaction.atomic():
            waiting = PayoutLine.objects.filter(
                state=LineState.SENT, batch__state=BatchState.DELIVERED
            )
            lifecycle.advance_set(waiting, to=LineState.FAILED, by=by)
        return reconcile(by=by)

    swap(settlement, "reconcile_all", settled)


def other_bytes_each_time(swap: Swap) -> None:
    """The rows of a file that is offered again stand in another order."""
    content_of = delivery.content_of

    def shuffled(file: Any) -> bytes:
        head, titles, *rows, trailer = content_of(file).splitlines(keepends=True)
        random.shuffle(rows)
        return b"".join([head, titles, *rows, trailer])

    swap(delivery, "content_of", shuffled)


def half_a_file(swap: Swap) -> None:
    """A file is written where the bank reads it, and may be left half written."""

    def written(folder: Path, name: str, content: bytes) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("wb", buffering=0) as stream:
            stream.write(content[: len(content) // 2])
            crash.point(BETWEEN)
            stream.write(content[len(content) // 2 :])
        return folder / name

    swap(delivery, "put_once", written)


def payee_twice(swap: Swap) -> None:
    """The last payee of a file stands in it twice."""
    content_of = delivery.content_of

    def longer(file: Any) -> bytes:
        lines = content_of(file).splitlines(keepends=True)
        return b"".join([*lines[:-1], *lines[-2:]])

    swap(delivery, "content_of", longer)


def _built(swap: Swap, altered: Callable[[list[Any]], list[Any]]) -> None:
    build = delivery.bankfile.build
    swap(
        delivery.bankfile,
        "build",
        lambda layout, head, payments: build(layout, head, altered(list(payments))),
    )


def a_fen_moved(swap: Swap) -> None:
    """One payee gets a fen of another's; the sum agrees."""

    def altered(payments: list[Any]) -> list[Any]:
        first, *others = payments
        if not others:
            return payments
        last = replace(others[-1], amount_fen=others[-1].amount_fen - 1)
        return [replace(first, amount_fen=first.amount_fen + 1), *others[:-1], last]

    _built(swap, altered)


def accounts_exchanged(swap: Swap) -> None:
    """Each payee's money goes to the account of the next."""

    def altered(payments: list[Any]) -> list[Any]:
        following = [*payments[1:], *payments[:1]]
        return [
            replace(one, account=other.account)
            for one, other in zip(payments, following, strict=True)
        ]

    _built(swap, altered)


def one_number_for_all(swap: Swap) -> None:
    """Every file carries the number of the first batch."""
    build = delivery.bankfile.build

    def numbered(layout: Any, head: Any, payments: Any) -> bytes:
        first = PayoutBatch.objects.order_by("pk").values_list("number", flat=True)[0]
        return build(layout, replace(head, batch_number=first), payments)

    swap(delivery.bankfile, "build", numbered)
