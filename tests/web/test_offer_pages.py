"""The public directory, a merchant's own page, a member's, and the staff pages behind them."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.actions import merchants, offers
from members.models import BenefitOffer, Favourite, Merchant, MerchantComplaint, MerchantLogin
from tests.architecture.sources import ROOT
from tests.cast import Cast, give_role, make_account
from tests.members.benefits import (
    AGREED,
    PASSWORD,
    SUBSIDISED,
    agree,
    applying,
    category,
    complain,
    enter_account,
    give_login,
    honoured,
    make_merchant,
    make_offer,
    make_place,
    programme,
    rate,
    today,
    used,
)
from tests.web.awards_play import browser, photo
from union_portal.access import Role
from union_portal.kit.regions import YULIN_DIVISIONS
from union_portal.models import Message, Organization, StoredFile

pytestmark = pytest.mark.django_db
LIST = "/offers/"
BUDGET = 12


def visitor() -> Client:
    client = Client(headers={"X-Forwarded-Proto": "https"})
    client.cookies["django_language"] = "en"
    return client


def listed(client: Client, **asked: str) -> list[int]:
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    return [card["offer"].pk for card in answer.context["cards"]]


def press(client: Client, row: Any, button: str, /, **fields: Any) -> Any:
    url = reverse(f"admin:members_{row._meta.model_name}_do", args=[row.pk, button])
    page = client.get(url)
    return client.post(url, {"seen": page.context["seen"], **fields})


# -- the directory ------------------------------------------------------------------------------
def test_the_public_finds_what_is_honoured_today_and_nothing_else(cast: Cast):
    shown = honoured(cast)
    merchant = shown.merchant
    paused, suspended = make_offer(cast, merchant), honoured(cast)
    offers.pause(offer=paused, by=cast.decider, reason="sold out")
    merchants.suspend(merchant=suspended.merchant, by=cast.benefits, reason="complaints")
    make_offer(cast, merchant, publish=False)
    make_offer(cast, merchant, valid_from=today() + timedelta(days=1))
    expired = make_merchant(cast)
    agree(cast, expired, first=-40, last=-1)
    make_offer(cast, expired)
    assert listed(visitor()) == [shown.pk]


def test_the_directory_is_narrowed_by_every_filter(cast: Cast):
    merchant = make_merchant(cast, name="榆阳书城有限公司")
    agree(cast, merchant)
    far = make_place(cast, merchant, name="神木店", division_code="610881")
    books = category("books", name="图书", name_en="Books", need="learning")
    one = make_offer(cast, merchant, title="图书优惠", category=books, kind="gift", price_fen=None)
    two = make_offer(cast, merchant, title="午餐", title_en="Noodles", places=[far])
    client = visitor()
    assert sorted(listed(client)) == [one.pk, two.pk]
    for asked, found in (
        ({"q": "图书优惠"}, [one.pk]),
        ({"q": "noodles"}, [two.pk]),
        ({"q": "yuyangshucheng"}, [two.pk, one.pk]),
        ({"q": "yysc"}, [two.pk, one.pk]),
        ({"q": "nothing like it"}, []),
        ({"need": "learning"}, [one.pk]),
        ({"category": "books"}, [one.pk]),
        ({"county": "610881"}, [two.pk, one.pk]),
        ({"county": "610802"}, [one.pk]),
        ({"kind": "gift"}, [one.pk]),
        ({"kind": "'; drop"}, [two.pk, one.pk]),
        ({"county": "610802", "kind": "price"}, []),
    ):
        assert listed(client, **asked) == found, asked


def test_most_used_come_first_or_the_newest(cast: Cast):
    old = honoured(cast)
    new = make_offer(cast, old.merchant)
    used(cast, old)
    assert listed(visitor()) == [old.pk, new.pk]
    assert listed(visitor(), sort="new") == [new.pk, old.pk]


def test_an_offer_s_page_tells_terms_quota_places_and_stars(cast: Cast):
    money = programme(cast)
    merchant = make_merchant(cast, introduction="Since 1990.")
    agree(cast, merchant)
    last = today().replace(month=12, day=31)
    offer = make_offer(
        cast, merchant, programme=money, terms="每桌一次。", valid_from=today(), valid_to=last,
        **SUBSIDISED,
    )  # fmt: skip
    rate(used(cast, offer), 4)
    text = visitor().get(f"/offers/{offer.pk}/").content.decode()
    for told in ("9 of 10 uses", "¥5.00", "¥15.00", "每桌一次。", "老街店", "北大街", "2 uses",
                 "4.0 of 5 stars", "Since 1990."):  # fmt: skip
        assert told in text, told
    assert "王掌柜" not in text and "138****8000" not in text


def test_an_offer_on_a_break_says_so_and_a_draft_does_not_exist(cast: Cast):
    offer = honoured(cast)
    draft = make_offer(cast, offer.merchant, publish=False)
    offers.pause(offer=offer, by=cast.decider, reason="sold out")
    answer = visitor().get(f"/offers/{offer.pk}/")
    assert "can't be used today" in answer.content.decode()
    assert visitor().get(f"/offers/{draft.pk}/").status_code == 404
    assert browser(cast.benefits).get(f"/offers/{draft.pk}/").status_code == 404


def test_list_and_map_hold_the_same_offers_and_the_script_block_is_inert(cast: Cast):
    offer = honoured(cast, title="</script><script>alert(1)</script>")
    answer = visitor().get(LIST)
    text = answer.content.decode()
    block = re.search(r'<script id="points" type="application/json">(.*?)</script>', text)
    assert block is not None
    [point] = json.loads(block[1])
    assert (point["offer"], point["at"]) == (offer.pk, ["38.285000", "109.735000"])
    assert "<script>alert" not in text


def test_the_page_alone_may_ask_the_device_where_it_is_and_tells_nobody(cast: Cast):
    offer = honoured(cast)
    client = visitor()
    assert "geolocation=(self)" in client.get(LIST)["Permissions-Policy"]
    for url in ("/", f"/offers/{offer.pk}/", "/merchants/apply/"):
        assert "geolocation=()" in client.get(url)["Permissions-Policy"], url
    scripts = ROOT / "static" / "union_portal"
    script = "".join((scripts / f"{name}.js").read_text("utf-8") for name in ("position", "offers"))
    for way_out in ("fetch", "XMLHttp", "sendBeacon", "Storage", "cookie", "submit",
                    "WebSocket", "EventSource", "new Image", "form"):  # fmt: skip
        assert way_out not in script, way_out
    assert not re.search(r"\blocation\b", script)


def test_a_shop_is_added_by_its_county_and_a_point_of_the_city(cast: Cast):
    """The point may come from the device of whoever stands in the shop; without it, it is typed."""
    merchant, office = make_merchant(cast), browser(cast.benefits)
    url = reverse("admin:members_merchant_do", args=[merchant.pk, "place"])
    page = office.get(url)
    assert "geolocation=(self)" in page["Permissions-Policy"]
    text = page.content.decode()
    assert 'id="position"' in text and "union_portal/position.js" in text
    assert [code for code, _name in page.context["form"].fields["division_code"].choices] == [
        "", *YULIN_DIVISIONS
    ]  # fmt: skip
    given = {
        "name": "南店", "address": "南门口1号", "division_code": "610802",
        "latitude": "38.285", "longitude": "109.735",
    }  # fmt: skip
    for wrong, at in (
        ({"division_code": "110101"}, ["division_code"]),
        ({"latitude": "109.735", "longitude": "38.285"}, ["latitude"]),
        ({"latitude": "34.26", "longitude": "108.94"}, ["latitude"]),
        ({"longitude": "116.4"}, ["longitude"]),
        ({"name": "老街店"}, ["name"]),
    ):
        answer = press(office, merchant, "place", **{**given, **wrong})
        assert answer.status_code == 422, wrong
        assert list(answer.context["form"].errors) == at, wrong
    as_maps_tell = {**given, "latitude": "38.285000123456", "longitude": "109.735000123456"}
    assert press(office, merchant, "place", **as_maps_tell).status_code == 302
    assert "geolocation=()" in office.get(
        reverse("admin:members_merchant_do", args=[merchant.pk, "suspend"])
    )["Permissions-Policy"]  # fmt: skip


def test_an_account_of_another_holder_asks_for_the_reason_beside_every_other_fault(cast: Cast):
    merchant = honoured(cast).merchant
    given = {"number": "12", "bank_name": "", "holder": "别人"}
    answer = press(browser(cast.benefits), merchant, "account", **given)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == set(given)


def test_the_directory_asks_the_database_no_more_for_a_hundred_offers_than_for_one(cast: Cast):
    offer = honoured(cast)
    client = browser(cast.lin)
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for _number in range(8):
        make_offer(cast, offer.merchant)
    other = honoured(cast)
    rate(used(cast, other), 5)
    with CaptureQueriesContext(connection) as many:
        assert len(listed(client)) == 10
    assert len(many) == len(few) <= BUDGET, [one["sql"][:140] for one in many]
    with CaptureQueriesContext(connection) as page:
        client.get(f"/offers/{other.pk}/")
    assert len(page) <= BUDGET, [one["sql"][:140] for one in page]


# -- a member -----------------------------------------------------------------------------------
def test_a_member_keeps_an_offer_and_lets_go_of_it_with_and_without_htmx(cast: Cast):
    offer = honoured(cast)
    make_offer(cast, offer.merchant)
    lin = browser(cast.lin)
    keep = f"/offers/{offer.pk}/keep/"
    assert lin.post(keep, {"keep": "yes"}).status_code == 302
    assert lin.post(keep, {"keep": "yes"}).status_code == 302
    assert Favourite.objects.get().person == cast.lin_person
    assert listed(lin, kept="yes") == [offer.pk]
    assert listed(visitor(), kept="yes") == []
    answer = lin.post(keep, {"keep": "no"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "Keep" in answer.content.decode()
    assert not Favourite.objects.exists()
    assert browser(cast.wei).post(keep, {"keep": "yes"}).status_code == 403
    assert visitor().post(keep, {"keep": "yes"}).status_code == 302
    assert not Favourite.objects.exists()


def test_a_member_complains_and_reads_the_answer(cast: Cast):
    offer = honoured(cast)
    lin, office = browser(cast.lin), browser(cast.benefits)
    there = f"/offers/{offer.pk}/complain/"
    assert lin.post(there, {"text": "short"}).status_code == 422
    assert lin.post(there, {"text": "The till refused my card twice."}).status_code == 302
    again = lin.post(there, {"text": "The till refused my card twice."})
    assert again.status_code == 422 and "already" in again.content.decode()
    made = MerchantComplaint.objects.get()
    answer = press(office, made, "answer", text="The till has been taught; please come again.")
    assert answer.status_code == 302
    assert "taught" in lin.get("/me/complaints/").content.decode()
    assert "taught" in lin.get("/me/messages/").content.decode()
    assert Message.objects.get(topic="merchant_complaint").recipient == cast.lin_person.pk


def test_whoever_answers_a_complaint_sees_the_union_and_never_the_member(cast: Cast):
    made = complain(cast, make_merchant(cast))
    office = browser(cast.benefits)
    page = reverse("admin:members_merchantcomplaint_change", args=[made.pk])
    for url in (page, reverse("admin:members_merchantcomplaint_changelist"), f"{page}do/answer/"):
        text = office.get(url).content.decode()
        assert cast.lin_person.name not in text and ">Lin<" not in text, url
    assert f"a member of {cast.tree.union}" in office.get(page).content.decode()
    looked_for = reverse("admin:members_merchantcomplaint_changelist") + "?person__name=x"
    assert office.get(looked_for).status_code in (302, 400, 403)


def test_a_merchant_is_suspended_beside_its_complaint_and_is_gone_from_the_directory(cast: Cast):
    offer = honoured(cast)
    made = complain(cast, offer.merchant)
    assert press(browser(cast.benefits), made, "suspend", reason="Till refuses.").status_code == 302
    assert listed(visitor()) == []


# -- a business --------------------------------------------------------------------------------
def test_a_business_applies_without_an_account_and_follows_its_receipt(cast: Cast):
    client = visitor()
    client.get("/merchants/apply/")
    answer = client.post("/merchants/apply/", {**applying(cast), "licence": photo("l.jpg")})
    assert answer.status_code == 302 and answer["Location"] == "/merchants/application/"
    made = Merchant.objects.get()
    assert made.receipt in client.get("/merchants/application/").content.decode()
    stranger = visitor()
    wrong = stranger.post("/merchants/application/", {"receipt": "ABCDEFGHJKMN"})
    assert wrong.status_code == 422
    right = stranger.post("/merchants/application/", {"receipt": made.receipt})
    assert "applied" in right.content.decode()
    for secret in ("13800138000", "138****8000", "王掌柜"):
        assert secret not in right.content.decode()


@pytest.mark.parametrize(
    "wrong", [{"uscc": "91610800MA000000"}, {"contact_phone": "1"}, {"name": ""}, {"category": "0"}]
)
def test_a_wrong_application_is_shown_again_and_keeps_no_file(cast: Cast, wrong: dict[str, str]):
    given = {**applying(cast), **wrong, "licence": photo("l.jpg")}
    assert visitor().post("/merchants/apply/", given).status_code == 422
    assert not Merchant.objects.exists() and not StoredFile.objects.exists()


def test_an_application_with_a_hostile_licence_leaves_nothing(cast: Cast):
    for content in (b"", b"<html><script>alert(1)</script>", b"MZ" + b"\0" * 500, b"%PDF-1.4 x"):
        given = {**applying(cast), "licence": SimpleUploadedFile("licence.jpg", content)}
        answer = visitor().post("/merchants/apply/", given)
        assert answer.status_code == 422
    assert not Merchant.objects.exists() and not StoredFile.objects.exists()


def test_the_licence_opens_to_whoever_sees_merchants_and_to_nobody_else(cast: Cast):
    visitor().post("/merchants/apply/", {**applying(cast), "licence": photo("l.jpg")})
    url = reverse("portal:file", args=[Merchant.objects.get().licence_id])
    assert browser(cast.benefits).get(url).status_code == 200
    assert browser(cast.gao).get(url).status_code == 200
    for account in (cast.lin, cast.wei, cast.qiao, cast.feng, cast.account_admin):
        assert browser(account).get(url).status_code == 404, account


def test_a_merchant_writes_hands_in_pauses_and_revises_on_its_own_page(cast: Cast):
    merchant = make_merchant(cast)
    agree(cast, merchant)
    till = browser(give_login(cast, merchant, "counter").account)
    assert till.get("/me/")["Location"] == "/till/"
    given = {
        "category": merchant.category_id, "title": "午餐", "text": "一碗面。", "kind": "price",
        "price": "18.00", "valid_from": today().isoformat(), "valid_to": today().isoformat(),
        "places": [place.pk for place in merchant.places.all()],
    }  # fmt: skip
    assert till.post("/shop/offers/new/", {**given, "price": ""}).status_code == 422
    assert till.post("/shop/offers/new/", given).status_code == 302
    offer = BenefitOffer.objects.get()
    there = f"/shop/offers/{offer.pk}/"
    assert till.post(there, {**given, "step": "change", "price": "17.00"}).status_code == 302
    assert till.post(there, {"step": "submit"}).status_code == 302
    handed_in = till.get(there).content.decode()
    for told in ("¥17.00", "老街店", str(merchant.category)):
        assert told in handed_in, told
    assert press(browser(cast.benefits), offer, "publish").status_code == 302
    offer.refresh_from_db()
    assert (offer.state, offer.price_fen) == ("published", 1_700)
    assert listed(visitor()) == [offer.pk]
    assert till.post(there, {"step": "pause", "reason": "sold out"}).status_code == 302
    assert till.post(there, {"step": "revise"}).status_code == 302
    offer.refresh_from_db()
    assert (offer.state, offer.revision) == ("draft", 2)
    assert till.post(there, {"step": "nonsense"}).status_code == 200
    assert till.post(there, {"step": "end", "reason": "no more"}).status_code == 302


def test_every_fault_of_an_offer_stands_at_its_field_at_once(cast: Cast):
    """What an unreadable field would say of the others is not told."""
    merchant = make_merchant(cast)
    till = browser(give_login(cast, merchant, "counter").account)
    yesterday = (today() - timedelta(days=1)).isoformat()
    given = {
        "category": merchant.category_id, "title": "", "text": "一碗面。", "kind": "discount",
        "discount": "85", "price": "eighteen", "valid_from": today().isoformat(),
        "valid_to": yesterday, "quota_total": "2", "quota_per_member": "3",
        "places": [place.pk for place in merchant.places.all()],
    }  # fmt: skip
    wrong = till.post("/shop/offers/new/", given)
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {
        "title", "price", "discount", "valid_to", "quota_per_member",
    }  # fmt: skip
    at_desk = press(browser(cast.benefits), merchant, "offer", **given)
    assert at_desk.context["form"].errors.keys() == wrong.context["form"].errors.keys()
    for without in ({"kind": "none"}, {"valid_to": ""}, {"valid_to": "tomorrow"}):
        answer = till.post("/shop/offers/new/", {**given, **without})
        assert set(without) <= set(answer.context["form"].errors), without
    assert not BenefitOffer.objects.exists()


def test_the_days_and_the_number_of_an_agreement_are_told_at_their_fields(cast: Cast):
    office, merchant = browser(cast.benefits), make_merchant(cast)
    tomorrow, yesterday = today() + timedelta(days=1), today() - timedelta(days=1)
    late = {**AGREED, "signed_on": tomorrow, "valid_to": yesterday}
    told = press(office, merchant, "agreement", **late).context["form"].errors
    assert set(told) == {"signed_on", "valid_to"}
    assert press(office, merchant, "agreement", **AGREED).status_code == 302
    again = press(office, merchant, "agreement", **AGREED).context["form"].errors
    assert list(again) == ["number"]


def test_a_merchant_s_log_in_opens_its_own_page_and_nothing_of_staff_or_members(cast: Cast):
    merchant = make_merchant(cast)
    other = make_offer(cast, make_merchant(cast), publish=False)
    till = browser(give_login(cast, merchant, "counter").account)
    assert till.get("/shop/").status_code == 200
    assert till.get(f"/shop/offers/{other.pk}/").status_code == 404
    assert till.get(reverse("admin:index")).status_code in (302, 403)
    assert till.get("/me/messages/").status_code == 403
    assert browser(cast.lin).get("/shop/").status_code == 403
    login = MerchantLogin.objects.get()
    assert press(browser(cast.benefits), login, "end", reason="left").status_code == 302
    assert till.get("/shop/").status_code in (302, 403)


# -- staff -------------------------------------------------------------------------------------
def test_a_merchant_goes_through_the_desk_from_invitation_to_offer(cast: Cast):
    office, decider = browser(cast.benefits), browser(cast.decider)
    invite = reverse("admin:members_merchant_list_do", args=["invite"])
    given = {**applying(cast), "organization": cast.tree.city.pk, "licence": photo("l.jpg")}
    assert office.post(invite, given).status_code == 302
    merchant = Merchant.objects.get()

    def step(client: Client, button: str, /, **fields: Any) -> None:
        merchant.refresh_from_db()
        answer = press(client, merchant, button, **fields)
        told = answer.context["form"].errors if answer.status_code != 302 else ""
        assert answer.status_code == 302, (button, told)

    step(office, "review")
    step(decider, "approve")
    place = {"name": "老街店", "address": "北大街7号", "division_code": "610802",
             "latitude": "38.285", "longitude": "109.735"}  # fmt: skip
    step(office, "place", **place)
    days = {"signed_on": today(), "valid_from": today(), "valid_to": today()}
    step(office, "agreement", number="A-1", document=photo("a.jpg"), **days)
    [agreement] = merchant.agreements.all()
    assert press_only(office, agreement, "confirm") == 403
    assert press(decider, agreement, "confirm").status_code == 302
    step(office, "offer", category=merchant.category_id, title="套餐", text="一份。", kind="gift",
         valid_from=today(), valid_to=today(),
         places=[one.pk for one in merchant.places.all()])  # fmt: skip
    [offer] = merchant.offers.all()
    assert press(office, offer, "submit").status_code == 302
    offer.refresh_from_db()
    assert press(office, offer, "publish").status_code == 409
    assert press(decider, offer, "publish").status_code == 302
    assert listed(visitor()) == [offer.pk]
    told = press(office, merchant, "login", username="till7", name="Till 7")
    first = told.context["told"].value
    assert told.status_code == 200 and MerchantLogin.objects.get().account.check_password(first)
    assert first != PASSWORD


def press_only(client: Client, row: Any, name: str) -> int:
    url = reverse(f"admin:members_{row._meta.model_name}_do", args=[row.pk, name])
    return client.post(url, {}).status_code


def test_the_account_of_a_merchant_is_confirmed_by_whoever_confirms_accounts(cast: Cast):
    made = enter_account(cast, make_merchant(cast))
    checker = browser(cast.feng_checker)
    page = checker.get(reverse("admin:members_merchantaccount_changelist"))
    assert made.last_four in page.content.decode()
    assert str(made.number) not in page.content.decode()
    assert press(checker, made, "confirm").status_code == 302
    told = press(checker, made, "unmask", reason="compare with the evidence")
    assert told.context["told"].value == str(made.number)


def test_the_desk_tells_what_waits_and_which_agreements_end(cast: Cast):
    merchant = make_merchant(cast)
    agree(cast, merchant, last=20)
    offer = make_offer(cast, merchant, publish=False)
    offers.submit(offer=offer, by=cast.benefits, today=today())
    complain(cast, merchant)
    text = browser(cast.benefits).get(reverse("admin:index")).content.decode()
    assert "1 merchant ends within 60 days" in text
    for title in ("Complaints to answer", "Agreements that end soon"):
        assert re.search(rf'st-figure">1</span>{title}', text), title
    assert re.search(r'st-figure">0</span>Offers to publish', text)
    other = make_account("second", role=Role.BENEFITS_OFFICER, at=cast.tree.city)
    text = browser(other).get(reverse("admin:index")).content.decode()
    assert re.search(r'st-figure">1</span>Offers to publish', text)


def test_an_officer_of_a_county_sees_that_county_s_merchants_alone(cast: Cast):
    county: Organization = cast.tree.county
    mine, other = make_merchant(cast, organization=county), make_merchant(cast)
    officer = make_account("county_benefits")
    officer.is_staff = True
    officer.save(update_fields=["is_staff"])
    give_role(officer, Role.BENEFITS_OFFICER, county)
    client = browser(officer)
    text = client.get(reverse("admin:members_merchant_changelist")).content.decode()
    assert mine.name in text and other.name not in text
    url = reverse("admin:members_merchant_change", args=[other.pk])
    assert client.get(url).status_code == 404
