"""Both sets of password rules: what each takes, what each refuses, and how long one serves."""

from datetime import timedelta
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.cast import Cast
from tests.web.log_in import PASSWORD, a_browser, is_in, logged_in, may_log_in
from union_portal import accounts, passwords
from union_portal.models import Account

pytestmark = pytest.mark.django_db
SENTENCE = "seventeen grey camels"
THREE_KINDS = "Seventeen grey 17"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def dengbao(settings: Any) -> None:
    settings.PASSWORD_RULES = "dengbao"


def refusal(password: str, account: Account | None = None) -> str:
    """What is wrong with a password; nothing if it is taken."""
    try:
        validate_password(password, account)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


# -- ASVS ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "password",
    [
        SENTENCE,
        "seventeengreycamels",
        "骆驼十七只走过榆阳古城墙根下",
        "correct horse battery staple " * 3,
        " spaces are kept ",
        "x7Kd-9fwa-h2mX",
    ],
)
def test_length_is_enough_whatever_it_is_made_of(password: str):
    assert refusal(password) == ""


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("eleven char", "At least 12"),
        ("x" * 64 + "y" * 65, "At most 128"),
        ("password1234567", "Many people"),
        ("ＰＡＳＳＷＯＲＤ1234567", "Many people"),
        ("iloveyou!2026", "Many people"),
        ("abcabcabcabcabc", "repeats itself"),
        ("111111111111111", "Many people"),
        ("7a7a7a7a7a7a7a7a", "repeats itself"),
        ("qwertyuiopqwerty", "runs along"),
        ("9876543210987", "runs along"),
        ("yulin-gonghui-2026", "everybody here knows"),
        ("UnionPortal2026!", "everybody here knows"),
    ],
)
def test_what_is_guessed_first_is_refused_under_either_set(password: str, why: str, settings: Any):
    assert why in refusal(password)
    settings.PASSWORD_RULES = "dengbao"
    assert why in refusal(password)


def test_a_name_of_ones_own_is_no_password(cast: Cast):
    cast.qiao.username, cast.qiao.name = "qiaomei", "乔梅"
    assert refusal("qiaomei-qiaomei-26", cast.qiao)
    assert refusal("qiaomei, seventeen grey camels", cast.qiao) == ""


def test_sixty_four_characters_and_more_are_taken_whole(cast: Cast):
    long = "seventeen grey camels cross the old wall " * 3
    accounts.choose_password(account=cast.lin, password=long[:120])
    assert cast.lin.check_password(long[:120])
    assert not cast.lin.check_password(long[:119])


def test_a_leaked_password_is_found_in_a_list_of_any_size(tmp_path: Path, settings: Any):
    leaked = [f"leaked password no {number}" for number in range(500)]
    hashes = sorted(sha1(one.encode(), usedforsecurity=False).hexdigest() for one in leaked)
    listed = tmp_path / "leaked.txt"
    listed.write_text("".join(f"{one.upper()}:{len(one)}\r\n" for one in hashes))
    settings.BREACHED_PASSWORDS = str(listed)
    assert all(passwords.is_listed(listed, one) for one in leaked)
    assert not any(passwords.is_listed(listed, f"{one}!") for one in leaked)
    assert "from a leak" in refusal(leaked[0])
    assert refusal(SENTENCE) == ""


def test_nothing_is_changed_without_a_cause_and_no_history_is_kept(cast: Cast):
    cast.lin.password_set_at = timezone.now() - timedelta(days=4000)
    accounts.choose_password(account=cast.lin, password=SENTENCE)
    accounts.choose_password(account=cast.lin, password="another old sentence")
    assert not passwords.must_change(cast.lin, now=timezone.now() + timedelta(days=4000))
    assert not cast.lin.past_passwords.exists()


def test_pasting_and_password_stores_are_let_in():
    page = Client().get(reverse("account_login")).content.decode()
    assert 'autocomplete="current-password"' in page
    assert "onpaste" not in page and 'autocomplete="off"' not in page


# -- 等保 ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        (SENTENCE, False),
        ("seventeengreycamels", False),
        ("Seventeengreycamels", False),
        (THREE_KINDS, True),
        ("seventeen grey 17", True),
        ("Kd3p9fwah2mX77", True),
    ],
)
def test_dengbao_asks_for_three_kinds(dengbao: None, password: str, is_taken: bool):
    assert (refusal(password) == "") is is_taken


def test_dengbao_leads_to_a_new_password_every_quarter(dengbao: None, cast: Cast):
    may_log_in(cast.lin)
    client = logged_in(cast.lin)
    Account.objects.filter(pk=cast.lin.pk).update(
        password_set_at=timezone.now() - passwords.DAYS - timedelta(hours=1)
    )
    change = reverse("account_change_password")
    assert client.get("/me/").url == change
    assert "older than 90 days" in client.get(change).content.decode()
    form = {"oldpassword": PASSWORD, "password1": THREE_KINDS, "password2": THREE_KINDS}
    assert client.post(change, form).status_code == 302
    assert is_in(client)


def test_dengbao_serves_ninety_days_and_spares_who_has_no_password(dengbao: None, cast: Cast):
    may_log_in(cast.lin)
    assert not passwords.must_change(cast.lin, now=cast.lin.password_set_at + passwords.DAYS)
    assert not passwords.must_change(cast.qiao, now=timezone.now() + timedelta(days=900))


def test_dengbao_takes_none_of_the_last_five_again(dengbao: None, cast: Cast):
    used = [f"Sentence of month {number}" for number in range(7)]
    for one in used:
        accounts.choose_password(account=cast.lin, password=one)
    assert ["lately" in refusal(one, cast.lin) for one in used] == [False] + [True] * 6
    assert cast.lin.past_passwords.count() == passwords.REMEMBERED


def test_the_page_tells_the_rules_in_force(cast: Cast, settings: Any):
    client = logged_in(may_log_in(cast.lin))
    page = client.get(reverse("account_change_password")).content.decode()
    assert "At least 12 characters" in page and "capitals" not in page
    settings.PASSWORD_RULES = "dengbao"
    assert "capitals" in client.get(reverse("account_change_password")).content.decode()


@pytest.mark.parametrize(
    ("name", "value"), [("PASSWORD_RULES", "none"), ("BREACHED_PASSWORDS", "/nowhere/list.txt")]
)
def test_a_setting_that_would_pass_for_no_rules_stops_the_start(
    settings: Any, name: str, value: str
):
    assert not [one for one in run_checks(tags=["security"]) if "PASSWORD" in str(one.id)]
    setattr(settings, name, value)
    assert [one for one in run_checks(tags=["security"]) if name in str(one.id)]


# -- first passwords -----------------------------------------------------------------------
def test_a_first_password_that_nobody_took_up_opens_nothing(cast: Cast, settings: Any):
    first = "kd3p-9fwa-h2mx-77qe"
    accounts.set_password(account=cast.lin, password=first, by=cast.account_admin)
    form = {"login": "lin", "password": first}
    late = timezone.now() - timedelta(hours=settings.FIRST_PASSWORD_HOURS, minutes=1)
    Account.objects.filter(pk=cast.lin.pk).update(password_set_at=late)
    assert a_browser().post(reverse("account_login"), form).status_code == 200
    Account.objects.filter(pk=cast.lin.pk).update(password_set_at=late + timedelta(minutes=5))
    assert a_browser().post(reverse("account_login"), form).status_code == 302
