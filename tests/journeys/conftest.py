"""A real browser against a live server: Chromium of the system, phone and desk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.core.cache import cache
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.web import log_in as given
from union_portal.models import Account

WIDTHS = {"phone": 390, "desk": 1280}
PASSWORD = given.PASSWORD
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/journeys" in str(item.path):
            item.add_marker(pytest.mark.journey)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip("no Chromium: apt-get install chromium"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # Playwright's loop runs in this thread; Django's ORM would refuse to be called beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def live_server(django_db_setup: None) -> Iterator[LiveServer]:
    """A server over HTTP: it reads these settings when it starts, for the journeys alone."""
    with override_settings(
        SECURE_SSL_REDIRECT=False,
        SECURE_HSTS_SECONDS=0,
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
        # What a password costs to guess is told elsewhere; here everybody logs in.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        # Rates of attempts are counted in the cache, which outlives a test.
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    ):
        server = LiveServer("localhost")
        yield server
        server.stop()


@pytest.fixture(autouse=True)
def forget(live_server: LiveServer) -> None:
    """No test meets the used codes and counted attempts of the one before it."""
    cache.clear()


@pytest.fixture(params=list(WIDTHS))
def width(request: pytest.FixtureRequest) -> int:
    return WIDTHS[request.param]


@pytest.fixture
def open_page(chromium: Browser, width: int) -> Iterator[Any]:
    """Open a browser of one's own: its cookies are nobody else's."""
    contexts = []

    def opened(**more: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    yield opened
    for context in contexts:
        context.close()


# What a phone shows badly, each as a script that lists where; axe looks for none of it.
LOOKS = {
    "cut off": """[...document.querySelectorAll('main :is(td, th)')].filter(cell =>
        cell.scrollHeight > cell.clientHeight + 2
        && getComputedStyle(cell).overflowY === 'hidden'
    ).map(cell => cell.textContent.trim().slice(0, 60))""",
    "out of sight": """[...document.querySelectorAll('main :is(td, th)')].filter(cell => {
        const box = cell.getBoundingClientRect();
        const isSliver = box.width > 0 && box.width < 30 && cell.innerText.length > 1;
        return innerWidth < 600 && (box.right > innerWidth || isSliver);
    }).map(cell => cell.textContent.trim().slice(0, 60))""",
    "no room beside its label": """[...document.querySelectorAll('main dl dd')].filter(value => {
        const room = value.getBoundingClientRect().width;
        return room > 0 && room < 0.5 * value.closest('dl').clientWidth
            && room < 150 && value.innerText.length > 8;
    }).map(value => value.textContent.trim().slice(0, 60))""",
    "a label without a value": """[...document.querySelectorAll('main td[data-label]')].filter(
        cell => innerWidth < 600 && !cell.childElementCount && !cell.textContent.trim()
        && cell.getBoundingClientRect().height > 0
    ).map(cell => cell.dataset.label)""",
    "a fault that is not marked": """[...document.querySelectorAll(
        'main [aria-invalid=true]'
    )].filter(field =>
        !['checkbox', 'radio', 'file'].includes(field.type)
        && getComputedStyle(field).borderTopWidth !== '2px'
    ).map(field => field.name)""",
    "wider than the screen": """[document.documentElement].filter(
        page => page.scrollWidth > page.clientWidth
    ).map(page => page.scrollWidth)""",
}
LOOK = ",".join(f"{what!r}: {script}" for what, script in LOOKS.items())


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds. It is put into a page once, and stays through a change of width."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    run = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
    return list(page.evaluate(run))


def faults(page: Page, *, only: set[str] | None = None) -> list[str]:
    """What axe finds, whether the page is wider than the screen, cells that cut their text or lie
    out of sight on a phone, labels that leave their value no room or name nothing, and faults
    that are not in red."""
    # A click waits until the next page begins, not until it is there.
    page.wait_for_load_state()
    found = [
        f"{page.url}: {one['id']} ({one['impact']}) {one['nodes'][0]['html'][:120]}"
        for one in violations(page)
        if only is None or one["impact"] in only
    ]
    looked = page.evaluate(f"({{{LOOK}}})")
    return found + [f"{page.url}: {what}: {text}" for what in LOOKS for text in looked[what]]


def may_log_in(account: Account) -> Account:
    """Give an account a password and an authenticator app with a known secret."""
    return given.may_log_in(account, factor=True)


def confirm_it_is_me(page: Page) -> None:
    """Give the password once more where the page asks for it."""
    if "/reauthenticate/" in page.url:
        page.fill("input[name=password]", PASSWORD)
        with page.expect_navigation():
            page.click("main form button[type=submit]")


def log_in(page: Page, server: str, account: Account) -> None:
    page.goto(f"{server}/admin/")
    page.fill("input[name=login]", account.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form[action$='/login/'] button[type=submit]")
    for _ in range(2):  # a code may run out between reading and sending it
        page.fill("input[name=code]", given.code_now())
        with page.expect_navigation():
            page.click("main form button[type=submit]")
        if page.url.endswith("/admin/"):
            return
    raise AssertionError(f"not logged in: {page.url}")
