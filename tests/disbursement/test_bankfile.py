"""Lines to bytes and return bytes to rows, for every shipped format."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from union_portal.kit.refusals import Refused
from welfare.disbursement import bankfile
from welfare.disbursement.bankfile import BankFileRefused, FileHead, Format, PayLine, ReturnResult
from welfare.disbursement.bankfile.iso20022 import PAIN_001, PAIN_002

LINES = [
    PayLine(1, "U0000000001-1", 30000, "张㛃", "6299990000000000017", "驼城演示银行", "", "慰问金"),
    PayLine(
        2, "U0000000002-1", 150005, "乔𠅤", "6299990000000000025", "塞上演示信用社", "", "补助"
    ),
]
HEAD = FileHead(
    batch_number="YL20260302-0001",
    payer_name="榆林市总工会",
    payer_account="99990000111122223333",
    pay_on=date(2026, 3, 2),
    made_at=datetime(2026, 3, 2, 1, 30, tzinfo=UTC),
    count=2,
    total_fen=180005,
)


def layout(name: str, **changes) -> Format:
    return Format.from_config(name, {**bankfile.SHIPPED[name], **changes})


@pytest.mark.parametrize("name", bankfile.SHIPPED)
def test_the_same_lines_give_the_same_bytes(name):
    assert bankfile.build(layout(name), HEAD, LINES) == bankfile.build(layout(name), HEAD, LINES)


@pytest.mark.parametrize(
    ("name", "encoding"), [("generic-gbk", "gb18030"), ("generic-utf8", "utf-8-sig")]
)
def test_the_generic_file_holds_totals_rare_names_and_two_decimals(name, encoding):
    rows = bankfile.build(layout(name), HEAD, LINES).decode(encoding).split("\r\n")
    assert rows[0] == '"YL20260302-0001","99990000111122223333","2026-03-02","2","1800.05"'
    assert rows[2].startswith('"1","张㛃","6299990000000000017","驼城演示银行","300.00"')
    assert '"乔𠅤"' in rows[3] and '"1500.05"' in rows[3]


def test_separators_may_have_several_characters():
    rows = bankfile.build(layout("delimited-pipe"), HEAD, LINES).decode("gb18030").splitlines()
    assert rows[1].split("|!")[:3] == ["1", "张㛃", "6299990000000000017"]
    assert rows[-1] == "2|!1800.05"


def test_a_name_that_the_encoding_lacks_is_refused_with_its_line():
    with pytest.raises(BankFileRefused, match="2"):
        bankfile.build(layout("generic-gbk", encoding="gbk"), HEAD, LINES)


def test_a_separator_inside_a_text_is_refused():
    hostile = [replace(LINES[0], holder="张|!三"), LINES[1]]
    with pytest.raises(BankFileRefused):
        bankfile.build(layout("delimited-pipe"), HEAD, hostile)


@pytest.mark.parametrize("change", [{"count": 3}, {"total_fen": 180006}])
def test_lines_that_do_not_agree_with_the_head_are_refused(change):
    with pytest.raises(Refused):
        bankfile.build(layout("generic-utf8"), replace(HEAD, **change), LINES)


def test_more_lines_than_the_bank_takes_are_refused():
    with pytest.raises(Refused, match="1"):
        bankfile.build(layout("generic-utf8", max_rows=1), HEAD, LINES)


def test_pain_001_names_totals_and_each_payment():
    root = etree.fromstring(bankfile.build(layout("pain.001"), HEAD, LINES))
    names = {"p": PAIN_001}
    assert root.findtext(".//p:GrpHdr/p:NbOfTxs", "", names) == "2"
    assert root.findtext(".//p:GrpHdr/p:CtrlSum", "", names) == "1800.05"
    amounts = [node.text for node in root.iterfind(".//p:InstdAmt", names)]
    ends = [node.text for node in root.iterfind(".//p:EndToEndId", names)]
    assert amounts == ["300.00", "1500.05"]
    assert ends == ["U0000000001-1", "U0000000002-1"]


def test_an_unknown_setting_is_named():
    with pytest.raises(Refused, match="colour"):
        Format.from_config("x", {**bankfile.SHIPPED["generic-utf8"], "colour": 1})


def test_a_format_without_what_a_return_row_needs_is_refused():
    with pytest.raises(Refused, match="account"):
        layout("generic-utf8", return_columns=["e2e", "amount_yuan", "result"])


GOOD = (
    "YL20260302-0001,2,1800.05\r\n"
    "序号,端到端标识,账号,金额,结果,原因,流水号\r\n"
    "1,U0000000001-1,6299990000000000017,300.00,成功,,B1\r\n"
    "2,U0000000002-1,6299990000000000025,1500.05,失败,户名不符,B2\r\n"
)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("generic-gbk", "gbk"), ("generic-utf8", "utf-8"), ("generic-utf8", "utf-8-sig")],
)
def test_a_return_file_is_read(name, encoding):
    read = bankfile.read_return(layout(name), GOOD.encode(encoding))
    assert read.batch_number == "YL20260302-0001"
    assert read.total_fen == 180005
    assert [(row.e2e, row.amount_fen, row.result) for row in read.rows] == [
        ("U0000000001-1", 30000, ReturnResult.PAID),
        ("U0000000002-1", 150005, ReturnResult.FAILED),
    ]
    assert read.rows[1].cause == "户名不符"


def test_a_delimited_return_file_is_held_against_head_and_trailer():
    text = (
        "YL20260302-0001|!1|!300.00\n"
        "1|!U0000000001-1|!6299990000000000017|!300.00|!退票|!已销户|!B9\n"
        "1|!300.00\n"
    )
    read = bankfile.read_return(layout("delimited-pipe"), text.encode("gbk"))
    assert read.rows[0].result == ReturnResult.RETURNED


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (GOOD.encode("gbk"), "Row 2 is not written in UTF-8"),
        (GOOD.replace("1800.05", "1800.06").encode(), "1800.06"),
        (GOOD.replace("01,2,", "01,3,").encode(), "says it holds 3 rows"),
        (GOOD.rsplit("\r\n", 2)[0].encode(), "says it holds 2 rows and holds 1"),
        (GOOD[:-30].encode(), "Row 4 has"),
        (GOOD.replace("失败", "也许").encode(), "Row 4, result"),
        (GOOD.replace("1500.05", "1500.055").encode(), "Row 4, amount"),
        (GOOD.replace("成功", "行吗").replace("失败", "也许").encode(), "Row 3, result"),
    ],
)
def test_a_faulty_return_file_is_refused_with_row_and_remedy(content, told, settings):
    settings.LANGUAGE_CODE = "en"
    from django.utils import translation

    with translation.override("en"), pytest.raises(BankFileRefused) as caught:
        bankfile.read_return(layout("generic-utf8"), content)
    with translation.override("en"):
        assert told in str(caught.value)


def test_all_faults_are_told_at_once():
    bad = GOOD.replace("成功", "行吗").replace("失败", "也许").encode()
    with pytest.raises(BankFileRefused) as caught:
        bankfile.read_return(layout("generic-utf8"), bad)
    assert len(caught.value.faults) == 2


def pain_002(body: str, *, count: str = "1", total: str = "300.00") -> bytes:
    return (
        f'<?xml version="1.0"?><Document xmlns="{PAIN_002}"><CstmrPmtStsRpt><GrpHdr/>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>YL20260302-0001</OrgnlMsgId>"
        f"<OrgnlNbOfTxs>{count}</OrgnlNbOfTxs><OrgnlCtrlSum>{total}</OrgnlCtrlSum>"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>{body}</OrgnlPmtInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def transaction(status: str, amount: str = "300.00") -> str:
    return (
        "<TxInfAndSts><OrgnlEndToEndId>U0000000001-1</OrgnlEndToEndId>"
        f"<TxSts>{status}</TxSts><AcctSvcrRef>B1</AcctSvcrRef><OrgnlTxRef><Amt>"
        f'<InstdAmt Ccy="CNY">{amount}</InstdAmt></Amt><CdtrAcct><Id><Othr>'
        "<Id>6299990000000000017</Id></Othr></Id></CdtrAcct></OrgnlTxRef></TxInfAndSts>"
    )


@pytest.mark.parametrize(
    ("status", "result"),
    [("ACSC", "paid"), ("ACCC", "paid"), ("RJCT", "failed"), ("PDNG", "unknown")],
)
def test_pain_002_statuses_become_results(status, result):
    read = bankfile.read_return(layout("pain.001"), pain_002(transaction(status)))
    assert (read.batch_number, read.rows[0].result) == ("YL20260302-0001", result)


@pytest.mark.parametrize(
    "content",
    [
        pain_002(transaction("ACSC"))[:-40],
        pain_002(transaction("ACSC"), count="2"),
        pain_002(transaction("ACSC"), total="301.00"),
        pain_002(transaction("WHAT")),
        pain_002(transaction("ACSC", "3e2")),
        b"<Document/>",
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>',
    ],
)
def test_a_faulty_status_report_is_refused(content):
    with pytest.raises(BankFileRefused):
        bankfile.read_return(layout("pain.001"), content)
