"""Logging in by phone or service card: the same door, the same answers, nothing kept."""

from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import ServiceCard
from members.states import CardState
from tests.cast import Cast, make_person
from tests.members.cards import make_bank
from tests.roles import the_superuser
from tests.web import counting
from tests.web.log_in import ADDRESS, PASSWORD, a_browser, may_log_in
from tests.web.test_recovery import seen
from union_portal import tries

pytestmark = pytest.mark.django_db
CARD, NOBODYS_CARD = "6217000010001234560", "6217000010009999994"
NOBODYS_PHONE = "13999999999"


@pytest.fixture(autouse=True)
def _counted_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.web.counting.CountingHasher"]


@pytest.fixture
def lin(cast: Cast) -> Cast:
    may_log_in(cast.lin)
    return cast


def card_of(cast: Cast, state: str = CardState.ACTIVE, number: str = CARD) -> ServiceCard:
    with the_superuser():
        return ServiceCard.objects.create(
            person=cast.lin_person, organization=cast.tree.union, bank=make_bank(), number=number,
            last_four=number[-4:], handle=f"h{number}", channel="portal", state=state,
            issued_on="2026-01-01",
        )  # fmt: skip


def came_in(name: str, password: str = PASSWORD) -> bool:
    client = a_browser()
    form = {"login": name, "password": password}
    client.post(reverse("account_login"), form, REMOTE_ADDR=ADDRESS)
    return "_auth_user_id" in client.session


def spellings(number: str) -> list[str]:
    return [number, f" {number} ", f"{number[:3]} {number[3:7]} {number[7:]}", f"+86{number}"]


def test_a_member_comes_in_by_the_phone_however_it_is_written(lin: Cast):
    for written in spellings(str(lin.lin_person.phone)):
        assert came_in(written), len(written)
    assert not came_in(str(lin.lin_person.phone), "wrong wrong wrong")


@pytest.mark.parametrize(
    ("state", "opens"),
    [
        (CardState.ISSUED, True),
        (CardState.ACTIVE, True),
        (CardState.SUSPENDED, True),
        (CardState.LOST, False),
        (CardState.REPLACED, False),
        (CardState.CANCELLED, False),
    ],
)
def test_a_member_comes_in_by_the_card_that_is_in_hand(lin: Cast, state: str, opens: bool):
    card_of(lin, state)
    assert came_in(CARD) is opens
    assert came_in(f"{CARD[:4]} {CARD[4:]}") is opens
    assert not came_in(CARD, "wrong wrong wrong")


def test_a_phone_that_several_share_serves_none_of_them(lin: Cast):
    other = make_person(lin.tree.union, account=lin.wei)
    other.phone = lin.lin_person.phone
    other.save(update_fields=["phone", "phone_index"])
    may_log_in(lin.wei)
    assert not came_in(str(lin.lin_person.phone))
    assert came_in("lin") and came_in("wei")


def test_staff_come_in_by_their_name_alone(lin: Cast):
    person = make_person(lin.tree.union, account=lin.qiao)
    may_log_in(lin.qiao)
    assert not came_in(str(person.phone))
    assert came_in("qiao")


def closed(cast: Cast) -> str:
    cast.lin.is_active = False
    cast.lin.save(update_fields=["is_active"])
    return str(cast.lin_person.phone)


def phone(cast: Cast) -> str:
    return str(cast.lin_person.phone)


def phone_without_a_log_in(cast: Cast) -> str:
    return str(make_person(cast.tree.union).phone)


def card(cast: Cast) -> str:
    card_of(cast)
    return CARD


def lost_card(cast: Cast) -> str:
    card_of(cast, CardState.LOST)
    return CARD


def work(name: str, address: str) -> tuple[Any, int]:
    """The answer to a wrong password, and how many statements and hashes it took."""
    client = a_browser()
    counting.hashed.clear()
    with CaptureQueriesContext(connection) as statements:
        answer = client.post(
            reverse("account_login"),
            {"login": name, "password": "wrong wrong wrong"},
            REMOTE_ADDR=address,
        )
        count = len(connection.queries_log) - statements.initial_queries
    return seen(answer), count


@pytest.mark.parametrize(
    "kind", [phone, phone_without_a_log_in, closed, card, lost_card], ids=lambda one: one.__name__
)
def test_a_number_of_nobody_answers_and_works_like_one_with_a_wrong_password(lin: Cast, kind: Any):
    name = kind(lin)
    nobodys = NOBODYS_CARD if name == CARD else NOBODYS_PHONE
    assert came_in("nobody") is False
    theirs, nobody = work(name, "10.0.0.8"), work(nobodys, "10.0.0.9")
    assert theirs == nobody
    assert theirs[0][0] == 200 and theirs[0][2] == 2, "hashes"


def test_tries_by_a_number_are_counted_by_its_print_and_kept_nowhere(lin: Cast):
    number = str(lin.lin_person.phone)
    for written in (number, f"{number[:3]}-{number[3:]}", f" {number} "):
        assert not came_in(written, "wrong wrong wrong")
    card_of(lin)
    assert not came_in(CARD, "wrong wrong wrong")
    tried = {one.username: one.failures_since_start for one in AccessAttempt.objects.all()}
    assert tried == {tries.counted(number): 3, tries.counted(CARD): 1}
    kept = str(
        [vars(row) for row in (*AccessAttempt.objects.all(), *AccessFailureLog.objects.all())]
    )
    assert number not in kept and CARD not in kept and "lin" not in tried


def test_guessing_by_the_phone_closes_that_door_and_tells_nothing_of_the_name(lin: Cast):
    number = str(lin.lin_person.phone)
    for _try in range(6):
        assert not came_in(number, "wrong wrong wrong")
    assert not came_in(number)
    assert came_in("lin"), "a lock on the name would tell whose phone it is"


def test_the_form_says_what_may_be_typed(lin: Cast):
    page = a_browser().get(reverse("account_login")).content.decode()
    assert "phone or service-card number" in page
