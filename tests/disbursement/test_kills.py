"""A worker that dies at the worst moment: another goes on, and every fen agrees."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from tests.faults.points import Plan
from tests.processes import surroundings
from welfare.disbursement import claims, gate, returns
from welfare.disbursement.models import BankFile, PayoutBatch, PayoutLine
from welfare.disbursement.simulator import Bank, Habits

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKER = (
    "import sys, django; from pathlib import Path; django.setup();"
    " from tests.faults import points; points.arm(Path(sys.argv[1]));"
    " from welfare.disbursement import claims, returns; "
)
DELIVERY = "welfare.disbursement.delivery"
PEOPLE = 40


def die_at(point: str, act: str) -> None:
    """Run a worker in a process of its own that is killed at the named point."""
    plan = Path(django_settings.BANK_DIR).parent / "plan"
    Plan(plan).order(point, "kill")
    done = subprocess.run(
        [sys.executable, "-c", WORKER + act, str(plan)],
        env=surroundings(
            PORTAL_REGISTER_DIR=str(django_settings.REGISTER_DIR),
            PORTAL_BANK_DIR=str(django_settings.BANK_DIR),
        ),
        cwd=Path(__file__).parents[2],
        timeout=120,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]
    # As the database's clock will do, without waiting for it.
    PayoutBatch.objects.update(lease_until=None)


def bank(office, **habits) -> Bank:
    layout = office.layout(PayoutBatch.objects.get())
    return Bank(Path(django_settings.BANK_DIR), layout, Habits(**habits))


def agrees_to_the_fen(office, bank: Bank) -> None:
    """The lines say what the bank did, and the books add up to it."""
    truth = {payment.e2e: payment for payment in bank.payments()}
    lines = dict(PayoutLine.objects.values_list("e2e", "state"))
    assert lines == {e2e: payment.result for e2e, payment in truth.items()}
    paid = sum(payment.amount_fen for payment in truth.values() if payment.result == "paid")
    figures = office.figures()
    assert (figures["spent_fen"], figures["in_transit_fen"]) == (paid, 0)
    assert figures["reserved_fen"] == PEOPLE * 30_000 - paid


@pytest.mark.parametrize(
    "point",
    [
        f"{DELIVERY}.generate:before",
        f"{DELIVERY}.generate:after",
        f"{DELIVERY}.announce:before",
        f"{DELIVERY}.announce:after",
        "deliver.before_register",
        "deliver.before_file",
        "deliver.after_file",
        f"{DELIVERY}.hand_over:before",
        f"{DELIVERY}.hand_over:after",
    ],
)
def test_a_worker_killed_on_the_way_to_the_bank(office, point):
    office.released(PEOPLE)
    die_at(point, "claims.wake()")
    the_bank = bank(office, failing_per_mille=100)
    the_bank.answer_all()  # the file may be out already, then the bank acts on it
    claims.wake()
    assert PayoutBatch.objects.get().state in ("delivered", "reconciled")
    the_bank.answer_all()
    assert not the_bank.seen_with_other_bytes(
        Path(django_settings.BANK_DIR) / "outgoing" / BankFile.objects.get().name
    )
    returns.collect()
    claims.wake()
    assert gate.register().head() == 1
    agrees_to_the_fen(office, the_bank)


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_worker_killed_while_it_imports(office, point):
    office.delivered(PEOPLE)
    the_bank = bank(office, failing_per_mille=100, returning_per_mille=100, part_of=3, repeats=2)
    the_bank.answer_all()
    die_at(f"welfare.disbursement.returns.import_return:{point}", "returns.collect()")
    returns.collect()
    claims.wake()
    assert PayoutBatch.objects.get().state == "reconciled"
    agrees_to_the_fen(office, the_bank)


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_worker_killed_while_it_reconciles(office, point, monkeypatch):
    batch = office.delivered(PEOPLE)
    the_bank = bank(office)
    the_bank.answer_all()
    from welfare.disbursement import settlement

    with monkeypatch.context() as patch:
        patch.setattr(settlement, "reconcile_if_done", lambda *_args, **_more: 0)
        returns.collect()
    die_at(f"welfare.disbursement.settlement.reconcile_all:{point}", "claims.wake()")
    claims.wake()
    batch.refresh_from_db()
    assert batch.state == "reconciled"
    agrees_to_the_fen(office, the_bank)
