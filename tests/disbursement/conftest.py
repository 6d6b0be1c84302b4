"""The finance office of the tests: a fund with money, people who are owed, a bank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from members.models import Person
from tests.cast import TODAY, Cast, make_bank_account, make_decision, make_payee, make_rule_set
from union_portal import lifecycle
from union_portal.models import Decision, Organization, RuleSet
from union_portal.states import DecisionState
from welfare.disbursement import batches, claims, entitlements, formats, invariants, ledger, returns
from welfare.disbursement.bankfile import Format
from welfare.disbursement.models import Entitlement, Fund, PayoutBatch, PayoutLine, ReturnFile
from welfare.disbursement.simulator import Payment, read_orders, write_return

# A scheme of the tests alone: no app registers a recheck for it.
SCHEME = "winter_gift"
GIFT_FEN = 30_000


@dataclass
class Office:
    """Everything a payment needs, and the steps of one as short sentences."""

    cast: Cast
    rule_set: RuleSet
    fund: Fund
    people: list[Person] = field(default_factory=list)

    def owe(self, count: int = 3, *, union: Organization | None = None) -> list[Entitlement]:
        """So many people with a confirmed account and a clear decision of 300 yuan."""
        return [self.owe_one(make_payee(self.cast, union)) for _ in range(count)]

    def owe_one(self, person: Person, **more: Any) -> Entitlement:
        decision = self.clear_decision(person, **more)
        self.people.append(person)
        return entitlements.grant(decision=decision, person=person, by=self.cast.officer)

    def clear_decision(self, person: Person, **more: Any) -> Decision:
        decision = make_decision(self.cast, more.pop("rule_set", self.rule_set), person, **more)
        lifecycle.advance(decision, to=DecisionState.CLEAR, by=self.cast.decider)
        return decision

    def assemble(self, **more: Any) -> PayoutBatch:
        return batches.assemble(**{**self._asked(), **more})

    def assemble_all(self, **more: Any) -> list[PayoutBatch]:
        return batches.assemble_all(**{**self._asked(), **more})

    def _asked(self) -> dict[str, Any]:
        return {
            "fund": self.fund,
            "scheme": SCHEME,
            "period": "2026",
            "organization": self.cast.tree.city,
            "by": self.cast.feng,
            "today": TODAY,
        }

    def left_out(self) -> dict[int, str]:
        rows = batches.left_out(
            fund=self.fund,
            scheme=SCHEME,
            period="2026",
            organization=self.cast.tree.city,
            today=TODAY,
        )
        return {row.pk: row.because for row in rows}

    def sealed(self, count: int = 3) -> PayoutBatch:
        self.owe(count)
        return batches.seal(batch=self.assemble(), by=self.cast.feng)

    def released(self, count: int = 3) -> PayoutBatch:
        return self.release(self.sealed(count))

    def release(self, batch: PayoutBatch) -> PayoutBatch:
        batches.check(batch=batch, by=self.cast.feng_checker, digest=batch.digest)
        return batches.release(batch=batch, by=self.cast.feng_releaser, digest=batch.digest)

    def delivered(self, count: int = 3) -> PayoutBatch:
        batch = self.released(count)
        claims.wake()
        batch.refresh_from_db()
        return batch

    def layout(self, batch: PayoutBatch) -> Format:
        return formats.layout(batch.bank_format)

    def orders(self, batch: PayoutBatch) -> list[Payment]:
        """What the bank reads from the file that lies in its folder."""
        content = (Path(django_settings.BANK_DIR) / "outgoing" / batch.bank_file.name).read_bytes()
        number, payments = read_orders(self.layout(batch), content)
        assert number == batch.number
        return payments

    def answer(
        self, batch: PayoutBatch, *rows: Payment, name: str = "answer.csv", **more: Any
    ) -> ReturnFile:
        """Import a return file holding these rows."""
        content = write_return(self.layout(batch), batch.number, rows)
        return returns.import_return(content=content, name=name, by=self.cast.feng, **more)

    def says(self, batch: PayoutBatch, *results: str, ref: str = "B") -> list[Payment]:
        """The bank's word on the first lines, in their order."""
        return [
            replace(payment, result=result, reference=f"{ref}{payment.sequence}")
            for payment, result in zip(self.orders(batch), results, strict=False)
        ]

    def settled(self, *results: str) -> PayoutBatch:
        """A delivered batch whose lines got these answers."""
        batch = self.delivered(len(results))
        self.answer(batch, *self.says(batch, *results))
        batch.refresh_from_db()
        return batch

    def states(self, batch: PayoutBatch) -> list[str]:
        return list(batch.lines.order_by("e2e").values_list("state", flat=True))

    def line(self, batch: PayoutBatch, index: int = 0) -> PayoutLine:
        return batch.lines.order_by("e2e")[index]

    def figures(self) -> dict[str, int]:
        return ledger.figures(self.fund).as_dict()

    def correct_account(self, person: Person) -> None:
        """A new account: entered by Qiao, confirmed by Shi."""
        from members.models import BankAccount
        from members.states import BankAccountState

        old = BankAccount.objects.get(person=person, state=BankAccountState.CONFIRMED)
        lifecycle.advance(old, to=BankAccountState.RETIRED, by=self.cast.shi)
        make_bank_account(person, entered_by=self.cast.qiao, confirmed_by=self.cast.shi)


def make_office(cast: Cast, *, yuan: int = 100_000, **more: Any) -> Office:
    fields = {
        "code": "model-workers",
        "name": "Model workers' fund",
        "year": 2026,
        "organization": cast.tree.city,
        "schemes": [SCHEME, "special_hardship"],
        "payer_name": "榆林市总工会",
        "payer_account": "99990000000000000001",
        "by": cast.feng,
    }
    fund = ledger.open_fund(**{**fields, **more})
    ledger.appropriate(
        fund=fund, amount_fen=yuan * 100, by=cast.feng, reason="budget", key="budget-2026"
    )
    return Office(cast, make_rule_set(cast, SCHEME), fund)


@pytest.fixture
def office(cast: Cast) -> Iterator[Office]:
    """A fund of 100,000 yuan for a gift of 300 yuan; afterwards every invariant holds."""
    yield make_office(cast)
    assert [result for result in invariants.check_all() if not result.holds] == []


@pytest.fixture
def doomed_office(cast: Cast) -> Office:
    """The same for a test that breaks the books on purpose."""
    return make_office(cast)
