"""A member looks after their own data, on a phone and at a desk; the union answers."""

import json
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from members.actions import consents
from members.models import Consent, Correction
from tests.cast import Cast, make_cast, make_tree
from tests.journeys.conftest import PASSWORD, faults, log_in, may_log_in
from tests.journeys.test_member_journeys import SUBMIT, lin_logs_in
from union_portal import queue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(live_server: Any) -> Cast:
    made = make_cast(make_tree())
    consents.install_samples(
        by=made.rules_clerk, second=made.decider, today=timezone.localdate(), now=timezone.now()
    )
    return made


def go(page: Page, server: str, name: str, *args: Any) -> None:
    page.goto(server + reverse(name, args=args))


def test_a_member_agrees_withdraws_takes_a_copy_and_has_something_corrected(
    live_server: Any, open_page: Any, cast: Cast
):
    page, url = open_page(), live_server.url
    lin_logs_in(page, url, cast)
    found = faults(page)
    found += agree_and_withdraw(page)
    found += take_a_copy(page, cast)
    found += ask_for_a_correction(page, url)
    found += staff_correct(open_page(), url, cast)
    go(page, url, "members:me")
    assert "1 条未读消息" in page.content() or "1 message" in page.content()
    go(page, url, "members:message-list")
    assert "榆林示范厂" not in page.content()
    go(page, url, "members:correction-list")
    assert "看过合同" in page.content()
    found += faults(page)
    go(page, url, "members:me")
    assert "榆林示范厂" in page.content()
    for name in ("members:family-list", "members:family-add", "members:settings"):
        go(page, url, name)
        found += faults(page)
    assert found == []


def agree_and_withdraw(page: Page) -> list[str]:
    page.click(f"main a.tile[href='{reverse('members:consent-list')}'] >> nth=0")
    found = faults(page)
    card = page.locator("section[aria-labelledby=purpose-card]")
    with page.expect_navigation():
        card.locator("form button").click()
    given = Consent.objects.get()
    assert given.text.purpose == "card" and given.withdrawn_at is None
    with page.expect_navigation():
        card.locator("a.btn").click()
    found += faults(page)
    with page.expect_navigation():
        page.click(SUBMIT)
    given.refresh_from_db()
    assert given.withdrawn_at is not None
    return found + faults(page)


def take_a_copy(page: Page, cast: Cast) -> list[str]:
    page.goto(re.sub(r"/me/.*", reverse("members:my-data"), page.url))
    found = faults(page)
    with page.expect_navigation():
        page.click("button[value=my_data_json]")
    found += faults(page)
    queue.run_waiting()
    page.goto(re.sub(r"/job/.*", reverse("members:my-data"), page.url))
    found += faults(page)
    with page.expect_navigation():
        page.click("main a[href*='/file/']")
    found += faults(page)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_download() as arrived:
        page.click("main form button[type=submit]")
    told = json.loads(arrived.value.path().read_text("utf-8"))
    person = next(one for one in told["sections"] if one["key"] == "person")
    assert person["rows"][0]["national_id"] == str(cast.lin_person.national_id)
    return found


def ask_for_a_correction(page: Page, url: str) -> list[str]:
    go(page, url, "members:correction-list")
    found = faults(page)
    page.select_option("select[name=field]", "employer")
    with page.expect_navigation():
        page.click(SUBMIT)
    found += faults(page)
    page.fill("input[name=wanted]", "榆林示范厂")
    page.fill("textarea[name=words]", "五月起换了单位")
    with page.expect_navigation():
        page.click(SUBMIT)
    return found + faults(page)


def staff_correct(page: Page, url: str, cast: Cast) -> list[str]:
    may_log_in(cast.qiao)
    log_in(page, url, cast.qiao)
    correction = Correction.objects.get()
    go(page, url, "admin:members_correction_change", correction.pk)
    found = faults(page)
    go(page, url, "admin:members_correction_do", correction.pk, "carry-out")
    found += faults(page)
    page.fill("textarea[name=answer]", "看过合同")
    with page.expect_navigation():
        page.click(".st-confirm form button[type=submit]")
    correction.refresh_from_db()
    assert correction.state == "done"
    return found


def test_a_member_comes_in_by_phone_and_leaves_every_device(
    live_server: Any, open_page: Any, cast: Cast
):
    page, url = open_page(), live_server.url
    cast.lin.set_password(PASSWORD)
    cast.lin.save(update_fields=["password"])
    go(page, url, "account_login")
    assert faults(page) == []
    page.fill("input[name=login]", str(cast.lin_person.phone))
    page.fill("input[name=password]", PASSWORD)
    page.click("main form[action$='/login/'] button[type=submit]")
    page.wait_for_url(f"**{reverse('members:me')}")
    go(page, url, "members:settings")
    with page.expect_navigation():
        page.click(f"form[action='{reverse('members:log-out-everywhere')}'] button")
    go(page, url, "members:me")
    assert "/login/" in page.url
