"""A till that is a program: the same rules as the page, told as codes; and nothing done twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.models import Redemption, ServiceCard, WrongCode
from tests.api.calling import Program, problem, token_of
from tests.cast import Cast
from tests.chance import tells
from tests.kernel.races import at_once, waits_for_lock
from tests.members.street import Street, make_street, revise
from tests.members.test_redemptions import grow_older, some_code
from tests.roles import the_superuser
from union_portal.api import repeats
from union_portal.models import SentCall

pytestmark = pytest.mark.django_db
KEY = "one-key-of-one-act"


@pytest.fixture
def street(cast: Cast) -> Street:
    return make_street(cast)


@pytest.fixture
def till(street: Street) -> Program:
    return Program(street.till)


def looked_up(till: Program, street: Street, card: ServiceCard, **more: Any) -> Any:
    answer = till.post("/redemptions/look-up", {"code": street.code(card, **more)}, key=None)
    assert answer.status_code == 200, answer.content
    return answer.json()


def chosen(look: Any, offer: Any) -> dict[str, Any]:
    return {"look": look["look"], "offer": offer.pk, "revision": offer.revision}


def test_a_code_is_looked_up_confirmed_and_taken_back(street: Street, till: Program):
    card, offer = street.member(), street.offer()
    look = looked_up(till, street, card)
    assert look["name"] == f"{card.person.name[:1]}*"
    assert [one["id"] for one in look["offers"]] == [offer.pk]
    assert look["offers"][0]["is_open"] is True
    made = till.post("/redemptions", chosen(look, offer))
    assert made.status_code == 201
    use = Redemption.objects.get()
    told = made.json()
    assert (told["id"], told["state"], told["subsidy_fen"]) == (use.pk, "done", 1_000)
    back = till.post(f"/redemptions/{use.pk}/undo", {"reason": "wrong offer"})
    assert (back.status_code, back.json()["state"]) == (200, "undone")


def test_a_till_is_told_nothing_that_knows_the_member_again(street: Street, till: Program):
    """Neither number nor name, nor anything that stays the same from one code to the next."""
    card, offer = street.member(), street.offer()
    first, second = (looked_up(till, street, card) for _turn in range(2))
    assert first["look"] != second["look"]
    made = till.post("/redemptions", chosen(second, offer))
    texts = [str(first), made.content.decode(), till.get("/redemptions").content.decode()]
    person = card.person
    secrets = [person.name, str(person.national_id), str(person.phone), str(card.number)]
    secrets += [card.handle, person.national_id_shown, f'"person":{person.pk}']
    assert [secret for secret in secrets for text in texts if secret and secret in text] == []
    assert [text for text in texts if tells(text, card.last_four)] == []


def used_code(street: Street, card: ServiceCard) -> str:
    code = street.code(card)
    street.confirm(street.look(code), street.offer())
    return code


def changed_code(street: Street, card: ServiceCard) -> str:
    offer = street.offer()
    code = street.code(card, offer)
    revise(street, offer)
    return code


def lost_code(street: Street, card: ServiceCard) -> str:
    code = street.code(card)
    with the_superuser():
        ServiceCard.objects.filter(pk=card.pk).update(**{"state": "lost"})
    return code


def old_code(street: Street, card: ServiceCard) -> str:
    code = street.code(card)
    card.codes.update(expires_at=timezone.now() - timedelta(seconds=1))
    return code


REFUSED: dict[str, Any] = {
    "unknown": lambda street, card: some_code(5),
    "malformed": lambda street, card: "no code at all",
    "replayed": used_code,
    "foreign": lambda street, card: street.code(card, street.offer(street.shop()[0])),
    "changed": changed_code,
    "card": lost_code,
    "expired": old_code,
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_code_is_refused_with_its_reason(street: Street, till: Program, why: str):
    code = REFUSED[why](street, street.member())
    answer = till.post("/redemptions/look-up", {"code": code}, key=None)
    assert problem(answer, 422) == why
    assert answer.json()["remedy"]
    assert code not in answer.content.decode()


def test_a_till_that_guesses_waits_and_is_told_how_long(street: Street, till: Program):
    answers = [
        till.post("/redemptions/look-up", {"code": some_code(number)}, key=None)
        for number in range(11)
    ]
    assert problem(answers[9], 422) == "unknown"
    assert problem(answers[10], 429) == "waiting"
    assert answers[10].headers["Retry-After"] == "600"
    assert WrongCode.objects.count() == 10


def test_a_quota_is_refused_with_its_reason(street: Street, till: Program):
    offer = street.offer(quota_per_member=1)
    card = street.member()
    street.use(card, offer)
    look = looked_up(till, street, card)
    assert look["offers"][0]["is_open"] is False and look["offers"][0]["left_for_member"] == 0
    assert problem(till.post("/redemptions", chosen(look, offer)), 422) == "member_quota"


def test_a_look_is_good_for_one_till_three_minutes_and_as_it_is(street: Street, till: Program):
    card, offer = street.member(), street.offer()
    look = looked_up(till, street, card)
    other = Program(street.shop()[1])
    assert problem(other.post("/redemptions", chosen(look, offer)), 422) == "expired"
    bent = {**look, "look": look["look"][:-6] + "AAAAAA"}
    assert problem(till.post("/redemptions", chosen(bent, offer)), 422) == "expired"
    made = till.post("/redemptions", chosen(look, offer))
    assert made.status_code == 201
    assert problem(till.post("/redemptions", chosen(look, offer)), 422) == "replayed"


def test_a_use_is_taken_back_within_five_minutes_by_its_own_till(street: Street, till: Program):
    use = street.use(street.member(), street.offer())
    grow_older(use, timedelta(minutes=6))
    undo = f"/redemptions/{use.pk}/undo"
    assert problem(till.post(undo, {"reason": "too late"}), 422) == "too_late"
    assert problem(till.post(undo, {"reason": "  "}), 422) == "refused"
    assert problem(till.post(undo, {"reason": "x"}), 400) == "invalid"


def test_uses_are_listed_by_day_and_state_and_belong_to_the_merchant(street: Street, till: Program):
    offer = street.offer()
    mine = [street.use(street.member(), offer) for _turn in range(3)]
    grow_older(mine[0], timedelta(days=40))
    shop, counter = street.shop()
    theirs = street.use(street.member(), street.offer(shop), counter)
    found = [one["id"] for one in till.get("/redemptions").json()["results"]]
    assert found == [mine[2].pk, mine[1].pk]
    old = timezone.localdate(mine[0].redeemed_at).isoformat()
    assert [o["id"] for o in till.get("/redemptions", **{"from": old, "to": old}).json()["results"]] == [mine[0].pk]  # fmt: skip  # noqa: E501
    assert till.get("/redemptions", state="undone").json()["results"] == []
    assert problem(till.get(f"/redemptions/{theirs.pk}"), 404) == "not_found"
    assert problem(till.post(f"/redemptions/{theirs.pk}/undo", {"reason": "not mine"}), 404)


def test_for_whoever_is_no_till_there_is_none(street: Street):
    for account in (street.cast.lin, street.cast.officer, street.cast.wei):
        program = Program(account)
        assert problem(program.get("/redemptions"), 404) == "not_found"
        answer = program.post("/redemptions/look-up", {"code": some_code()}, key=None)
        assert problem(answer, 404) == "not_found"
    assert problem(Program().get("/redemptions"), 401) == "not_logged_in"


# -- nothing twice ------------------------------------------------------------------------------
def test_the_same_key_and_content_get_the_same_answer_and_do_nothing(street: Street, till: Program):
    card, offer = street.member(), street.offer()
    body = chosen(looked_up(till, street, card), offer)
    first, again = (till.post("/redemptions", body, key=KEY) for _turn in range(2))
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())  # fmt: skip  # noqa: E501
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert Redemption.objects.count() == 1


def test_another_content_under_the_same_key_does_nothing(street: Street, till: Program):
    card, offer, other = street.member(), street.offer(), street.offer()
    body = chosen(looked_up(till, street, card), offer)
    till.post("/redemptions", body, key=KEY)
    answer = till.post("/redemptions", {**body, "offer": other.pk}, key=KEY)
    assert problem(answer, 409) == "key_used_otherwise"
    assert Redemption.objects.count() == 1


def test_what_was_refused_may_be_sent_again_under_its_key(street: Street, till: Program):
    card, offer = street.member(), street.offer()
    look = looked_up(till, street, card)
    wrong = {**chosen(look, offer), "revision": 9}
    assert problem(till.post("/redemptions", wrong, key=KEY), 422) == "changed"
    assert SentCall.objects.count() == 0
    assert till.post("/redemptions", chosen(look, offer), key=KEY).status_code == 201


def test_a_key_is_bound_to_its_account_and_its_address(street: Street, till: Program):
    shop, counter = street.shop()
    one, two = street.offer(), street.offer(shop)
    first = till.post("/redemptions", chosen(looked_up(till, street, street.member()), one), key=KEY)  # fmt: skip  # noqa: E501
    other = Program(counter)
    second = other.post("/redemptions", chosen(looked_up(other, street, street.member()), two), key=KEY)  # fmt: skip  # noqa: E501
    undo = till.post(f"/redemptions/{first.json()['id']}/undo", {"reason": "a slip"}, key=KEY)
    assert [first.status_code, second.status_code, undo.status_code] == [201, 201, 200]


@pytest.mark.parametrize("key", [None, "short", "x" * 65, "with spaces in it, long", "键" * 20])
def test_an_act_without_a_good_key_is_refused(street: Street, till: Program, key: str | None):
    use = street.use(street.member(), street.offer())
    heads = {} if key is None else {"Idempotency-Key": key.encode().decode("latin-1")}
    answer = till.post(f"/redemptions/{use.pk}/undo", {"reason": "a slip"}, key=None, **heads)
    assert problem(answer, 400) == "idempotency_key"
    use.refresh_from_db()
    assert use.state == "done"


@pytest.mark.django_db(transaction=True)
def test_of_two_calls_at_one_moment_one_acts_and_both_get_its_answer(cast: Cast):
    street = make_street(cast)
    card, offer = street.member(), street.offer()
    token = token_of(street.till)
    one, two = Program(token=token), Program(token=token)
    body = chosen(looked_up(one, street, card), offer)
    with at_once(lambda: two.post("/redemptions", body, key=KEY)) as other, transaction.atomic():
        first = one.post("/redemptions", body, key=KEY)
        other.start()
        waits_for_lock(other)
    assert other.error is None
    assert (first.status_code, other.result.status_code) == (201, 201)
    assert first.json() == other.result.json()
    assert Redemption.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_when_the_first_call_fails_the_second_acts(cast: Cast):
    street = make_street(cast)
    card, offer = street.member(), street.offer()
    token = token_of(street.till)
    one, two = Program(token=token), Program(token=token)
    body = chosen(looked_up(one, street, card), offer)
    with (
        at_once(lambda: two.post("/redemptions", body, key=KEY)) as other,
        pytest.raises(PermissionDenied),
        transaction.atomic(),
    ):
        one.post("/redemptions", body, key=KEY)
        other.start()
        waits_for_lock(other)
        raise PermissionDenied
    assert other.result.status_code == 201
    assert Redemption.objects.count() == 1


def test_answers_are_kept_for_a_day(street: Street, till: Program):
    use = street.use(street.member(), street.offer())
    till.post(f"/redemptions/{use.pk}/undo", {"reason": "a slip"}, key=KEY)
    now = timezone.now()
    assert repeats.sweep(now=now + timedelta(hours=23)) == 0
    assert repeats.sweep(now=now + timedelta(hours=25)) == 1


def test_an_answer_is_read_again_by_its_own_account_alone(street: Street, till: Program):
    """The database shows it to nobody else, whatever a page forgets."""
    from tests.roles import serving
    from union_portal import readers

    use = street.use(street.member(), street.offer())
    till.post(f"/redemptions/{use.pk}/undo", {"reason": "a slip"}, key=KEY)
    for account, count in ((street.till, 1), (street.cast.gao, 0), (street.cast.lin, 0)):
        with serving(), readers.reading_as(account.pk):
            assert SentCall.objects.count() == count


# -- what it costs ----------------------------------------------------------------------------
def test_a_confirmation_costs_few_questions(street: Street, till: Program):
    card, offer = street.member(), street.offer()
    look = looked_up(till, street, card)
    with CaptureQueriesContext(connection) as asked:
        till.post("/redemptions", chosen(look, offer))
    assert len(asked) <= 40, [query["sql"] for query in asked.captured_queries]


def test_a_list_costs_the_same_however_long_it_is(street: Street, till: Program):
    offer = street.offer()
    counted = []
    for _turn in range(2):
        for _use in range(3):
            street.use(street.member(), offer)
        with CaptureQueriesContext(connection) as asked:
            till.get("/redemptions")
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 12
