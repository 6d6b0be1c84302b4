"""The switch-board of seeded defects: what the proof must notice when it is broken.

A defect is rules of the database taken away, a patch of the running processes, an edit by hand
as the database's superuser, or several of them: most rules are held twice, so that the loss of
one alone does no harm. Processes look into the file `defect` before each piece of work.
Each says by which checks it is noticed; that another one finds something does not count.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import patches
from tests.faults.patches import Swap

# Checks, by how what they find begins.
BANK = ("the bank's books", "lines against the bank", "the bank could not read")
MONEY = (*BANK, "I1 ", "I3 ", "I6 ", "I7 ", "I13 ")
CLAIMS, LEDGER, FILES, PEOPLE = ("I2 ",), ("I4 ", "I5 "), ("I8 ",), ("I9 ",)
LOG, GUARDS = ("I11 ", "I12 "), ("I15 ",)
# Somebody is never paid, or a batch never ends: another guard stopped what the first let through.
END = ("the end is not reached",)


@dataclass(frozen=True)
class Defect:
    """One thing broken, and who notices. `without` names indexes, constraints and triggers."""

    name: str
    by: tuple[str, ...]
    without: tuple[str, ...] = ()
    patch: Callable[[Swap], None] | None = None
    by_hand: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def is_guard_alone(self) -> bool:
        """Nothing does harm yet: only a look at the guards themselves can notice."""
        return bool(self.without) and self.patch is None and not self.by_hand


DEFECTS = [
    Defect("one live line for each claim: index dropped, lock removed", by=CLAIMS + MONEY,
           without=("payout_line_one_live_or_paid", "payout_line_attempt_once",
                    "payout_line_born"), patch=patches.no_locks),
    Defect("fresh names on retry", by=MONEY, patch=patches.fresh_names,
           faults=("kill deliver.after_file",)),
    Defect("parking of early rows removed", by=MONEY + END, patch=patches.no_parking),
    Defect("approvals not counted", by=PEOPLE, patch=patches.no_approvals,
           without=("payout_batch_to_approved",)),
    Defect("the sent register writes nothing", by=END + FILES, patch=patches.no_register),
    Defect("a lease that never ends", by=END, patch=patches.long_lease,
           faults=("kill welfare.disbursement.delivery.generate:before",)),
    Defect("steps of sets leave no trace", by=LOG + PEOPLE, patch=patches.no_log),
    Defect("money sent counts as spent", by=MONEY + LEDGER, patch=patches.no_transit),
    Defect("money of failed lines is given away", by=MONEY + LEDGER, patch=patches.freed),
    Defect("entries with one leg", by=LEDGER, patch=patches.one_leg,
           without=("entry_balanced", "posting_balanced")),
    Defect("silence is success", by=MONEY, patch=patches.silence_is_success,
           without=("payout_line_moved",)),
    Defect("delivered before the file has left", by=END, patch=patches.told_before_sent,
           faults=(f"kill {patches.BETWEEN}",)),
    Defect("answers thrown away before they are kept", by=END, patch=patches.read_once,
        faults=(f"kill {patches.BETWEEN}",)),
    Defect("late returns not booked", by=MONEY, patch=patches.no_late_returns),
    Defect("failed read as paid", by=MONEY + END, patch=patches.failed_is_paid),
    Defect("a payee cut off the file", by=MONEY + END, patch=patches.short_file),
    Defect("an amount edited by hand after sealing", by=MONEY + FILES, by_hand=(
        "UPDATE disbursement_payoutline SET amount_fen = amount_fen + 100 WHERE id ="
        " (SELECT max(id) FROM disbursement_payoutline WHERE state IN ('sent', 'paid'))",)),
    Defect("a posting edited by hand", by=LEDGER, by_hand=(
        "UPDATE disbursement_posting SET amount_fen = amount_fen + 100 WHERE id ="
        " (SELECT max(id) FROM disbursement_posting)",)),
    Defect("the log edited by hand", by=LOG, by_hand=(
        "UPDATE union_portal_auditentry SET reason = 'other' WHERE id ="
        " (SELECT max(id) FROM union_portal_auditentry WHERE block IS NOT NULL)",)),
    Defect("a floor taken from a fund that is overdrawn", by=LEDGER,
           without=("ledger_account_floor",), by_hand=(
        "UPDATE disbursement_ledgeraccount SET balance_fen = -1 WHERE kind = 'available'",)),
    Defect("the fence ignored, and the state with it", by=LOG, patch=patches.no_fence,
           without=("payout_batch_steps",), faults=(f"stall {patches.BETWEEN}",)),
    Defect("digests that are none of the content", by=FILES, patch=patches.no_digest,
           without=("payout_batch_to_sealed", "payout_batch_to_approved",
                    "payout_batch_to_generated", "batch_approval_of_content")),
    Defect("one person approves in everybody's name", by=PEOPLE, patch=patches.one_approver,
           without=("batch_approval_person_once",)),
    Defect("approvals counted without lock", by=LOG + PEOPLE, patch=patches.approvals_without_lock,
           without=("batch_approval_step_once", "batch_approval_person_once",
                    "batch_approval_of_content")),
    Defect("what was interrupted is not taken over", by=END, patch=patches.not_taken_over,
           faults=("kill welfare.disbursement.delivery.generate:after",)),
    Defect("the bank's rows never judged", by=END, patch=patches.never_judged),
    Defect("money that came back is given away", by=MONEY + LEDGER, patch=patches.returned_freed),
    Defect("money sent booked twice", by=MONEY + LEDGER, patch=patches.sent_twice_in_the_books),
    Defect("money paid not booked", by=MONEY + END, patch=patches.paid_not_booked),
    Defect("silence is failure", by=MONEY + END, patch=patches.silence_is_failure,
           without=("payout_line_moved",)),
    Defect("other bytes each time a file is offered", by=END, patch=patches.other_bytes_each_time,
           faults=("kill deliver.after_file",)),
    Defect("half a file where the bank reads", by=BANK, patch=patches.half_a_file,
           faults=(f"kill {patches.BETWEEN}",)),
    Defect("a payee twice in the file", by=MONEY + END, patch=patches.payee_twice),
    Defect("a fen of one payee goes to another", by=MONEY + END, patch=patches.a_fen_moved),
    Defect("accounts exchanged in the file", by=MONEY + END, patch=patches.accounts_exchanged),
    Defect("one number for every file", by=END + BANK, patch=patches.one_number_for_all),
    Defect("a payment's state edited by hand", by=MONEY, by_hand=(
        "UPDATE disbursement_payoutline SET state = 'failed' WHERE id ="
        " (SELECT max(id) FROM disbursement_payoutline WHERE state = 'paid')",)),
    Defect("a row of the bank edited by hand", by=MONEY, by_hand=(
        "UPDATE disbursement_returnrow SET amount_fen = amount_fen + 100 WHERE id ="
        " (SELECT max(id) FROM disbursement_returnrow WHERE verdict = 'applied')",)),
    Defect("an approval edited by hand", by=PEOPLE, by_hand=(
        "UPDATE disbursement_batchapproval SET digest = repeat('0', 64) WHERE id ="
        " (SELECT max(a.id) FROM disbursement_batchapproval a"
        " JOIN disbursement_payoutbatch b ON b.id = a.batch_id AND b.round = a.round"
        " WHERE b.state IN ('delivered', 'reconciled', 'closed'))",)),
    Defect("the digest of a bank file edited by hand", by=FILES, by_hand=(
        "UPDATE disbursement_bankfile SET sha256 = repeat('0', 64) WHERE batch_id ="
        " (SELECT max(id) FROM disbursement_payoutbatch"
        " WHERE state IN ('delivered', 'reconciled', 'closed'))",)),
    Defect("a mark of what was sent edited by hand", by=FILES + END, by_hand=(
        "UPDATE disbursement_sentmark SET sha256 = repeat('0', 64) WHERE sequence ="
        " (SELECT max(sequence) FROM disbursement_sentmark)",)),
    Defect("an entitlement raised by hand after it was paid", by=MONEY, by_hand=(
        "UPDATE disbursement_entitlement SET amount_fen = amount_fen + 100 WHERE id ="
        " (SELECT max(entitlement_id) FROM disbursement_payoutline WHERE state = 'paid')",)),
    Defect("an entitlement withdrawn by hand after it was paid", by=CLAIMS, by_hand=(
        "UPDATE disbursement_entitlement SET state = 'withdrawn' WHERE id ="
        " (SELECT max(entitlement_id) FROM disbursement_payoutline WHERE state = 'paid')",)),
    Defect("an entry of the log deleted by hand", by=LOG, by_hand=(
        "DELETE FROM union_portal_auditentry WHERE id ="
        " (SELECT max(id) FROM union_portal_auditentry WHERE block IS NOT NULL)",)),
    Defect("a posting deleted by hand", by=LEDGER, by_hand=(
        "DELETE FROM disbursement_posting WHERE id = (SELECT max(id) FROM disbursement_posting)",)),
    Defect("a balance edited by hand", by=LEDGER, by_hand=(
        "UPDATE disbursement_ledgeraccount SET balance_fen = balance_fen + 100"
        " WHERE kind = 'spent'",)),
    Defect("a closed batch put back by hand", by=LOG, by_hand=(
        "UPDATE disbursement_payoutbatch SET state = 'delivering' WHERE id ="
        " (SELECT max(id) FROM disbursement_payoutbatch WHERE state = 'closed')",)),
    Defect("the index of live lines dropped, nothing else", by=GUARDS,
           without=("payout_line_one_live_or_paid",)),
    Defect("sealed lines no longer frozen", by=GUARDS, without=("payout_line_frozen",)),
    Defect("fences free to fall", by=GUARDS, without=("payout_batch_fence_rises",)),
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
