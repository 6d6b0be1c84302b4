"""Somebody tries the doors: guessing, lying about where they are, locking others out."""

from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp_auth
from axes.models import AccessAttempt, AccessFailureLog
from django.test import Client, RequestFactory
from django.urls import reverse

from tests.cast import Cast
from tests.web.awards_play import browser
from union_portal import tries
from union_portal.models import Account, AuditEntry
from union_portal.views.reauthentication import WRONG_ANSWERS

pytestmark = pytest.mark.django_db
PASSWORD, WRONG = "seventeen grey camels", "wrong wrong wrong"
FACTORY, ELSEWHERE = "10.0.0.1", "10.9.9.9"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Guessing takes time by design; here it is counted, not timed."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def feng(cast: Cast) -> Account:
    cast.feng.set_password(PASSWORD)
    cast.feng.save()
    return cast.feng


def attempt(name: str, password: str, *, address: str = FACTORY, **headers: str):
    form = {"login": name, "password": password}
    client = Client()
    client.cookies["django_language"] = "en"
    answer = client.post(
        reverse("account_login"), form, REMOTE_ADDR=address, headers=headers or None
    )
    answer.is_in = "_auth_user_id" in client.session
    return answer


def guess(name: str, times: int, **where: str) -> None:
    for _try in range(times):
        assert not attempt(name, WRONG, **where).is_in


# -- lock-out ----------------------------------------------------------------------------
def test_guessing_closes_the_door_for_this_name_from_this_address(feng: Account):
    guess("feng", 6)
    assert not attempt("feng", PASSWORD).is_in


@pytest.mark.parametrize("spelling", ["FENG", "Feng", " feng ", "ｆeng"])
def test_another_spelling_is_the_same_door(feng: Account, spelling: str):
    guess(spelling, 6)
    assert not attempt("feng", PASSWORD).is_in


def test_a_stranger_elsewhere_locks_nobody_out(feng: Account):
    guess("feng", 12, address=ELSEWHERE)
    assert attempt("feng", PASSWORD).is_in


def test_thirty_colleagues_with_wrong_passwords_lock_no_factory_out(feng: Account):
    for number in range(30):
        guess(f"m{number:08d}", 1)
    assert attempt("feng", PASSWORD).is_in


def test_whoever_guesses_many_names_is_slowed_down(feng: Account):
    for number in range(60):
        guess(f"m{number:08d}", 1, address=ELSEWHERE)
    assert not attempt("feng", PASSWORD, address=ELSEWHERE).is_in
    assert attempt("feng", PASSWORD).is_in


def test_a_persons_number_typed_as_a_name_is_counted_and_kept_nowhere(cast: Cast):
    number = str(cast.lin_person.national_id)
    guess(number.lower(), 6)
    tried = AccessAttempt.objects.get()
    assert tried.failures_since_start == 6
    kept = [tried, *AccessFailureLog.objects.all()]
    assert len(kept) == 7
    assert number.lower() not in str([vars(row) for row in kept]).lower()


# -- lies about the address ----------------------------------------------------------------
def address(forwarded: str, peer: str = FACTORY) -> str:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return tries.address_of(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "1.2.3.4", FACTORY),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 5.5.5.5", "1.2.3.4"),
        (2, "1.2.3.4", FACTORY),
        (1, "'; DROP TABLE", FACTORY),
        (1, "", FACTORY),
    ],
)
def test_the_address_is_what_the_last_trusted_proxy_saw(
    settings: Any, proxies: int, forwarded: str, seen: str
):
    settings.PROXY_COUNT = proxies
    assert address(forwarded) == seen


def test_a_forged_address_opens_no_new_tries(feng: Account):
    for number in range(6):
        guess("feng", 1, **{"X-Forwarded-For": f"6.6.6.{number}"})
    assert not attempt("feng", PASSWORD).is_in


# -- a fresh log-in --------------------------------------------------------------------------
def unmask_url(cast: Cast) -> str:
    return reverse("admin:members_person_do", args=[cast.lin_person.pk, "unmask"])


def test_a_post_with_an_old_log_in_does_nothing(cast: Cast):
    client = browser(cast.officer, fresh=False)
    answer = client.post(unmask_url(cast), {"field": "phone", "reason": "to ask back"})
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert not AuditEntry.objects.filter(action="person.unmask").exists()


def at_the_door(cast: Cast) -> Client:
    """The officer's browser with a log-in that is no longer fresh."""
    cast.officer.set_password(PASSWORD)
    cast.officer.save()
    return browser(cast.officer, fresh=False)


def answer(client: Client, door: str, given: str) -> Any:
    field = {"account_reauthenticate": "password", "mfa_reauthenticate": "code"}[door]
    return client.post(reverse(door), {field: given})


@pytest.mark.parametrize("door", ["account_reauthenticate", "mfa_reauthenticate"])
def test_a_few_wrong_answers_end_the_session_and_are_written_down(
    cast: Cast, door: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(totp_auth.TOTP, "validate_code", lambda *_: False)
    client = at_the_door(cast)
    for _try in range(WRONG_ANSWERS - 1):
        assert answer(client, door, "000000").status_code == 200
    last = answer(client, door, "000000")
    assert last.url == reverse("account_login")
    assert "Too many wrong answers" in client.get(last.url).content.decode()
    assert client.get(reverse("admin:index")).status_code == 302
    assert "_auth_user_id" not in client.session
    entry = AuditEntry.objects.get(action="account.session_ended")
    assert entry.actor_id == cast.officer.pk


def test_wrong_passwords_and_wrong_codes_count_together(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(totp_auth.TOTP, "validate_code", lambda *_: False)
    client = at_the_door(cast)
    for door in ("account_reauthenticate", "mfa_reauthenticate") * 2:
        assert answer(client, door, "000000").status_code == 200
    assert answer(client, "account_reauthenticate", WRONG).url == reverse("account_login")


def test_a_right_answer_clears_the_count(cast: Cast):
    client = at_the_door(cast)
    for _try in range(WRONG_ANSWERS - 1):
        answer(client, "account_reauthenticate", WRONG)
    assert answer(client, "account_reauthenticate", PASSWORD).status_code == 302
    assert answer(client, "account_reauthenticate", WRONG).status_code == 200
    assert client.get(unmask_url(cast)).status_code == 200


def test_guessing_is_slowed_down_whatever_the_session_counts(cast: Cast):
    client = at_the_door(cast)
    for _try in range(10):
        answer(client, "account_reauthenticate", WRONG)
        client.force_login(cast.officer, backend="union_portal.backends.RoleBackend")
    tired = answer(client, "account_reauthenticate", PASSWORD)
    assert tired.status_code == 429
    assert "Too many requests" in tired.content.decode()


# -- lists as oracles --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("union_portal_account", "password__startswith=scrypt"),
        ("union_portal_account", "password__regex=^s"),
        ("union_portal_roleassignment", "account__password__startswith=s"),
    ],
)
def test_no_list_tells_a_password_letter_by_letter(cast: Cast, page: str, asked: str):
    answer = browser(cast.security_admin).get(reverse(f"admin:{page}_changelist") + "?" + asked)
    assert answer.status_code == 400


@pytest.mark.parametrize("asked", ["national_id_index__startswith=a", "phone__isnull=False"])
def test_no_list_tells_a_sealed_number(cast: Cast, asked: str):
    answer = browser(cast.officer).get(reverse("admin:members_person_changelist") + "?" + asked)
    assert answer.status_code == 400
