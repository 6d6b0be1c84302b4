"""Without a mouse, and with text twice as large on a narrow screen (WCAG 2.2: 1.4.4, 1.4.10)."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page

from awards.models import SubsidyCase
from tests.cast import make_cast, make_tree
from tests.disbursement.conftest import make_office
from tests.journeys.conftest import PASSWORD, confirm_it_is_me, log_in, may_log_in
from tests.journeys.test_member_journeys import lin_logs_in, send_application
from tests.web.awards_play import lin_may_apply
from welfare.disbursement import batches

pytestmark = pytest.mark.django_db(transaction=True)

# The element that has the focus, and whether a sighted person can see that it has.
FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const name = (one.innerText || one.name || one.getAttribute('aria-label') || '').trim();
    return {
        tag: one.tagName, type: one.type || '', name: name.slice(0, 40),
        isSeen: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0)
            || style.boxShadow !== 'none',
        isOnScreen: box.width > 0 && box.height > 0 && box.bottom > 0
            && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


@pytest.fixture
def narrow(chromium: Browser) -> Any:
    """320 pixels wide, as a page of 1280 at four times its size."""
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def too_wide(page: Page) -> list[str]:
    """Pages that scroll sideways, and texts or controls that are cut off."""
    found = page.evaluate("""() => {
        const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        const cut = [...document.querySelectorAll('main button, main a.btn, main label, main h1')]
            .filter(one => one.offsetParent && one.scrollWidth > one.clientWidth + 1
                && getComputedStyle(one).overflowX !== 'visible')
            .map(one => one.innerText.trim().slice(0, 40));
        return [...(wide > 0 ? [`${wide} px too wide`] : []), ...cut];
    }""")
    return [f"{page.url}: {one}" for one in found]


def enlarge(page: Page) -> None:
    """What a browser does that is told to show text twice as large."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")


def test_a_members_pages_at_320_pixels_and_with_text_twice_as_large(live_server, narrow):
    cast = make_cast(make_tree())
    lin_may_apply(cast)
    lin_logs_in(narrow, live_server.url, cast)
    send_application(narrow, live_server.url)
    case = SubsidyCase.objects.get()
    found = []
    for address in (
        reverse("members:me"),
        reverse("awards:subsidy-apply") + "?ground=illness",
        reverse("awards:subsidy-list"),
        reverse("awards:subsidy-case", args=[case.pk]),
        reverse("members:message-list"),
        reverse("members:who-looked"),
        reverse("portal:security"),
        reverse("portal:notice-list"),
        reverse("awards:honours-roll"),
    ):
        narrow.goto(live_server.url + address)
        found += too_wide(narrow)
        enlarge(narrow)
        found += [f"enlarged: {one}" for one in too_wide(narrow)]
    assert found == []


def test_a_checkers_pages_at_320_pixels(live_server, narrow):
    office = make_office(make_cast(make_tree()))
    office.owe(2)
    batch = batches.seal(batch=office.assemble(), by=office.cast.feng)
    checker = may_log_in(office.cast.feng_checker)
    log_in(narrow, live_server.url, checker)
    found = []
    for address in (
        reverse("admin:index"),
        reverse("admin:disbursement_payoutbatch_changelist"),
        reverse("admin:disbursement_payoutbatch_change", args=[batch.pk]),
        reverse("admin:disbursement_payoutbatch_do", args=[batch.pk, "check"]),
    ):
        narrow.goto(live_server.url + address)
        confirm_it_is_me(narrow)
        found += too_wide(narrow)
    assert found == []


def walk(page: Page, until: str, most: int = 80) -> list[dict[str, Any]]:
    """Press Tab until the focus is on the named control; every stop on the way."""
    stops: list[dict[str, Any]] = []
    for _press in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None:
            continue
        stops.append(stop)
        if page.evaluate("selector => document.activeElement.matches(selector)", until):
            return stops
    raise AssertionError(f"{until} is not reached: {[one['name'] for one in stops]}")


def test_a_member_logs_in_by_keyboard_alone_and_sees_where_the_focus_is(live_server, open_page):
    cast = make_cast(make_tree())
    cast.lin.set_password(PASSWORD)
    cast.lin.save(update_fields=["password"])
    page = open_page()
    page.goto(live_server.url + reverse("account_login"))
    stops = walk(page, "input[name=login]") if not _is_on(page, "input[name=login]") else []
    page.keyboard.type(cast.lin.username)
    stops += walk(page, "input[name=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('members:me')}")
    page.keyboard.press("Tab")
    first = page.evaluate(FOCUS)
    assert first["tag"] == "A"  # straight to the content
    page.keyboard.press("Enter")
    stops += walk(page, "main a")
    assert [one for one in stops if not (one["isSeen"] and one["isOnScreen"])] == []


def test_a_checker_approves_by_keyboard_alone(live_server, open_page):
    office = make_office(make_cast(make_tree()))
    office.owe(2)
    batch = batches.seal(batch=office.assemble(), by=office.cast.feng)
    checker = may_log_in(office.cast.feng_checker)
    page = open_page()
    log_in(page, live_server.url, checker)
    page.goto(
        live_server.url + reverse("admin:disbursement_payoutbatch_do", args=[batch.pk, "check"])
    )
    confirm_it_is_me(page)
    stops = []
    for _box in page.locator(".st-confirm input[type=checkbox]").all():
        stops += walk(page, ".st-confirm input[type=checkbox]")
        page.keyboard.press("Space")
    stops += walk(page, ".st-confirm form button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:disbursement_payoutbatch_change', args=[batch.pk])}")
    assert batch.approvals.filter(step="checker").count() == 1
    assert [one for one in stops if not (one["isSeen"] and one["isOnScreen"])] == []


def _is_on(page: Page, selector: str) -> bool:
    return bool(page.evaluate("selector => document.activeElement.matches(selector)", selector))
