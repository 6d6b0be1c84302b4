"""The import of people as a clerk does it: upload, list of errors, preview, one confirmation."""

import io
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members import queries, tasks  # noqa: F401  (registers the jobs)
from members.models import ImportRun, Person
from members.states import ImportState
from tests.cast import Cast
from tests.members.sheets import as_csv, make_rows
from tests.web.awards_play import faulty, photo
from tests.web.test_money_desk import browser, press, seen
from union_portal import queue
from union_portal.admin.pages import SEEN, print_of
from union_portal.models import Organization, StoredFile

pytestmark = pytest.mark.django_db

UPLOAD = "admin:members_importrun_list_do"
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def send(
    client: Client, content: bytes, union: Organization, name: str = "people.csv"
) -> ImportRun:
    """Upload a file on the page and let the worker check it."""
    answer = press(
        client,
        reverse(UPLOAD, args=["upload"]),
        content=SimpleUploadedFile(name, content),
        organization=union.pk,
    )
    assert answer.status_code == 302, answer.content.decode()
    queue.run_waiting()
    return ImportRun.objects.latest("pk")


def shown(client: Client, run: ImportRun) -> str:
    answer = client.get(reverse("admin:members_importrun_change", args=[run.pk]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def confirm(client: Client, run: ImportRun, **data: Any) -> Any:
    url = reverse("admin:members_importrun_do", args=[run.pk, "confirm"])
    answer = press(client, url, **data)
    queue.run_waiting()
    run.refresh_from_db()
    return answer


def sheet(answer: Any) -> list[tuple[Any, ...]]:
    content = b"".join(answer.streaming_content)
    book = openpyxl.load_workbook(io.BytesIO(content))
    return list(book.worksheets[0].iter_rows(values_only=True))


@pytest.fixture
def clerk(cast: Cast) -> Client:
    return browser(cast.qiao)


def test_a_clerk_uploads_looks_and_confirms_once(cast: Cast, clerk: Client):
    rows = make_rows(cast.tree.union, 4)
    run = send(clerk, as_csv(rows), cast.tree.union)
    assert rows[3]["姓名"] in shown(clerk, run)
    assert Person.objects.count() == 1
    assert confirm(clerk, run).status_code == 302
    assert (run.state, run.result["new"]) == (ImportState.APPLIED, 4)

    again = send(clerk, as_csv(rows), cast.tree.union)
    assert (again.new_count, again.changed_count, again.unchanged_count) == (0, 0, 4)


def test_a_death_that_lies_ahead_is_told_with_the_reason_that_is_missing(cast: Cast, clerk: Client):
    url = reverse("admin:members_person_do", args=[cast.lin_person.pk, "death"])
    answer = press(clerk, url, died_on="2099-01-01", reason="")
    assert faulty(answer) == {"died_on", "reason"}


def test_a_page_reads_its_row_once(cast: Cast, clerk: Client):
    """Else it told of two moments while a worker writes: no findings, and their remedy."""
    run = send(clerk, as_csv(make_rows(cast.tree.union, 1)), cast.tree.union)
    with CaptureQueriesContext(connection) as asked:
        shown(clerk, run)
    mine = f'"members_importrun"."id" = {run.pk}'
    assert len([one for one in asked.captured_queries if mine in one["sql"]]) == 1


def test_whoever_has_one_union_finds_it_chosen_and_no_counties_to_choose(cast: Cast, clerk: Client):
    asked = clerk.get(reverse(UPLOAD, args=["upload"])).content.decode()
    assert f'<option value="{cast.tree.union.pk}" selected>' in asked
    listed = reverse("admin:members_person_changelist")
    assert "?county=" not in clerk.get(listed).content.decode()
    assert "?county=" in browser(cast.officer).get(listed).content.decode()


def test_a_family_member_is_removed_where_there_is_one(cast: Cast, clerk: Client):
    page = clerk.get(reverse("admin:members_person_change", args=[cast.lin_person.pk]))
    assert "No family member is entered." in page.content.decode()


def test_evidence_of_a_refused_account_is_not_kept(cast: Cast, clerk: Client):
    """Stored before the account was judged, it would lie there without one."""
    url = reverse("admin:members_person_do", args=[cast.lin_person.pk, "enter-account"])
    answer = press(
        clerk, url, number="1234567890123456", bank_name="示范银行", holder="", reason="",
        evidence=photo("card.jpg"),
    )  # fmt: skip
    assert answer.status_code == 422
    assert not StoredFile.objects.exists()


def test_the_page_and_its_sheet_list_every_error_with_place_value_and_remedy(
    cast: Cast, clerk: Client
):
    rows = make_rows(cast.tree.union, 4)
    rows[0]["证件号码"] = "612722600101002"
    rows[1]["手机号"] = "1380013800"
    rows[3]["去世日期"] = "2099-01-01"
    rows[3]["工会名称"] = "没有这个工会"
    run = send(clerk, as_csv(rows), cast.tree.union)
    text = shown(clerk, run)
    listed = sheet(clerk.get(reverse("admin:members_importrun_findings", args=[run.pk])))[1:]
    assert {line[:2] for line in listed} == {
        (2, "证件号码"), (3, "手机号"), (5, "去世日期"), (5, "工会名称"),
    }  # fmt: skip
    for _row, _column, _value, _kind, message, remedy in listed:
        assert message.split("(")[0].rstrip() in text
        assert remedy
    refused = clerk.get(reverse("admin:members_importrun_do", args=[run.pk, "confirm"]))
    assert "The file has errors" in refused.content.decode()
    assert Person.objects.count() == 1


def test_a_file_with_errors_waits_for_nobody_and_its_page_leads_on(cast: Cast, clerk: Client):
    rows = make_rows(cast.tree.union, 2)
    sound = send(clerk, as_csv(rows), cast.tree.union)
    rows[0]["手机号"] = "1380013800"
    faulty = send(clerk, as_csv(rows), cast.tree.union, "faulty.csv")
    refused = send(clerk, OLD, cast.tree.union, "old.xls")
    assert list(queries.imports_to_confirm(cast.qiao)) == [sound]
    assert (faulty.state, refused.state) == (ImportState.CHECKED, ImportState.REFUSED)
    listed = clerk.get(reverse("admin:members_importrun_changelist") + "?outcome=checked")
    assert [row.pk for row in listed.context["cl"].result_list] == [sound.pk]
    ways = [reverse(UPLOAD, args=["upload"]), reverse("admin:members_importrun_template")]
    for run in (faulty, refused):
        assert all(f'href="{way}"' in shown(clerk, run) for way in ways)
    assert "mend the file and upload it again" in shown(clerk, faulty)
    now, _past = shown(clerk, faulty).split('class="st-trail"')
    assert "waiting for confirmation" not in now
    assert ways[1] not in shown(clerk, sound)


def test_the_empty_list_says_that_files_are_uploaded(clerk: Client):
    page = clerk.get(reverse("admin:members_importrun_changelist")).content.decode()
    assert "appear here once they are uploaded" in page
    assert "the work before" not in page


def test_a_changed_row_updates_and_another_name_is_shown_as_a_conflict(cast: Cast, clerk: Client):
    rows = make_rows(cast.tree.union, 3)
    confirm(clerk, send(clerk, as_csv(rows), cast.tree.union))
    rows[0]["工作单位"] = "新单位"
    rows[1]["姓名"] = "王另名"
    run = send(clerk, as_csv(rows), cast.tree.union)
    preview = sheet(clerk.get(reverse("admin:members_importrun_preview", args=[run.pk])))[1:]
    assert [(line[4], line[5]) for line in preview] == [
        ("changed", "employer"), ("conflict", None), ("unchanged", None),
    ]  # fmt: skip
    assert "Somebody of another name" in shown(clerk, run)
    assert confirm(clerk, run).status_code == 422
    assert run.state == ImportState.CHECKED
    assert confirm(clerk, run, without_conflicts="on").status_code == 302
    assert set(Person.objects.filter(employer="新单位").values_list("name", flat=True)) == {
        rows[0]["姓名"]
    }
    assert not Person.objects.filter(name="王另名").exists()


def test_a_second_press_of_an_old_confirm_page_writes_nothing_more(cast: Cast, clerk: Client):
    run = send(clerk, as_csv(make_rows(cast.tree.union, 3)), cast.tree.union)
    url = reverse("admin:members_importrun_do", args=[run.pk, "confirm"])
    form = {"seen": seen(clerk.get(url))}
    assert clerk.post(url, form).status_code == 302
    queue.run_waiting()
    assert clerk.post(url, form).status_code != 500
    queue.run_waiting()
    assert Person.objects.count() == 1 + 3


class TestRostersAsClerksWriteThem:
    def test_a_merged_title_empty_rows_spaces_numbers_and_dates(self, cast: Cast, clerk: Client):
        rows = make_rows(cast.tree.union, 3)
        content = io.BytesIO()
        with xlsxwriter.Workbook(content) as book:
            page = book.add_worksheet("花名册")
            page.merge_range("A1:E1", "2026年职工花名册")
            page.write_row(1, 0, ["序号", "姓 名", "身份证号码", "手机号", "出生日期"])
            spelled = ("{0}-{1}-{2}", "{0}/{1}/{2}", "{0}年{1}月{2}日")
            for place, (row, spelling) in enumerate(zip(rows, spelled, strict=True), start=2):
                number = row["证件号码"]
                page.write_number(place, 0, place - 1)
                page.write_string(place, 1, f" {row['姓名'][0]}　{row['姓名'][1:]} ")
                page.write_string(place, 2, number)
                page.write_number(place, 3, float(row["手机号"]))
                day = spelling.format(number[6:10], int(number[10:12]), int(number[12:14]))
                page.write_string(place, 4, day)
            edge = book.add_format({"border": 1})
            for place in range(5, 300):
                page.write_blank(place, 0, None, edge)
        run = send(clerk, content.getvalue(), cast.tree.union, "花名册.xlsx")
        assert (run.rows_count, run.error_count) == (3, 0), shown(clerk, run)
        confirm(clerk, run)
        for row in rows:
            assert Person.objects.get(name=row["姓名"]).phone == row["手机号"]

    @pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig"])
    @pytest.mark.parametrize("mark", [",", ";", "\t"])
    def test_csv_with_any_mark_in_gbk_or_utf8(self, cast: Cast, clerk: Client, encoding, mark):
        content = as_csv(make_rows(cast.tree.union, 3), encoding="utf-8").decode()
        written = content.replace(",", mark).encode(encoding)
        run = send(clerk, written, cast.tree.union)
        assert (run.state, run.error_count, run.new_count) == (ImportState.CHECKED, 0, 3)

    def test_a_phone_that_csv_rounded_is_told_apart_from_a_typing_mistake(self, cast, clerk):
        rows = make_rows(cast.tree.union, 1)
        rows[0]["手机号"] = "1.38E+10"
        run = send(clerk, as_csv(rows), cast.tree.union)
        assert "rounded number" in shown(clerk, run)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (OLD + bytes(600), "old .xls format"),
        (OLD + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is a picture, not a table"),
    ],
    ids=["an old workbook renamed", "a password", "cut", "a picture"],
)
def test_a_file_nobody_can_read_says_on_its_page_why_and_what_to_do(
    cast: Cast, clerk: Client, content: bytes, told: str
):
    run = send(clerk, content, cast.tree.union, "people.xlsx")
    assert run.state == ImportState.REFUSED
    text = shown(clerk, run)
    assert told in text
    assert run.fault_remedy.split('"')[0] in text
    assert "Upload the mended file" in text
    # Nothing was counted, so no row of zeros pretends that something was.
    page = clerk.get(reverse("admin:members_importrun_change", args=[run.pk]))
    assert [str(fact.value) for fact in page.context["facts"]] == ["file refused"]
    assert page.context["panels"] == []
    assert Person.objects.count() == 1


def test_fifty_megabytes_are_refused_on_the_page_and_nothing_is_kept(cast: Cast, clerk: Client):
    answer = press(
        clerk,
        reverse(UPLOAD, args=["upload"]),
        content=SimpleUploadedFile("people.csv", bytes(50 << 20)),
        organization=cast.tree.union.pk,
    )
    assert answer.status_code in (413, 422)
    assert "larger than" in answer.content.decode()
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("county", True), ("other_county", False), ("nobody's", False)],
)
def test_people_are_listed_by_county(cast: Cast, asked: str, expected: bool):
    county = getattr(cast.tree, asked).pk if hasattr(cast.tree, asked) else "4711"
    page = browser(cast.officer).get(reverse("admin:members_person_changelist"), {"county": county})
    assert page.status_code == 200
    assert (cast.lin_person.name in page.content.decode()) is expected


