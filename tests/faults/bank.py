"""A bank that keeps its own books and answers as banks do: late, in parts, twice, in any order."""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import count
from pathlib import Path

from welfare.disbursement.bankfile import Format
from welfare.disbursement.register import put_once
from welfare.disbursement.simulator import OrdersUnreadable, Payment, read_orders, write_return

# An account that failed so often in a row is paid, so that every story has an end; afterwards it
# may fail again, or a long run would see no more failures than it has people.
PATIENCE = 2


@dataclass(order=True)
class Answer:
    """A return file to come: when (monotonic seconds), its name, its bytes."""

    due: float
    name: str
    content: bytes = field(compare=False)


@dataclass
class Bank:
    """Reads `outgoing`, writes `incoming`, and remembers every fen it moved in `books`.

    Its only agreement with the federation: a batch number is honoured once.
    """

    folder: Path
    books: Path
    layout: Format
    rng: random.Random
    # Longest wait for an answer, seconds.
    slowness: float = 1.5
    # How often an answer holds rows of strangers or wrong sums.
    oddity: float = 0.15
    answers: list[Answer] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    batches: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    # What it did that a convenient bank would not do, and how often.
    habits: Counter = field(default_factory=Counter)
    _misses: Counter = field(default_factory=Counter)
    _files: dict[str, tuple[int, int]] = field(default_factory=dict)
    _numbers: count = field(default_factory=count)
    # The newest file sent of each batch.
    _newest: dict[str, int] = field(default_factory=dict)

    def tick(self) -> None:
        """Take new files up and send the answers that are due."""
        for path in sorted((self.folder / "outgoing").glob("[!.]*")):
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size)
            if self._files.get(path.name) != stamp:
                self._files[path.name] = stamp
                self._take_up(path)
        while self.answers and min(self.answers).due <= time.monotonic():
            answer = min(self.answers)
            try:
                put_once(self.folder / "incoming", answer.name, answer.content)
            except OSError:  # the disk is full: the bank tries again
                answer.due = time.monotonic() + 0.5
                self.habits["answers kept back by a full disk"] += 1
                return
            self.answers.remove(answer)
            self._note_order(answer)

    def results(self) -> dict[str, str]:
        """The last word on every end-to-end id; paid beats what was said of it before."""
        return {payment.e2e: payment.result for payment in self.payments}

    def debit_fen(self, number: str) -> int:
        """What left the payer's account for a batch: paid, or paid and come back."""
        return sum(
            payment.amount_fen
            for payment in self.payments
            if payment.reference.startswith(f"{number}-") and payment.result != "failed"
        )

    def _note_order(self, answer: Answer) -> None:
        batch, _dash, number = answer.name.partition("-A")
        if int(number.partition(".")[0]) < self._newest.get(batch, -1):
            self.habits["files that overtook each other"] += 1
        self._newest[batch] = max(self._newest.get(batch, -1), int(number.partition(".")[0]))

    def _take_up(self, path: Path) -> None:
        content = path.read_bytes()
        try:
            number, orders = read_orders(self.layout, content)
        except OrdersUnreadable:
            self.unreadable.append(path.name)
            return
        digest = sha256(content).hexdigest()
        if number in self.batches:
            if self.batches[number] != digest:
                self.refused.append(number)
            return
        self.batches[number] = digest
        settled = [self._settle(order, number) for order in orders]
        self.payments += settled
        self._write_down(number, settled)
        self._plan_answers(number, settled)

    def _settle(self, order: Payment, number: str) -> Payment:
        reference = f"{number}-{order.sequence:06d}"
        lot = self.rng.random() if self._misses[order.account] < PATIENCE else 1.0
        result = "failed" if lot < 0.08 else "returned" if lot < 0.13 else "paid"
        self._misses[order.account] = 0 if result == "paid" else self._misses[order.account] + 1
        cause = {"failed": "账户不存在", "returned": "账户已销户"}.get(result, "")
        return replace(order, result=result, cause=cause, reference=reference)

    def _write_down(self, number: str, settled: Iterable[Payment]) -> None:
        self.books.mkdir(parents=True, exist_ok=True)
        with (self.books / "journal.jsonl").open("a") as journal:
            for one in settled:
                row = [number, one.e2e, one.account, one.amount_fen, one.result]
                journal.write(json.dumps(row) + "\n")
            journal.flush()
            os.fsync(journal.fileno())

    def _plan_answers(self, number: str, settled: list[Payment]) -> None:
        rows = [row for payment in settled for row in self._told(payment)]
        self.rng.shuffle(rows)
        count = min(len(rows) - 1, self.rng.randrange(4))
        cuts = sorted(self.rng.sample(range(1, len(rows)), count))
        parts = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
        self.habits["answers in parts"] += count > 0
        if self.rng.random() < 0.2:
            parts.append(self.rng.sample(rows, min(3, len(rows))))
            self.habits["rows that came again"] += 1
        if self.rng.random() < self.oddity:
            parts[0].append(self._foreign())
            self.habits["rows of strangers"] += 1
        if self.rng.random() < self.oddity:
            # Of one that failed, if any did: believed, it would turn the story round.
            parts.append([self._wrong(min(settled, key=lambda payment: payment.result))])
            self.habits["rows with wrong sums"] += 1
        for part in parts:
            self._send(number, part)
            if self.rng.random() < 0.15:
                self._send(number, part)
                self.habits["the same file under another name"] += 1

    def _told(self, payment: Payment) -> list[Payment]:
        if payment.result != "returned":
            return [payment]
        success = replace(payment, result="paid", cause="")
        return [success, replace(payment, reference=f"{payment.reference}-T")]

    def _foreign(self) -> Payment:
        number = next(self._numbers)
        return Payment(
            sequence=1, e2e=f"X{number:012d}-1", account="6222000000000000000",
            amount_fen=100, result="paid", reference=f"X{number}",
        )  # fmt: skip

    def _wrong(self, payment: Payment) -> Payment:
        return replace(
            payment, amount_fen=payment.amount_fen + 1, result="paid", cause="",
            reference=f"{payment.reference}-W",
        )  # fmt: skip

    def _send(self, number: str, rows: list[Payment]) -> None:
        due = time.monotonic() + self.rng.uniform(0, self.slowness)
        name = f"{number}-A{next(self._numbers):06d}.{self.layout.extension}"
        self.answers.append(Answer(due, name, write_return(self.layout, number, rows)))
