"""The bank to play with reads what we write, and we read what it answers."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from welfare.disbursement import bankfile
from welfare.disbursement.bankfile import FileHead, Format, PayLine
from welfare.disbursement.register import put_once
from welfare.disbursement.simulator import Bank, Habits


def lines(count: int) -> list[PayLine]:
    return [
        PayLine(n, f"U{n:010d}-1", 30000 + n, "张三", f"62999900000{n:08d}", "演示银行")
        for n in range(1, count + 1)
    ]


def send(tmp_path, layout: Format, count: int = 200) -> None:
    paid = lines(count)
    head = FileHead(
        "YL1", "总工会", "9999", date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC), count,
        sum(line.amount_fen for line in paid),
    )  # fmt: skip
    content = bankfile.build(layout, head, paid)
    put_once(tmp_path / "outgoing", f"YL1.{layout.extension}", content)


@pytest.fixture(params=bankfile.SHIPPED)
def layout(request) -> Format:
    return Format.from_config(request.param, bankfile.SHIPPED[request.param])


def test_every_line_gets_its_answer(tmp_path, layout):
    send(tmp_path, layout)
    (answer,) = Bank(tmp_path, layout, Habits(failing_per_mille=100)).answer_all()
    read = bankfile.read_return(layout, answer.read_bytes())
    assert read.batch_number == "YL1"
    assert [row.e2e for row in read.rows] == [line.e2e for line in lines(200)]
    results = Counter(str(row.result) for row in read.rows)
    assert results["paid"] + results["failed"] == 200 and results["failed"] > 0


def test_the_same_file_again_is_not_paid_again(tmp_path, layout):
    send(tmp_path, layout)
    bank = Bank(tmp_path, layout)
    bank.answer_all()
    assert bank.answer_all() == []
    assert len(bank.payments()) == 200


def test_the_same_number_with_other_bytes_is_refused(tmp_path, layout):
    send(tmp_path, layout)
    bank = Bank(tmp_path, layout)
    bank.answer_all()
    sent = tmp_path / "outgoing" / f"YL1.{layout.extension}"
    assert not bank.seen_with_other_bytes(sent)
    sent.write_bytes(sent.read_bytes().replace(b"300.01", b"300.02"))
    assert bank.seen_with_other_bytes(sent)


def test_an_answer_may_come_in_parts_with_rows_that_do_not_belong(tmp_path, layout):
    send(tmp_path, layout)
    habits = Habits(part_of=3, strangers=2, wrong_amounts=1, repeats=4, returning_per_mille=50)
    answers = Bank(tmp_path, layout, habits).answer_all()
    assert len(answers) == 3
    rows = [row for file in answers for row in bankfile.read_return(layout, file.read_bytes()).rows]
    ends = Counter(row.e2e for row in rows)
    assert ends["X0000000000-1"] == 1
    assert any(row.result == "returned" for row in rows)
    assert {line.e2e for line in lines(200)} <= set(ends)
