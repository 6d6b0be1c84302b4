"""Take the pictures in this folder anew from a running demo.

    ./portal demo                                        # in another terminal
    .venv/bin/python docs/screenshots/take.py            # or with the demo's address

A headless Chromium logs in as the demo's staff, at 1280 and 390 pixels, in Chinese. A Chinese
font has to be installed (Debian: fonts-noto-cjk). What is on them is made up.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PASSWORD = "portal-demo-610800"  # noqa: S105
WIDTHS = {1280: 860, 390: 844}
COLOURS = 128
MEMBER = "yan"
ROWS = "#result_list a[href*='/change/']"


def main() -> None:
    """Every picture at every width; the address of the demo may be the one argument."""
    site = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for who, pictures in (STAFF_PICTURES | PORTAL_PICTURES).items():
            page = _logged_in(browser, site, who, is_staff=who in STAFF_PICTURES)
            for name, find in pictures.items():
                _take(page, site, name, find)
            page.context.close()
        page = _member(browser, site)
        for name, find in OWN_PICTURES.items():
            _take(page, site, name, find)
        browser.close()


def _page(browser: Browser) -> Page:
    page = browser.new_context(locale="zh-CN").new_page()
    page.set_default_timeout(60_000)
    return page


def _logged_in(browser: Browser, site: str, who: str, *, is_staff: bool) -> Page:
    """Staff type a code as well; a member or a shop needs no second factor."""
    page = _page(browser)
    page.goto(f"{site}/account/login/")
    page.fill("input[name=login]", who)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_navigation():
        page.click("main form[action$='/login/'] button[type=submit]")
    if is_staff:
        page.fill("input[name=code]", _code(who))
        with page.expect_navigation():
            page.click("main form button[type=submit]")
    return page


def _member(browser: Browser, site: str) -> Page:
    """Yan, who comes in by his first log-in, as often as this is run."""
    page = _page(browser)
    page.goto(f"{site}/first-login/")
    name, number = _told("demo_member", MEMBER).split()[1:3]
    page.fill("input[name=name]", name)
    page.fill("input[name=national_id]", number)
    page.click("main form button[type=submit]")
    page.wait_for_url("**/first-login/code/")
    page.fill("input[name=code]", _found(_told("demo_member", MEMBER).partition(number)[2]))
    for field in ("password", "again"):
        page.fill(f"input[name={field}]", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_url("**/me/")
    return page


def _told(*command: str) -> str:
    return subprocess.run(
        [str(ROOT / "portal"), "manage", *command], capture_output=True, text=True, check=True
    ).stdout


def _found(text: str) -> str:
    found = re.search(r"\b\d{6}\b", text)
    if found is None:
        raise SystemExit(f"no code in: {text}")
    return found.group()


def _code(who: str) -> str:
    return _found(_told("demo_code", who))


def _take(page: Page, site: str, name: str, find: Callable[[Page, str], None]) -> None:
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        find(page, site)
        with Image.open(BytesIO(page.screenshot())) as shot:
            small = shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            small.save(HERE / f"{name}-{width}.png", optimize=True)


def _desk(page: Page, site: str) -> None:
    page.goto(f"{site}/admin/")


def _batch(page: Page, site: str) -> None:
    """The batch that is checked and waits to be released, at its approvals."""
    page.goto(f"{site}/admin/disbursement/payoutbatch/?state__exact=sealed")
    _open(page, page.locator(ROWS).last)
    _at(page, "审批记录")


def _timeline(page: Page, site: str) -> None:
    """A case that was applied for, visited, reviewed and granted."""
    page.goto(
        f"{site}/admin/awards/subsidycase/?scheme__exact=special_hardship&state__exact=granted"
    )
    _open(page, page.locator(ROWS).first)
    _at(page, "发生了什么")


def _reports(page: Page, site: str) -> None:
    page.goto(f"{site}/admin/union_portal/reportrun/")


def _statement(page: Page, site: str) -> None:
    """A month of a shop that is owed or paid, line by line."""
    page.goto(f"{site}/admin/welfare/merchantstatement/?state__exact=approved")
    _open(page, page.locator(ROWS).last)


def _goto(page: Page, address: str) -> None:
    page.goto(address)


def _first(page: Page, address: str, link: str) -> None:
    page.goto(address)
    _open(page, page.locator(link).first)


def _open(page: Page, row: Locator) -> None:
    page.goto(str(row.evaluate("a => a.href")))


def _at(page: Page, heading: str) -> None:
    page.locator("h2", has_text=heading).evaluate(
        "h => window.scrollBy(0, h.getBoundingClientRect().top - 24)"
    )


STAFF_PICTURES: dict[str, dict[str, Callable[[Page, str], None]]] = {
    "feng": {"dashboard": _desk, "reports": _reports},
    "mu": {"batch-approvals": _batch},
    "he": {
        "case-timeline": _timeline,
        "card-counts": lambda page, site: _goto(page, f"{site}/admin/members/servicecard/counts/"),
    },
    "hui": {"statement": _statement},
}

OWN_PICTURES: dict[str, Callable[[Page, str], None]] = {
    "home": lambda page, site: _goto(page, f"{site}/"),
    "notice": lambda page, site: _first(page, f"{site}/notices/", "main a[href^='/notices/']"),
    "my-page": lambda page, site: _goto(page, f"{site}/me/"),
    "my-subsidy": lambda page, site: _first(
        page, f"{site}/me/subsidies/", "main a[href^='/me/subsidies/']:not([href*=apply])"
    ),
}

PORTAL_PICTURES: dict[str, dict[str, Callable[[Page, str], None]]] = {
    "kong": {
        "card": lambda page, site: _goto(page, f"{site}/me/card/"),
        "card-code": lambda page, site: _goto(page, f"{site}/me/card/code/"),
        "offers": lambda page, site: _goto(page, f"{site}/offers/"),
        "figures": lambda page, site: _goto(page, f"{site}/figures/"),
    },
    "till": {
        "till": lambda page, site: _goto(page, f"{site}/till/"),
        "till-month": lambda page, site: _goto(page, f"{site}/till/month/"),
    },
}

if __name__ == "__main__":
    main()
