"""What bad files of people get: what is wrong, where, and how to mend it; nothing written."""

import datetime
import io
import zipfile

import openpyxl
import pytest

from members.models import ImportFinding, Person
from members.states import ImportState
from tests.cast import Cast
from tests.members.sheets import HEADERS, as_csv, as_xlsx, bring_in, make_rows, upload
from union_portal.kit.identity import check_character

pytestmark = pytest.mark.django_db


def number(body: str) -> str:
    """A number of 17 digits with its check character."""
    return body + check_character(body)


def repacked(content: bytes, add: dict[str, bytes]) -> bytes:
    """A workbook with parts added."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for name, part in add.items():
            new.writestr(name, part)
    return target.getvalue()


def merged(rows) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(rows)))
    book.active.merge_cells("G2:G3")
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


class TestFilesThatSimplyWork:
    @pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
    def test_whatever_encoding_an_office_writes(self, cast: Cast, encoding: str):
        rows = make_rows(cast.tree.union, 3)
        rows[0]["姓名"] = "王喆"
        run = bring_in(as_csv(rows, encoding=encoding), by=cast.qiao, organization=cast.tree.union)
        assert run.result["new"] == 3
        assert Person.objects.filter(name="王喆").exists()

    @pytest.mark.parametrize(
        ("column", "mend"),
        [
            ("证件号码", str.lower),
            ("证件号码", lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text)),
            ("证件号码", lambda text: f"{text[:6]} {text[6:14]} {text[14:]}"),
            ("证件号码", lambda text: f"'{text}"),
            ("手机号", lambda text: f"+86 {text[:3]}-{text[3:7]}-{text[7:]}"),
            ("银行账号", lambda text: " ".join(text[n : n + 4] for n in range(0, 19, 4))),
            ("工会名称", lambda text: f" {text} "),
        ],
    )
    def test_what_people_type_is_mended_silently(self, cast: Cast, column, mend):
        row = make_rows(cast.tree.union, 1)[0]
        body = "61272219600101002"
        row["证件号码"] = number(body)
        run = bring_in(
            as_csv([{**row, column: mend(row[column])}]),
            by=cast.qiao,
            organization=cast.tree.union,
        )
        assert run.result["new"] == 1
        person = Person.objects.get(name=row["姓名"])
        assert (person.national_id, person.phone) == (row["证件号码"], row["手机号"])

    @pytest.mark.parametrize("prefix", ["810000", "820000", "830000"])
    def test_rows_with_residence_permits_are_taken_over(self, cast: Cast, prefix: str):
        row = make_rows(cast.tree.union, 1)[0] | {"证件号码": number(f"{prefix}19700101001")}
        assert (
            bring_in(as_csv([row]), by=cast.qiao, organization=cast.tree.union).result["new"] == 1
        )

    def test_english_headers_and_a_title_above_them(self, cast: Cast):
        row = make_rows(cast.tree.union, 1)[0]
        text = f"2026 roster,,\n,,\nIdentity number,Name,Phone\n{row['证件号码']},{row['姓名']},\n"
        run = bring_in(text.encode(), by=cast.qiao, organization=cast.tree.union)
        assert run.result["new"] == 1

    def test_dates_as_cells_and_as_text(self, cast: Cast):
        row = make_rows(cast.tree.union, 1)[0] | {"证件号码": number("61272219600105002")}
        for written in ("1960-01-05", "1960/1/5", "1960年1月5日", "19600105"):
            run = upload(
                as_csv([{**row, "出生日期": written}]), by=cast.qiao, organization=cast.tree.union
            )
            assert run.error_count == 0, written
        book = openpyxl.Workbook()
        book.active.append(HEADERS)
        book.active.append(
            [datetime.date(1960, 1, 5) if h == "出生日期" else row.get(h, "") for h in HEADERS]
        )
        content = io.BytesIO()
        book.save(content)
        run = upload(content.getvalue(), by=cast.qiao, organization=cast.tree.union)
        assert run.error_count == 0

    def test_a_column_nobody_knows_is_passed_over_with_a_warning(self, cast: Cast):
        row = make_rows(cast.tree.union, 1)[0] | {"备注": "x"}
        run = upload(
            as_csv([row], headers=[*HEADERS, "备注"]), by=cast.qiao, organization=cast.tree.union
        )
        assert (run.error_count, run.warning_count) == (0, 1)


FILES = {
    "empty": (lambda rows: b"", "The file is empty."),
    "no header": (lambda rows: b"a,b\n1,2\n", "header row"),
    "no rows": (lambda rows: as_csv([]), "no rows below its header"),
    "missing column": (
        lambda rows: "姓名,手机号\n王一,\n".encode(),
        "These columns are missing: 证件号码.",
    ),
    "double header": (
        lambda rows: "姓名,姓名,证件号码\n王一,王一,1\n".encode(),
        'Two columns are named "姓名"',
    ),
    "double meaning": (
        lambda rows: "姓名,身份证号,证件号码\n王一,1,1\n".encode(),
        'The columns "身份证号" and "证件号码" mean the same.',
    ),
    "formula": (
        lambda rows: as_xlsx([{**rows[0], "工作单位": "=1+1"}], formulas=True),
        "contains formulas, for example in H2",
    ),
    "macro": (
        lambda rows: repacked(as_xlsx(rows), {"xl/vbaProject.bin": b"x"}),
        "contains macros",
    ),
    "zip bomb": (
        lambda rows: repacked(as_xlsx(rows), {"xl/media/image1.png": bytes(410 << 20)}),
        "unpacks to far more",
    ),
    "merged": (lambda rows: merged(rows * 2), "Cells are merged: G2:G3"),
    "old xls": (
        lambda rows: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "old .xls format",
    ),
    "cut": (lambda rows: as_xlsx(rows)[:3000], "damaged"),
    "not a sheet": (
        lambda rows: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
        "is a picture, not a table",
    ),
    "open quote": (lambda rows: as_csv(rows) + '"王一,'.encode(), "quotation mark"),
}


@pytest.mark.parametrize("fault", FILES)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(cast: Cast, fault: str):
    make, told = FILES[fault]
    before = Person.objects.count()
    content = make(make_rows(cast.tree.union, 1))
    run = upload(content, by=cast.qiao, organization=cast.tree.union, name="people.xlsx")
    assert run.state == ImportState.REFUSED
    assert told in run.fault
    assert not ImportFinding.objects.filter(run=run, severity="error").exists()
    assert Person.objects.count() == before


CELLS = {
    "no name": ({"姓名": ""}, "The name is missing."),
    "digits in the name": ({"姓名": "王5"}, "a digit or a sign"),
    "no number": ({"证件号码": ""}, "The identity number is missing."),
    "15 digits": ({"证件号码": "612722600101002"}, "15 digits, no longer valid"),
    "17 digits": ({"证件号码": "61272219600101002"}, "17 characters instead of 18"),
    "letter O": ({"证件号码": "6127221960O1010021"}, "other than digits"),
    "check digit": ({"证件号码": "612722196001010020"}, "check character"),
    "future birth": ({"证件号码": number("61272220990101002")}, "in the future"),
    "birth before 1900": ({"证件号码": number("61272218990101002")}, "before 1900"),
    "30 February": ({"证件号码": number("61272219600230002")}, "does not exist"),
    "rounded number": ({"证件号码": "6.12722E+17"}, "into a rounded number"),
    "float": ({"证件号码": "612722196001010000.0"}, "into a rounded number"),
    "sex differs": ({"性别": "男", "证件号码": number("61272219600101002")}, "The sex differs"),
    "no sex": ({"性别": "x"}, "no sex the identity card knows"),
    "birth differs": ({"出生日期": "1901-01-01"}, "The birth date differs"),
    "no date": ({"出生日期": "last year"}, "not a complete date"),
    "year and month": ({"出生日期": "1960.1"}, "The day of the date is missing."),
    "day or month first": ({"出生日期": "3/1/1960"}, "not certain which part"),
    "day number of a death": ({"去世日期": "43525"}, "not a complete date"),
    "impossible day": ({"出生日期": "1960-02-30"}, "no such day"),
    "landline": ({"手机号": "09123456789"}, "No mainland mobile network"),
    "short phone": ({"手机号": "1380013800"}, "10 digits instead of 11"),
    "float phone": ({"手机号": "1.38E+10"}, "rounded number"),
    "phone of ten digits and a dot": ({"手机号": "1380013800.0"}, "rounded number"),
    "unknown union": ({"工会名称": "没有"}, "No union of this name"),
    "mistyped code": ({"工会编号": "81610800MC12345678"}, "credit code"),
    "card check digit": ({"银行账号": "6299990000000000001"}, "check digit"),
    "rounded card": ({"银行账号": "6.29999E+18"}, "rounded number"),
    "no bank": ({"开户银行": ""}, "bank of the account is missing"),
    "another's account": ({"户名": "王另名"}, "differs from the person's name"),
    "future death": ({"去世日期": "2027-01-01"}, "lies in the future"),
    "death before birth": ({"去世日期": "1905-01-01"}, "before the birth"),
    "long employer": ({"工作单位": "长" * 121}, "longer than 120"),
}


@pytest.mark.parametrize("fault", CELLS)
def test_a_faulty_cell_is_named_with_its_row_column_and_remedy(cast: Cast, fault: str):
    change, told = CELLS[fault]
    rows = make_rows(cast.tree.union, 3)
    rows[1] |= change
    before = Person.objects.count()
    run = upload(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    [finding] = ImportFinding.objects.filter(run=run, severity="error")
    assert finding.row == 3
    assert finding.column in change
    assert told in finding.message
    assert finding.remedy
    assert Person.objects.count() == before


def test_a_number_cell_that_lost_digits_is_told_apart_from_a_typing_mistake(cast: Cast):
    row = make_rows(cast.tree.union, 1)[0] | {"证件号码": 612722196001010021}
    run = upload(as_xlsx([row]), by=cast.qiao, organization=cast.tree.union)
    [finding] = ImportFinding.objects.filter(run=run, severity="error")
    assert "into a rounded number" in finding.message
    assert "text" in finding.remedy


def test_a_value_beside_the_table_is_named(cast: Cast):
    row = make_rows(cast.tree.union, 1)[0]
    text = f"姓名,证件号码,,\n{row['姓名']},{row['证件号码']},,stray\n"
    run = upload(text.encode(), by=cast.qiao, organization=cast.tree.union)
    [finding] = ImportFinding.objects.filter(run=run, severity="error")
    assert "a value in column D" in finding.message


def test_the_example_row_of_the_template_is_no_person(cast: Cast):
    rows = make_rows(cast.tree.union, 1)
    example = {**rows[0], "姓名": "示例: 张三", "证件号码": "x"}
    run = upload(as_csv([example, *rows]), by=cast.qiao, organization=cast.tree.union)
    assert (run.rows_count, run.error_count) == (1, 0)


def xlsx_of(rows, *, more=lambda sheet: None) -> bytes:
    """A workbook of these rows, changed as an office would."""
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(rows)))
    more(book.active)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def warnings(run) -> list[tuple[int, str, str]]:
    found = ImportFinding.objects.filter(run=run, severity="warning").order_by("row", "id")
    return [(one.row, one.column, one.message) for one in found]


@pytest.mark.parametrize("space", [" ", "　", "  ", "\u00a0"])
def test_a_name_with_spaces_inside_is_written_without_them_and_told(cast: Cast, space: str):
    rows = make_rows(cast.tree.union, 2)
    rows[0]["姓名"] = f"张{space}三"
    run = bring_in(as_csv(rows), by=cast.qiao, organization=cast.tree.union)
    assert run.result["new"] == 2
    assert Person.objects.filter(name="张三").exists()
    assert warnings(run) == [(2, "姓名", "Spaces within the name were left out.")]


@pytest.mark.parametrize("dot", ["·", "•", "‧", "・", "．", "."])
def test_the_dot_of_a_name_has_one_spelling(cast: Cast, dot: str):
    [row] = make_rows(cast.tree.union, 1)
    row["姓名"] = f"阿依古丽{dot}买买提"
    run = bring_in(as_csv([row]), by=cast.qiao, organization=cast.tree.union)
    assert Person.objects.get(national_id_shown__startswith=row["证件号码"][:3], name__contains="·")
    assert (run.error_count, run.warning_count) == (0, 0)
    # And whoever comes again under another spelling is the same person.
    row["姓名"] = "阿依古丽·买买提"
    again = upload(as_csv([row]), by=cast.qiao, organization=cast.tree.union)
    assert again.unchanged_count == 1


@pytest.mark.parametrize("name", ["王\U00030edd", "李\U000242ee", "䶮㛃", "\U0002b7b1𠅤喆"])
def test_a_rare_character_is_taken_as_it_is(cast: Cast, name: str):
    [row] = make_rows(cast.tree.union, 1)
    for content in (as_csv([{**row, "姓名": name}]), as_xlsx([{**row, "姓名": name}])):
        run = bring_in(content, by=cast.qiao, organization=cast.tree.union)
        assert run.error_count == 0
    assert Person.objects.get(name=name)
    assert run.unchanged_count == 1


def test_a_character_of_a_private_font_is_told_with_the_way_to_type_it(cast: Cast):
    [row] = make_rows(cast.tree.union, 1)
    run = upload(as_csv([{**row, "姓名": "王\ue863"}]), by=cast.qiao, organization=cast.tree.union)
    [finding] = ImportFinding.objects.filter(run=run, severity="error")
    assert "private font" in finding.message
    assert "Unicode" in finding.remedy


@pytest.mark.parametrize("written", ["{}.0", "{}.", "{}.00", 0])
def test_a_phone_that_became_a_number_and_kept_its_digits_is_taken(cast: Cast, written):
    [row] = make_rows(cast.tree.union, 1)
    phone = row["手机号"]
    content = (
        as_xlsx([{**row, "手机号": int(phone)}])
        if written == 0
        else as_csv([{**row, "手机号": written.format(phone)}])
    )
    run = bring_in(content, by=cast.qiao, organization=cast.tree.union)
    assert Person.objects.get(name=row["姓名"]).phone == phone
    assert warnings(run) == []


def test_a_phone_that_lost_its_digits_is_told_how_to_get_them_back(cast: Cast):
    [row] = make_rows(cast.tree.union, 1)
    run = upload(
        as_csv([{**row, "手机号": "1.38E+10"}]), by=cast.qiao, organization=cast.tree.union
    )
    [finding] = ImportFinding.objects.filter(run=run, severity="error")
    assert (finding.row, finding.column) == (2, "手机号")
    assert "into a rounded number" in finding.message
    assert "format to text" in finding.remedy


def test_full_width_digits_are_read_in_every_column(cast: Cast):
    [row] = make_rows(cast.tree.union, 1)
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    columns = ("证件号码", "手机号", "银行账号")
    changed = {**row, **{column: row[column].translate(wide) for column in columns}}
    bring_in(as_csv([changed]), by=cast.qiao, organization=cast.tree.union)
    again = upload(as_csv([row]), by=cast.qiao, organization=cast.tree.union)
    assert again.unchanged_count == 1


def test_hidden_columns_and_rows_are_read_and_told(cast: Cast):
    def hide(sheet):
        sheet.column_dimensions["E"].hidden = True
        sheet.row_dimensions[3].hidden = True

    run = bring_in(
        xlsx_of(make_rows(cast.tree.union, 3), more=hide),
        by=cast.qiao,
        organization=cast.tree.union,
    )
    assert run.result["new"] == 3
    assert [text for *_place, text in warnings(run)] == [
        "Hidden columns are read as well: E.",
        "1 hidden or filtered rows are read as well.",
    ]


def test_a_merged_title_above_the_header_is_harmless_and_merged_rows_are_named(cast: Cast):
    def title(sheet):
        sheet.insert_rows(1)
        sheet["A1"] = "2026 roster"
        sheet.merge_cells("A1:F1")

    rows = make_rows(cast.tree.union, 3)
    run = bring_in(xlsx_of(rows, more=title), by=cast.qiao, organization=cast.tree.union)
    assert run.result["new"] == 3
    run = upload(
        xlsx_of(rows, more=lambda sheet: sheet.merge_cells("F2:F4")),
        by=cast.qiao,
        organization=cast.tree.union,
        name="people.xlsx",
    )
    assert run.state == ImportState.REFUSED
    assert "Cells are merged: F2:F4. Unmerge them and fill in every row." in run.fault


def test_a_day_number_of_a_birth_is_compared_with_the_number(cast: Cast):
    row = make_rows(cast.tree.union, 1)[0] | {"证件号码": number("61272219600101002")}
    run = upload(as_csv([{**row, "出生日期": "21917"}]), by=cast.qiao, organization=cast.tree.union)
    assert run.error_count == 1
    assert "The birth date differs" in ImportFinding.objects.get(run=run, severity="error").message
    run = upload(as_csv([{**row, "出生日期": "21916"}]), by=cast.qiao, organization=cast.tree.union)
    assert run.error_count == 0
