"""What anybody may do, everybody may do: a log-in takes nothing away on a public page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from tests.cast import (
    TODAY,
    Cast,
    make_account,
    make_open_entry,
    make_person,
)
from tests.members.benefits import give_login, make_merchant
from tests.web.awards_play import browser
from tests.web.test_walk import PUBLIC
from union_portal.models import Account, NoticeEntry, Objection

pytestmark = pytest.mark.django_db
# The ways in: whoever is inside already is led to a page of their own.
ENTRANCES = {
    "members:first-login",
    "members:first-login-code",
    "account_login",
    "account_logout",
    "account_inactive",
    "mfa_authenticate",
    "mfa_login_webauthn",
}
WORDS = {"objector": "魏明", "phone": "13800138000", "text": "This is not so, I know it."}


@pytest.fixture
def entry(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> NoticeEntry:
    """The one entry of a notice of the city that is open today."""
    monkeypatch.setattr(timezone, "localdate", lambda *_args: TODAY)
    return make_open_entry(cast)


def everybody(cast: Cast) -> dict[str, Account]:
    """Members of another union, the person on the list, a stranger, and all staff."""
    neighbour = make_account("neighbour")
    make_person(cast.tree.other_union, account=neighbour)
    return {"neighbour": neighbour, "lin": cast.lin, "wei": cast.wei, **cast.staff}


def address(name: str, entry: NoticeEntry) -> str:
    given: list[list[Any]] = [[], [entry.notice_id], [entry.notice_id, entry.position]]
    for arguments in given:
        try:
            return reverse(name, args=arguments)
        except NoReverseMatch:
            continue
    raise AssertionError(f"{name} needs a row that this test does not know")


def test_whoever_is_logged_in_opens_each_public_page(cast: Cast, entry: NoticeEntry):
    closed = []
    accounts = everybody(cast)
    for name in sorted(PUBLIC - ENTRANCES):
        url = address(name, entry)
        expected = Client().get(url).status_code
        for who, account in accounts.items():
            if (code := browser(account).get(url).status_code) != expected:
                closed.append((name, who, code))
    assert closed == []


def test_whoever_is_logged_in_may_object(cast: Cast, entry: NoticeEntry):
    url = reverse("portal:objection-file", args=[entry.notice_id, entry.position])
    clients = {"anybody": Client()} | {w: browser(a) for w, a in everybody(cast).items()}
    refused = {
        who: answer.status_code
        for who, client in clients.items()
        if (answer := client.post(url, WORDS)).status_code != 302
    }
    assert refused == {}
    assert Objection.objects.filter(received_by=None, entry=entry).count() == len(clients)


def test_the_language_is_anybodys_to_choose(cast: Cast, entry: NoticeEntry):
    for client in [Client(), *(browser(account) for account in everybody(cast).values())]:
        answer = client.post(reverse("set_language"), {"language": "en", "next": "/"})
        assert answer.status_code == 302
        assert answer.cookies["django_language"].value == "en"


def test_where_nothing_is_each_reader_is_led_to_their_own_pages(cast: Cast):
    counter = give_login(cast, make_merchant(cast), "counter").account
    own = {"admin:index", "members:me", "members:till"}
    leads = {
        None: set(),
        cast.qiao: {"admin:index"},
        cast.lin: {"members:me"},
        counter: {"members:till"},
    }
    for account, expected in leads.items():
        client = browser(account) if account else Client()
        answer = client.get("/nothing-is-here/", headers={"referer": "http://testserver/offers/"})
        assert answer.status_code == 404
        main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
        assert {name for name in own if f'href="{reverse(name)}"' in main} == expected
        for name in ("portal:home", "members:offer-list"):
            assert f'href="{reverse(name)}"' in main


def test_whoever_may_not_open_a_page_is_led_to_their_own(cast: Cast):
    for account, closed, own in (
        (cast.qiao, "members:card", "admin:index"),
        (cast.lin, "admin:members_person_changelist", "members:me"),
    ):
        answer = browser(account).get(reverse(closed), follow=True)
        assert answer.status_code == 403
        main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
        assert f'href="{reverse(own)}"' in main
