"""Sheets from outside: common ones simply work, dangerous ones are refused and explained."""

import datetime
import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from union_portal.kit.sheets import Limits, Row, SheetError, open_sheet

HEADERS = ("姓名", "身份证号", "金额")
LIN = ("林小满", "610802198803124021", "300.00")


def read(path: Path, **options: Any) -> list[Row]:
    with open_sheet(path, **options) as sheet:
        return list(sheet.rows)


def book(path: Path, fill: Callable[[Any, Any], object]) -> Path:
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet("名单")
        sheet.write_row(0, 0, HEADERS)
        sheet.write_row(1, 0, LIN)
        fill(workbook, sheet)
    return path


def repacked(path: Path, change: Callable[[str, bytes], bytes], extra: dict[str, bytes]) -> Path:
    target = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as sink:
        for name in source.namelist():
            sink.writestr(name, change(name, source.read(name)))
        for name, content in extra.items():
            sink.writestr(name, content, zipfile.ZIP_DEFLATED)
    return target


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return book(tmp_path / "plain.xlsx", lambda *_: None)


def test_a_plain_workbook_reads_as_text_by_header(plain: Path) -> None:
    (row,) = read(plain)
    assert (row.number, dict(row.cells)) == (2, dict(zip(HEADERS, LIN, strict=True)))


def test_dates_are_iso_and_whole_numbers_have_no_point(tmp_path: Path) -> None:
    def fill(workbook: Any, sheet: Any) -> None:
        day = workbook.add_format({"num_format": "yyyy/m/d"})
        sheet.write_datetime(2, 0, datetime.date(2026, 11, 23), day)
        sheet.write_number(2, 1, 13800138000)
        sheet.write_number(2, 2, 0.1 + 0.2)
        sheet.write_boolean(3, 0, True)
        sheet.write_number(3, 2, 0.000001)

    _, row, other = read(book(tmp_path / "a.xlsx", fill))
    assert list(row.cells.values()) == ["2026-11-23", "13800138000", "0.3"]
    assert list(other.cells.values()) == ["TRUE", "", "0.000001"]


