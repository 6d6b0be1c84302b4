"""A member's first log-in: a code to the registered phone, and no hint to a stranger."""

import re
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from members.actions import first_login
from members.actions.first_login import TooManyQuestions, WrongCode
from members.models import LoginCode, Person
from tests.cast import NOW, Cast, give_role, make_account, make_person, make_tree
from union_portal import notifications
from union_portal.access import Role
from union_portal.models import Account, Message

pytestmark = pytest.mark.django_db
PASSWORD = "seventeen grey camels"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(first_login, "_ring", lambda: None)


def ask(person: Person, *, address: str = "10.0.0.9", **more):
    values = {"name": person.name, "national_id": str(person.national_id), "now": NOW}
    return first_login.ask_code(**{**values, "address": address, **more})


def code_sent() -> str:
    text = notifications.text_of(Message.objects.latest("id"))
    return re.search(r"\d{6}", text)[0]


def test_a_member_gets_an_account_by_name_number_and_code(cast: Cast):
    person = make_person(cast.tree.union)
    asked = ask(person)
    account = first_login.complete(
        token=asked.token, code=code_sent(), password=PASSWORD, now=NOW, username="camel"
    )
    person.refresh_from_db()
    assert person.account == account
    assert (account.username, account.is_staff) == ("camel", False)
    assert account.check_password(PASSWORD)


def test_the_code_goes_to_the_registered_phone(cast: Cast):
    person = make_person(cast.tree.union)
    ask(person)
    message = Message.objects.get()
    assert (message.address, message.recipient) == (person.phone, person.pk)
    assert re.search(r"(?<!\d)\d{6}(?!\d)", notifications.text_of(message))


def test_a_code_is_kept_only_as_a_keyed_hash(cast: Cast):
    ask(make_person(cast.tree.union))
    assert code_sent() not in LoginCode.objects.get().code_hash


def test_a_forgotten_password_is_set_anew_by_the_same_door(cast: Cast):
    asked = ask(cast.lin_person)
    account = first_login.complete(token=asked.token, code=code_sent(), password=PASSWORD, now=NOW)
    assert account == cast.lin
    assert account.check_password(PASSWORD)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda cast: make_person(cast.tree.union, phone=False), id="no phone"),
        pytest.param(
            lambda cast: make_person(cast.tree.union, died_on="2026-01-01"), id="has died"
        ),
        pytest.param(
            lambda cast: make_person(cast.tree.union, account=cast.qiao), id="staff account"
        ),
    ],
)
def test_who_may_not_use_this_door_is_answered_as_everybody_and_gets_nothing(cast, make):
    asked = ask(make(cast))
    assert asked.minutes == 10
    assert not Message.objects.exists()
    with pytest.raises(WrongCode):
        first_login.check_code(token=asked.token, code="000000", now=NOW)


def test_an_account_with_a_role_is_out_of_reach(cast: Cast):
    account = make_account("clerk")
    give_role(account, Role.AUDITOR, cast.tree.city)
    ask(make_person(cast.tree.union, account=account))
    assert not Message.objects.exists()


def test_a_wrong_name_or_number_is_answered_as_a_right_one(cast: Cast):
    person = make_person(cast.tree.union)
    number = str(make_person(cast.tree.union).national_id)
    for wrong in ({"name": "王另名"}, {"national_id": number}, {"national_id": "x"}, {"name": "1"}):
        asked = ask(person, **wrong)
        assert LoginCode.objects.get(pk=asked.token).person is None
    assert not Message.objects.exists()


def test_the_refusal_of_a_code_is_the_same_for_every_cause(cast: Cast):
    person = make_person(cast.tree.union)
    real, unreal = ask(person), ask(person, name="王另名")
    right = code_sent()
    other = ask(make_person(cast.tree.union))
    wrong = "000000" if right != "000000" else "111111"
    told = set()
    for token, code, now in [
        (real.token, wrong, NOW),
        (other.token, right, NOW),
        (real.token, right, NOW + timedelta(minutes=10)),
        (unreal.token, right, NOW),
        (uuid4(), right, NOW),
    ]:
        with pytest.raises(WrongCode) as refusal:
            first_login.check_code(token=token, code=code, now=now)
        told.add(str(refusal.value))
    assert len(told) == 1