# -- faults stand at their fields ------------------------------------------------------
def test_every_fault_of_a_new_person_stands_at_its_field(cast: Cast):
    url = reverse("admin:members_person_list_do", args=["register"])
    form = {"name": "1", "national_id": "610802", "phone": "12", "organization": ""}
    assert faulty(browser(cast.qiao).post(url, form)) == set(form)


def test_every_fault_of_a_bank_account_stands_at_its_field(cast: Cast):
    url = reverse("admin:members_person_do", args=[cast.lin_person.pk, "enter-account"])
    form = {"number": "12", "bank_name": "", "holder": "魏明", SEEN: print_of(cast.lin_person)}
    answer = browser(cast.qiao).post(url, form)
    assert faulty(answer) == {"number", "bank_name", "holder"}
    assert "alert-danger" not in answer.content.decode(), "and nothing stands at the top alone"


def test_a_new_name_without_a_document_is_refused_at_the_reason(cast: Cast):
    url = reverse("admin:members_person_do", args=[cast.lin_person.pk, "change"])
    form = {
        "name": "林秀英", "phone": "12", "organization": cast.lin_person.organization_id,
        SEEN: print_of(cast.lin_person),
    }  # fmt: skip
    assert faulty(browser(cast.qiao).post(url, form)) == {"phone", "reason"}
