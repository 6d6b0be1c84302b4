"""A member on a phone and at a desk: in by a code, apply, follow, ask why."""

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from awards.models import SubsidyCase
from members.actions import first_login
from tests.cast import Cast, make_cast, make_person, make_tree
from tests.journeys.conftest import PASSWORD, faults
from tests.web.awards_play import ILLNESS, lin_may_apply, photo
from union_portal import notifications
from union_portal.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
SUBMIT = "main form button[type=submit]"


@pytest.fixture
def cast(live_server: Any) -> Cast:
    return make_cast(make_tree())


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_login, "_ring", lambda: None)


def sent_code() -> str:
    found = re.search(r"\d{6}", notifications.text_of(Message.objects.latest("id")))
    assert found
    return found[0]


def come_in(page: Page, server: str, name: str, number: str) -> None:
    page.goto(server + reverse("members:first-login"))
    page.fill("input[name=name]", name)
    page.fill("input[name=national_id]", number)
    page.click(SUBMIT)
    page.wait_for_url(f"**{reverse('members:first-login-code')}")
    page.fill("input[name=code]", sent_code())
    for field in ("password", "again"):
        page.fill(f"input[name={field}]", PASSWORD)
    page.click(SUBMIT)
    page.wait_for_url(f"**{reverse('members:me')}")


def lin_logs_in(page: Page, server: str, cast: Cast) -> None:
    cast.lin.set_password(PASSWORD)
    cast.lin.save(update_fields=["password"])
    page.goto(server + reverse("account_login"))
    page.fill("input[name=login]", cast.lin.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form[action$='/login/'] button[type=submit]")
    page.wait_for_url(f"**{reverse('members:me')}")


def test_a_first_log_in_by_name_number_and_code(live_server, open_page, cast):
    person = make_person(cast.tree.union)
    page = open_page()
    page.goto(live_server.url + reverse("members:first-login"))
    assert faults(page) == []
    page.fill("input[name=name]", person.name)
    page.fill("input[name=national_id]", str(person.national_id))
    page.click(SUBMIT)
    page.wait_for_url(f"**{reverse('members:first-login-code')}")
    assert faults(page) == []
    page.fill("input[name=code]", "0" * 6 if sent_code() != "0" * 6 else "1" * 6)
    for field in ("password", "again"):
        page.fill(f"input[name={field}]", PASSWORD)
    page.click(SUBMIT)
    page.wait_for_selector("[aria-invalid=true]")
    assert faults(page) == []
    come_in(page, live_server.url, person.name, str(person.national_id))
    assert person.name in page.content()


def test_everything_without_javascript(live_server, open_page, cast):
    lin_may_apply(cast)
    page = open_page(java_script_enabled=False)
    lin_logs_in(page, live_server.url, cast)
    send_application(page, live_server.url)
    assert SubsidyCase.objects.get().person == cast.lin_person


def fill_in(page: Page) -> None:
    """Answer every question of the application, but choose no file."""
    for name, value in ILLNESS.items():
        field = page.locator(f"main [name={name}]").first
        if value == "on":
            field.check()
        elif field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        elif field.get_attribute("type") == "radio":
            page.locator(f"main [name={name}][value={value}]").check()
        else:
            field.fill(value)


def send_application(page: Page, server: str) -> None:
    page.goto(server + reverse("awards:subsidy-apply") + "?ground=illness")
    fill_in(page)
    bill = photo("bill.jpg")
    page.set_input_files(
        "main input[type=file]",
        {"name": "bill.jpg", "mimeType": "image/jpeg", "buffer": bill.read()},
    )
    page.click(SUBMIT)
    page.wait_for_url(re.compile(r"/me/subsidies/\d+/$"))


def test_an_application_with_a_photo_and_every_page_of_ones_own(live_server, open_page, cast):
    lin_may_apply(cast)
    page = open_page()
    lin_logs_in(page, live_server.url, cast)
    found = faults(page)
    for name in ("awards:subsidy-list", "awards:subsidy-apply", "members:message-list"):
        page.goto(live_server.url + reverse(name))
        found += faults(page)
    page.goto(live_server.url + reverse("awards:subsidy-apply") + "?ground=illness")
    found += faults(page)
    page.click(SUBMIT)
    page.wait_for_selector("[aria-invalid=true]")
    found += faults(page)
    send_application(page, live_server.url)
    assert SubsidyCase.objects.get().number in page.content()
    found += faults(page)
    case = SubsidyCase.objects.get()
    for address in (
        reverse("awards:subsidy-apply"),
        reverse("awards:subsidy-list"),
        reverse("awards:subsidy-take-back", args=[case.pk]),
        reverse("members:message-list"),
        reverse("portal:security"),
        reverse("account_change_password"),
        reverse("usersessions_list"),
        reverse("mfa_index"),
        reverse("awards:honours-roll"),
        reverse("portal:notice-list"),
    ):
        page.goto(live_server.url + address)
        found += faults(page)
    assert found == []


def test_the_language_changes_where_one_stands(live_server, open_page, cast):
    page = open_page(locale="zh-CN")
    page.goto(live_server.url + reverse("members:first-login"))
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.click("button[name=language][value=en]")
    page.wait_for_url(f"**{reverse('members:first-login')}")
    assert page.locator("html").get_attribute("lang") == "en"
    assert faults(page) == []
