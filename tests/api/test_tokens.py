"""Tokens: how one is had, what it opens, and everything that ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from tests.api.calling import HERE, Program, problem, token_of
from tests.cast import Cast, give_role
from tests.members.benefits import agree, give_login, make_merchant
from tests.web.awards_play import browser
from tests.web.log_in import PASSWORD, code_now, may_log_in
from union_portal import accounts, roles, sessions, tokens
from union_portal.access import Role
from union_portal.models import Account, ApiToken, AuditEntry

pytestmark = pytest.mark.django_db
ME = "/me"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def log_in(login: str, password: str = PASSWORD, **more: str) -> Any:
    body = {"login": login, "password": password, "label": "Script", **more}
    return Program().post("/tokens", body, key=None)


def opens(token: str) -> bool:
    return bool(Program(token=token).get(ME).status_code == 200)


def test_name_and_password_are_given_for_a_token_that_is_shown_once(cast: Cast):
    told = log_in(may_log_in(cast.lin).username)
    assert told.status_code == 201
    text = told.json()["token"]
    assert Program(token=text).get(ME).json()["name"] == "Lin"
    row = ApiToken.objects.get()
    assert text not in str(vars(row)) and row.digest != text
    assert AuditEntry.objects.filter(action="account.token_issued", actor_id=cast.lin.pk).exists()
    assert "no-store" in told.headers["Cache-Control"]


def test_a_till_logs_in_and_is_told_whose_it_is(cast: Cast):
    merchant = make_merchant(cast)
    agree(cast, merchant)
    till = may_log_in(give_login(cast, merchant, "counter").account)
    Account.objects.filter(pk=till.pk).update(is_password_first=False)
    token = log_in("counter").json()["token"]
    me = Program(token=token).get(ME).json()
    assert (me["merchant"], me["person"]) == ({"id": merchant.pk, "name": merchant.name}, None)


@pytest.mark.parametrize(
    ("name", "password"), [("lin", "wrong wrong wrong"), ("nobody", PASSWORD), ("lin", "")]
)
def test_a_wrong_password_and_an_unknown_name_are_told_alike(cast: Cast, name: str, password: str):
    may_log_in(cast.lin)
    answer = log_in(name, password)
    if password:
        assert problem(answer, 401) == "wrong"
        assert answer.json()["detail"] == "Name and password do not belong together."
    else:
        assert problem(answer, 400) == "invalid"
    assert ApiToken.objects.count() == 0


def test_tries_here_and_on_the_page_are_counted_together(cast: Cast, settings: Any):
    may_log_in(cast.lin)
    for _turn in range(settings.AXES_FAILURE_LIMIT - 1):
        Program().client.post(reverse("account_login"), {"login": "lin", "password": "wrong"})
    answers = [log_in("lin", "wrong wrong"), log_in("lin")]
    assert [problem(answer, 429) for answer in answers] == ["too_many_tries"] * 2
    assert int(answers[1].headers["Retry-After"]) > 0


def test_a_closed_account_gets_no_token(cast: Cast):
    accounts.lock(account=may_log_in(cast.lin), by=cast.account_admin, reason="left")
    assert problem(log_in("lin"), 401) == "wrong"


def test_a_password_that_was_handed_over_opens_nothing(cast: Cast):
    accounts.set_password(account=cast.lin, password=PASSWORD, by=cast.account_admin)
    assert problem(log_in("lin"), 403) == "password_to_change"


# -- the second factor -----------------------------------------------------------------------
def test_a_second_factor_is_asked_for_where_there_is_one(cast: Cast):
    shi = may_log_in(cast.shi, factor=True)
    assert problem(log_in(shi.username), 401) == "second_factor"
    assert problem(log_in(shi.username, code="000000"), 401) == "wrong_code"
    code = code_now()
    token = log_in(shi.username, code=code).json()["token"]
    assert opens(token)
    assert problem(log_in(shi.username, code=code), 401) == "wrong_code"  # used once


def test_a_role_that_needs_a_second_factor_gets_no_token_without_one(cast: Cast):
    assert problem(log_in(may_log_in(cast.shi).username), 403) == "second_factor_missing"


def test_codes_are_not_guessed(cast: Cast):
    shi = may_log_in(cast.shi, factor=True)
    cache.clear()
    answers = [log_in(shi.username, code=f"{number:06d}") for number in range(8)]
    assert problem(answers[-1], 429) == "too_many_tries"


def test_a_token_without_the_factor_is_closed_by_the_role_that_begins_to_need_one(cast: Cast):
    token = token_of(cast.qiao, has_factor=False)
    assert opens(token)
    give_role(cast.qiao, Role.COUNTY_CHECKER, cast.tree.county)
    assert not opens(token)


# -- what ends it ------------------------------------------------------------------------------
def new_password(account: Account, cast: Cast) -> None:
    accounts.set_password(account=account, password="eleven blue lanterns", by=cast.account_admin)


def own_password(account: Account, cast: Cast) -> None:
    accounts.choose_password(account=account, password="eleven blue lanterns")


def everywhere(account: Account, cast: Cast) -> None:
    sessions.end_all(account=account, by=cast.account_admin, reason="phone stolen")


def close_and_open_again(account: Account, cast: Cast) -> None:
    accounts.lock(account=account, by=cast.account_admin, reason="left")
    accounts.unlock(account=account, by=cast.account_admin, reason="came back")


def end_a_role(account: Account, cast: Cast) -> None:
    roles.end(
        assignment=account.roles.get(),
        by=cast.security_admin,
        today=timezone.localdate(),
        reason="left",
    )


def its_own_end(account: Account, cast: Cast) -> None:
    past = timezone.now() - timedelta(days=40)
    ApiToken.objects.update(created_at=past - timedelta(days=1), expires_at=past)


def a_night_without_work(account: Account, cast: Cast) -> None:
    ApiToken.objects.update(used_at=timezone.now() - timedelta(hours=1))


ENDS = [
    new_password, own_password, everywhere, close_and_open_again, end_a_role, its_own_end,
    a_night_without_work,
]  # fmt: skip


@pytest.mark.parametrize("act", ENDS, ids=lambda act: act.__name__)
def test_a_token_ends_with(cast: Cast, act: Any):
    token = token_of(cast.qiao)
    assert opens(token)
    act(Account.objects.get(pk=cast.qiao.pk), cast)
    assert problem(Program(token=token).get(ME), 401) == "not_logged_in"
    assert tokens.open_tokens(Account.objects.get(pk=cast.qiao.pk), now=timezone.now()) == []


def test_a_till_may_be_closed_over_the_weekend(cast: Cast):
    token = token_of(cast.till)
    ApiToken.objects.update(used_at=timezone.now() - timedelta(days=3))
    assert opens(token)


def test_a_program_logs_itself_out(cast: Cast):
    one, other = token_of(cast.lin), token_of(cast.lin)
    assert Program(token=one).delete("/tokens/current").status_code == 204
    assert (opens(one), opens(other)) == (False, True)


def test_the_page_of_devices_lists_programs_and_ends_one_or_all(cast: Cast):
    page = reverse("usersessions_list")
    one, other = token_of(cast.lin, label="Old phone"), token_of(cast.lin, label="New phone")
    client = browser(cast.lin)
    shown = client.get(page)
    assert b"Old phone" in shown.content and b"New phone" in shown.content
    old = ApiToken.objects.get(label="Old phone")
    browser(cast.qiao).post(page, {"program": str(old.pk)})
    assert opens(one), "ended by somebody else"
    client.post(page, {"program": str(old.pk)})
    assert (opens(one), opens(other)) == (False, True)
    client.post(page, {})
    assert not opens(other)


def test_what_has_run_out_is_forgotten(cast: Cast):
    token_of(cast.lin)
    token_of(cast.till)
    past = timezone.now() - timedelta(days=1)
    ApiToken.objects.filter(account=cast.lin).update(
        created_at=past - timedelta(days=9), expires_at=past
    )
    assert tokens.sweep(now=timezone.now()) == 1


# -- what is no token ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "head",
    ["Bearer", "Bearer x", "Bearer upt_", "Basic bGluOng=", "Bearer upt_a b", "\u4f60",
     "bearer ' OR 1=1"],
)  # fmt: skip
def test_what_is_no_token_opens_nothing(cast: Cast, head: str):
    program = Program(Authorization=head.encode().decode("latin-1"))
    answer = program.get(ME)
    assert problem(answer, 401) == "not_logged_in"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_session_of_a_browser_opens_nothing_here(cast: Cast):
    client = browser(cast.officer)
    assert client.get(HERE + ME).status_code == 401
    assert client.get(reverse("portal:security")).status_code == 200


def test_a_browser_s_cookies_are_not_even_read_here(cast: Cast, settings: Any):
    """Or a session that idled would be led to the log-in page, and one in use would be kept up."""
    client = browser(cast.officer)
    settings.IDLE_SECONDS = -1
    answer = client.get(HERE + "/offers")
    assert answer.status_code == 200
    assert not answer.cookies


def test_a_token_opens_no_page(cast: Cast):
    heads = {"Authorization": f"Bearer {token_of(cast.lin)}"}
    assert Program().client.get(reverse("members:me"), headers=heads).status_code == 302


def test_no_token_is_written_into_the_log(cast: Cast, caplog: pytest.LogCaptureFixture):
    with caplog.at_level("DEBUG"):
        text = log_in(may_log_in(cast.lin).username).json()["token"]
        Program(token=text).get(ME)
    assert text not in caplog.text and PASSWORD not in caplog.text
