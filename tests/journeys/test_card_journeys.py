"""A service card on a phone and at a desk: from the application to the day it is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from members.models import CardBatch, ServiceCard
from members.states import CardState
from tests.cast import Cast, make_cast, make_tree
from tests.journeys.conftest import confirm_it_is_me, faults, log_in, may_log_in
from tests.journeys.test_member_journeys import lin_logs_in
from tests.members.card_office import CardOffice, make_card_office
from tests.web.awards_play import photo

pytestmark = pytest.mark.django_db(transaction=True)
SUBMIT = "main form button[type=submit]"
CARD = "admin:members_servicecard"
BATCH = "admin:members_cardbatch"


@pytest.fixture
def office(live_server: Any) -> CardOffice:
    cast = make_cast(make_tree())
    made = make_card_office(cast)
    made.member(person=cast.lin_person, consents=False)
    return made


def press(page: Page, address: str, **fill: str) -> list[str]:
    """Open a confirm page, fill it in, confirm it; what is wrong with the page."""
    page.goto(address)
    confirm_it_is_me(page)
    found = faults(page)
    for name, text in fill.items():
        page.fill(f"main [name={name}]", text)
    page.click(".st-confirm form button[type=submit]")
    page.wait_for_load_state()
    return found


def staff(open_page: Any, server: str, who: Any) -> Page:
    page = open_page()
    log_in(page, server, may_log_in(who))
    return page


def state() -> str:
    return ServiceCard.objects.latest("pk").state


def apply(page: Page, server: str) -> list[str]:
    page.goto(server + reverse("members:me"))
    found = faults(page)
    page.goto(server + reverse("members:card-apply"))
    found += faults(page)
    page.click(SUBMIT)
    page.wait_for_selector("[aria-invalid=true]")
    found += faults(page)
    page.check("main [name=agrees]")
    page.click(SUBMIT)
    page.wait_for_url(f"**{reverse('members:card')}")
    return found + faults(page)


def test_a_card_from_the_application_to_its_loss(live_server, open_page, office):
    cast, server, found = office.cast, live_server.url, []
    lin = open_page()
    lin_logs_in(lin, server, cast)
    found += apply(lin, server)
    card = ServiceCard.objects.get()
    found += checked_and_batched(open_page, server, cast, office, card)
    found += in_hand(open_page, server, cast, lin, card)
    assert found == []


def checked_and_batched(
    open_page: Any, server: str, cast: Cast, office: CardOffice, card: ServiceCard
) -> list[str]:
    """Union, city, bank: until the bank has issued the card."""
    shi = staff(open_page, server, cast.shi)
    found = press(shi, server + reverse(f"{CARD}_do", args=[card.pk, "check"]))
    officer = staff(open_page, server, cast.officer)
    found += press(officer, server + reverse(f"{CARD}_do", args=[card.pk, "approve"]))
    assert state() == CardState.READY
    officer.goto(server + reverse(f"{BATCH}_list_do", args=["make"]))
    confirm_it_is_me(officer)
    found += faults(officer)
    officer.select_option("main [name=bank]", str(office.bank.pk))
    officer.select_option("main [name=organization]", str(cast.tree.city.pk))
    officer.click(".st-confirm form button[type=submit]")
    officer.wait_for_url(f"**{reverse(f'{BATCH}_changelist')}**/change/")
    batch = CardBatch.objects.get()
    officer.goto(server + reverse(f"{BATCH}_do", args=[batch.pk, "fetch"]))
    officer.fill("main [name=reason]", "to the bank")
    with officer.expect_download() as fetched:
        officer.click(".st-confirm form button[type=submit]")
    assert fetched.value.suggested_filename == f"{batch.number}.csv"
    found += press(officer, server + reverse(f"{BATCH}_do", args=[batch.pk, "sent"]))
    officer.goto(server + reverse(f"{BATCH}_do", args=[batch.pk, "result"]))
    answer = {"name": "r.csv", "mimeType": "text/csv", "buffer": office.says(batch)}
    officer.set_input_files("main input[type=file]", answer)
    officer.click(".st-confirm form button[type=submit]")
    officer.wait_for_url(f"**{reverse(f'{BATCH}_change', args=[batch.pk])}")
    found += faults(officer)
    officer.goto(server + reverse(f"{CARD}_counts"))
    assert state() == CardState.ISSUED
    return found + faults(officer)


def in_hand(open_page: Any, server: str, cast: Cast, lin: Page, card: ServiceCard) -> list[str]:
    """Collected with a signature, activated by its number, then lost and found again."""
    qiao = staff(open_page, server, cast.qiao)
    qiao.goto(server + reverse(f"{CARD}_do", args=[card.pk, "hand-out"]))
    found = faults(qiao)
    signed = {"name": "signed.jpg", "mimeType": "image/jpeg", "buffer": photo().read()}
    qiao.set_input_files("main input[type=file]", signed)
    qiao.click(".st-confirm form button[type=submit]")
    qiao.wait_for_url(f"**{reverse(f'{CARD}_change', args=[card.pk])}")
    card.refresh_from_db()
    lin.goto(server + reverse("members:card-activate"))
    found += faults(lin)
    lin.fill("main [name=number]", str(card.number))
    lin.click(SUBMIT)
    lin.wait_for_url(f"**{reverse('members:card')}")
    found += faults(lin)
    assert state() == CardState.ACTIVE
    lin.goto(server + reverse("members:card-lost"))
    found += faults(lin)
    lin.click(SUBMIT)
    lin.wait_for_url(f"**{reverse('members:card')}")
    assert "0912-95000" in lin.content()
    assert state() == CardState.LOST
    return found + faults(lin)


def test_the_members_pages_work_without_javascript(live_server, open_page, office):
    page = open_page(java_script_enabled=False)
    lin_logs_in(page, live_server.url, office.cast)
    page.goto(live_server.url + reverse("members:card-apply"))
    page.check("main [name=agrees]")
    page.click(SUBMIT)
    page.wait_for_url(f"**{reverse('members:card')}")
    assert state() == CardState.UNION_REVIEW
