"""What the bank's rows do, in whatever order and shape they come."""

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from union_portal.kit.refusals import Refused
from welfare.disbursement import batches, claims, returns
from welfare.disbursement.bankfile import BankFileRefused
from welfare.disbursement.models import Discrepancy, PayoutLine, ReturnFile, ReturnRow
from welfare.disbursement.refusals import AlreadyImported, PayoutRefused
from welfare.disbursement.simulator import write_return


def verdicts() -> list[str]:
    return list(ReturnRow.objects.order_by("file_id", "number").values_list("verdict", flat=True))


def test_every_line_gets_its_own_outcome(office):
    batch = office.settled("paid", "failed", "paid")
    assert office.states(batch) == ["paid", "failed", "paid"]
    assert batch.state == "reconciled"


def test_a_partial_file_settles_its_part(office):
    batch = office.delivered(3)
    office.answer(batch, *office.says(batch, "paid"))
    batch.refresh_from_db()
    assert (office.states(batch), batch.state) == (["paid", "sent", "sent"], "delivered")


def test_being_processed_is_no_success(office):
    batch = office.delivered(1)
    office.answer(batch, *office.says(batch, "unknown"))
    batch.refresh_from_db()
    assert (office.states(batch), batch.state) == (["unknown"], "delivered")
    assert office.figures()["in_transit_fen"] == 30_000
    office.answer(batch, *office.says(batch, "paid"), name="later.csv")
    assert office.states(batch) == ["paid"]


def test_money_that_comes_back_is_reserved_again(office):
    batch = office.settled("paid", "paid")
    office.answer(batch, *office.says(batch, "returned", ref="T"), name="late.csv")
    assert office.states(batch) == ["returned", "paid"]
    assert office.figures()["spent_fen"] == 30_000
    assert office.figures()["reserved_fen"] == 30_000


# -- order, repetition, contradiction ---------------------------------------------------


def test_a_return_before_its_success_waits_and_then_applies(office):
    batch = office.delivered(1)
    office.answer(batch, *office.says(batch, "returned", ref="T"), name="first.csv")
    assert (verdicts(), office.states(batch)) == (["early"], ["sent"])
    office.answer(batch, *office.says(batch, "paid"), name="second.csv")
    assert (verdicts(), office.states(batch)) == (["applied", "applied"], ["returned"])


def test_return_and_success_in_one_file_in_the_wrong_order(office):
    batch = office.delivered(1)
    rows = [*office.says(batch, "returned", ref="T"), *office.says(batch, "paid")]
    office.answer(batch, *rows)
    assert (verdicts(), office.states(batch)) == (["applied", "applied"], ["returned"])


def test_the_same_row_again_is_a_repetition(office):
    batch = office.settled("paid", "failed")
    office.answer(batch, *reversed(office.says(batch, "paid", "failed")), name="again.csv")
    assert verdicts() == ["applied", "applied", "repeat", "repeat"]
    assert office.figures()["spent_fen"] == 30_000


def test_the_same_row_twice_in_one_file(office):
    batch = office.delivered(1)
    office.answer(batch, *office.says(batch, "paid"), *office.says(batch, "paid"))
    assert verdicts() == ["applied", "repeat"]


def test_the_same_file_twice_is_told_and_changes_nothing(office):
    batch = office.delivered(1)
    first = office.answer(batch, *office.says(batch, "paid"))
    with pytest.raises(AlreadyImported) as caught:
        office.answer(batch, *office.says(batch, "paid"), name="renamed.csv")
    assert caught.value.file == first
    assert f"{timezone.localtime(first.imported_at):%Y-%m-%d %H:%M}" in str(caught.value)
    assert ReturnFile.objects.count() == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [("paid", "failed"), ("failed", "paid"), ("failed", "returned")],
)
def test_a_contradiction_opens_a_discrepancy_and_moves_nothing(office, first, then):
    batch = office.settled(first)
    office.answer(batch, *office.says(batch, then, ref="Z"), name="other.csv")
    assert verdicts()[-1] == "conflict"
    assert office.states(batch) == [first]
    assert Discrepancy.objects.get().kind == "conflict"


def test_paid_and_failed_in_one_file_settle_nothing(office):
    batch = office.delivered(1)
    office.answer(batch, *office.says(batch, "paid"), *office.says(batch, "failed", ref="Z"))
    assert verdicts() == ["conflict", "conflict"]
    assert office.states(batch) == ["sent"]


def test_a_second_success_with_another_reference_is_a_conflict(office):
    batch = office.settled("paid")
    office.answer(batch, *office.says(batch, "paid", ref="Z"), name="other.csv")
    assert verdicts() == ["applied", "conflict"]


