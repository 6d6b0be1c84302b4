"""The pages of service cards: a member's own, the clerk's, the city's, and what nobody is shown."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.actions import card_life, card_results, cards
from members.actions.refusals import CardRefused
from members.models import CardBank, CardBatch, CardResultFile, Consent, ServiceCard
from members.rules.card_layouts import SAMPLES
from members.states import CardState
from tests.cast import NOW, TODAY, Cast
from tests.members.card_office import CardOffice, make_card_office
from tests.web.awards_play import browser, photo
from tests.web.test_money_desk import press
from union_portal.models import AuditEntry

pytestmark = pytest.mark.django_db
BUDGET = 40
CARD = "admin:members_servicecard"
BATCH = "admin:members_cardbatch"


@pytest.fixture
def office(cast: Cast) -> CardOffice:
    return make_card_office(cast)


@pytest.fixture
def lin(office: CardOffice) -> Client:
    office.member(person=office.cast.lin_person)
    return browser(office.cast.lin)


def lins(office: CardOffice) -> Any:
    return office.cast.lin_person


def do(card: ServiceCard, name: str) -> str:
    return reverse(f"{CARD}_do", args=[card.pk, name])


def on_list(name: str) -> str:
    return reverse(f"{CARD}_list_do", args=[name])


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


# -- both ---------------------------------------------------------------------------------------
def test_member_and_staff_read_of_every_loss_and_its_end(office: CardOffice, lin: Client):
    card, cast = office.active(lins(office)), office.cast
    days = [NOW + timedelta(days=day) for day in (1, 3, 5)]
    card_life.report_lost(card=card, by=cast.lin, now=days[0])
    card_life.find_again(card=card, by=cast.lin, now=days[1])
    card_life.suspend(card=card, by=cast.shi, now=days[2], reason="misuse at a shop")
    words = ("Reported lost", "Found again", "Suspended: its benefits stop", "misuse at a shop")
    mine = text_of(lin.get(reverse("members:card")))
    theirs = text_of(browser(cast.qiao).get(reverse(f"{CARD}_change", args=[card.pk])))
    for page in (mine, theirs):
        assert all(word in page for word in words)
        assert all(f"{day:%Y-%m-%d}" in page for day in days)
    assert str(cast.shi) in theirs
    assert "What happened" in mine


def test_staff_read_beside_the_steps_what_was_none(office: CardOffice):
    cast = office.cast
    card = office.collected(office.member(person=lins(office)))
    with pytest.raises(CardRefused):
        card_life.activate(
            card=card, number="6299990000000000012", by=cast.lin, today=TODAY, now=NOW
        )
    page = text_of(browser(cast.qiao).get(reverse(f"{CARD}_change", args=[card.pk])))
    assert "A wrong card number was typed" in page
    assert page.count("Applied for<") == 1


def test_a_member_whose_card_was_cancelled_reads_when_and_why(office: CardOffice, lin: Client):
    card = office.active(lins(office))
    cards.cancel(card=card, by=office.cast.officer, now=NOW, reason="account closed")
    page = text_of(lin.get(reverse("members:card")))
    assert "What happened to the last one" in page
    assert "account closed" in page


# -- the member ---------------------------------------------------------------------------------
def test_a_member_applies_with_the_consent_before_their_eyes(office: CardOffice):
    office.member(person=lins(office), consents=False)
    client = browser(office.cast.lin)
    assert "Apply for a card" in text_of(client.get(reverse("members:me")))
    page = client.get(reverse("members:card-apply"))
    assert "I agree." in text_of(page)
    form = {"bank": office.bank.pk, "version": 1}
    answer = client.post(reverse("members:card-apply"), form)
    assert answer.status_code == 422
    assert "Without your consent" in text_of(answer)
    answer = client.post(reverse("members:card-apply"), {**form, "agrees": "on"})
    assert answer.status_code == 302
    assert Consent.objects.filter(person=lins(office)).count() == 1
    page = text_of(client.get(reverse("members:card")))
    assert "Your union checks the application." in page
    assert ServiceCard.objects.get().channel == "portal"


def test_without_a_text_of_the_consent_nothing_is_asked(cast: Cast):
    office = make_card_office(cast, text_from=TODAY.replace(year=2999))
    office.member(person=cast.lin_person)
    page = text_of(browser(cast.lin).get(reverse("members:card-apply")))
    assert "Applications can't be taken yet" in page
    assert 'name="agrees"' not in page


def test_a_member_without_a_membership_is_told_why(office: CardOffice):
    form = {"bank": office.bank.pk, "version": 1, "agrees": "on"}
    answer = browser(office.cast.lin).post(reverse("members:card-apply"), form)
    assert answer.status_code == 422
    assert "no active membership" in text_of(answer)


def test_a_returned_application_shows_what_is_missing_and_is_sent_again(
    office: CardOffice, lin: Client
):
    card = office.applied(lins(office))
    cards.send_back(card=card, by=office.cast.shi, reason="The phone is wrong.", now=NOW)
    assert "The phone is wrong." in text_of(lin.get(reverse("members:card")))
    assert lin.get(reverse("members:card-send-again")).status_code == 200
    assert lin.post(reverse("members:card-send-again")).status_code == 302
    card.refresh_from_db()
    assert card.state == CardState.UNION_REVIEW


def test_an_application_is_taken_back(office: CardOffice, lin: Client):
    card = office.ready(lins(office))
    assert lin.get(reverse("members:card-take-back")).status_code == 200
    lin.post(reverse("members:card-take-back"))
    card.refresh_from_db()
    assert card.state == CardState.CANCELLED
    assert "You have no card yet" in text_of(lin.get(reverse("members:card")))


def test_the_face_of_a_card_shows_its_last_four_and_no_whole_number(
    office: CardOffice, lin: Client
):
    card = office.collected(lins(office))
    page = text_of(lin.get(reverse("members:card")))
    assert f"**** {card.last_four}" in page
    assert str(card.number) not in page
    answer = lin.post(reverse("members:card-activate"), {"number": "6299990000000000012"})
    assert answer.status_code == 422
    assert "not the number of your card" in text_of(answer)
    assert AuditEntry.objects.filter(action="servicecard.wrong_number").count() == 1
    lin.post(reverse("members:card-activate"), {"number": str(card.number)})
    assert "The card is in use" in text_of(lin.get(reverse("members:card")))


def test_a_loss_stops_the_benefits_and_the_page_says_how_to_reach_the_bank(
    office: CardOffice, lin: Client
):
    card = office.active(lins(office))
    assert office.bank.hotline in text_of(lin.get(reverse("members:card-lost")))
    answer = lin.post(reverse("members:card-lost"), follow=True)
    assert text_of(answer).count(office.bank.hotline) >= 2
    card.refresh_from_db()
    assert card.state == CardState.LOST
    assert lin.get(reverse("members:card-found")).status_code == 200
    lin.post(reverse("members:card-found"))
    card.refresh_from_db()
    assert card.state == CardState.ACTIVE


def test_a_lost_card_and_the_application_for_another_stand_beside_each_other(
    office: CardOffice, lin: Client
):
    old = office.active(lins(office))
    card_life.report_lost(card=old, by=office.cast.lin, now=NOW)
    page = lin.get(reverse("members:card-apply"))
    assert old.last_four in text_of(page)
    form = {"bank": office.bank.pk, "version": 1, "agrees": "on"}
    assert lin.post(reverse("members:card-apply"), form).status_code == 302
    page = text_of(lin.get(reverse("members:card")))
    assert "Your union checks" in page
    assert "The card you lost" in page


@pytest.mark.parametrize(
    "name", ["card-send-again", "card-take-back", "card-activate", "card-lost", "card-found"]
)
def test_a_step_that_is_not_possible_leads_to_how_it_stands(lin: Client, name: str):
    for ask in (lin.get, lin.post):
        answer = ask(reverse(f"members:{name}"))
        assert (answer.status_code, answer.url) == (302, reverse("members:card"))


def test_the_pages_of_a_card_are_members_alone(office: CardOffice):
    for who in ("wei", "qiao", "officer", "gao"):
        client = browser(getattr(office.cast, who))
        assert client.get(reverse("members:card")).status_code == 403
        assert client.post(reverse("members:card-lost")).status_code == 403


# -- the clerk and the county -------------------------------------------------------------------
def test_a_clerk_applies_for_one_and_for_many(office: CardOffice):
    clerk, person = browser(office.cast.qiao), office.member()
    answer = press(
        clerk, on_list("apply"), national_id=str(person.national_id), bank=office.bank.pk
    )
    card = ServiceCard.objects.get(person=person)
    assert answer.url == reverse(f"{CARD}_change", args=[card.pk])
    office.member(), office.member(consents=False)
    answer = press(
        clerk, on_list("apply-many"), organization=office.cast.tree.union.pk,
        bank=office.bank.pk, numbers="",
    )  # fmt: skip
    page = text_of(answer)
    assert "1 applications made" in page
    assert "1 The consent to giving card data to the bank is missing." in page
    assert "1 There is a card or an application for one already." in page


def test_a_list_of_numbers_applies_for_these_alone(office: CardOffice):
    chosen, _other = office.member(), office.member()
    answer = press(
        browser(office.cast.qiao), on_list("apply-many"),
        organization=office.cast.tree.union.pk, bank=office.bank.pk,
        numbers=f"{chosen.national_id}\n 612725198005014020 \n\n",
    )  # fmt: skip
    assert "1 applications made" in text_of(answer)
    assert "1 Nobody in your area." in text_of(answer)
    assert "Left out: 1" in text_of(answer)
    assert ServiceCard.objects.get().person == chosen


def test_a_list_with_a_line_that_is_no_number_is_refused_with_the_line(office: CardOffice):
    chosen = office.member()
    answer = press(
        browser(office.cast.qiao), on_list("apply-many"),
        organization=office.cast.tree.union.pk, bank=office.bank.pk,
        numbers=f"{chosen.national_id}\n612725198005014025\n",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Line 2: " in text_of(answer)
    assert not ServiceCard.objects.exists()


def test_a_clerk_finds_nobody_of_another_union(office: CardOffice):
    person = office.member(office.cast.tree.sibling_union)
    answer = press(
        browser(office.cast.qiao), on_list("apply"), national_id=str(person.national_id),
        bank=office.bank.pk,
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Nobody in your area" in text_of(answer)


def test_check_and_approve_one_by_one_and_all_together(office: CardOffice):
    first, second = office.applied(), office.applied()
    shi, officer = browser(office.cast.shi), browser(office.cast.officer)
    press(shi, do(first, "check"))
    answer = press(shi, on_list("check-all"), organization=office.cast.tree.union.pk)
    assert "1 applications went on" in text_of(answer)
    press(officer, do(first, "approve"))
    press(officer, on_list("approve-all"), organization=office.cast.tree.city.pk)
    for card in (first, second):
        card.refresh_from_db()
        assert card.state == CardState.READY


def test_a_list_to_sign_and_the_signed_one(office: CardOffice):
    card, other = office.issued(), office.issued()
    clerk = browser(office.cast.qiao)
    answer = press(clerk, on_list("hand-out-list"), organization=office.cast.tree.union.pk)
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert {row[1] for row in rows[1:]} == {f"C{one.pk:08d}" for one in (card, other)}
    assert str(card.number) not in str(rows)
    answer = press(
        clerk, on_list("hand-out-all"), organization=office.cast.tree.union.pk,
        signed_list=photo("list.jpg"), unsigned=f"C{other.pk:08d}",
    )  # fmt: skip
    assert "1 cards collected" in text_of(answer)
    card.refresh_from_db()
    receipt = card.receipt
    assert receipt is not None
    page = clerk.get(reverse("portal:file", args=[receipt.pk]))
    assert page.status_code == 200
    assert browser(office.cast.gao).get(page.request["PATH_INFO"]).status_code == 404
    wrong = press(
        clerk, on_list("hand-out-all"), organization=office.cast.tree.union.pk,
        signed_list=photo("list.jpg"), unsigned="nobody",
    )  # fmt: skip
    assert wrong.status_code == 422


def test_one_card_is_handed_out_with_a_receipt_activated_lost_and_found(office: CardOffice):
    card, clerk = office.issued(), browser(office.cast.qiao)
    press(clerk, do(card, "hand-out"), receipt=photo("signed.jpg"))
    press(clerk, do(card, "activate"), number=str(card.number))
    page = clerk.get(do(card, "lost"))
    assert office.bank.hotline in text_of(page)
    press(clerk, do(card, "lost"), reason="lost at work")
    press(clerk, do(card, "found"))
    card.refresh_from_db()
    assert (card.state, card.receipt is not None) == (CardState.ACTIVE, True)
    press(browser(office.cast.shi), do(card, "suspend"), reason="misuse")
    press(browser(office.cast.shi), do(card, "lift"), reason="cleared up")
    press(browser(office.cast.officer), do(card, "cancel-as-city"), reason="left the union")
    card.refresh_from_db()
    assert card.state == CardState.CANCELLED


def test_a_banks_list_of_activated_cards(office: CardOffice):
    card = office.collected()
    sheet = io.StringIO()
    csv.writer(sheet).writerows([["序号", "卡号"], ["1", str(card.number)]])
    answer = press(
        browser(office.cast.officer), on_list("activate-listed"),
        content=SimpleUploadedFile("list.csv", sheet.getvalue().encode()),
    )  # fmt: skip
    assert "1 cards activated" in text_of(answer)
    for content, told in (
        (b"a,b\n1,2\n", "header row"),
        (b"", "empty"),
        (b"%PDF-1.7 a,b", "is a PDF document"),
    ):
        answer = press(
            browser(office.cast.officer), on_list("activate-listed"),
            content=SimpleUploadedFile("list.csv", content),
        )  # fmt: skip
        assert answer.status_code == 422
        assert told in text_of(answer)


# -- the city and the bank ----------------------------------------------------------------------
def test_a_batch_from_the_button_to_the_banks_answer(office: CardOffice):
    office.ready()
    officer = browser(office.cast.officer)
    made = press(
        officer, reverse(f"{BATCH}_list_do", args=["make"]), bank=office.bank.pk,
        organization=office.cast.tree.city.pk,
    )  # fmt: skip
    batch = CardBatch.objects.get()
    assert made.url == reverse(f"{BATCH}_change", args=[batch.pk])

    def step(name: str, **data: Any) -> Any:
        return press(officer, reverse(f"{BATCH}_do", args=[batch.pk, name]), **data)

    closed = officer.get(reverse(f"{BATCH}_do", args=[batch.pk, "sent"]))
    assert "Nobody has fetched the file yet." in text_of(closed)
    fetched = step("fetch", reason="to the bank")
    content = b"".join(fetched.streaming_content)
    assert str(batch.cards.get().person.national_id).encode() in content
    assert step("sent").status_code == 302
    answer = office.says(batch)
    assert step("result", content=SimpleUploadedFile("r.csv", answer)).status_code == 302
    again = step("result", content=SimpleUploadedFile("r.csv", answer))
    assert "taken in before" in text_of(again)
    assert CardResultFile.objects.count() == 1
    page = text_of(officer.get(reverse(f"{BATCH}_change", args=[batch.pk])))
    assert "card issued" in page


def test_a_faulty_answer_is_shown_with_every_row_at_fault(office: CardOffice):
    batch = office.sent(2)
    bad = office.says(batch, (0, 4, "也许"), (1, 4, "行吗"))
    answer = press(
        browser(office.cast.officer), reverse(f"{BATCH}_do", args=[batch.pk, "result"]),
        content=SimpleUploadedFile("r.csv", bad),
    )  # fmt: skip
    assert answer.status_code == 422
    for row in (2, 3):
        assert f"Row {row}, result" in text_of(answer)


def test_what_waits_for_a_person_stands_on_the_batch_and_in_a_list(office: CardOffice):
    batch = office.sent(2)
    office.take(batch, office.says(batch, (1, 0, "77")))
    officer = browser(office.cast.officer)
    assert "no such application" in text_of(
        officer.get(reverse(f"{BATCH}_change", args=[batch.pk]))
    )
    rows = reverse("admin:members_cardresultrow_changelist")
    listed = officer.get(f"{rows}?file__batch__id__exact={batch.pk}&verdict__exact=unknown")
    assert listed.status_code == 200
    assert "no such application" in text_of(listed)


def test_the_bank_asks_once_more_who_it_is(office: CardOffice):
    batch = office.made(1)
    stale = browser(office.cast.officer, fresh=False)
    answer = stale.get(reverse(f"{BATCH}_do", args=[batch.pk, "fetch"]))
    assert (answer.status_code, "reauthenticate" in answer.url) == (302, True)


def test_a_bank_is_described_on_its_page_with_the_samples_in_sight(office: CardOffice):
    import json

    clerk = browser(office.cast.rules_clerk)
    form = {
        "code": "NEW", "name": "另一家银行", "hotline": "95001", "prefixes": "",
        "cut_off_day": "20",
        "layout": json.dumps(SAMPLES["sample-workbook"]), "conditions": "", "is_active": "on",
    }  # fmt: skip
    new = reverse("admin:members_cardbank_list_do", args=["new"])
    assert press(clerk, new, **form).status_code == 302
    bank = CardBank.objects.get(code="NEW")
    page = text_of(clerk.get(reverse("admin:members_cardbank_change", args=[bank.pk])))
    assert "no bank&#x27;s own layout" in page
    for changed, told in (
        ({"layout": "{"}, "not JSON"),
        ({"layout": "[]"}, "object in braces"),
        ({"layout": '{"kind": "pdf"}'}, "not known"),
        ({"layout": "[" * 5000}, "not JSON"),
        ({"conditions": '{"x": 1}'}, "not known"),
        ({"cut_off_day": "31"}, "28"),
    ):
        change = reverse("admin:members_cardbank_do", args=[bank.pk, "change"])
        answer = press(clerk, change, **{**form, **changed})
        assert answer.status_code == 422, changed
        assert told in text_of(answer)


# -- lists -----------------------------------------------------------------------------------------
def test_lists_are_filtered_and_searched_and_show_no_whole_number(office: CardOffice):
    card = office.active(office.member(person=lins(office)))
    office.applied()
    officer, page = browser(office.cast.officer), reverse(f"{CARD}_changelist")
    for query, count in (
        ("", 2),
        ("?state__exact=active", 1),
        (f"?bank__id__exact={office.bank.pk}", 2),
        (f"?county={office.cast.tree.county.pk}", 2),
        (f"?county={office.cast.tree.other_county.pk}", 0),
        ("?county=x", 0),
        ("?issued=2026-03", 1),
        ("?issued=2026-13", 0),
        (f"?q={card.last_four}", 1),
        (f"?q=C{card.pk:08d}", 1),
    ):
        with CaptureQueriesContext(connection) as asked:
            answer = officer.get(page + query)
        assert answer.context["cl"].result_count == count, query
        assert len(asked) <= BUDGET
        assert str(card.number) not in text_of(answer)
    sent = officer.post(page, {"q": str(card.number)})
    assert str(card.number) not in sent.url
    assert officer.get(sent.url).context["cl"].result_count == 1


def test_a_list_costs_the_same_for_more_cards(office: CardOffice):
    officer = browser(office.cast.officer)

    def cost(name: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert officer.get(reverse(f"admin:members_{name}_changelist")).status_code == 200
        return len(asked)

    names = ("servicecard", "cardbatch", "cardresultrow")
    batch = office.sent(1)
    office.take(batch, office.says(batch))
    few = [cost(name) for name in names]
    batch = office.sent(6)
    office.take(batch, office.says(batch))
    assert [cost(name) for name in names] <= few


def test_counts_are_drawn_listed_and_handed_out_as_a_sheet(office: CardOffice):
    officer = browser(office.cast.officer)
    assert "No bank has issued" in text_of(officer.get(reverse(f"{CARD}_counts")))
    batch = office.sent(3)
    office.take(batch, office.says(batch))
    with CaptureQueriesContext(connection) as asked:
        page = officer.get(reverse(f"{CARD}_counts"))
    assert len(asked) <= BUDGET
    assert page.context["counts"].total == 3
    assert "<rect" in text_of(page)
    assert officer.get(reverse(f"{CARD}_counts") + "?year=2020").context["counts"].total == 0
    assert officer.get(reverse(f"{CARD}_counts") + "?year=x").context["counts"].total == 3
    sheet = officer.get(reverse(f"{CARD}_counts_file"))
    rows = list(openpyxl.load_workbook(io.BytesIO(b"".join(sheet.streaming_content))).active.values)
    assert rows[0] == ("County", "2026-03", "Total")
    assert rows[-1] == ("Total", 3, 3)


def test_a_county_counts_its_own(office: CardOffice):
    batch = office.sent(2)
    office.take(batch, office.says(batch))
    assert browser(office.cast.shi).get(reverse(f"{CARD}_counts")).context["counts"].total == 2
    for who in ("decider", "feng", "account_admin"):
        assert browser(getattr(office.cast, who)).get(reverse(f"{CARD}_counts")).status_code == 403


def test_an_export_is_masked_within_reach_and_logged(office: CardOffice):
    card = office.active()
    for kind in ("xlsx", "csv"):
        answer = press(browser(office.cast.officer), on_list("export"), kind=kind)
        content = b"".join(answer.streaming_content)
        assert str(card.number).encode() not in content
        assert str(card.person.national_id).encode() not in content
    assert f"…{card.last_four}" in content.decode("utf-8-sig")
    assert AuditEntry.objects.filter(action="servicecard.export").count() == 2
    # Whoever may take lists out, but has no duty about cards, gets none of them.
    assert browser(office.cast.feng).post(on_list("export"), {"kind": "csv"}).status_code in (
        403,
        422,
    )


def test_the_desk_tells_each_what_waits_for_them(office: CardOffice):
    office.applied()
    checked = office.applied()
    cards.check(card=checked, by=office.cast.shi, now=NOW)
    office.ready()
    office.issued()

    def waits(who: str) -> dict[str, int]:
        page = browser(getattr(office.cast, who)).get(reverse("admin:index"))
        return {str(one["title"]): one["count"] for one in page.context["waiting"]}

    assert waits("shi")["Card applications for the union to check"] == 1
    assert waits("officer")["Card applications to approve"] == 1
    assert waits("qiao")["Cards to hand out"] == 2
    assert waits("qiao")["Card applications for the union to check"] == 0
    assert card_results.TAKEN_IN