def test_a_long_number_is_marked_as_already_rounded(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", lambda _, s: s.write_number(2, 1, 610802198803124021))
    intact, rounded = read(path)
    assert intact.precision_lost == frozenset()
    assert rounded.precision_lost == {"身份证号"}


def test_a_title_above_the_header_and_empty_rows_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet()
        sheet.merge_range("A1:C1", "劳模名单")
        sheet.write_row(2, 0, ["姓名 *", "身份\n证号", "金额"])
        sheet.write_row(5, 0, LIN)
    (row,) = read(path, expected=HEADERS)
    assert (row.number, row.cells["姓名"], row.cells["身份证号"]) == (6, LIN[0], LIN[1])


def test_the_first_visible_sheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.add_worksheet("secret").write_row(0, 0, ["x"])
        shown = workbook.add_worksheet("shown")
        shown.write_row(0, 0, HEADERS)
        shown.write_row(1, 0, LIN)
        shown.activate()
        shown.set_first_sheet()
        workbook.get_worksheet_by_name("secret").hide()
    (row,) = read(path)
    assert row.cells["姓名"] == LIN[0]


def test_hidden_columns_and_filtered_rows_are_named(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.set_column("B:B", 10, None, {"hidden": True})
        sheet.set_row(1, None, None, {"hidden": True})

    with open_sheet(book(tmp_path / "a.xlsx", fill)) as sheet:
        told = [str(warning) for warning in sheet.warnings]
    assert "Hidden columns are read as well: B." in told[0]
    assert "1 hidden or filtered rows" in told[1]


REFUSED: list[tuple[str, Callable[[Any, Any], object]]] = [
    (r"formulas, for example in C3", lambda _, s: s.write_formula("C3", "=1+1")),
    (r"Cells are merged: A3:A4", lambda _, s: s.merge_range("A3:A4", "林")),
    (r'Two columns are named "姓名" in row 1', lambda _, s: s.write("D1", "姓 名")),
    (r"far outside the table \(XFD1048576\)", lambda _, s: s.write("XFD1048576", "x")),
    (r"more than 200000 rows", lambda _, s: s.write("A900000", "x")),
    (r"far outside the table \(GR150000\)", lambda _, s: s.write("GR150000", "x")),
]


@pytest.mark.parametrize(("reason", "fill"), REFUSED)
def test_what_values_would_hide_is_refused_by_its_place(
    tmp_path: Path, reason: str, fill: Callable[[Any, Any], object]
) -> None:
    with pytest.raises(SheetError, match=reason) as refusal:
        read(book(tmp_path / "a.xlsx", fill), limits=Limits(max_columns=300))
    assert refusal.value.remedy


def test_an_error_cell_is_refused_by_its_place(plain: Path) -> None:
    def spoil(_: str, content: bytes) -> bytes:
        row = b'<row r="3"><c r="C3" t="e"><v>#N/A</v></c></row></sheetData>'
        return content.replace(b"</sheetData>", row)

    with pytest.raises(SheetError, match=r"#N/A, for example C3"):
        read(repacked(plain, spoil, {}))


def test_layout_far_away_without_values_is_harmless(tmp_path: Path) -> None:
    def fill(workbook: Any, sheet: Any) -> None:
        sheet.write_blank("XFD1048576", None, workbook.add_format({"bold": True}))

    assert len(read(book(tmp_path / "a.xlsx", fill))) == 1


def unchanged(_: str, content: bytes) -> bytes:
    return content


@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("xl/vbaProject.bin", b"x", "contains macros"),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", "from other workbooks"),
        ("xl/connections.xml", b"<x/>", "from other workbooks"),
        ("xl/embeddings/oleObject1.bin", b"x", "programs embedded"),
        ("xl/sharedStrings2.xml", b"<?xml version='1.0'?><!DOCTYPE x []><x/>", "document type"),
        ("xl/theme2.xml", "<!DOCTYPE x []><x/>".encode("utf-16"), "document type"),
        ("xl/media/huge.xml", b"0" * 30_000_000, "far more than a roster needs"),
        ("XL/workbook.xml", b"<x/>", "far more than a roster needs"),
    ],
)
def test_a_dangerous_part_is_refused(plain: Path, member: str, content: bytes, reason: str) -> None:
    with pytest.raises(SheetError, match=reason):
        read(repacked(plain, unchanged, {member: content}))


@pytest.mark.parametrize(("kind", "is_refused"), [("image", True), ("hyperlink", False)])
def test_a_part_from_elsewhere_is_refused_and_a_link_is_none(
    plain: Path, kind: str, is_refused: bool
) -> None:
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    links = (
        f'<Relationships xmlns="{package}"><Relationship Id="r9" TargetMode="External" '
        f'Type="{office}/{kind}" Target="http://192.0.2.1/"/></Relationships>'
    )
    path = repacked(plain, unchanged, {"xl/worksheets/_rels/sheet1.xml.rels": links.encode()})
    if is_refused:
        with pytest.raises(SheetError, match="from other workbooks"):
            read(path)
    else:
        assert read(path) is not None


def test_a_macro_workbook_under_another_name_is_refused(plain: Path) -> None:
    def macro(name: str, content: bytes) -> bytes:
        return content.replace(b"spreadsheetml.sheet.main", b"sheet.macroEnabled.main")

    with pytest.raises(SheetError, match="contains macros"):
        read(repacked(plain, macro, {}))


def test_an_archive_that_lies_about_its_sizes_is_refused(plain: Path) -> None:
    path = repacked(plain, unchanged, {"xl/more.xml": b"a" * 5_000_000})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = content.rindex(signature)
        content[place + offset : place + offset + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SheetError, match="damaged"):
        read(path)


def test_many_parts_are_refused(plain: Path) -> None:
    extra = {f"xl/part{n}.xml": b"<x/>" for n in range(600)}
    with pytest.raises(SheetError, match="far more"):
        read(repacked(plain, unchanged, extra))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_a_document_type_is_refused(plain: Path, part: str) -> None:
    def bomb(name: str, content: bytes) -> bytes:
        doctype = b'?>\n<!DOCTYPE x [<!ENTITY a "aaaa">]>'
        return content.replace(b"?>", doctype, 1) if name == part else content

    with pytest.raises(SheetError):
        read(repacked(plain, bomb, {}))


