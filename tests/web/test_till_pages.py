"""The pages of a member's digital card and of a merchant's till."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members.actions import redemptions
from members.admin import use_table
from members.models import CardCode, MerchantLogin, Redemption, WrongCode
from members.states import CardState, OfferState
from tests.cast import Cast, make_account
from tests.chance import tells
from tests.members.benefits import category
from tests.members.street import Street, make_membership, make_street
from tests.members.test_redemptions import some_code
from tests.web.awards_play import browser
from union_portal import headers, lifecycle
from union_portal.models import AuditEntry

pytestmark = pytest.mark.django_db
DIGITS = re.compile(r'class="digits">([0-9 ]{14})<')
PAGE_BUDGET_BYTES, QUERY_BUDGET = 60 * 1024, 40
CODE, TILL = reverse("members:card-code"), reverse("members:till")
SUMMARY = reverse("admin:members_redemption_summary")


@pytest.fixture
def street(cast: Cast) -> Street:
    return make_street(cast)


def holder(street: Street, **more: Any) -> tuple[Any, Client]:
    card = street.member(**more)
    return card, browser(card.person.account)


def digits(page: Any) -> str:
    found = DIGITS.search(page.content.decode())
    assert found, page.content.decode()
    return found[1]


def typed(client: Client, code: str) -> Any:
    return client.post(TILL, {"code": code})


def choice(offer: Any) -> dict[str, str]:
    return {"offer": f"{offer.pk}:{offer.revision}"}


def text(page: Any) -> str:
    return str(page.content.decode())


# -- the member's card ------------------------------------------------------------------


def test_the_card_shows_its_face_and_a_code_and_no_whole_name_or_number(street):
    card, client = holder(street)
    page = client.get(CODE)
    told = text(page)
    assert f"…{card.last_four}" in told
    assert "<svg" in told and 'role="img"' in told
    assert street.look(digits(page)).card_id == card.pk
    main = told.split("<main")[1]
    for secret in (card.number, card.person.name, str(card.person.national_id), card.handle):
        assert secret not in main


def test_the_page_renews_its_code_and_without_javascript_too(street):
    card, client = holder(street)
    page = client.get(CODE)
    assert 'hx-trigger="every 45s"' in text(page)
    assert '<noscript><meta http-equiv="refresh" content="45"></noscript>' in text(page)
    part = client.get(CODE, headers={"HX-Request": "true"})
    assert "<html" not in text(part) and 'id="live-code"' in text(part)
    assert digits(part) != digits(page)
    assert CardCode.objects.filter(card=card).count() == 1


def test_the_page_of_the_code_is_small_enough_for_a_slow_phone(street):
    for _offer in range(95):
        street.offer()
    _card, client = holder(street)
    client.get(CODE)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(CODE)
    size = len(gzip.compress(page.content))
    assert size < PAGE_BUDGET_BYTES, size
    assert len(gzip.compress(client.get(CODE, headers={"HX-Request": "true"}).content)) < 4096
    assert len(queries) <= QUERY_BUDGET


def test_an_offer_is_chosen_first_or_not_at_all(street):
    card, client = holder(street)
    offer, gone = street.offer(), street.offer()
    lifecycle.advance(gone, to=OfferState.PAUSED, by=street.cast.officer)
    page = client.get(CODE, {"offer": offer.pk})
    assert f"?offer={offer.pk}" in text(page)
    assert CardCode.objects.get(card=card).offer == offer
    for odd in (gone.pk, "x", "9" * 30, "١"):
        assert client.get(CODE, {"offer": odd}).status_code == 200
        assert CardCode.objects.get(card=card).offer is None


def test_a_suspended_card_shows_its_state_and_the_bank_instead_of_a_code(street):
    card, client = holder(street)
    lifecycle.advance(card, to=CardState.SUSPENDED, by=street.cast.officer)
    page = client.get(CODE)
    assert DIGITS.search(text(page)) is None
    assert street.bank.hotline in text(page)
    assert reverse("members:card-sheet") not in text(page)
    assert "Make the codes" not in text(client.get(reverse("members:card-sheet")))


def test_whoever_has_no_card_is_told_where_it_comes_from(street):
    make_membership(street.cast.lin_person)
    client = browser(street.cast.lin)
    assert "no service card yet" in text(client.get(CODE))
    assert client.get(reverse("members:card-sheet")).status_code == 200
    assert browser(street.cast.wei).get(CODE).status_code == 403


def test_a_sheet_is_shown_once_and_its_codes_count(street):
    card, client = holder(street)
    sheet = reverse("members:card-sheet")
    form = client.get(sheet)
    key = re.search(r'once_key" value="([^"]+)"', text(form).split("data-once")[1])[1]
    page = client.post(sheet, {"once_key": key})
    codes = DIGITS.findall(text(page))
    assert len(codes) == 10
    assert street.look(codes[9]).kind == "printed"
    again = client.post(sheet, {"once_key": key})
    assert DIGITS.findall(text(again)) == []
    assert CardCode.objects.filter(card=card).count() == 10
    assert page.headers["Cache-Control"] == "private, no-store"


# -- the till ---------------------------------------------------------------------------


def test_from_the_code_to_the_use_and_back(street):
    card, member = holder(street)
    offer = street.offer(quota_total=5, quota_per_member=2)
    till = browser(street.till)
    answer = typed(till, digits(member.get(CODE)))
    assert (answer.status_code, answer.url) == (302, reverse("members:till-confirm"))
    seen = text(till.get(answer.url))
    assert f"{card.person.name[0]}*" in seen and street.cast.tree.county.name in seen
    assert "¥10.00" in seen and "5 left" in seen
    assert not tells(seen, card.last_four)
    for secret in (card.person.name, str(card.person.national_id)):
        assert secret not in seen
    done = till.post(reverse("members:till-confirm"), choice(offer))
    use = Redemption.objects.get()
    assert done.url == reverse("members:till-done", args=[use.pk])
    assert "Take it back" in text(till.get(done.url))
    undo = reverse("members:till-undo", args=[use.pk])
    assert till.post(undo, {"reason": ""}).status_code == 422
    assert till.post(undo, {"reason": "Wrong dish"}).status_code == 302
    assert till.get(undo).url == done.url
    assert "Wrong dish" in text(till.get(done.url))
    use.refresh_from_db()
    assert use.state == "undone"
    mine = text(member.get(reverse("members:use-list")))
    assert "Wrong dish" in mine and offer.title in mine


def test_the_code_stands_in_no_address_and_in_no_session(street):
    card, member = holder(street)
    till = browser(street.till)
    code = digits(member.get(CODE))
    answer = typed(till, code)
    plain = code.replace(" ", "")
    assert plain not in answer.url
    assert plain not in str(dict(till.session))
    assert card.person.name not in str(dict(till.session))


def test_a_refused_code_is_answered_with_its_reason_on_the_same_page(street):
    _card, member = holder(street)
    offer = street.offer()
    till = browser(street.till)
    code = digits(member.get(CODE))
    typed(till, code)
    till.post(reverse("members:till-confirm"), choice(offer))
    again = typed(till, code)
    assert again.status_code == 409
    assert "used already" in text(again)
    assert typed(till, "123").status_code == 409
    assert "No card has this code" in text(typed(till, some_code()))


def test_a_second_confirmation_of_one_look_uses_nothing(street):
    _card, member = holder(street)
    offer = street.offer()
    till, confirm = browser(street.till), reverse("members:till-confirm")
    typed(till, digits(member.get(CODE)))
    assert till.post(confirm, choice(offer)).status_code == 302
    assert till.post(confirm, choice(offer)).url == TILL
    assert Redemption.objects.count() == 1


@pytest.mark.parametrize("offer", ["", "x", "1", "1:x", "9" * 40 + ":1"])
def test_no_offer_or_a_made_up_one_uses_nothing(street, offer):
    _card, member = holder(street)
    street.offer()
    till = browser(street.till)
    typed(till, digits(member.get(CODE)))
    answer = till.post(reverse("members:till-confirm"), {"offer": offer})
    assert answer.status_code == 422
    assert not Redemption.objects.exists()


def test_a_till_that_guesses_is_asked_to_wait_and_staff_see_it(street):
    till = browser(street.till)
    for number in range(10):
        assert typed(till, some_code(number)).status_code == 409
    assert typed(till, some_code(99)).status_code == 429
    assert WrongCode.objects.count() == 10
    staff = browser(street.cast.officer)
    assert "1 till typed many codes" in text(staff.get(reverse("admin:index")))
    listed = text(staff.get(reverse("admin:members_wrongcode_changelist")))
    assert street.merchant.name in listed


def test_there_is_no_till_for_anybody_else(street):
    use = street.use(street.member(), street.offer())
    ended = street.shop()[1]
    MerchantLogin.objects.filter(account=ended).update(ended_at=timezone.now())
    pages = [TILL, *(reverse(f"members:till-{name}") for name in ("confirm", "day", "month"))]
    pages += [reverse(f"members:till-{name}", args=[use.pk]) for name in ("done", "undo")]
    for account in (street.cast.lin, street.cast.officer, street.cast.gao, street.cast.wei, ended):
        client = browser(account)
        assert {client.get(page).status_code for page in pages} == {404}
        assert typed(client, "1").status_code == 404


def test_a_till_sees_its_own_merchants_uses_alone(street):
    merchant, elsewhere = street.shop()
    theirs = street.use(street.member(), street.offer(merchant), elsewhere)
    ours = street.use(street.member(), street.offer())
    till = browser(street.till)
    for name in ("done", "undo"):
        assert till.get(reverse(f"members:till-{name}", args=[theirs.pk])).status_code == 404
        assert till.get(reverse(f"members:till-{name}", args=[ours.pk])).status_code == 200
    for name in ("day", "month"):
        listed = text(till.get(reverse(f"members:till-{name}")))
        assert ours.offer.title in listed and theirs.offer.title not in listed


def test_day_and_month_add_up_what_stands(street):
    offer = street.offer()
    uses = [street.use(street.member(), offer) for _use in range(3)]
    redemptions.undo(redemption=uses[0], reason="Wrong", by=street.till)
    till = browser(street.till)
    for name in ("day", "month"):
        told = text(till.get(reverse(f"members:till-{name}")))
        assert "2 uses, subsidies ¥20.00; 1 taken back" in told
    assert '<rect width="1000"' in text(till.get(reverse("members:till-month")))
    for month in ("2020-01", "x", "2026-13", "0001-01", "9999-12"):
        assert till.get(reverse("members:till-month"), {"month": month}).status_code == 200


def test_only_the_page_with_the_field_may_ask_for_the_camera(street):
    till = browser(street.till)
    assert till.get(TILL).headers["Permissions-Policy"] == headers.WITH_CAMERA
    assert "camera=(self)" in headers.WITH_CAMERA
    day = till.get(reverse("members:till-day"))
    assert "camera=()" in day.headers["Permissions-Policy"]


def test_whoever_stands_at_a_till_lands_there(street):
    till = browser(street.till)
    assert till.get(reverse("members:me")).url == TILL
    assert f'href="{TILL}"' in text(till.get(reverse("portal:home")))


def test_without_an_agreement_the_till_says_so(street):
    _merchant, till = street.shop(valid_to=timezone.localdate() - timedelta(days=1))
    page = browser(till).get(TILL)
    assert "No agreement" in text(page) and 'name="code"' not in text(page)


# -- what one has used --------------------------------------------------------------------


def test_a_use_is_rated_from_the_list(street):
    card, client = holder(street)
    offer = street.offer()
    use = street.use(card, offer)
    rate = reverse("members:use-rate", args=[use.pk])
    assert rate in text(client.get(reverse("members:use-list")))
    assert client.post(rate, {"stars": "9"}).status_code == 422
    assert client.post(rate, {"stars": "4", "words": "Hot."}).status_code == 302
    listed = text(client.get(reverse("members:use-list")))
    assert "4 of 5" in listed and "Hot." in listed
    assert client.get(rate).status_code == 302
    assert browser(street.member().person.account).get(rate).status_code == 404


def test_a_use_stays_on_the_list_when_its_offer_has_ended(street):
    card, client = holder(street)
    offer = street.offer()
    street.use(card, offer)
    lifecycle.advance(offer, to=OfferState.ENDED, by=street.cast.officer)
    assert offer.title in text(client.get(reverse("members:use-list")))


def test_an_empty_list_says_what_to_do(street):
    _card, client = holder(street)
    assert CODE in text(client.get(reverse("members:use-list")))


# -- whoever looks after merchants -----------------------------------------------------------


def test_use_is_counted_by_county_category_and_month_and_names_nobody(street):
    tree = street.cast.tree
    offer = street.offer()
    cards = [street.member(union) for union in (tree.union, tree.sibling_union, tree.other_union)]
    uses = [street.use(card, offer) for card in cards]
    redemptions.undo(redemption=street.use(cards[0], offer), reason="Wrong", by=street.till)
    staff = browser(street.cast.officer)
    page = text(staff.get(SUMMARY))
    month = f"{timezone.localdate():%Y-%m}"
    for county, count, sum_ in ((tree.county, 2, "¥20.00"), (tree.other_county, 1, "¥10.00")):
        cells = (county.name, street.category.name_en, month, str(count), sum_)
        row = "".join(
            rf"<td[^>]*>(?:<svg.*?<span>)?{re.escape(cell)}(?:</span>)?</td>" for cell in cells
        )
        assert re.search(row, page)
    listed = text(staff.get(reverse("admin:members_redemption_changelist")))
    row = text(staff.get(reverse("admin:members_redemption_change", args=[uses[0].pk])))
    for card in cards:
        assert not tells(page + listed + row, card.last_four)
        for secret in (card.person.name, card.handle, uses[0].code_digest):
            assert secret not in page + listed + row


def table(street, **chosen):
    """The rows of the page of figures, as plain cells, and the whole page."""
    page = text(browser(street.cast.officer).get(SUMMARY, chosen))
    rows = re.findall(r"<tr><td data-label=\"County\".*?</tr>", page)
    return [re.sub(r"<[^>]+>", "|", row) for row in rows], page


def used_in_two_counties(street) -> None:
    tree = street.cast.tree
    offers = [street.offer(), street.offer(category=category("books", name_en="Books"))]
    for union in (tree.union, tree.sibling_union, tree.other_union):
        card = street.member(union)
        for offer in offers:
            street.use(card, offer)


def test_the_figures_are_narrowed_to_a_county_a_category_and_a_month(street):
    used_in_two_counties(street)
    tree, month = street.cast.tree, f"{timezone.localdate():%Y-%m}"
    assert len(table(street)[0]) == 4
    rows, page = table(street, county=tree.county.pk, category="books", month=month)
    assert len(rows) == 1 and tree.county.name in rows[0] and "Books" in rows[0]
    assert f'<option value="{tree.county.pk}" selected>' in page
    assert '<span class="st-figure">2</span>' in page and "¥20.00" in page
    rows, page = table(street, month="1999-01")
    assert rows == [] and "No use matches what you chose." in page


def test_the_figures_come_by_pages_and_each_number_has_its_bar(street, monkeypatch):
    used_in_two_counties(street)
    monkeypatch.setattr(use_table, "ROWS_SHOWN", 3)
    rows, page = table(street)
    assert len(rows) == 3 and "1–3 of 4" in page and 'href="?page=2#listed"' in page
    assert len(re.findall(r'class="num st-drawn"[^>]*><svg[^>]*><rect width="1000"', page)) == 2
    assert len(table(street, page=2)[0]) == 1
    assert "category=books&amp;page=" not in table(street, category="books")[1]


def test_the_sheet_holds_every_row_of_what_was_chosen_and_is_logged(street):
    used_in_two_counties(street)
    staff = browser(street.cast.officer)
    answer = staff.post(f"{SUMMARY}?category=books", {"kind": "csv"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and all(",Books," in line for line in lines[1:])
    entry = AuditEntry.objects.get(action="redemption.table")
    assert entry.actor_id == street.cast.officer.pk
    assert entry.detail["count"] == 2 and entry.detail["chosen"] == {"category": "books"}
    again = staff.post(SUMMARY, {"kind": "xlsx"})
    assert again.headers["Content-Type"].endswith("spreadsheetml.sheet")
    assert browser(street.cast.qiao).post(SUMMARY, {"kind": "csv"}).status_code == 403


def test_the_summary_is_for_whoever_looks_after_benefits(street):
    for name, status in (("qiao", 403), ("feng", 403), ("decider", 200), ("gao", 200)):
        client = browser(getattr(street.cast, name))
        page = client.get(SUMMARY)
        assert page.status_code == status, name


def test_the_summary_asks_as_often_for_many_uses_as_for_one(street):
    offer, staff = street.offer(), browser(street.cast.officer)
    counts = []
    for uses in (1, 5):
        for _use in range(uses):
            street.use(street.member(), offer)
        with CaptureQueriesContext(connection) as queries:
            staff.get(SUMMARY)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= QUERY_BUDGET


def test_a_till_is_no_member_and_no_staff(street):
    till = browser(street.till)
    assert till.get(CODE).status_code == 403
    assert till.get(reverse("admin:index")).status_code in (302, 403)
    assert make_account("plain") and browser(street.cast.lin).get(TILL).status_code == 404