def test_another_amount_is_not_applied(office):
    batch = office.delivered(1)
    (row,) = office.says(batch, "paid")
    office.answer(batch, replace(row, amount_fen=row.amount_fen + 1))
    assert (verdicts(), office.states(batch)) == (["amount"], ["sent"])
    assert Discrepancy.objects.get().kind == "amount"


def test_another_account_is_not_applied(office):
    batch = office.delivered(1)
    (row,) = office.says(batch, "paid")
    office.answer(batch, replace(row, account="6299990000000000009"))
    assert (verdicts(), office.states(batch)) == (["conflict"], ["sent"])


def test_a_strangers_row_is_kept_and_shown(office):
    batch = office.delivered(1)
    (row,) = office.says(batch, "paid")
    office.answer(batch, row, replace(row, e2e="X1-1"))
    assert verdicts() == ["applied", "no_match"]
    found = Discrepancy.objects.get()
    assert (found.kind, found.batch) == ("no_match", batch)
    returns.resolve(discrepancy=found, by=office.cast.feng, finding="another payer's row")
    batch.refresh_from_db()
    batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=30_000)


def test_a_discrepancy_is_settled_in_words_that_others_understand(office):
    batch = office.delivered(1)
    (row,) = office.says(batch, "paid")
    office.answer(batch, row, replace(row, e2e="X1-1"))
    found = Discrepancy.objects.get()
    for finding in ("", "x", " too short "):
        with pytest.raises(Refused, match="ten characters"):
            returns.resolve(discrepancy=found, by=office.cast.feng, finding=finding)
    found.refresh_from_db()
    assert found.state == "open"


def test_a_bank_that_answers_before_we_noted_the_delivery(office, monkeypatch):
    """The file left, the worker died: the bank's answer counts all the same."""
    from welfare.disbursement import delivery

    batch = office.released(1)
    monkeypatch.setattr(delivery.gate, "mirror", boom)
    with pytest.raises(Boom):
        claims.wake()
    monkeypatch.undo()
    batch.refresh_from_db()
    assert batch.state == "delivering"
    office.answer(batch, *office.says(batch, "paid"))
    assert office.states(batch) == ["paid"]
    type(batch).objects.update(lease_until=None)
    claims.wake()
    batch.refresh_from_db()
    assert batch.state == "reconciled"


class Boom(Exception):
    pass


def boom(*_args, **_more):
    raise Boom


# -- files that are refused whole -------------------------------------------------------


def good(office, batch) -> bytes:
    rows = office.says(batch, "paid", "failed", "paid")
    return write_return(office.layout(batch), batch.number, rows)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda text: "", "empty"),
        (lambda text: text.replace("900.00", "900.01"), "900.01"),
        (lambda text: text.rsplit("\r\n", 2)[0] + "\r\n", "holds 2"),
        (lambda text: text[: len(text) - 20], "Row"),
        (lambda text: text.replace("成功", "行"), "Row 3"),
        (lambda text: text.replace("300.00", "300.005", 1), "amount"),
    ],
)
def test_a_faulty_file_is_refused_whole_with_row_and_column(office, spoil, told):
    batch = office.delivered(3)
    content = spoil(good(office, batch).decode()).encode()
    with pytest.raises(BankFileRefused) as caught:
        returns.import_return(content=content, name=f"{batch.number}-R01.csv", by=office.cast.feng)
    assert told in str(caught.value)
    assert not ReturnFile.objects.exists() and not ReturnRow.objects.exists()
    assert office.states(batch) == ["sent"] * 3


def test_a_file_in_the_wrong_encoding_is_told(office):
    batch = office.delivered(3)
    content = good(office, batch).decode().encode("gbk")
    with pytest.raises(BankFileRefused, match="UTF-8"):
        returns.import_return(content=content, name=f"{batch.number}.csv", by=office.cast.feng)


def test_a_file_for_another_batch_is_refused_by_name(office):
    one, other = office.delivered(1), office.delivered(2)
    content = write_return(office.layout(one), one.number, office.says(one, "paid"))
    with pytest.raises(PayoutRefused) as caught:
        returns.import_return(content=content, name="x.csv", by=office.cast.feng, batch=other)
    assert one.number in str(caught.value) and other.number in str(caught.value)
    assert office.states(one) == ["sent"]


