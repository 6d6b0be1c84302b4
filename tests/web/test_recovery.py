"""Getting in again without a password or a factor; and nobody learns who has an account."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members.actions import first_login
from members.models import Person
from tests.cast import NOW, Cast, make_person
from tests.web import counting
from tests.web.awards_play import browser
from tests.web.log_in import PASSWORD, a_browser, code_now, is_in, logged_in, may_log_in
from tests.web.test_sensitive_acts import confirmed
from union_portal import accounts, factors
from union_portal.admin import desk
from union_portal.kit import fictional
from union_portal.models import Account, AuditEntry, FactorReset
from union_portal.states import FactorResetState

pytestmark = pytest.mark.django_db
WRONG = "wrong wrong wrong"
PASSING = re.compile(r'value="[^"]*"|nonce="[^"]*"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')


@pytest.fixture(autouse=True)
def _counted_hashes(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = ["tests.web.counting.CountingHasher"]
    monkeypatch.setattr(first_login, "_ring", lambda: None)


# -- who has an account --------------------------------------------------------------------
def known(cast: Cast) -> str:
    return may_log_in(cast.qiao).username


def other_letters(cast: Cast) -> str:
    return may_log_in(cast.qiao).username.upper()


def with_a_factor(cast: Cast) -> str:
    return may_log_in(cast.feng, factor=True).username


def member(cast: Cast) -> str:
    return may_log_in(cast.lin).username


def closed(cast: Cast) -> str:
    accounts.lock(account=may_log_in(cast.shi), by=cast.account_admin, reason="left")
    return cast.shi.username


def without_a_password(cast: Cast) -> str:
    cast.gao.set_unusable_password()
    cast.gao.save()
    return cast.gao.username


def first_password_too_old(cast: Cast) -> str:
    accounts.set_password(account=cast.wei, password=PASSWORD, by=cast.account_admin)
    long_ago = timezone.now() - timedelta(days=30)
    Account.objects.filter(pk=cast.wei.pk).update(password_set_at=long_ago)
    return cast.wei.username


KINDS = [
    known, other_letters, with_a_factor, member, closed, without_a_password,
    first_password_too_old,
]  # fmt: skip


def seen(answer: Any) -> tuple[int, str, int]:
    """An answer without what was typed and what differs in every form; hashes made."""
    return answer.status_code, PASSING.sub("", answer.content.decode()), len(counting.hashed)


def tried(name: str, password: str = WRONG, *, address: str = "10.0.0.1") -> tuple[int, str, int]:
    client = a_browser()
    counting.hashed.clear()
    answer = client.post(
        reverse("account_login"), {"login": name, "password": password}, REMOTE_ADDR=address
    )
    return seen(answer)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_log_in_answers_and_works_the_same_whoever_is_named(
    cast: Cast, kind: Callable[[Cast], str]
):
    name = kind(cast)
    status, _text, hashes = tried("nobody-of-that-name")
    assert (status, hashes) == (200, 2)
    assert tried(name) == tried("nobody-of-that-name")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_lock_out_answers_and_works_the_same_whoever_is_named(
    cast: Cast, kind: Callable[[Cast], str]
):
    name, nobody = kind(cast), "nobody-of-that-name"
    ours = [tried(name) for _try in range(8)]
    theirs = [tried(nobody, address="10.0.0.2") for _try in range(8)]
    assert ours == theirs
    assert ours[-1][2] == 0, "whoever is locked out costs no hash"


def test_a_first_password_too_old_is_a_wrong_one(cast: Cast):
    assert tried(first_password_too_old(cast), PASSWORD)[:2] == tried("nobody", WRONG)[:2]


def a_member(cast: Cast) -> Person:
    return make_person(cast.tree.union)


def a_member_with_an_account(cast: Cast) -> Person:
    return cast.lin_person


def of_staff(cast: Cast) -> Person:
    return make_person(cast.tree.union, account=cast.qiao)


def closed_account(cast: Cast) -> Person:
    accounts.lock(account=cast.lin, by=cast.account_admin, reason="so")
    return cast.lin_person


def no_phone(cast: Cast) -> Person:
    return make_person(cast.tree.union, phone=False)


def dead(cast: Cast) -> Person:
    return make_person(cast.tree.union, died_on=NOW.date())


def counted(client: Client, url: str, typed: dict[str, str]) -> tuple[Any, int]:
    """The answer to a form, and how many statements it took."""
    with CaptureQueriesContext(connection) as statements:
        answer = client.post(url, typed)
        work = len(connection.queries_log) - statements.initial_queries
    return answer, work


def asked_for_a_code(person: Person, *, national_id: str = "") -> tuple[Any, ...]:
    """What both steps of the first log-in answer, and the work behind them."""
    client = a_browser()
    typed = {"name": person.name, "national_id": national_id or str(person.national_id)}
    counting.hashed.clear()
    first, asking = counted(client, "/first-login/", typed)
    page = PASSING.sub("", client.get("/first-login/code/").content.decode())
    form = {"code": "000000", "password": PASSWORD, "again": PASSWORD}
    second, checking = counted(client, "/first-login/code/", form)
    told = PASSING.sub("", second.content.decode())
    assert asking > 5
    work = (asking, checking, len(counting.hashed))
    return first.status_code, first.url, page, second.status_code, told, work


@pytest.mark.parametrize(
    "kind",
    [a_member, a_member_with_an_account, of_staff, closed_account, no_phone, dead],
    ids=lambda kind: kind.__name__,
)
def test_the_code_to_the_phone_answers_and_works_the_same_whoever_asks(
    cast: Cast, kind: Callable[[Cast], Person]
):
    person = kind(cast)
    nobodys = fictional.make_national_id(Random(7), date(1960, 5, 5), "male", "610802")
    stranger = asked_for_a_code(person, national_id=nobodys)
    assert asked_for_a_code(person) == stranger


# -- a lost second factor ---------------------------------------------------------------------
@pytest.fixture
def feng(cast: Cast) -> Account:
    return may_log_in(cast.feng, factor=True)


def asked(cast: Cast) -> FactorReset:
    return factors.ask_reset(account=cast.feng, by=cast.account_admin, reason="phone lost")


def test_two_people_take_a_lost_factor_off_and_its_owner_is_told(feng: Account, cast: Cast):
    RecoveryCodes.activate(feng)
    before = logged_in(feng)
    reset = asked(cast)
    assert factors.has_second_factor(feng), "asking takes nothing off"
    factors.carry_out(reset=reset, by=cast.security_admin, now=timezone.now())
    assert not Authenticator.objects.filter(user=feng).exists()
    assert not is_in(before)
    client = a_browser()
    form = {"login": feng.username, "password": PASSWORD}
    assert client.post(reverse("account_login"), form).status_code == 302
    page = client.get(reverse("portal:security")).content.decode()
    assert "Hao took off your second factor" in page
    assert "call the security administrator" in page
    assert client.get("/admin/").url == reverse("portal:security")
    acts = AuditEntry.objects.filter(subject_id=str(feng.pk)).order_by("id")
    assert [one.action for one in acts if "factor" in one.action] == [
        "account.factor_reset_asked",
        "account.factor_reset",
    ]


def test_whoever_asks_does_not_carry_out_nor_anybody_for_themselves(feng: Account, cast: Cast):
    reset = asked(cast)
    for by in (cast.account_admin, feng, cast.gao):
        with pytest.raises(PermissionDenied):
            factors.carry_out(reset=reset, by=by, now=timezone.now())
    assert factors.has_second_factor(feng)


def test_a_reset_that_was_refused_or_is_too_old_takes_nothing_off(feng: Account, cast: Cast):
    reset, now = asked(cast), timezone.now()
    with pytest.raises(factors.ResetRefused, match="too long ago"):
        factors.carry_out(reset=reset, by=cast.security_admin, now=now + timedelta(days=8))
    factors.refuse(reset=reset, by=cast.security_admin, reason="not seen", now=now)
    with pytest.raises(factors.lifecycle.Stale):
        factors.carry_out(reset=reset, by=cast.security_admin, now=now)
    assert factors.has_second_factor(feng)


def test_a_reset_is_asked_for_once_and_only_where_there_is_a_factor(feng: Account, cast: Cast):
    asked(cast)
    with pytest.raises(factors.ResetRefused, match="asked for already"):
        asked(cast)
    with pytest.raises(factors.ResetRefused, match="no second factor"):
        factors.ask_reset(account=cast.qiao, by=cast.account_admin, reason="lost")


def test_the_reset_goes_over_two_desks(feng: Account, cast: Cast):
    asking = reverse("admin:union_portal_account_do", args=[feng.pk, "factor"])
    page = browser(cast.account_admin)
    form = {"seen": page.get(asking).context["seen"], "reason": "phone lost"}
    assert page.post(asking, form).status_code == 302
    reset = FactorReset.objects.get()
    waits = {str(row["title"]): row for row in desk.waiting(cast.security_admin)}
    assert waits["Second factors to take off"]["count"] == 1
    acting = reverse("admin:union_portal_factorreset_do", args=[reset.pk, "carry-out"])
    assert page.get(acting).status_code == 403
    other = browser(cast.security_admin)
    other.post(acting, {"seen": other.get(acting).context["seen"]})
    reset.refresh_from_db()
    assert (reset.state, reset.decided_by) == (FactorResetState.DONE, cast.security_admin)


# -- codes and keys -----------------------------------------------------------------------------
def at_the_second_step(account: Account) -> Client:
    client = a_browser()
    form = {"login": account.username, "password": PASSWORD}
    assert client.post(reverse("account_login"), form).url == reverse("mfa_authenticate")
    return client


def test_a_code_of_the_app_opens_once(feng: Account):
    first, second = at_the_second_step(feng), at_the_second_step(feng)
    code = code_now()
    first.post(reverse("mfa_authenticate"), {"code": code})
    second.post(reverse("mfa_authenticate"), {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_recovery_code_opens_once(feng: Account):
    code, other, *_more = RecoveryCodes.activate(feng).get_unused_codes()
    for given, opens in ((code, True), (code, False), (other, True)):
        client = at_the_second_step(feng)
        client.post(reverse("mfa_authenticate"), {"code": given})
        assert is_in(client) is opens
        cache.clear()


def test_the_last_factor_stays_while_a_role_needs_it(feng: Account, cast: Cast):
    client = confirmed(browser(feng), seconds_ago=1)
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer.status_code == 200 and factors.has_second_factor(feng)
    key = Authenticator.objects.create(
        user=feng, type=Authenticator.Type.WEBAUTHN, data={"name": "key", "credential": {}}
    )
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    client = confirmed(browser(Account.objects.get(pk=feng.pk)), seconds_ago=1)
    Authenticator.objects.filter(user=feng, type=Authenticator.Type.TOTP).delete()
    answer = client.post(reverse("mfa_remove_webauthn", args=[key.pk]))
    assert answer.url == reverse("mfa_list_webauthn")
    assert "Your roles need a second factor" in client.get(answer.url).content.decode()
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_whoever_holds_no_such_role_may_remove_the_last_factor(cast: Cast):
    may_log_in(cast.lin, factor=True)
    client = confirmed(browser(cast.lin), seconds_ago=1)
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert not factors.has_second_factor(cast.lin)


def test_a_new_account_of_staff_begins_with_a_password_of_one_use(cast: Cast):
    """The page shows it once; its owner must choose another before anything opens."""
    page = browser(cast.account_admin)
    making = reverse("admin:union_portal_account_list_do", args=["new"])
    answer = page.post(making, {"username": "newcomer", "name": "新人"})
    told = str(answer.context["told"].value)
    assert "72 hours" in str(answer.context["told"].sentence)
    client = a_browser()
    client.post(reverse("account_login"), {"login": "newcomer", "password": told})
    assert client.get("/").url == reverse("account_change_password")
