"""The pages of a member's first log-in: who fits comes in, nobody else learns a thing."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from members.actions import first_login
from members.models import LoginCode, Person
from tests.cast import Cast, make_person
from union_portal import notifications
from union_portal.models import Message

pytestmark = pytest.mark.django_db
PASSWORD = "seventeen grey camels"
ASK, CODE = "/first-login/", "/first-login/code/"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_login, "_ring", lambda: None)


def phone_browser() -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    return client


def sent_code() -> str:
    found = re.search(r"\d{6}", notifications.text_of(Message.objects.latest("id")))
    assert found
    return found[0]


def ask(client: Client, person: Person, **typed: str):
    answers = {"name": person.name, "national_id": str(person.national_id), **typed}
    return client.post(ASK, answers)


def complete(client: Client, code: str, password: str = PASSWORD, again: str = ""):
    return client.post(CODE, {"code": code, "password": password, "again": again or password})


def page_of(answer) -> str:
    """What a reader sees, without the keys that differ in every form."""
    return re.sub(r'value="[^"]*"|nonce="[^"]*"', "", answer.content.decode())


def test_name_number_and_code_lead_to_ones_own_page(cast: Cast):
    person = make_person(cast.tree.union)
    client = phone_browser()
    assert ask(client, person)["Location"] == CODE
    answer = complete(client, sent_code())
    assert answer.status_code == 302 and "/me/" in answer["Location"]
    assert person.name in client.get("/me/").content.decode()


def test_afterwards_the_password_is_enough_and_the_address_tells_nothing(cast: Cast):
    person = make_person(cast.tree.union)
    client = phone_browser()
    ask(client, person)
    complete(client, sent_code())
    person.refresh_from_db()
    client.post("/account/logout/")
    assert client.get("/me/").status_code == 302
    login = {"login": person.account.username, "password": PASSWORD}
    answer = client.post("/account/login/", login)
    assert answer.status_code == 302
    assert person.name in client.get("/me/").content.decode()
    assert str(person.national_id) not in answer["Location"] + person.account.username


FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda number: number.translate(FULL_WIDTH),
        lambda number: f" {number[:6]} {number[6:]} ",
    ],
    ids=["a lower-case x", "full-width digits", "spaces"],
)
def test_the_number_may_be_typed_as_people_type(cast: Cast, typed):
    person = make_person(cast.tree.union)
    client = phone_browser()
    ask(client, person, national_id=typed(str(person.national_id)))
    assert complete(client, sent_code()).status_code == 302


def test_who_does_not_fit_sees_the_same_pages_and_gets_no_message(cast: Cast):
    person, other = make_person(cast.tree.union), make_person(cast.tree.union)
    pages = set()
    for typed in (
        {},
        {"name": "魏明"},
        {"national_id": str(other.national_id)},
    ):
        client = phone_browser()
        answer = ask(client, person, **typed)
        assert (answer.status_code, answer["Location"]) == (302, CODE)
        pages.add(page_of(client.get(CODE)))
    assert len(pages) == 1
    assert Message.objects.count() == 1


@pytest.mark.parametrize("typed", ["612701196001011", "not a number", "610802199001011234"])
def test_a_number_that_is_nobodys_is_told_at_its_field(cast: Cast, typed: str):
    """Its check character says so, to everybody: nobody waits for a code that never comes."""
    answer = ask(phone_browser(), make_person(cast.tree.union), national_id=typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["national_id"]
    assert not LoginCode.objects.exists()


def test_a_wrong_a_late_and_a_used_code_are_refused_in_the_same_words(cast: Cast):
    person = make_person(cast.tree.union)
    wrong, late, used = phone_browser(), phone_browser(), phone_browser()
    ask(used, person)
    code = sent_code()
    token = used.session["first_login"]
    complete(used, code)
    used_again = phone_browser()
    ask(used_again, make_person(cast.tree.union))
    session = used_again.session
    session["first_login"] = token
    session.save()
    ask(late, person)
    late_code = sent_code()
    LoginCode.objects.filter(pk=late.session["first_login"]).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    ask(wrong, person)
    answers = [
        complete(wrong, "000000" if sent_code() != "000000" else "111111"),
        complete(late, late_code),
        complete(used_again, code),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert len({page_of(answer) for answer in answers}) == 1
    assert "ask for a new code" in answers[0].content.decode()
    assert all("_auth_user_id" not in client.session for client in (wrong, late, used_again))


def test_a_weak_or_mistyped_password_is_told_and_the_code_still_counts(cast: Cast):
    person = make_person(cast.tree.union)
    client = phone_browser()
    ask(client, person)
    code = sent_code()
    assert "differ" in complete(client, code, again="another one").content.decode()
    assert complete(client, code, password="123456").status_code == 422
    assert complete(client, code).status_code == 302


def test_who_asks_too_often_is_told_to_wait(cast: Cast):
    person = make_person(cast.tree.union)
    answers = [ask(phone_browser(), person) for _ in range(first_login.PER_PERSON_AN_HOUR + 1)]
    assert answers[-1].status_code == 422
    assert "Wait an hour" in answers[-1].content.decode()
    assert Message.objects.count() == first_login.PER_PERSON_AN_HOUR


def test_without_a_question_there_is_no_page_for_the_code():
    assert phone_browser().get(CODE)["Location"] == ASK