def test_a_file_for_a_batch_never_made_is_refused(office):
    batch = office.delivered(1)
    content = write_return(office.layout(batch), "P1999", office.says(batch, "paid"))
    with pytest.raises(PayoutRefused, match="P1999"):
        returns.import_return(content=content, name="x.csv", by=office.cast.feng)


def test_a_file_of_fifty_megabytes_is_refused_unread(office, monkeypatch):
    monkeypatch.setattr(returns, "MOST_BYTES", 10)
    with pytest.raises(PayoutRefused, match="larger"):
        returns.import_return(content=b"x" * 11, name="x.csv", by=office.cast.feng)


def test_only_finance_imports(office):
    batch = office.delivered(1)
    for outsider in (office.cast.gao, office.cast.feng_checker, office.cast.wei):
        with pytest.raises(PermissionDenied):
            returns.import_return(content=good(office, batch), name="x", by=outsider)


# -- closing ----------------------------------------------------------------------------


def test_a_batch_closes_when_everything_agrees(office):
    batch = office.settled("paid", "failed")
    with pytest.raises(PayoutRefused, match="bank statement"):
        batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=60_000)
    assert (
        batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=30_000).state
        == "closed"
    )


def test_returned_money_was_debited(office):
    batch = office.delivered(2)
    rows = [*office.says(batch, "paid", "paid"), *office.says(batch, "returned", ref="T")]
    office.answer(batch, *rows)
    batch.refresh_from_db()
    closed = batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=60_000)
    assert closed.state == "closed"


def test_an_open_discrepancy_keeps_the_batch_open(office):
    batch = office.settled("paid")
    office.answer(batch, *office.says(batch, "failed", ref="Z"), name="other.csv")
    with pytest.raises(PayoutRefused, match="still open"):
        batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=30_000)
    returns.resolve(
        discrepancy=Discrepancy.objects.get(), by=office.cast.feng, finding="bank's error, by phone"
    )
    batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=30_000)


def test_a_return_after_closing_applies_and_is_somebodys_task(office):
    batch = office.settled("paid", "paid")
    batches.close(batch=batch, by=office.cast.feng, statement_debit_fen=60_000)
    office.answer(batch, *office.says(batch, "returned", ref="T"), name="late.csv")
    assert office.states(batch) == ["returned", "paid"]
    found = Discrepancy.objects.get()
    assert (found.kind, found.line, found.batch) == ("late_return", office.line(batch), batch)
    assert office.figures()["reserved_fen"] == 30_000


# -- the bank's folder ------------------------------------------------------------------


def test_the_folder_is_collected_once_and_bad_files_are_named(office, settings):
    from welfare.disbursement.register import put_once

    batch = office.delivered(3)
    folder = settings.BANK_DIR / "incoming"
    put_once(folder, f"{batch.number}-R01.csv", good(office, batch))
    put_once(folder, f"{batch.number}-R02.csv", good(office, batch)[:-20])
    result = returns.collect()
    assert [file.name for file in result.imported] == [f"{batch.number}-R01.csv"]
    assert [name for name, _why in result.refused] == [f"{batch.number}-R02.csv"]
    assert returns.collect().imported == []


@pytest.mark.parametrize("code", ["generic-gbk", "generic-utf8", "delimited-pipe", "pain.001"])
def test_every_shipped_format_goes_out_and_comes_back(office, settings, code):
    from welfare.disbursement.simulator import Bank, Habits

    office.fund.bank_format = code
    office.fund.save()
    batch = office.delivered(6)
    habits = Habits(
        failing_per_mille=300, returning_per_mille=200, part_of=2, strangers=1, repeats=2,
        wrong_amounts=1, early=True,
    )  # fmt: skip
    bank = Bank(settings.BANK_DIR, office.layout(batch), habits)
    bank.answer_all()
    assert returns.collect().refused == []
    truth = {payment.e2e: payment.result for payment in bank.payments()}
    assert dict(PayoutLine.objects.values_list("e2e", "state")) == truth


def test_a_file_tells_what_it_did(office):
    batch = office.delivered(2)
    file = office.answer(batch, *office.says(batch, "paid", "failed"))
    assert returns.summary(file) == "2 rows: applied 2"


def test_what_was_collected_is_not_opened_again(office, settings, monkeypatch):
    from welfare.disbursement.register import put_once

    batch = office.delivered(3)
    folder = settings.BANK_DIR / "incoming"
    put_once(folder, f"{batch.number}-R01.csv", good(office, batch))
    assert len(returns.collect().imported) == 1

    def opened(**_file):
        raise AssertionError("opened again")

    monkeypatch.setattr(returns, "import_return", opened)
    assert returns.collect().imported == []
