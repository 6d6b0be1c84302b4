"""A merchant's way in, in a real browser: applied for, looked at by two, found on list and map."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page

from members.models import BenefitOffer, Merchant
from tests.cast import Cast, make_cast, make_tree
from tests.journeys.conftest import PASSWORD, confirm_it_is_me, faults, log_in, may_log_in
from tests.members.benefits import (
    agree,
    applying,
    give_login,
    honoured,
    make_merchant,
    make_offer,
    make_place,
)
from union_portal.models import Account

pytestmark = pytest.mark.django_db(transaction=True)
SUBMIT = "main form button[type=submit]"
TODAY = timezone.localdate().isoformat()
PLACE = {
    "name": "老街店", "address": "榆阳区北大街7号", "division_code": "610802",
    "latitude": "38.285", "longitude": "109.735",
}  # fmt: skip


@pytest.fixture
def cast(live_server: Any) -> Cast:
    return make_cast(make_tree())


@pytest.fixture
def licence(tmp_path: Path) -> str:
    sheet = BytesIO()
    Image.new("RGB", (640, 480), "white").save(sheet, "JPEG")
    (tmp_path / "licence.jpg").write_bytes(sheet.getvalue())
    return str(tmp_path / "licence.jpg")


def fill(page: Page, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        field = page.locator(f":is(main, .st-confirm) [name={name}]").first
        kind = field.evaluate("one => one.type || one.tagName")
        if kind == "file":
            field.set_input_files(value)
        elif kind == "checkbox":
            field.check()
        elif kind == "select-one":
            field.select_option(value)
        else:
            field.fill(value)


def press(page: Page, server: str, row: Model, button: str, /, **fields: str) -> None:
    """One button of the staff site: its page is without faults, its form is sent."""
    url = reverse(f"admin:members_{row._meta.model_name}_do", args=[row.pk, button])
    page.goto(server + url)
    confirm_it_is_me(page)
    assert faults(page) == []
    fill(page, fields)
    with page.expect_navigation():
        page.click(".st-confirm form button[type=submit]")
    assert page.locator(".errorlist, .alert-danger").all_inner_texts() == []


def desk_of(account: Account, open_page: Any, server: str) -> Page:
    may_log_in(account)
    page = open_page()
    log_in(page, server, account)
    return page


def test_from_the_application_to_the_map(live_server, open_page, cast, licence):
    server = live_server.url
    public = open_page()
    given = applying(cast)
    public.goto(f"{server}/merchants/apply/")
    assert faults(public) == []
    public.click(SUBMIT)
    assert public.locator(":invalid").count() >= 1
    fill(public, {**given, "licence": licence})
    with public.expect_navigation():
        public.click(SUBMIT)
    merchant = Merchant.objects.get()
    assert public.locator(".receipt").inner_text() == merchant.receipt
    assert faults(public) == []

    office = desk_of(cast.benefits, open_page, server)
    decider = desk_of(cast.decider, open_page, server)
    press(office, server, merchant, "place", **PLACE)
    press(office, server, merchant, "review")
    press(office, server, merchant, "agreement", number="榆工惠1号", signed_on=TODAY,
          valid_from=TODAY, valid_to=TODAY, document=licence)  # fmt: skip
    press(decider, server, merchant, "approve")
    press(decider, server, merchant.agreements.get(), "confirm")
    press(office, server, merchant, "offer", title="会员套餐", title_en="Lunch", text="一荤一素。",
          kind="price", price="18", valid_from=TODAY, valid_to=TODAY, places="on")  # fmt: skip
    offer = BenefitOffer.objects.get()
    press(office, server, offer, "submit")
    press(decider, server, offer, "publish")
    for page, row in ((office, merchant), (decider, offer)):
        page.goto(server + reverse(f"admin:members_{row._meta.model_name}_change", args=[row.pk]))
        assert faults(page) == []

    public.goto(f"{server}/merchants/application/")
    fill(public, {"receipt": merchant.receipt})
    with public.expect_navigation():
        public.click(SUBMIT)
    assert public.locator(".tag-good").count() == 1
    public.goto(f"{server}/offers/")
    public.wait_for_selector(".map-pin")
    assert public.locator("#offers li").count() == public.locator(".map-pin").count() == 1
    assert faults(public) == []
    public.locator(".map-pin").press("Enter")
    with public.expect_navigation():
        public.click(".leaflet-popup a[href]:not([role=button])")
    assert public.url == f"{server}/offers/{offer.pk}/"
    assert public.locator("h1").inner_text() == "会员套餐"
    assert faults(public) == []


def test_what_is_near_is_sorted_in_the_device_and_told_to_nobody(live_server, open_page, cast):
    far = honoured(cast)
    near_merchant = make_merchant(cast)
    away = make_place(cast, near_merchant, name="北店", latitude=Decimal("38.9"))
    place = make_place(cast, near_merchant, name="南店", latitude=Decimal("38.2"))
    agree(cast, near_merchant)
    near = make_offer(cast, near_merchant, places=[away, place])
    page = open_page(
        geolocation={"latitude": 38.1987, "longitude": 109.7293}, permissions=["geolocation"]
    )
    page.goto(f"{live_server.url}/offers/?sort=used")
    page.wait_for_selector("#near button")
    shop = page.locator(f"[data-offer='{near.pk}'] [data-shop]")
    assert shop.inner_text() == "北店"
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    far_first = [far.pk, near.pk]
    page.evaluate(
        "order => order.forEach(id => document.getElementById('offers')"
        ".append(document.querySelector(`[data-offer='${id}']`)))",
        far_first,
    )
    page.click("#near button")
    page.wait_for_selector("#offers li:first-child [data-distance]:not(:empty)")
    order = page.evaluate("[...document.querySelectorAll('#offers li')].map(x => x.dataset.offer)")
    assert order == [str(near.pk), str(far.pk)]
    told = page.locator("#offers li [data-distance]").first.inner_text()
    # Some ninety metres once the device's WGS-84 was turned into the map's GCJ-02; half a
    # kilometre without.
    assert told in {"80 m", "90 m", "100 m"}
    assert shop.inner_text() == "南店"
    assert sent == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert faults(page) == []


def test_the_directory_works_without_a_script(live_server, open_page, cast):
    offer = honoured(cast)
    page = open_page(java_script_enabled=False)
    page.goto(f"{live_server.url}/offers/")
    assert page.locator("#map").is_hidden() and page.locator("#near").is_hidden()
    page.select_option("#county", "610881")
    page.click(SUBMIT)
    assert page.locator("#offers li").count() == 0
    page.goto(f"{live_server.url}/offers/?county=610802")
    page.click("#offers a")
    assert page.url.endswith(f"/offers/{offer.pk}/")


def test_a_merchant_and_a_member_find_their_pages_without_faults(live_server, open_page, cast):
    offer = honoured(cast)
    till = give_login(cast, offer.merchant, "counter").account
    for account, pages in (
        (till, ("/shop/", "/shop/offers/new/", f"/shop/offers/{offer.pk}/")),
        (cast.lin, (f"/offers/{offer.pk}/", f"/offers/{offer.pk}/complain/", "/me/complaints/")),
    ):
        account.set_password(PASSWORD)
        account.save(update_fields=["password"])
        page = open_page()
        page.goto(live_server.url + reverse("account_login"))
        page.fill("input[name=login]", account.username)
        page.fill("input[name=password]", PASSWORD)
        with page.expect_navigation():
            page.click("main form[action$='/login/'] button[type=submit]")
        for there in pages:
            page.goto(live_server.url + there)
            assert page.url.endswith(there)
            assert faults(page) == []
    page.goto(f"{live_server.url}/offers/{offer.pk}/")
    page.click("button[name=keep]")
    page.wait_for_selector("button[name=keep][value=no]")
    assert page.url.endswith(f"/offers/{offer.pk}/")
