"""Every return file there is, is read whole or refused whole by name."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import files, targets
from tests.fuzz.__main__ import shared
from tests.fuzz.judging import judge
from tests.fuzz.layouts import LAYOUTS
from tests.searching import examples
from union_portal.embedded import places
from welfare.disbursement import bankfile, returns
from welfare.disbursement.bankfile import BankFileRefused, FileHead, Format, PayLine
from welfare.disbursement.models import (
    Discrepancy,
    PayoutLine,
    ReturnFile,
    ReturnRow,
    Verdict,
)
from welfare.disbursement.refusals import PayoutRefused
from welfare.disbursement.simulator import read_orders, write_return

SPOILS = st.lists(
    st.builds(
        files.Spoil,
        at=st.integers(0, 1000),
        cut=st.sampled_from((0, 0, 1, 2, 5, 20, 60, 200)),
        token=st.integers(0, len(files.TOKENS) - 1),
        copy=st.sampled_from((0, 0, 0, 1, 30, 100, 400)),
    ),
    min_size=1,
    max_size=4,
)

# A sign put in the place of another: names and accounts become other ones, sums may still agree.
TWISTS = st.lists(
    st.builds(
        files.Spoil,
        at=st.integers(0, 1000),
        cut=st.just(1),
        token=st.sampled_from([files.TOKENS.index(sign) for sign in (b"0", b"1", b"2")]),
    ),
    min_size=1,
    max_size=2,
)


def test_twenty_thousand_inputs_are_read_whole_or_refused_by_name():
    tried = read = 0

    def try_all(content_for) -> None:
        nonlocal tried, read
        for layout in LAYOUTS.values():
            read += judge(layout, content_for(layout))
            tried += 1

    @settings(max_examples=examples(2500))
    @given(count=st.integers(1, 5), seed=st.integers(0, 50), spoils=SPOILS)
    def spoil(count, seed, spoils):
        try_all(lambda layout: files.spoiled(files.answer(layout, count, seed), spoils))

    @settings(max_examples=examples(360))
    @given(content=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
    def anything(content):
        try_all(lambda layout: content)

    spoil()
    anything()
    assert tried >= 20_000
    assert read > tried // 20, "what was tried never gets past the first check"


NAMES = st.text(st.sampled_from("张李王欧阳·㛃𠅤Aa1"), min_size=1, max_size=12)
LINES = st.lists(
    st.tuples(NAMES, st.integers(1, 10**12), st.from_regex(r"[0-9]{8,30}", fullmatch=True)),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("name", bankfile.SHIPPED)
@settings(max_examples=examples(60))
@given(drawn=LINES, results=st.lists(st.sampled_from(files.RESULTS), min_size=8, max_size=8))
def test_what_goes_out_comes_back_whole(name, drawn, results):
    layout = LAYOUTS[name]
    lines = [
        PayLine(number, f"{files.NUMBER}-{number:06d}", fen, holder, account, "驼城演示银行")
        for number, (holder, fen, account) in enumerate(drawn, start=1)
    ]
    number, orders = read_orders(layout, bankfile.build(layout, head_of(lines), lines))
    said = [
        replace(order, result=result, reference=f"B{order.sequence}")
        for order, result in zip(orders, results, strict=False)
    ]
    read = bankfile.read_return(layout, write_return(layout, number, said))
    assert read.batch_number == files.NUMBER
    assert [(row.e2e, row.amount_fen, row.account, row.result) for row in read.rows] == [
        (line.e2e, line.amount_fen, line.account, result)
        for line, result in zip(lines, results, strict=False)
    ]


def head_of(lines) -> FileHead:
    return FileHead(
        batch_number=files.NUMBER,
        payer_name="榆林市总工会",
        payer_account="99990000000000000001",
        pay_on=files.DAY,
        made_at=files.NOW,
        count=len(lines),
        total_fen=sum(line.amount_fen for line in lines),
    )


@pytest.mark.parametrize("name", ["generic-utf8", "delimited-pipe", "pain.001"])
def test_every_row_that_is_read_gets_its_verdict(office, name):
    """The same with the database behind it: nothing it refuses was let through."""
    from django.db import transaction

    office.fund.bank_format = name
    office.fund.save()
    batch = office.delivered(3)
    sound = write_return(
        office.layout(batch), batch.number, office.says(batch, "paid", "failed", "paid")
    )

    taken = 0

    @settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
    @given(spoils=SPOILS | TWISTS)
    def import_it(spoils):
        nonlocal taken
        content = files.spoiled(sound, spoils)
        with transaction.atomic():
            try:
                file = returns.import_return(content=content, name="R01.csv", by=office.cast.feng)
            except (BankFileRefused, PayoutRefused):
                assert not ReturnFile.objects.exists() and not ReturnRow.objects.exists()
            else:
                taken += content != sound
                read = bankfile.read_return(office.layout(batch), content)
                every_row_is_kept_and_judged(file, read)
            transaction.set_rollback(True)

    import_it()
    assert taken, "no file that differs from the sound one was ever taken"


def every_row_is_kept_and_judged(file, read):
    """Rows are born as strangers, so that of one whose payment is known more is demanded."""
    lines = dict(PayoutLine.objects.values_list("e2e", "pk"))
    rows = list(file.rows.order_by("number"))
    assert [(row.e2e, row.amount_fen, row.result) for row in rows] == [
        (row.e2e, row.amount_fen, row.result) for row in read.rows
    ]
    for row in rows:
        assert row.line_id == lines.get(row.e2e)
        assert (row.verdict == Verdict.NO_MATCH) == (row.e2e not in lines)
    told = Discrepancy.objects.filter(kind="no_match").values_list("row__number", flat=True)
    assert sorted(told) == [row.number for row in rows if row.e2e not in lines]


# -- what was found --------------------------------------------------------------------


BARE = LAYOUTS["no-totals-bars"]
SPARSE = LAYOUTS["no-totals"]
ROW = "1,P20260000001-000001,6299990000000000017,300.00,成功,,B1\n"
TITLES = "序号,端到端标识,账号,金额,结果,原因,流水号\n"


def refuse(layout: Format, text: str | bytes, told: str) -> None:
    content = text if isinstance(text, bytes) else text.encode(layout.encoding or "utf-8")
    with pytest.raises(BankFileRefused, match=told):
        bankfile.read_return(layout, content)
    assert judge(layout, content) is False


def test_a_payment_in_the_place_of_the_titles_is_not_passed_over():
    refuse(SPARSE, ROW + ROW, "Row 1 is a payment where this format has titles")


def test_a_quotation_mark_left_open_swallows_no_payment():
    refuse(SPARSE, TITLES + ROW.replace("B1", '"B1') + ROW.replace("B1", 'B1"'), "Row 2 is broken")


def test_a_character_that_no_database_takes_is_told():
    refuse(SPARSE, TITLES + ROW.replace("-000001", "-0\x00001"), "Row 2 holds a control character")
    number = "P2026\x000000001,1,300.00\n"
    refuse(LAYOUTS["generic-utf8"], number + TITLES + ROW, "Row 1 holds a control character")


def test_sums_that_no_database_takes_are_told():
    rows = ROW.replace("300.00", "9" * 16 + ".99") * 10
    refuse(SPARSE, TITLES + rows, "The file holds more than 9999999999999999.99 yuan")


@pytest.mark.parametrize(("name", "most"), [("P20260000001-000001", 35), ("B1", 64)])
def test_a_name_is_not_cut_off_so_that_it_becomes_another(name, most):
    refuse(SPARSE, TITLES + ROW.replace(name, name + "0" * most), f"longer than {most} characters")


@pytest.mark.parametrize("layout", [SPARSE, BARE])
def test_an_answer_to_nothing_is_no_answer(layout):
    refuse(layout, TITLES if layout is SPARSE else "\n", "The file (answers no payment|is empty)")


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("300.00</InstdAmt>", "30<x/>0.00</InstdAmt>", "InstdAmt” is not told once"),
        ('Ccy="CNY"', 'Ccy="USD"', "the currency is not CNY"),
        ("<TxSts>", "<TxSts>RJCT</TxSts><TxSts>", "TxSts” is not told once"),
        ("<TxInfAndSts>", '<TxInfAndSts xmlns="urn:other">', "not told in pain.002"),
        ("<OrgnlGrpInfAndSts>", "<OrgnlGrpInfAndSts/><OrgnlGrpInfAndSts>", "no pain.002"),
        ("-000001<", "-0\u009500001<", "control character"),
    ],
)
def test_a_report_that_could_be_read_in_two_ways_is_refused(was, becomes, told):
    content = report("paid").decode()
    assert was in content
    refuse(LAYOUTS["pain.001"], content.replace(was, becomes).encode(), told)


def report(result: str, cause: str = "") -> bytes:
    said = replace(files.payments(1, seed=0)[0], amount_fen=30_000, result=result, cause=cause)
    return write_return(LAYOUTS["pain.001"], files.NUMBER, [said])


def test_a_comment_does_not_end_an_amount():
    content = report("paid").replace(b"300.00</InstdAmt>", b"30<!-- -->0.00</InstdAmt>")
    (row,) = bankfile.read_return(LAYOUTS["pain.001"], content).rows
    assert row.amount_fen == 30_000


def test_a_return_is_known_by_any_of_its_reasons():
    first = b"<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf><StsRsnInf>"
    content = report("returned", "账户已销户").replace(b"<StsRsnInf>", first, 1)
    (row,) = bankfile.read_return(LAYOUTS["pain.001"], content).rows
    assert row.result == "returned"


def test_a_total_may_be_told_without_its_zeros():
    content = report("paid").replace(b"300.00</OrgnlCtrlSum>", b"300</OrgnlCtrlSum>")
    assert bankfile.read_return(LAYOUTS["pain.001"], content).total_fen == 30_000


@pytest.mark.parametrize(
    "change",
    [
        {"encoding": "utf-7"},
        {"encoding": "base64"},
        {"encoding": "no such"},
        {"separator": "|!"},
        {"quote": "''"},
        {"return_columns": ["e2e", "account", "amount_yuan", "result", "e2e"]},
    ],
)
def test_a_layout_that_can_read_nothing_is_refused_when_it_is_described(change):
    from union_portal.kit.refusals import Refused

    with pytest.raises(Refused, match="Bank format “x”"):
        Format.from_config("x", {**bankfile.SHIPPED["generic-utf8"], **change})


def test_a_name_that_no_report_can_hold_is_refused_with_its_line():
    line = PayLine(1, "P1-1", 30_000, "张\x0b三", "6299990000000000017")
    with pytest.raises(BankFileRefused, match="Line 1 holds a control character"):
        bankfile.build(LAYOUTS["pain.001"], head_of([line]), [line])


# A text is read row by row; of a report there is a tree, of no more tags than a file may have.
MOST_MIB, MOST_MIB_OF_A_TREE = 100, 420


def test_fifty_megabytes_of_anything_are_refused_in_bounded_memory():
    """In a process of its own, so that the peak is theirs."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.large"],
        cwd=places.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    took = [line.split() for line in done.stdout.splitlines()]
    assert len(took) > 5
    for mebibytes, _unit, layout, *_file in took:
        most = MOST_MIB if LAYOUTS[layout].kind == "delimited" else MOST_MIB_OF_A_TREE
        assert int(mebibytes) < most, done.stdout


@pytest.mark.parametrize("chosen", [["return_file", "roster"], ["workbook"], list(targets.SHARES)])
def test_every_input_that_is_asked_for_is_some_targets(chosen):
    for inputs in (1, 7, 999, 1000):
        parts = shared(inputs, chosen)
        assert sum(parts.values()) == inputs
        assert all(parts.values())


@pytest.mark.parametrize("target", targets.TARGETS)
def test_the_fuzzers_seeds_are_sound(target):
    for seed in targets.seeds(target):
        targets.TARGETS[target](seed)
