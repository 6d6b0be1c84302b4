"""What the end is held to: who was owed what, what the bank did, and every invariant."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from members.models import BankAccount
from tests.faults.bank import Bank
from tests.faults.desk import Round
from welfare.disbursement import invariants
from welfare.disbursement.models import PayoutLine, ReturnFile


@dataclass
class Verdict:
    """Payees lost and doubled by the bank's books; which checks found something."""

    lost: int = 0
    doubled: int = 0
    caught: dict[str, int] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.caught)

    def note(self, check: str, found: int, samples: list[str] | tuple[str, ...] = ()) -> None:
        if found:
            self.caught[check] = self.caught.get(check, 0) + found
            self.samples += [f"{check}: {sample}" for sample in list(samples)[:3]]


def judge(bank: Bank, rounds: list[Round], *, with_guards: bool = True) -> Verdict:
    """Hold the books to the bank's truth and to what was owed before anything happened.

    `with_guards` asks for the guards of the tables, too.
    """
    verdict = Verdict()
    _hold_to_owed(verdict, bank, rounds)
    _hold_to_lines(verdict, bank)
    verdict.note("bank refused a batch number with other bytes", len(bank.refused), bank.refused)
    verdict.note("the bank could not read", len(bank.unreadable), bank.unreadable)
    for result in [*invariants.check_all(), *([invariants.GUARDS.check()] if with_guards else [])]:
        verdict.note(f"{result.code} {result.title}", result.broken, result.sample)
    return verdict


# These compare what is read at two moments, or look back on two minutes: only at the end.
AT_THE_END = ("I8", "I10", "I12")


def look(bank: Bank, rounds: list[Round]) -> list[str]:
    """What is wrong already while work goes on; nothing while the database is away."""
    held = Counter((p.account, p.amount_fen) for p in bank.payments if p.result == "paid")
    found = ["the bank's books: doubled"] if any(n > 1 for n in held.values()) else []
    found += ["the bank could not read"] if bank.unreadable else []
    try:
        results = [one.check() for one in invariants.INVARIANTS if one.code not in AT_THE_END]
    except (DatabaseError, InterfaceError):
        connection.close()
        return found
    return found + [f"{result.code} {result.title}" for result in results if not result.holds]


def _hold_to_owed(verdict: Verdict, bank: Bank, rounds: list[Round]) -> None:
    """Every sum owed is found exactly once among what the accounts hold in the end.

    The sums of one person differ from round to round, so that a missing one is not hidden by
    another that came twice.
    """
    account_of = {held.person_id: str(held.number) for held in BankAccount.objects.all()}
    owed = Counter((account_of[person], fen) for one in rounds for person, fen in one.owed.items())
    held = Counter((p.account, p.amount_fen) for p in bank.payments if p.result == "paid")
    missing, surplus = owed - held, held - owed
    verdict.lost, verdict.doubled = missing.total(), surplus.total()
    verdict.note("the bank's books: lost", verdict.lost)
    verdict.note("the bank's books: doubled", verdict.doubled)


def _hold_to_lines(verdict: Verdict, bank: Bank) -> None:
    """Each line says what the bank says of it, and the bank knows each line that left."""
    said = dict(PayoutLine.objects.exclude(state__in=["ready", "void"]).values_list("e2e", "state"))
    truth = bank.results()
    differing = sorted(
        f"{e2e}: we {said.get(e2e)}, bank {truth.get(e2e)}"
        for e2e in said.keys() | truth.keys()
        if said.get(e2e) != truth.get(e2e)
    )
    verdict.note("lines against the bank's books", len(differing), differing)
    left_over = unfinished_files()
    verdict.note("unfinished files left behind", len(left_over), left_over)
    unread = unread_answers()
    verdict.note("answers that nobody read", len(unread), unread)


def unfinished_files() -> list[str]:
    """What processes left that died while they wrote, until a worker clears it away."""
    return [
        path.name
        for folder in (settings.BANK_DIR / "outgoing", settings.REGISTER_DIR)
        for path in folder.rglob("*.part")
    ]


def unread_answers() -> list[str]:
    """Files in the bank's folder that nobody has imported: what they tell has not come to pass."""
    folder = settings.BANK_DIR / "incoming"
    found = {
        sha256(path.read_bytes()).hexdigest(): path.name for path in sorted(folder.glob("[!.]*"))
    }
    known = ReturnFile.objects.filter(sha256__in=found).values_list("sha256", flat=True)
    return sorted(found[digest] for digest in found.keys() - set(known))
