"""The switch-board of seeded defects: what the proof must notice when it is broken.

A defect is rules of the database taken away, a patch of the running processes, an edit by hand
as the database's superuser, or several of them: most rules are held twice, so that the loss of
one alone does no harm. Processes look into the file `defect` before each piece of work.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from union_portal import lifecycle
from welfare.disbursement import batches, crash, delivery, ledger, locks, returns, settlement
from welfare.disbursement.models import EntryKind, LedgerKind, PayoutBatch, PayoutLine, Posting
from welfare.disbursement.register import SentMark, SentRegister
from welfare.disbursement.states import BatchState, LineState

# A place of our own, between the two things that a defect has put into the wrong order.
BETWEEN = "defect.between"
Swap = Callable[[Any, str, Any], None]


@dataclass(frozen=True)
class Defect:
    """One thing broken. `without` names indexes, constraints and triggers."""

    name: str
    without: tuple[str, ...] = ()
    patch: Callable[[Swap], None] | None = None
    by_hand: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def _no_locks(swap: Swap) -> None:
    """Nobody waits for the fund, and the filling of a batch takes its time."""
    swap(locks, "funds", lambda fund_ids: None)
    refresh = batches.sets.refresh

    def slowly(*arguments: Any) -> None:
        refresh(*arguments)
        time.sleep(1.0)

    swap(batches.sets, "refresh", slowly)


def _fresh_names(swap: Swap) -> None:
    """A file that is offered again gets a number of its own."""
    put, numbers = delivery.put_once, count(int(time.time() * 1000) % 10**7)

    def offered(folder: Path, name: str, content: bytes) -> Path:
        if not list(folder.glob(f"{name[:4]}*")):
            return put(folder, name, content)
        number, extension = name.split(".")
        fresh = f"{number[:5]}{next(numbers):07d}"
        return put(folder, f"{fresh}.{extension}", content.replace(number.encode(), fresh.encode()))

    swap(delivery, "put_once", offered)


def _no_parking(swap: Swap) -> None:
    """What comes before its time is dropped."""
    swap(settlement, "_JUDGE", settlement._JUDGE.replace("THEN 'early'", "THEN 'repeat'"))


def _no_approvals(swap: Swap) -> None:
    """The first approval releases."""

    @transaction.atomic
    def check(*, batch: PayoutBatch, by: Any, digest: str) -> PayoutBatch:
        held = locks.batch(batch.pk)
        lifecycle.advance(held, to=BatchState.APPROVED, by=by)
        return held

    swap(batches, "check", check)


def _no_register(swap: Swap) -> None:
    """The register is told, and writes nothing down."""
    numbers = count(1)

    def append(self: SentRegister, **content: Any) -> SentMark:
        known = {"sent_at", "batch_number", "file_name", "content_sha256", "lines", "total_fen"}
        assert known == set(content)
        sequence = int(content["batch_number"][5:]) * 1000 + next(numbers)
        return SentMark(sequence=sequence, previous="", digest="0" * 64, **content)

    swap(SentRegister, "append", append)


def _long_lease(swap: Swap) -> None:
    swap(settings, "QUEUE_LEASE_SECONDS", 3600)


def _no_log(swap: Swap) -> None:
    """Steps of sets leave no entry."""
    swap(lifecycle.audit, "record_ref", lambda *names, **more: None)


def _no_transit(swap: Swap) -> None:
    """What is sent counts as spent."""
    way = (LedgerKind.RESERVED, LedgerKind.SPENT)
    swap(ledger, "WAYS", {**ledger.WAYS, EntryKind.SEND: way})


def _freed(swap: Swap) -> None:
    """What failed is given to the next as if nobody were owed it."""
    way = (LedgerKind.TRANSIT, LedgerKind.AVAILABLE)
    swap(ledger, "WAYS", {**ledger.WAYS, EntryKind.FAILED: way})


def _one_leg(swap: Swap) -> None:
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


def _silence_is_success(swap: Swap) -> None:
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


def _told_before_sent(swap: Swap) -> None:
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


def _read_once(swap: Swap) -> None:
    """An answer is thrown away before what it says is written down."""
    real = returns.import_return

    def imported(*, content: bytes, name: str, **more: Any) -> Any:
        with suppress(FileNotFoundError):
            (Path(settings.BANK_DIR) / "incoming" / name).unlink()
        crash.point(BETWEEN)
        return real(content=content, name=name, **more)

    swap(returns, "import_return", imported)


def _no_late_returns(swap: Swap) -> None:
    swap(settlement, "_MOVES", settlement._MOVES[:3])


def _failed_is_paid(swap: Swap) -> None:
    """The reader takes a refusal for a success."""
    read = returns.bankfile.read_return

    def misread(layout: Any, content: bytes) -> Any:
        contents = read(layout, content)
        rows = [
            replace(row, result=returns.bankfile.Result.PAID) if row.result == "failed" else row
            for row in contents.rows
        ]
        return replace(contents, rows=rows)

    swap(returns.bankfile, "read_return", misread)


def _short_file(swap: Swap) -> None:
    """The last payee of a file is cut off on its way."""
    content_of = delivery.content_of

    def shortened(file: Any) -> bytes:
        lines = content_of(file).splitlines(keepends=True)
        return b"".join(lines[:-2] + lines[-1:])

    swap(delivery, "content_of", shortened)


DEFECTS = [
    Defect("one live line for each claim: index dropped, lock removed",
           without=("payout_line_one_live_or_paid", "payout_line_attempt_once",
                    "payout_line_born"), patch=_no_locks),
    Defect("fresh names on retry", patch=_fresh_names, faults=("kill deliver.after_file",)),
    Defect("parking of early rows removed", patch=_no_parking),
    Defect("approvals not counted", patch=_no_approvals, without=("payout_batch_to_approved",)),
    Defect("the sent register writes nothing", patch=_no_register),
    Defect("a lease that never ends", patch=_long_lease,
           faults=("kill welfare.disbursement.delivery.generate:before",)),
    Defect("steps of sets leave no trace", patch=_no_log),
    Defect("money sent counts as spent", patch=_no_transit),
    Defect("money of failed lines is given away", patch=_freed),
    Defect("entries with one leg", patch=_one_leg, without=("entry_balanced", "posting_balanced")),
    Defect("silence is success", patch=_silence_is_success, without=("payout_line_moved",)),
    Defect("delivered before the file has left", patch=_told_before_sent,
           faults=(f"kill {BETWEEN}",)),
    Defect("answers thrown away before they are kept", patch=_read_once,
        faults=(f"kill {BETWEEN}",)),
    Defect("late returns not booked", patch=_no_late_returns),
    Defect("failed read as paid", patch=_failed_is_paid),
    Defect("a payee cut off the file", patch=_short_file),
    Defect("an amount edited by hand after sealing", by_hand=(
        "UPDATE disbursement_payoutline SET amount_fen = amount_fen + 100 WHERE id ="
        " (SELECT max(id) FROM disbursement_payoutline WHERE state IN ('sent', 'paid'))",)),
    Defect("a posting edited by hand", by_hand=(
        "UPDATE disbursement_posting SET amount_fen = amount_fen + 100 WHERE id ="
        " (SELECT max(id) FROM disbursement_posting)",)),
    Defect("the log edited by hand", by_hand=(
        "UPDATE union_portal_auditentry SET reason = 'other' WHERE id ="
        " (SELECT max(id) FROM union_portal_auditentry WHERE block IS NOT NULL)",)),
    Defect("a floor taken from a fund that is overdrawn", without=("ledger_account_floor",),
           by_hand=("UPDATE disbursement_ledgeraccount SET balance_fen = -1"
                    " WHERE kind = 'available'",)),
]  # fmt: skip
BY_NAME = {defect.name: defect for defect in DEFECTS}


class Planted:
    """What is broken in this process now, and how it was before."""

    def __init__(self) -> None:
        self.name = ""
        self._before: list[tuple[Any, str, Any]] = []

    def follow(self, folder: Path) -> None:
        """Live with the defect that the file names now."""
        with suppress(FileNotFoundError):
            wanted = (folder / "defect").read_text()
            if wanted != self.name:
                self._heal()
                self.name = wanted
                patch = BY_NAME[wanted].patch if wanted else None
                if patch is not None:
                    patch(self._swap)

    def _swap(self, place: Any, name: str, new: Any) -> None:
        self._before.append((place, name, getattr(place, name)))
        setattr(place, name, new)

    def _heal(self) -> None:
        while self._before:
            place, name, old = self._before.pop()
            setattr(place, name, old)


planted = Planted()
