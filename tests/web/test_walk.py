"""Every URL as everybody: what is public is listed, the rest is closed, nothing breaks."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import ImportRun
from tests.cast import TODAY, Cast, make_bank_account, make_open_entry
from tests.web.awards_play import browser
from tests.web.walk import address, is_endpoint, patterns
from union_portal import access, notices
from union_portal.access import Role
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.shown import list_url

# The whole list of what opens without a log-in. A new public page is added here on purpose.
PUBLIC = {
    "portal:home",
    "portal:figure-list",
    "portal:notice-list",
    "portal:notice",
    "portal:objection-file",
    "awards:honours-roll",
    "members:first-login",
    "members:first-login-code",
    "members:join",
    "members:join-status",
    "members:join-application",
    "members:join-complete",
    "members:join-take-back",
    "members:offer-list",
    "members:offer",
    "members:merchant-apply",
    "members:merchant-application",
    "set_language",
    "account_login",
    "account_logout",
    "account_inactive",
    "mfa_authenticate",
    "mfa_login_webauthn",
}
OPEN, LIST_BUDGET = 200, 40
NUMBER = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dX](?!\d)"
)


def staff_pages() -> list[ScopedModelAdmin]:
    return list(admin.site._registry.values())  # type: ignore[arg-type]


@pytest.fixture
def rows(cast: Cast) -> Cast:
    """One row of the commonest kinds, so that their pages are more than empty lists."""
    make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    entry = make_open_entry(cast)
    notices.file_objection(
        entry=entry, objector="魏明", phone="13800138000", text="Not so.", is_body=False,
        by=cast.officer, today=TODAY,
    )  # fmt: skip
    return cast


def test_what_opens_without_a_log_in_is_exactly_the_list():
    public = {
        name
        for name, _route, pattern in patterns()
        if not getattr(pattern.callback, "login_required", True) and not is_endpoint(pattern)
    }
    assert public == PUBLIC


@pytest.mark.django_db
def test_anonymous_is_sent_to_the_log_in_from_everything_else():
    client = Client()
    opened = []
    for name, route, pattern in patterns():
        if name in PUBLIC or is_endpoint(pattern):
            continue
        answer = client.get(address(route, pattern))
        if answer.status_code != 302 or "login" not in answer["Location"]:
            opened.append((name, answer.status_code))
    assert opened == []


def test_only_pages_that_know_roles_and_reach_stand_on_the_staff_site():
    assert [page for page in staff_pages() if not isinstance(page, ScopedModelAdmin)] == []
    assert [page for page in staff_pages() if not page.view_permissions] == []


def test_the_auditor_reads_every_list_but_what_is_not_taken_over_yet():
    closed = {
        page.model
        for page in staff_pages()
        if not access.GRANTS[Role.AUDITOR] & set(page.view_permissions)
    }
    assert closed == {ImportRun}


def _walk(client: Client) -> list[tuple[str, int]]:
    return [
        (name, client.get(address(route, pattern)).status_code)
        for name, route, pattern in patterns()
        if name not in ("account_logout", "usersessions_list")
    ]


def test_a_stranger_with_a_log_in_opens_no_page_of_staff(rows):
    opened = [
        (name, code)
        for name, code in _walk(browser(rows.wei))
        if name.startswith("admin:") and code not in (302, 403, 404)
    ]
    assert opened == []


def test_a_member_opens_no_page_of_staff(rows):
    opened = [
        (name, code)
        for name, code in _walk(browser(rows.lin))
        if name.startswith("admin:") and code not in (302, 403, 404)
    ]
    assert opened == []


STAFF = (
    "qiao", "shi", "officer", "decider", "reviewer", "rules_clerk", "feng", "feng_checker",
    "feng_releaser", "gao", "account_admin", "security_admin", "benefits",
)  # fmt: skip


@pytest.mark.parametrize("who", STAFF)
def test_no_address_breaks_for_anybody(rows, who):
    client = browser(getattr(rows, who))
    broken = [(name, code) for name, code in _walk(client) if code >= 500]
    assert broken == []


def test_every_list_can_be_ordered_by_each_of_its_columns(rows):
    staff = [getattr(rows, who) for who in STAFF]
    broken = []
    for page in staff_pages():
        reader = next(
            one for one in staff if any(access.may(one, p) for p in page.view_permissions)
        )
        columns = ".".join(str(place + 1) for place in range(len(page.list_display)))
        if browser(reader).get(list_url(page.model, o=columns)).status_code != 200:
            broken.append(page.model)
    assert broken == []


@pytest.mark.parametrize("who", STAFF)
def test_what_a_role_sees_is_what_its_pages_name_and_masked(rows, who):
    """Lists, first rows and confirm pages: open to the roles named, no whole number on any."""
    account = getattr(rows, who)
    client = browser(account)
    person = rows.lin_person
    secrets = [str(person.national_id), str(person.phone)]
    secrets += [str(held.number) for held in person.bank_accounts.all()]
    for page in staff_pages():
        may = any(access.may(account, permission) for permission in page.view_permissions)
        with CaptureQueriesContext(connection) as queries:
            listed = client.get(reverse(page.url_name("changelist")))
        assert (listed.status_code == OPEN) is may, page
        assert len(queries) <= LIST_BUDGET, (page, len(queries))
        if may:
            for url, answer in [("list", listed), *_opened(client, page, listed)]:
                assert answer.status_code < 500, url
                text = answer.content.decode(errors="ignore") if not answer.streaming else ""
                assert NUMBER.search(text) is None, url
                assert not [secret for secret in secrets if secret in text], url


def _opened(client: Client, page: ScopedModelAdmin, listed: Any) -> list[tuple[str, Any]]:
    """The confirm pages of a list, its first row, and the confirm pages of that."""
    urls = [offer.url for offer in listed.context["offers"]]
    for row in listed.context["cl"].result_list[:1]:
        urls.append(reverse(page.url_name("change"), args=[row.pk]))
        urls += [
            reverse(page.url_name("do"), args=[row.pk, button.name]) for button in page.buttons
        ]
    return [(url, client.get(url)) for url in urls]


def test_the_content_security_policy_is_strict_but_for_the_skin(rows):
    client = browser(rows.officer)
    for name, url in (("portal", reverse("portal:home")), ("staff", reverse("admin:index"))):
        policy = client.get(url)["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert ("'unsafe-eval'" in policy) is (name == "staff")
        script = next(part for part in policy.split(";") if "script-src" in part)
        assert "'unsafe-inline'" not in script
