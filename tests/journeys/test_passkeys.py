"""A passkey in a real browser, with the authenticator that Chromium itself plays."""

from typing import Any

import pytest
from django.test import override_settings
from django.urls import reverse
from playwright.sync_api import Page

from tests.cast import make_cast, make_tree
from tests.journeys.conftest import confirm_it_is_me, faults, log_in, may_log_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(live_server: Any) -> Any:
    return make_cast(make_tree())


def plug_in(page: Page) -> Any:
    """An authenticator that knows its owner and keeps keys, as a phone does."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return devices


@override_settings(MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN=True)  # localhost without TLS
def test_a_passkey_is_made_named_and_opens_the_desk_without_a_password(
    live_server, open_page, cast
):
    feng = may_log_in(cast.feng)
    page = open_page()
    plug_in(page)
    log_in(page, live_server.url, feng)
    page.goto(live_server.url + reverse("mfa_add_webauthn"))
    confirm_it_is_me(page)
    found = faults(page)
    page.fill("input[name=name]", "办公室的手机")
    box = page.locator("main input[name=passwordless]")
    if box.count():
        box.check()
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "/add/" not in url)
    page.goto(live_server.url + reverse("mfa_list_webauthn"))
    assert "办公室的手机" in page.content()
    found += faults(page)

    page.goto(live_server.url + reverse("account_logout"))
    page.click("main form button[type=submit]")
    page.goto(live_server.url + reverse("account_login"))
    found += faults(page)
    page.click("#passkey_login")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.goto(live_server.url + reverse("admin:index"))
    assert page.url.endswith(reverse("admin:index"))
    assert feng.name in page.content()
    assert found == []


def test_what_the_browser_refuses_is_said_on_the_page(live_server, open_page, cast):
    feng = may_log_in(cast.feng)
    page = open_page()
    by_number = live_server.url.replace("localhost", "127.0.0.1")
    log_in(page, by_number, feng)
    page.goto(by_number + reverse("mfa_add_webauthn"))
    confirm_it_is_me(page)
    assert not page.locator("#passkey-refused").is_visible()
    page.click("#mfa_webauthn_add")
    page.wait_for_selector("#passkey-refused", state="visible")
    assert faults(page) == []
