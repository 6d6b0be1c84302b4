"""Who may have a card, how a bank's files look, and what becomes of a row: rules as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from members.models import CardVerdict
from members.rules import card_files
from members.rules.card_applicants import (
    TIANJIN,
    Applicant,
    Conditions,
    ConditionsRefused,
    last_day_of_batch,
    why_not,
)
from members.rules.card_files import CardFileRefused, CardLine
from members.rules.card_layouts import SAMPLES, CardLayout, LayoutRefused
from members.rules.card_results import Application, Said, Verdict, is_card_number, judge

TODAY = date(2026, 3, 2)
GOOD = Applicant(
    membership="active", sex="male", born_on=date(1980, 5, 1), is_alive=True, is_merged=False,
    is_foreigner=False, is_retired=False, has_phone=True, has_consent=True, has_card=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "conditions", "reason"),
    [
        ({}, {}, ""),
        ({"membership": ""}, {}, "no_member"),
        ({"membership": "retired"}, {}, "no_member"),
        ({"membership": "retained"}, {}, "no_member"),
        ({"is_alive": False}, {}, "gone"),
        ({"is_merged": True}, {}, "gone"),
        ({"has_card": True}, {}, "has_card"),
        ({"has_phone": False}, {}, "no_phone"),
        ({"has_consent": False}, {}, "no_consent"),
        # Tianjin's rule is off until a bank's conditions name it.
        ({"is_foreigner": True}, {}, ""),
        ({"is_foreigner": True}, TIANJIN, "foreigner"),
        ({"is_retired": True}, {}, ""),
        ({"is_retired": True}, TIANJIN, "retired"),
        ({"born_on": date(1966, 3, 3)}, TIANJIN, ""),
        ({"born_on": date(1966, 3, 2)}, TIANJIN, "retired"),
        ({"born_on": date(1971, 3, 2), "sex": "female"}, TIANJIN, "retired"),
        ({"born_on": date(1971, 3, 2), "sex": "male"}, TIANJIN, ""),
        ({"born_on": date(1950, 1, 1)}, {}, ""),
    ],
)
def test_who_may_have_a_card(changes: dict[str, Any], conditions: dict[str, Any], reason: str):
    applicant = replace(GOOD, **changes)
    assert why_not(applicant, Conditions.from_config(conditions), on=TODAY) == reason


@pytest.mark.parametrize(
    "config",
    [{"colour": 1}, {"oldest": {"male": 12}}, {"oldest": {"all": 60}}, {"oldest": 60},
     {"excludes_retired": "yes"}, {"oldest": {"male": True}}],
)  # fmt: skip
def test_conditions_that_nobody_can_follow_are_refused(config: dict[str, Any]):
    with pytest.raises(ConditionsRefused):
        Conditions.from_config(config)


@pytest.mark.parametrize(
    ("today", "cut_off", "last"),
    [
        (date(2026, 3, 10), None, date(2026, 3, 10)),
        (date(2026, 3, 20), 20, date(2026, 3, 20)),
        (date(2026, 3, 21), 20, date(2026, 3, 20)),
        (date(2026, 4, 1), 20, date(2026, 4, 1)),
    ],
)
def test_what_comes_after_the_cut_off_day_waits_for_the_next_month(
    today: date, cut_off: int | None, last: date
):
    assert last_day_of_batch(today, cut_off) == last


# -- layouts ----------------------------------------------------------------------------------
def layout(name: str = "sample-text", **changes: Any) -> CardLayout:
    return CardLayout.from_config({**SAMPLES[name], **changes})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"colour": 1}, "colour"),
        ({"kind": "pdf"}, "pdf"),
        ({"encoding": "latin-1"}, "latin-1"),
        ({"columns": [["姓名", "name"]]}, "national_id, phone"),
        ({"columns": [["姓名", "salary"]]}, "salary"),
        ({"columns": ["name"]}, "pairs"),
        ({"columns": [["a", "name"], ["b", "name"]]}, "twice"),
        ({"results": {"成功": "issued"}}, "refused"),
        ({"results": {"成功": "paid"}}, "paid"),
        ({"result_columns": [["卡号", "card_number"], ["结果", "result"]]}, "row, name"),
        ({"quote": '""'}, "one character"),
        ({"separator": ""}, "one character"),
        ({"most_rows": 0}, "wrong kind"),
        ({"most_rows": True}, "wrong kind"),
        ({"extension": "../x"}, "wrong kind"),
        ({"results": 3}, "wrong kind"),
        ({"kind": "xlsx", "has_titles": False}, "titles"),
        ({"columns": SAMPLES["sample-text"]["columns"][1:]}, "row"),
    ],
)
def test_a_layout_that_can_not_work_is_refused_by_name(changes: dict[str, Any], told: str):
    with pytest.raises(LayoutRefused, match=told):
        layout(**changes)


# -- to the bank ----------------------------------------------------------------------------------
LINES = [
    CardLine(1, "C00000001", "张㛃", "61272519800501401X", "13800138000", "驼城煤业", "工会", "B1"),
    CardLine(
        2, "C00000002", "买买提·艾力", "612725198005014028", "13900139000", "=1+1", "工会", "B1"
    ),
]


def test_text_for_the_bank_holds_titles_whole_numbers_and_nothing_alive():
    rows = card_files.build(layout(), LINES).decode("gb18030").split("\r\n")
    assert rows[0].startswith('"序号","姓名","证件号码","手机号码"')
    assert rows[1].startswith('"1","张㛃","61272519800501401X","13800138000","驼城煤业"')
    assert '"\'=1+1"' in rows[2]
    assert rows[3] == ""


def test_a_workbook_for_the_bank_holds_text_alone():
    book = openpyxl.load_workbook(BytesIO(card_files.build(layout("sample-workbook"), LINES)))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[0][:3] == ("申请编号", "姓名", "证件号码")
    assert rows[1][:3] == ("C00000001", "张㛃", "61272519800501401X")
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} == {"s"}


@pytest.mark.parametrize(
    ("changes", "line", "told"),
    [
        ({"encoding": "gbk"}, {}, "Row 1: a name holds a character that GBK"),
        ({"quote": ""}, {"employer": "驼城,煤业"}, "Row 1 holds the separator"),
        ({}, {"employer": "驼城\n煤业"}, "Row 1 holds the separator"),
        ({}, {"phone": ""}, "Row 1: no phone"),
        ({"most_rows": 1}, {}, "takes 1 to 1"),
    ],
)
def test_what_the_bank_could_not_read_never_leaves(
    changes: dict[str, Any], line: dict[str, Any], told: str
):
    with pytest.raises(CardFileRefused) as caught:
        card_files.build(layout(**changes), [replace(LINES[0], **line), LINES[1]])
    assert told in str(caught.value)


def test_every_line_that_can_not_be_written_is_named_at_once():
    lines = [replace(one, phone="") for one in LINES]
    with pytest.raises(CardFileRefused) as caught:
        card_files.build(layout(), lines)
    assert [fault.params["row"] for fault in caught.value.faults] == [1, 2]


# -- from the bank ---------------------------------------------------------------------------------
ANSWER = (
    "序号,姓名,证件号码,卡号,处理结果,失败原因\r\n"
    "1,张㛃,61272519800501401x,6299 9900 0000 0000 012,成功,\r\n"
    "02,买买提·艾力,612725198005014028,,失败,证件过期\r\n"
)


def read(text: str | bytes, **changes: Any) -> list[card_files.ResultLine]:
    content = text if isinstance(text, bytes) else text.encode("gb18030")
    return card_files.read_text(layout(**changes), content)


def test_an_answer_is_read_with_numbers_as_they_are_meant():
    first, second = read(ANSWER)
    assert (first.row, first.key, first.number) == (2, "1", "6299990000000000012")
    assert (first.is_issued, first.national_id) == (True, "61272519800501401X")
    assert (second.key, second.is_issued, second.cause) == ("2", False, "证件过期")


def test_columns_are_found_by_their_titles_in_any_order():
    [line] = read("卡号,处理结果,备注,姓名,序号,失败原因,证件号码\r\n6299,成功,x,张㛃,7,,6127\r\n")
    assert (line.key, line.number, line.name) == ("7", "6299", "张㛃")


def test_an_answer_without_titles_goes_by_the_order_of_its_columns():
    rows = ANSWER.split("\r\n", 1)[1]
    assert [line.key for line in read(rows, result_has_titles=False)] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ANSWER.replace("卡号", "账号"), "Columns are missing: 卡号"),
        (ANSWER.replace("失败,", "也许,"), "Row 3, result"),
        (ANSWER.replace("02,", ","), "Row 3 names no application"),
        (ANSWER.replace("02,", "²,"), "Row 3 names no application"),
        (ANSWER.replace(",成功,", ",成功"), "Row 2 has 5 columns"),
        (ANSWER.replace("02,", "1,"), "Rows 2 and 3 say different things"),
        (ANSWER.replace("张㛃", "张\x07"), "Row 2 holds a control character"),
        (ANSWER.replace("证件过期", "证" * 201), "longer than"),
        (ANSWER.splitlines()[0], "answers no application"),
        (ANSWER.encode("utf-16"), "is not written in GB18030"),
        (b"%PDF-1.7", "is a PDF document"),
        (b"PK\x03\x04", "answers with plain text"),
        (ANSWER + '"open', "broken"),
    ],
)
def test_a_faulty_answer_is_refused_whole_with_row_and_remedy(text: str | bytes, told: str):
    with pytest.raises(CardFileRefused) as caught:
        read(text)
    assert told in str(caught.value)
    assert all(fault.remedy for fault in caught.value.faults)
    assert caught.value.__context__ is None


def test_all_faults_of_an_answer_are_told_at_once():
    with pytest.raises(CardFileRefused) as caught:
        read(ANSWER.replace("成功", "行吗").replace("失败,", "也许,"))
    assert [fault.params["row"] for fault in caught.value.faults] == [2, 3]


# -- verdicts -----------------------------------------------------------------------------------
KNOWN = Application(name="张㛃", identity_print="i1", number_print=None, is_with_bank=True)
ISSUED = Said(is_issued=True, name="张㛃", identity_print="i1", number_print="n1")
REFUSED = Said(is_issued=False, name="张㛃", identity_print="i1", number_print=None)


@pytest.mark.parametrize(
    ("said", "changes", "known", "verdict"),
    [
        (ISSUED, {}, {}, Verdict.ISSUED),
        (REFUSED, {}, {}, Verdict.REFUSED),
        (ISSUED, {"name": None}, {}, Verdict.ISSUED),
        (ISSUED, {"identity_print": None}, {}, Verdict.ISSUED),
        (ISSUED, {"name": " 张 㛃 "}, {}, Verdict.ISSUED),
        (ISSUED, {"name": "张三"}, {}, Verdict.OTHER_PERSON),
        (ISSUED, {"identity_print": "i2"}, {}, Verdict.OTHER_PERSON),
        (REFUSED, {"identity_print": "i2"}, {}, Verdict.OTHER_PERSON),
        (ISSUED, {"number_print": None}, {}, Verdict.BAD_NUMBER),
        (ISSUED, {"is_number_taken": True}, {}, Verdict.NUMBER_TAKEN),
        (ISSUED, {"is_told_before_in_file": True}, {}, Verdict.REPEAT),
        (ISSUED, {}, {"number_print": "n1", "is_with_bank": False}, Verdict.REPEAT),
        (ISSUED, {}, {"number_print": "n2", "is_with_bank": False}, Verdict.LATE),
        (ISSUED, {}, {"is_with_bank": False}, Verdict.LATE),
        (ISSUED, {}, {"is_with_bank": False, "is_refused_before": True}, Verdict.LATE),
        (REFUSED, {}, {"is_with_bank": False, "is_refused_before": True}, Verdict.REPEAT),
        (REFUSED, {}, {"number_print": "n1", "is_with_bank": False}, Verdict.LATE),
        (REFUSED, {"is_told_before_in_file": True}, {}, Verdict.REPEAT),
    ],
)
def test_what_becomes_of_a_row(
    said: Said, changes: dict[str, Any], known: dict[str, Any], verdict: Verdict
):
    assert judge(replace(said, **changes), replace(KNOWN, **known)) == verdict


def test_a_row_that_names_nobody_is_unknown():
    assert judge(ISSUED, None) == Verdict.UNKNOWN
    assert {str(one) for one in Verdict} == set(CardVerdict.values)


@pytest.mark.parametrize(
    ("number", "prefixes", "is_one"),
    [
        ("6299990000000000012", "", True),
        ("6299990000000000012", "629999", True),
        ("6299990000000000012", "622848 629999", True),
        ("6299990000000000012", "622848", False),
        ("6299990000000000013", "", False),
        ("629999000000000", "", False),
        ("62999900000000000120", "", False),
        ("", "", False),
        ("６２９９９９0000000000012", "", False),
    ],
)
def test_what_is_a_card_number_of_a_bank(number: str, prefixes: str, is_one: bool):
    assert is_card_number(number, prefixes) is is_one
