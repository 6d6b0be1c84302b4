"""The staff site in a real browser: no fault that axe or a phone finds, no word left in English."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from members.models import Person
from tests.cast import make_cast, make_tree
from tests.disbursement.conftest import make_office
from tests.journeys.conftest import WIDTHS, confirm_it_is_me, faults, log_in, may_log_in
from tests.journeys.test_journeys import published
from union_portal import notices
from union_portal.models import Account
from welfare.disbursement import batches
from welfare.disbursement.models import BatchApproval
from welfare.disbursement.states import BatchState

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "h2, h3, label, legend, dt, thead th, .st-btn, .st-why, .st-menu-list a"
# Names and codes that are the same in Chinese.
SAME = re.compile(r"SHA-256|PDF|XLSX|Excel|CSV|JPG|PNG|JSON|UTF-8|GBK|XML|MB|[a-z]+-[a-z0-9-]+")
LATIN = re.compile(r"[A-Za-z]{3,}")
# What differs between two pages that show the same: numbers of rows and forms.
PASSING = re.compile(r'<input type="hidden"[^>]*>|nonce="[^"]*"|[0-9a-f]{8}-[0-9a-f-]{27}|\d+')


@pytest.fixture
def busy(live_server: Any) -> Any:
    """A notice with an objection, a batch that waits for its checker, a text of many lines."""
    cast = make_cast(make_tree())
    notice = published(cast)
    notices.file_objection(
        entry=notice.entries.get(), objector="魏明", phone="13800138000", text="情况不符。",
        is_body=False, by=cast.officer, today=notice.posted_on,
    )  # fmt: skip
    office = make_office(cast)
    office.owe(3)
    batches.seal(batch=office.assemble(), by=cast.feng)
    Person.objects.update(employer="驼城综合能源化工运输" * 8)
    return cast


def english(page: Page) -> list[str]:
    """Labels, headings and buttons that no Chinese reader understands; icons are no words."""
    told = page.locator(WORDS).evaluate_all(
        """parts => parts.map(part => {
            const copy = part.cloneNode(true);
            copy.querySelectorAll('.material-symbols-outlined').forEach(icon => icon.remove());
            return copy.textContent.trim();
        })"""
    )
    return [f"{page.url}: {text}" for text in told if LATIN.search(SAME.sub("", text))]


def confirm_pages(page: Page) -> list[str]:
    return list(page.locator(".st-offers a").evaluate_all("links => links.map(a => a.href)"))


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A mark for each page that was judged, by whichever process of this run."""
    ours = tmp_path_factory.getbasetemp()
    folder = (ours if worker_id == "master" else ours.parent) / "judged"
    folder.mkdir(exist_ok=True)
    return folder


def is_new(page: Page, judged: Path) -> bool:
    """Whether nobody before, in another role, was shown just this beside the menu."""
    shown = sha256(PASSING.sub("", page.locator("main").inner_html()).encode()).hexdigest()
    try:
        (judged / shown).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def staff_pages(page: Page, front: str) -> Iterator[str]:
    """The desk, every list of the menu, its first row, and every step that either offers."""
    page.goto(front)
    yield front
    lists = page.locator(".st-menu-list a").evaluate_all("links => links.map(a => a.href)")
    for address in lists:
        page.goto(address)
        yield address
        offered = confirm_pages(page)
        rows = page.locator("#result_list a[href*='/change/']")
        if rows.count():
            first = str(rows.first.evaluate("a => a.href"))
            page.goto(first)
            yield first
            offered += confirm_pages(page)
        for step in offered:
            page.goto(step)
            confirm_it_is_me(page)
            yield step


ROLES = [
    "qiao",
    "shi",
    "officer",
    "decider",
    "reviewer",
    "rules_clerk",
    "feng",
    "feng_checker",
    "feng_releaser",
    "gao",
    "benefits",
    "account_admin",
    "security_admin",
]


def test_every_role_is_walked(cast) -> None:
    assert set(ROLES) == set(cast.staff)


@pytest.mark.parametrize("who", ROLES)
def test_no_staff_page_has_a_fault_at_any_width(live_server, busy, chromium, judged, who):
    account: Account = may_log_in(getattr(busy, who))
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    log_in(page, live_server.url, account)
    found: set[str] = set()
    for _address in staff_pages(page, live_server.url + reverse("admin:index")):
        for width in WIDTHS.values() if is_new(page, judged) else ():
            page.set_viewport_size({"width": width, "height": 900})
            found |= {*faults(page), *english(page)}
    context.close()
    assert sorted(found) == []


def approve_page(page: Page, server: str, batch: Any, who: Account) -> str:
    """Open the page on which a checker approves, with every box ticked."""
    may_log_in(who)
    log_in(page, server, who)
    url = reverse("admin:disbursement_payoutbatch_do", args=[batch.pk, "check"])
    page.goto(server + url)
    confirm_it_is_me(page)
    for box in page.locator(".st-confirm input[type=checkbox]").all():
        box.check()
    return url


@pytest.fixture
def sealed(live_server: Any) -> Any:
    office = make_office(make_cast(make_tree()))
    office.owe(2)
    return office, batches.seal(batch=office.assemble(), by=office.cast.feng)


def test_a_double_click_approves_once_and_the_back_button_is_told(live_server, sealed, open_page):
    office, batch = sealed
    page = open_page()
    url = approve_page(page, live_server.url, batch, office.cast.feng_checker)
    page.dblclick(".st-confirm form button[type=submit]")
    page.wait_for_url(f"**{reverse('admin:disbursement_payoutbatch_change', args=[batch.pk])}")
    assert BatchApproval.objects.filter(batch=batch, step="checker").count() == 1
    page.goto(live_server.url + url)
    assert page.locator(".st-confirm [role=alert]").count() == 1
    assert page.locator(".st-confirm form").count() == 0


def test_a_page_that_grew_old_changes_nothing_and_says_so(live_server, sealed, open_page):
    office, batch = sealed
    page = open_page()
    approve_page(page, live_server.url, batch, office.cast.feng_checker)
    batches.reopen(batch=batch, by=office.cast.feng, reason="wrong day")
    page.click(".st-confirm form button[type=submit]")
    alert = page.locator(".st-confirm [role=alert]")
    alert.wait_for()
    assert alert.inner_text().strip()
    assert not BatchApproval.objects.filter(batch=batch, step="checker").exists()
    batch.refresh_from_db()
    assert batch.state == BatchState.DRAFT
