"""Sheets we give away cannot hurt whoever opens them, and read back as they were."""

import datetime
import io
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from union_portal.kit.sheets import (
    Column,
    SheetData,
    escape_csv_cell,
    open_sheet,
    write_csv,
    write_template,
    write_xlsx,
)
from union_portal.kit.sheets.writing import Cell

ATTACKS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u3000=1+1",
    "\xa0=1+1",
    "\ufeff=1+1",
    '"=1+1"',
    "'=1+1",
    "＝1+1",
    "＠SUM(A1)",
    "|calc",
    "%0A=1",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_a_formula_in_xlsx(tmp_path: Path, attack: str) -> None:
    path = tmp_path / "a.xlsx"
    write_xlsx(path, [SheetData("名单", ["备注"], [[attack]])])
    cell = openpyxl.load_workbook(path).active["A2"]  # type: ignore[index]
    assert cell.data_type == "s"
    with zipfile.ZipFile(path) as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_begins_like_a_formula_in_csv(attack: str) -> None:
    assert escape_csv_cell(attack).startswith("'")


@pytest.mark.parametrize("harmless", ["", "林小满", "-300.00", "-5", "a=b", "610802", "·", "1-2"])
def test_harmless_text_stays_as_it_is(harmless: str) -> None:
    assert escape_csv_cell(harmless) == harmless


@given(st.text(max_size=20))
def test_an_escaped_cell_never_starts_a_formula(text: str) -> None:
    shown = escape_csv_cell(text).lstrip("\ufeff\u200b\"' \u3000\xa0\t\r\n")
    assert escape_csv_cell(text).startswith("'") or not shown.startswith(("=", "+", "@"))


def test_numbers_dates_and_long_identifiers_keep_their_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    row: list[Cell] = [
        "610802198803124021",
        300,
        Decimal("1234.50"),
        datetime.date(2026, 11, 23),
        None,
    ]
    write_xlsx(path, [SheetData("x", list("abcde"), [[*row, 610802198803124021]])])
    sheet = openpyxl.load_workbook(path).active
    assert [cell.data_type for cell in sheet[2]] == ["s", "n", "n", "d", "n", "s"]  # type: ignore[index]
    with open_sheet(path) as opened:
        (read,) = opened.rows
    assert list(read.cells.values())[:4] == ["610802198803124021", "300", "1234.5", "2026-11-23"]


def test_control_characters_do_not_break_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_xlsx(path, [SheetData("a/b[c]" * 9, ["a"], [["x\x00\x0by\ufffe"]])])
    with open_sheet(path) as opened:
        assert [row.cells["a"] for row in opened.rows] == ["xy"]


def test_csv_reads_back_and_opens_in_the_right_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        write_csv(file, ["姓名", "金额"], [["张𠅤", Decimal("-12.30")], ["=1+1", 5]])
        assert not file.closed
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with open_sheet(path) as opened:
        assert [list(row.cells.values()) for row in opened.rows] == [
            ["张𠅤", "-12.30"],
            ["=1+1", "5"],
        ]


COLUMNS = [
    Column("姓名", "林小满", note="与身份证一致", is_required=True),
    Column("身份证号", "610802198803124021", as_text=True, width=22, is_required=True),
    Column("性别", "女", choices=("男", "女")),
    Column("单位", choices=tuple(f"第{n}工会" for n in range(300))),
]


def test_a_template_offers_choices_keeps_numbers_as_text_and_explains(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path, COLUMNS, title="人员")
    workbook = openpyxl.load_workbook(path)
    sheet, notes = workbook["人员"], workbook.worksheets[1]
    assert [cell.value for cell in sheet[1]] == ["姓名*", "身份证号*", "性别", "单位"]
    assert sheet.column_dimensions["B"].width > 20
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    assert rules["C3:C5001"].formula1 == "lists!$C$1:$C$2"
    assert rules["D3:D5001"].formula1 == "lists!$D$1:$D$300"
    assert rules["A3:A5001"].prompt == "与身份证一致"
    assert workbook["lists"].sheet_state == "hidden"
    assert [cell.value for cell in notes["A"]][1:] == ["姓名", "身份证号", "性别", "单位"]


def test_a_choice_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "template.xlsx"
    write_template(path, [Column("备注", "=1", choices=("=1+1", "https://example.org", "5"))])
    workbook = openpyxl.load_workbook(path)
    assert [cell.data_type for cell in workbook["lists"]["A"]] == ["s", "s", "s"]


def test_a_filled_in_template_reads_back_without_its_example(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    write_template(buffer, COLUMNS)
    workbook = openpyxl.load_workbook(io.BytesIO(buffer.getvalue()))
    workbook.worksheets[0].append(["邱禾", "610802199002124026", "女", "第1工会"])
    filled = tmp_path / "filled.xlsx"
    workbook.save(filled)
    with open_sheet(filled, expected=[column.header for column in COLUMNS]) as opened:
        (row,) = opened.rows
    assert (row.number, row.cells["姓名"]) == (3, "邱禾")
