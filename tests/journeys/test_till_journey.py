"""A member shows a code, the shop types it, confirms, takes it back; a printed code counts too."""

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from members.models import Redemption
from tests.cast import Cast, make_cast, make_tree
from tests.journeys.conftest import PASSWORD, faults
from tests.members.street import Street, make_street
from union_portal.models import Account

pytestmark = pytest.mark.django_db(transaction=True)
SUBMIT = "main form[data-once] button[type=submit]"


@pytest.fixture
def cast(live_server: Any) -> Cast:
    return make_cast(make_tree())


@pytest.fixture
def street(cast: Cast) -> Street:
    street = make_street(cast)
    street.member(person=cast.lin_person)
    street.offer(quota_total=10, quota_per_member=5, price_fen=800)
    return street


def log_in(page: Page, server: str, account: Account, landing: str) -> None:
    account.set_password(PASSWORD)
    account.save(update_fields=["password"])
    page.goto(server + reverse("account_login"))
    page.fill("input[name=login]", account.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form[action$='/login/'] button[type=submit]")
    page.wait_for_url(f"**{reverse(landing)}")


def shown_code(page: Page, server: str) -> str:
    page.goto(server + reverse("members:card-code"))
    return page.inner_text(".digits")


def check(page: Page, server: str, code: str) -> None:
    page.goto(server + reverse("members:till"))
    page.fill("input[name=code]", code)
    page.click(SUBMIT)
    page.wait_for_load_state()


def confirm(page: Page) -> None:
    page.wait_for_url(f"**{reverse('members:till-confirm')}")
    page.click(SUBMIT)
    page.wait_for_url(re.compile(r"/till/uses/\d+/$"))


def test_shown_typed_confirmed_and_taken_back(live_server, open_page, street):
    cast, server = street.cast, live_server.url
    phone, till = open_page(), open_page()
    log_in(phone, server, cast.lin, "members:me")
    log_in(till, server, street.till, "members:till")
    found = faults(till)
    code = shown_code(phone, server)
    found += faults(phone)
    check(till, server, code)
    till.wait_for_url(f"**{reverse('members:till-confirm')}")
    found += faults(till)
    confirm(till)
    found += faults(till)
    check(till, server, code)
    assert till.locator("[role=alert]").count() == 1
    found += faults(till)
    use = Redemption.objects.get()
    till.goto(server + reverse("members:till-undo", args=[use.pk]))
    found += faults(till)
    till.fill("input[name=reason]", "点错了")
    till.click(SUBMIT)
    till.wait_for_url(f"**{reverse('members:till-done', args=[use.pk])}")
    for name in ("members:till-day", "members:till-month"):
        till.goto(server + reverse(name))
        found += faults(till)
    phone.goto(server + reverse("members:use-list"))
    assert "点错了" in phone.content()
    found += faults(phone)
    assert found == []
    use.refresh_from_db()
    assert use.state == "undone"


def test_the_code_is_renewed_in_place_before_its_minute_ends(live_server, open_page, street):
    phone = open_page()
    log_in(phone, live_server.url, street.cast.lin, "members:me")
    phone.clock.install()
    before = shown_code(phone, live_server.url)
    height = phone.evaluate("document.querySelector('#live-code').offsetHeight")
    with phone.expect_response(lambda answer: "card/code" in answer.url):
        phone.clock.run_for(46_000)
    phone.wait_for_function(
        "before => document.querySelector('.digits').textContent !== before", arg=before
    )
    assert phone.locator("#live-code").count() == 1
    assert phone.evaluate("document.querySelector('#live-code').offsetHeight") == height
    assert street.look(phone.inner_text(".digits"))


def test_a_printed_code_and_a_rating(live_server, open_page, street):
    server, phone, till = live_server.url, open_page(), open_page()
    log_in(phone, server, street.cast.lin, "members:me")
    log_in(till, server, street.till, "members:till")
    phone.goto(server + reverse("members:card-sheet"))
    found = faults(phone)
    phone.click(SUBMIT)
    phone.wait_for_selector(".code-sheet")
    found += faults(phone)
    check(till, server, phone.locator(".digits").nth(4).inner_text())
    confirm(till)
    phone.goto(server + reverse("members:use-rate", args=[Redemption.objects.get().pk]))
    found += faults(phone)
    phone.check("input[name=stars][value='5']")
    phone.click(SUBMIT)
    phone.wait_for_url(f"**{reverse('members:use-list')}")
    found += faults(phone)
    assert found == []


def test_all_of_it_without_javascript(live_server, open_page, street):
    server = live_server.url
    phone, till = open_page(java_script_enabled=False), open_page(java_script_enabled=False)
    log_in(phone, server, street.cast.lin, "members:me")
    log_in(till, server, street.till, "members:till")
    check(till, server, shown_code(phone, server))
    confirm(till)
    assert Redemption.objects.get().state == "done"


def test_the_table_of_uses_is_accessible(live_server, open_page, street):
    from tests.journeys.conftest import log_in as staff_log_in
    from tests.journeys.conftest import may_log_in

    street.use(street.member(), street.offer())
    page = open_page()
    staff_log_in(page, live_server.url, may_log_in(street.cast.officer))
    found = []
    for name in ("members_redemption_summary", "members_redemption_changelist",
                 "members_wrongcode_changelist"):  # fmt: skip
        page.goto(live_server.url + reverse(f"admin:{name}"))
        found += faults(page)
    assert found == []
