"""A worker joins from the phone, two offices act, the member moves on: in a real browser."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from members.models import JoinApplication, Membership
from members.states import JoinState, MembershipState
from tests.cast import Cast, make_cast, make_tree
from tests.journeys.conftest import confirm_it_is_me, faults, log_in, may_log_in
from tests.journeys.test_member_journeys import lin_logs_in
from tests.members.joining import Applicant, applicant, clerk, member
from union_portal.models import Account

pytestmark = pytest.mark.django_db(transaction=True)
SUBMIT = "main form button[type=submit]"


@pytest.fixture
def cast(live_server: Any) -> Cast:
    return make_cast(make_tree())


def apply_on_the_phone(page: Page, server: str, new: Applicant, found: list[str]) -> str:
    """Look for the union, fill in, send; the receipt that is shown."""
    page.goto(server + reverse("members:join"))
    found += faults(page)
    page.fill("input[name=q]", "驼城")
    page.click("form[role=search] button")
    found += faults(page)
    page.click("a.tile")
    page.wait_for_url("**/join/?union=*")
    page.click(SUBMIT)
    page.wait_for_selector("[aria-invalid=true]")
    found += faults(page)
    for name, value in {**new.typed, "employer": "驼城运输"}.items():
        page.fill(f"input[name={name}]", value)
    page.select_option("select[name=ethnicity]", "汉族")
    page.check("input[name=agrees]")
    page.click(SUBMIT)
    page.wait_for_url("**/join/application/")
    found += faults(page)
    return page.locator(".figure").inner_text().strip()


def look_up(page: Page, server: str, receipt: str, phone: str, found: list[str]) -> str:
    page.goto(server + reverse("members:join-status"))
    found += faults(page)
    page.fill("input[name=receipt]", receipt)
    page.fill("input[name=phone]", phone)
    page.click(SUBMIT)
    page.wait_for_url("**/join/application/")
    return page.content()


def press(page: Page, server: str, where: str, step: str, found: list[str]) -> None:
    """Open the first row of a list, choose a step, confirm it."""
    page.goto(server + where)
    found += faults(page)
    page.locator("#result_list a[href*='/change/']").first.click()
    page.wait_for_load_state()
    found += faults(page)
    page.click(f".st-offers a[href$='/do/{step}/']")
    confirm_it_is_me(page)
    found += faults(page)
    with page.expect_navigation():
        page.click(".st-confirm form button[type=submit]")


def desk(page: Page, server: str, account: Account) -> Page:
    log_in(page, server, may_log_in(account))
    return page


def test_join_check_approve_and_the_member_sees_it(live_server, open_page, cast):
    new, found, server = applicant(cast), [], live_server.url
    phone = open_page()
    receipt = apply_on_the_phone(phone, server, new, found)
    listed = reverse("admin:members_joinapplication_changelist")
    press(desk(open_page(), server, cast.qiao), server, listed, "check", found)
    assert JoinApplication.objects.get().state == JoinState.CHECKED
    press(desk(open_page(), server, cast.shi), server, listed, "approve", found)
    held = Membership.objects.get()
    assert held.person.name == new.name
    shown = look_up(open_page(), server, receipt, new.phone, found)
    assert "您已成为会员" in shown
    assert found == []


def test_a_member_moves_by_both_sides_and_follows_it(live_server, open_page, cast):
    member(cast)
    target, found, server = cast.tree.sibling_union, [], live_server.url
    jia = clerk(target)
    lin = open_page(java_script_enabled=False)
    lin_logs_in(lin, server, cast)
    lin.goto(server + reverse("members:transfer"))
    lin.fill("input[name=q]", "红石峡")
    lin.click("form[role=search] button")
    lin.click("a.tile")
    lin.fill("input[name=employer]", "红石峡水务")
    lin.fill("textarea[name=reason]", "换了单位")
    lin.click(SUBMIT)
    lin.wait_for_url("**/me/membership/")
    listed = reverse("admin:members_membershiptransfer_changelist")
    press(desk(open_page(), server, cast.qiao), server, listed, "release", found)
    lin.reload()
    assert "已同意转出" in lin.content()
    press(desk(open_page(), server, jia), server, listed, "accept", found)
    eyes = open_page()
    lin_logs_in(eyes, server, cast)
    found += faults(eyes)
    eyes.goto(server + reverse("members:membership"))
    found += faults(eyes)
    assert f"{target.name}已接收" in eyes.content()
    assert Membership.objects.get(state=MembershipState.ACTIVE).organization == target
    assert found == []