def test_after_five_tries_the_right_code_is_wrong_too(cast: Cast):
    asked = ask(make_person(cast.tree.union))
    right = code_sent()
    wrong = "000000" if right != "000000" else "111111"
    for _try in range(5):
        with pytest.raises(WrongCode):
            first_login.check_code(token=asked.token, code=wrong, now=NOW)
    with pytest.raises(WrongCode):
        first_login.check_code(token=asked.token, code=right, now=NOW)


def test_a_code_is_used_once(cast: Cast):
    asked, code = ask(make_person(cast.tree.union)), code_sent()
    first_login.complete(token=asked.token, code=code, password=PASSWORD, now=NOW)
    with pytest.raises(WrongCode):
        first_login.complete(token=asked.token, code=code, password="another " * 3, now=NOW)


def test_a_weak_password_is_refused_and_costs_no_try(cast: Cast):
    asked, code = ask(make_person(cast.tree.union)), code_sent()
    with pytest.raises(ValidationError):
        first_login.complete(token=asked.token, code=code, password="12345", now=NOW)
    assert LoginCode.objects.get().tries == 0
    assert first_login.complete(token=asked.token, code=code, password=PASSWORD, now=NOW)


def test_a_taken_log_in_name_is_refused(cast: Cast):
    asked, code = ask(make_person(cast.tree.union)), code_sent()
    with pytest.raises(first_login.PeopleRefused, match="taken"):
        first_login.complete(
            token=asked.token, code=code, password=PASSWORD, now=NOW, username="QIAO"
        )


def test_codes_for_one_number_are_counted_whether_it_exists_or_not(cast: Cast):
    for number in (str(make_person(cast.tree.union).national_id), "nobody"):
        for turn in range(3):
            ask(cast.lin_person, national_id=number, address=f"10.0.1.{turn}")
        with pytest.raises(TooManyQuestions):
            ask(cast.lin_person, national_id=number, address="10.0.1.9")
        ask(
            cast.lin_person,
            national_id=number,
            address="10.0.1.9",
            now=NOW + timedelta(hours=1, seconds=1),
        )


def test_codes_asked_from_one_address_are_counted(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(first_login, "PER_ADDRESS_AN_HOUR", 20)
    for turn in range(20):
        ask(cast.lin_person, national_id=f"number {turn}")
    with pytest.raises(TooManyQuestions):
        ask(cast.lin_person)


def test_an_account_that_got_a_role_after_the_code_was_sent_keeps_its_password(cast: Cast):
    asked = ask(cast.lin_person)
    give_role(cast.lin, Role.GRASSROOTS_CLERK, cast.tree.union)
    with pytest.raises(WrongCode):
        first_login.complete(token=asked.token, code=code_sent(), password=PASSWORD, now=NOW)
    cast.lin.refresh_from_db()
    assert not cast.lin.check_password(PASSWORD)


def test_a_whole_factory_behind_one_address_may_come_in_one_hour(cast: Cast):
    assert first_login.PER_ADDRESS_AN_HOUR >= 500


def test_questions_are_forgotten_after_a_day(cast: Cast):
    ask(cast.lin_person)
    assert first_login.sweep(now=NOW + timedelta(hours=25)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_browsers_with_one_code_make_one_account():
    person = make_person(make_tree().union)
    asked = ask(person)
    code, done, together = code_sent(), [], threading.Barrier(2)

    def finish(name: str) -> None:
        together.wait()
        try:
            first_login.complete(
                token=asked.token, code=code, password=PASSWORD, now=NOW, username=name
            )
            done.append(name)
        except WrongCode:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=finish, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert Account.objects.filter(username__in=["one", "two"]).count() == 1