def test_a_cut_workbook_is_refused(plain: Path) -> None:
    plain.write_bytes(plain.read_bytes()[:2000])
    with pytest.raises(SheetError, match="damaged"):
        read(plain)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old .xls format"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
            + bytes(3 << 20)
            + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (b"", "empty"),
        (b"\xff\xfe\x00\xd8a", "neither UTF-8 nor GBK"),
        (b"\xef\xbb\xbf\xd5\xc5", "neither UTF-8 nor GBK"),
        (b"%PDF-1.7\n\0\0\0\x81", "is a PDF document"),
        (b"%PDF-1.7\nall of it in letters", "is a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"GIF89a, letters", "is a picture"),
        (b"\0\0\0\x18ftypheic", "is a picture"),
        (b"Rar!\x1a\x07\0", "is an archive"),
        (b"\x1f\x8b\x08\0", "is an archive"),
        (b"PK\x05\x06" + bytes(18), "is an archive"),
        (b"{\\rtf1 letters}", "is a text document"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"),
            "is a text document",
        ),
        (b"\xef\xbb\xbf\n<HTML><table><tr><td>", "is a web page"),
    ],
)
def test_another_kind_of_file_is_refused_with_the_remedy(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(content)
    with pytest.raises(SheetError, match=reason) as refusal:
        read(path)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("word/document.xml", "is a text document"),
        ("ppt/presentation.xml", "is a presentation"),
        ("content.xml", r"not an \.xlsx workbook"),
        ("xl/workbook.bin", r"not an \.xlsx workbook"),
        ("名册.xlsx", "is an archive"),
    ],
)
def test_an_archive_that_is_no_workbook_is_called_what_it_is(
    tmp_path: Path, part: str, reason: str
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(part, "<x/>")
    path = tmp_path / "a.xlsx"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(SheetError, match=reason):
        read(path)


def test_a_file_over_the_limit_is_refused_before_it_is_read(plain: Path) -> None:
    with pytest.raises(SheetError, match="larger than 0 MB"):
        read(plain, limits=Limits(max_bytes=100))


def csv_file(path: Path, text: str, encoding: str) -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def lines(*rows: Iterable[str], mark: str = ",") -> str:
    return "".join(mark.join(row) + "\r\n" for row in rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_as_offices_save_it_simply_works(tmp_path: Path, encoding: str, mark: str) -> None:
    path = csv_file(tmp_path / "a.csv", lines(HEADERS, LIN, mark=mark), encoding)
    (row,) = read(path, expected=HEADERS)
    assert dict(row.cells) == dict(zip(HEADERS, LIN, strict=True))


def test_a_rare_name_in_gb18030_survives(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", lines(["姓名"], ["张𠅤"], ["李䶮"]), "gb18030")
    assert [row.cells["姓名"] for row in read(path)] == ["张𠅤", "李䶮"]


def test_the_tricks_that_keep_numbers_long_are_undone(tmp_path: Path) -> None:
    text = '姓名,身份证号,金额\n林,"=""610802198803124021""",\'300\n邱,\t610802198803124021,1\n'
    first, second = read(csv_file(tmp_path / "a.csv", text, "utf-8"))
    assert first.cells["身份证号"] == second.cells["身份证号"] == "610802198803124021"
    assert first.cells["金额"] == "300"


def test_a_rounded_number_in_csv_is_marked(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "姓名,身份证号\n林,6.10802E+17\n", "gbk")
    assert read(path)[0].precision_lost == {"身份证号"}


def test_a_row_with_a_stray_separator_fails_alone(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "姓名,金额\n林,1,500\n邱,20\n", "utf-8")
    bad, good = read(path)
    assert "Row 2 has a value in column C" in str(bad.fault)
    assert good.fault is None


def test_an_open_quotation_mark_is_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", '姓名,金额\n林,1\n邱,"20\n石,3\n', "utf-8")
    with pytest.raises(SheetError, match="Row 3 cannot be read"):
        read(path)


def test_a_sheet_without_the_expected_headers_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "a,b\n1,2\n", "utf-8")
    with pytest.raises(SheetError, match="header row"):
        read(path, expected=HEADERS)


def test_a_sheet_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "姓名\n" + "林\n" * 11, "utf-8")
    with pytest.raises(SheetError, match="more than 10 rows"):
        read(path, limits=Limits(max_rows=10))
