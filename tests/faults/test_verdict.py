"""The end of a run is held to what the bank said, to the last answer."""

import pytest
from django.conf import settings

from tests.cast import Cast
from tests.disbursement.conftest import make_office
from tests.faults.bank import Bank
from tests.faults.run import Run
from tests.faults.verdict import judge, unread_answers
from welfare.disbursement import returns
from welfare.disbursement.register import put_once
from welfare.disbursement.simulator import write_return

pytestmark = pytest.mark.django_db


def a_bank() -> Bank:
    """One that has nothing more to say."""
    return Bank(folder=None, books=None, layout=None, rng=None)


def test_an_answer_is_unread_until_somebody_has_imported_it(cast: Cast):
    office = make_office(cast)
    batch = office.delivered(2)
    paid = write_return(office.layout(batch), batch.number, office.says(batch, "paid", "paid"))
    put_once(settings.BANK_DIR / "incoming", f"{batch.number}-A1.csv", paid)
    # The same bytes come again under another name: they tell nothing new.
    put_once(settings.BANK_DIR / "incoming", f"{batch.number}-A2.csv", paid)
    assert len(unread_answers()) == 1
    returns.collect()
    assert unread_answers() == []


def test_a_run_goes_on_until_its_last_answer_is_read(cast: Cast):
    run = Run(world=None, bank=a_bank(), rounds=[], patience=1)
    assert not any(run._unsettled())
    put_once(settings.BANK_DIR / "incoming", "P1-A1.csv", b"a payment that came back")
    assert any(run._unsettled())


def test_a_run_that_ends_before_its_last_answer_is_told_so(cast: Cast):
    office = make_office(cast)
    batch = office.delivered(1)
    back = write_return(office.layout(batch), batch.number, office.says(batch, "returned"))
    put_once(settings.BANK_DIR / "incoming", f"{batch.number}-A1.csv", back)
    assert judge(a_bank(), [], with_guards=False).caught["answers that nobody read"] == 1
