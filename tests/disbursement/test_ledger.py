"""Where the money of a fund stands, and how it moves."""

import pytest
from django.core.exceptions import PermissionDenied

from tests.cast import make_payee
from welfare.disbursement import entitlements, ledger
from welfare.disbursement.models import Entry
from welfare.disbursement.refusals import NoCover, PayoutRefused


def test_an_appropriation_is_available(office):
    assert office.figures()["appropriated_fen"] == 10_000_000
    assert office.figures()["available_fen"] == 10_000_000


def test_the_same_document_is_booked_once(office):
    again = {"fund": office.fund, "by": office.cast.feng, "reason": "budget", "key": "budget-2026"}
    first = Entry.objects.get(key="appropriate:budget-2026")
    assert ledger.appropriate(amount_fen=10_000_000, **again) == first
    assert office.figures()["appropriated_fen"] == 10_000_000
    with pytest.raises(PayoutRefused, match="another amount"):
        ledger.appropriate(amount_fen=5, **again)


@pytest.mark.parametrize("amount_fen", [0, -1])
def test_nothing_is_no_appropriation(office, amount_fen):
    with pytest.raises(PayoutRefused):
        ledger.appropriate(
            fund=office.fund, amount_fen=amount_fen, by=office.cast.feng, reason="", key="x"
        )


def test_only_finance_appropriates(office):
    with pytest.raises(PermissionDenied):
        ledger.appropriate(
            fund=office.fund, amount_fen=5, by=office.cast.decider, reason="", key="x"
        )


def test_a_grant_reserves(office):
    office.owe(2)
    figures = office.figures()
    assert (figures["reserved_fen"], figures["available_fen"]) == (60_000, 9_940_000)


def test_a_grant_without_cover_names_fund_need_and_rest(office):
    dear = office.clear_decision(make_payee(office.cast), amount_fen=20_000_000)
    with pytest.raises(NoCover) as caught:
        entitlements.grant(decision=dear, person=office.cast.lin_person, by=office.cast.officer)
    assert "Model workers' fund" in str(caught.value)
    assert "100,000.00" in str(caught.value) and "200,000.00" in str(caught.value)
    assert office.figures()["reserved_fen"] == 0


def test_an_appropriation_is_taken_back_by_a_reversing_entry(office):
    entry = Entry.objects.get(key="appropriate:budget-2026")
    ledger.reverse(entry=entry, by=office.cast.feng, reason="wrong year")
    assert office.figures()["appropriated_fen"] == 0
    assert office.figures()["available_fen"] == 0


def test_what_was_appropriated_is_the_sum_of_the_rest_at_every_step(office):
    def adds_up() -> bool:
        figures = office.figures()
        return figures.pop("appropriated_fen") == sum(figures.values())

    batch = office.delivered(4)
    assert adds_up() and office.figures()["in_transit_fen"] == 120_000
    office.answer(batch, *office.says(batch, "paid", "failed"))
    assert adds_up() and office.figures()["in_transit_fen"] == 60_000
    rest = office.says(batch, "paid", "failed", "paid", "paid")[2:]
    office.answer(batch, *rest, name="second.csv")
    assert adds_up() and office.figures()["spent_fen"] == 90_000
