"""Every act that moves money, takes data out or makes mighty asks once more who it is.

The list is read from the pages: a button is on it by its permission (`access.FRESH_LOG_IN`) or
by itself, an address of the second factor by its name. A new one is tried without being added.
"""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from awards.models import CountyCheck
from tests.cast import Cast
from tests.web.awards_play import browser
from tests.web.scene import pages, play, row_of
from tests.web.test_reach import holder
from tests.web.walk import patterns
from union_portal import access
from union_portal.access import Role

pytestmark = pytest.mark.django_db
# They approve nothing: sending a case back to be completed.
HARMLESS = {"return-reviewed"}
# Of the second factor: to look at, or the door itself.
PLAIN = {
    "mfa_index",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
    "mfa_list_webauthn",
    "mfa_login_webauthn",
}
NO_FORM = 405
# The check of a county keeps what was typed: it answers the form itself, and does nothing.
KEEPS = "/countycheck/"
# Pages of their own before an act, beside the buttons.
OWN_PAGES = {"admin:disbursement_payoutbatch_assemble"}


def confirmed(client: Client, *, seconds_ago: int) -> Client:
    """The browser as it is when its owner confirmed so long ago."""
    session = client.session
    (record,) = session["account_authentication_methods"]
    record["at"] = timezone.now().timestamp() - seconds_ago
    session["account_authentication_methods"] = [record]
    session.save()
    return client


def forget(client: Client) -> None:
    """Whoever has just logged in has not confirmed anything yet."""
    session = client.session
    del session["account_authentication_methods"]
    session.save()


@pytest.fixture
def mighty(cast: Cast) -> Client:
    """Somebody with every role at once, whom no permission stops."""
    play(cast)
    return browser(holder("mighty", cast.tree.city, *Role))


def acts() -> list[str]:
    """The address of every button that asks, on the row behind its page or on the list."""
    found = []
    for page in pages():
        row: Any = row_of(page)
        assert row is not None, page
        found += [
            reverse(page.url_name("do"), args=[row.pk, button.name])
            for button in page.buttons
            if button.asks_again
        ]
        found += [
            reverse(page.url_name("list_do"), args=[button.name])
            for button in page.list_buttons
            if button.asks_again
        ]
    return found + [reverse(name) for name in OWN_PAGES]


def asks(client: Client, url: str) -> set[bool]:
    """Whether the page, and a form sent to it if it takes one, lead to the question who it is."""
    return {
        answer.status_code == 302 and "/reauthenticate/" in answer.url
        for answer in (client.get(url), client.post(url, {"reason": "because"}))
        if answer.status_code != NO_FORM
    }


def test_every_button_with_a_mighty_permission_asks_unless_it_is_harmless():
    lax = {
        button.name
        for page in admin.site._registry.values()
        for button in (*page.buttons, *page.list_buttons)  # type: ignore[attr-defined]
        if button.permission in access.FRESH_LOG_IN and not button.asks_again
    }
    assert lax == HARMLESS


def test_every_such_act_asks_again_when_the_last_answer_is_too_old(mighty: Client, settings: Any):
    life, listed = settings.ACCOUNT_REAUTHENTICATION_TIMEOUT, acts()
    assert len(listed) > 40
    confirmed(mighty, seconds_ago=life // 2)
    asked = [url for url in listed if "/reauthenticate/" in mighty.get(url).get("Location", "")]
    assert asked == [], "while the answer is fresh nobody is asked again"
    confirmed(mighty, seconds_ago=life + 1)
    assert [url for url in listed if asks(mighty, url) != {True} and KEEPS not in url] == []
    forget(mighty)
    assert [url for url in listed if asks(mighty, url) != {True} and KEEPS not in url] == []


def test_the_check_of_a_county_keeps_what_was_typed_and_does_nothing_until_confirmed(
    mighty: Client, settings: Any
):
    (url,) = [url for url in acts() if KEEPS in url]
    form = {"seen": mighty.get(url).context["seen"], "note": "All were seen.", "confirm": "1"}
    before = list(CountyCheck.objects.values())
    confirmed(mighty, seconds_ago=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    assert "/reauthenticate/" in mighty.get(url).get("Location", "")
    answer = mighty.post(url, form)
    assert answer.status_code == 422 and "All were seen." in answer.content.decode()
    assert list(CountyCheck.objects.values()) == before
    confirmed(mighty, seconds_ago=1)
    assert mighty.post(url, form).status_code == 302
    assert list(CountyCheck.objects.values()) != before


def test_every_change_of_ones_own_log_in_asks_again(cast: Cast, settings: Any):
    client = browser(cast.lin)
    key = Authenticator.objects.create(
        user=cast.lin, type=Authenticator.Type.WEBAUTHN, data={"name": "key", "credential": {}}
    )
    RecoveryCodes.activate(cast.lin)
    confirmed(client, seconds_ago=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    names = {name for name, _route, _pattern in patterns() if name.startswith("mfa_")} - PLAIN
    assert len(names) > 6
    names.add("account_set_password")
    lax = []
    for name in sorted(names):
        url = reverse(
            name, args=[key.pk] if name.endswith(("remove_webauthn", "edit_webauthn")) else []
        )
        if asks(client, url) != {True}:
            lax.append(name)
    assert lax == []
