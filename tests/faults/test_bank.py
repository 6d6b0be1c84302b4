"""The bank of the fault harness fails for as long as a run lasts, and pays everybody at last."""

import random
from itertools import groupby

from tests.faults.bank import PATIENCE, Bank
from welfare.disbursement.simulator import Payment


def answers(count: int) -> list[str]:
    """What becomes of so many payments to one account."""
    bank = Bank(folder=None, books=None, layout=None, rng=random.Random(1))
    orders = [Payment(n, f"P1-{n}", "6222", 30_000) for n in range(count)]
    return [bank._settle(order, "P1").result for order in orders]


def test_an_account_may_fail_again_however_often_it_was_paid():
    late = answers(2_000)[-500:]
    assert {"failed", "returned", "paid"} == set(late)


def test_nobody_is_failed_more_often_in_a_row_than_the_bank_is_patient():
    missed = [
        len(list(run))
        for is_paid, run in groupby(answers(2_000), lambda result: result == "paid")
        if not is_paid
    ]
    assert max(missed) == PATIENCE
