"""Wrong files through the real forms: said what, where and how to mend it; nothing half-written."""

import io
import struct
import zlib
from typing import Any

import pikepdf
import pytest
from django.urls import reverse
from playwright.sync_api import Page

from awards.models import SubsidyCase
from members import tasks  # noqa: F401  (registers the jobs)
from members.models import ImportRun, Person
from tests.cast import make_cast, make_tree
from tests.disbursement.conftest import make_office
from tests.journeys.conftest import confirm_it_is_me, faults, log_in, may_log_in
from tests.journeys.test_member_journeys import fill_in, lin_logs_in, send_application
from tests.members.sheets import as_csv, make_rows
from tests.web.awards_play import ILLNESS, lin_may_apply
from union_portal import queue
from union_portal.models import StoredFile
from welfare.disbursement.models import ReturnFile
from welfare.disbursement.simulator import write_return

pytestmark = pytest.mark.django_db(transaction=True)
SUBMIT = "main form button[type=submit]"


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 60,000 pixels wide and high."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + end

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9000))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def pdf_with_script() -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    document.Root.OpenAction = pikepdf.Dictionary(
        S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)")
    )
    sink = io.BytesIO()
    document.save(sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bill.jpg", b"MZ\x90\x00 no picture at all"),
        ("bill.png", bomb()),
        ("bill.pdf", pdf_with_script()),
        ("bill.jpg", b""),
    ],
    ids=["a program", "an image bomb", "a script", "nothing"],
)
def test_a_member_is_told_which_document_is_wrong_and_keeps_what_was_typed(
    live_server, open_page, name, content
):
    cast = make_cast(make_tree())
    lin_may_apply(cast)
    page = open_page()
    lin_logs_in(page, live_server.url, cast)
    page.goto(live_server.url + reverse("awards:subsidy-apply") + "?ground=illness")
    fill_in(page)
    page.set_input_files(
        "main input[type=file]",
        {"name": name, "mimeType": "application/octet-stream", "buffer": content},
    )
    page.click(SUBMIT)
    page.wait_for_selector("main input[type=file][aria-invalid=true]")
    assert name in page.inner_text("main")
    assert page.input_value("main [name=text]") == ILLNESS["text"]
    assert faults(page) == []
    assert not SubsidyCase.objects.exists()
    assert not StoredFile.objects.exists()
    send_application(page, live_server.url)
    assert SubsidyCase.objects.get().person == cast.lin_person


@pytest.mark.parametrize(
    "content",
    [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
        b"PK\x03\x04 cut in the middle",
        b"\x00\x01\x02 no sheet",
    ],
    ids=["an old workbook", "half a workbook", "no sheet"],
)
def test_a_clerk_is_told_why_a_file_is_no_sheet_of_people(live_server, open_page, content):
    cast = make_cast(make_tree())
    people = Person.objects.count()
    page = open_page()
    log_in(page, live_server.url, may_log_in(cast.qiao))
    send_people(page, live_server.url, cast, "people.xlsx", content)
    queue.run_waiting()
    if run := ImportRun.objects.last():  # taken in, then refused by the worker
        page.goto(live_server.url + reverse("admin:members_importrun_change", args=[run.pk]))
        assert run.state == "refused"
        alert = page.locator("main [role=alert]").first
    else:
        alert = page.locator("main [role=alert], main .errorlist, main [aria-invalid=true]").first
    alert.wait_for()
    assert faults(page) == []
    assert Person.objects.count() == people


def test_every_error_of_a_sheet_is_on_one_page(live_server, open_page):
    cast = make_cast(make_tree())
    rows = make_rows(cast.tree.union, 5)
    rows[0]["证件号码"] = "612722600101002"
    rows[1]["手机号"] = "1380013800"
    rows[2]["姓名"] = ""
    rows[4]["工会名称"] = "没有这个工会"
    page = open_page()
    log_in(page, live_server.url, may_log_in(cast.qiao))
    send_people(page, live_server.url, cast, "people.csv", as_csv(rows, encoding="gb18030"))
    queue.run_waiting()
    run = ImportRun.objects.get()
    page.goto(live_server.url + reverse("admin:members_importrun_change", args=[run.pk]))
    told = page.inner_text("main")
    for place in ("证件号码", "手机号", "姓名", "工会名称"):
        assert place in told
    assert run.error_count >= 4
    assert faults(page) == []


def send_people(page: Page, server: str, cast: Any, name: str, content: bytes) -> None:
    page.goto(server + reverse("admin:members_importrun_list_do", args=["upload"]))
    page.set_input_files(
        "main input[type=file]",
        {"name": name, "mimeType": "application/octet-stream", "buffer": content},
    )
    page.locator("main select[name=organization]").select_option(str(cast.tree.union.pk))
    with page.expect_navigation():
        page.click(".st-confirm form button[type=submit]")


def test_a_return_file_that_is_wrong_changes_nothing_and_the_right_one_still_counts(
    live_server, open_page
):
    office = make_office(make_cast(make_tree()))
    batch = office.delivered(2)
    right = write_return(office.layout(batch), batch.number, office.says(batch, "paid", "failed"))
    page = open_page()
    log_in(page, live_server.url, may_log_in(office.cast.feng))
    url = reverse("admin:disbursement_payoutbatch_do", args=[batch.pk, "return"])
    wrong = {
        "garbage": b"\x00\xff\x00\xff",
        "another encoding": right.decode("utf-8-sig", "replace").encode("utf-16"),
        "cut": right[: len(right) // 2],
        "empty": b"",
    }
    for what, content in wrong.items():
        page.goto(live_server.url + url)
        confirm_it_is_me(page)
        page.set_input_files(
            "main input[type=file]",
            {"name": "answer.csv", "mimeType": "text/csv", "buffer": content},
        )
        with page.expect_navigation():
            page.click(".st-confirm form button[type=submit]")
        alert = page.locator("main [role=alert], main .errorlist, main [aria-invalid=true]")
        assert alert.count(), what
        assert faults(page) == [], what
        assert not ReturnFile.objects.exists(), what
        assert office.states(batch) == ["sent", "sent"]
    page.set_input_files(
        "main input[type=file]", {"name": "answer.csv", "mimeType": "text/csv", "buffer": right}
    )
    with page.expect_navigation():
        page.click(".st-confirm form button[type=submit]")
    assert office.states(batch) == ["paid", "failed"]
