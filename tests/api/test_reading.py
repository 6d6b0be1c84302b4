"""Lists and rows: within reach and masked, filtered and paged; strict about what is asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import BenefitOffer, Person, ServiceCard
from tests.api.calling import Program, problem
from tests.cast import Cast, make_account, make_person
from tests.members.benefits import agree, category, make_merchant, make_offer
from tests.members.cards import make_bank, make_card
from tests.members.street import make_membership
from tests.roles import the_superuser
from tests.web.test_reach import holder
from union_portal import lifecycle
from union_portal.access import Role
from union_portal.models import Account

pytestmark = pytest.mark.django_db


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def secrets_of(person: Person) -> list[str]:
    return [str(person.national_id), str(person.phone)]


# -- the register --------------------------------------------------------------------------
def test_staff_read_people_of_their_unions_masked(cast: Cast):
    other = make_person(cast.tree.other_union)
    qiao = Program(cast.qiao)
    assert ids(qiao.get("/people")) == [cast.lin_person.pk]
    one = qiao.get(f"/people/{cast.lin_person.pk}")
    assert one.json()["identity"] == cast.lin_person.national_id_shown
    assert [
        secret for secret in secrets_of(cast.lin_person) if secret in one.content.decode()
    ] == []
    assert problem(qiao.get(f"/people/{other.pk}"), 404) == "not_found"
    assert ids(Program(cast.officer).get("/people")) == [other.pk, cast.lin_person.pk]


def test_a_person_is_told_with_the_membership_that_holds(cast: Cast):
    make_membership(cast.lin_person)
    told = Program(cast.qiao).get(f"/people/{cast.lin_person.pk}").json()
    assert told["membership"]["state"] == "active"
    assert told["membership"]["union"]["id"] == cast.tree.union.pk


@pytest.mark.parametrize("who", ["lin", "till", "wei", "benefits", "account_admin"])
def test_whoever_may_not_see_people_looks_nobody_up(cast: Cast, who: str):
    program = Program(getattr(cast, who))
    assert problem(program.get("/people"), 403) == "not_allowed"
    sought = program.post("/people/look-up", {"text": cast.lin_person.name}, key=None)
    assert problem(sought, 403) == "not_allowed"


def test_people_are_looked_up_by_whole_number_name_and_sound_within_reach(cast: Cast):
    theirs = make_person(cast.tree.other_union)
    qiao = Program(cast.qiao)
    lin = cast.lin_person
    for text in (str(lin.national_id), str(lin.phone), lin.name, lin.pinyin):
        answer = qiao.post("/people/look-up", {"text": text}, key=None)
        assert [one["id"] for one in answer.json()["found"]] == [lin.pk]
        assert [secret for secret in secrets_of(lin) if secret in answer.content.decode()] == []
    for text in (str(theirs.national_id), str(theirs.phone), "  ", str(lin.national_id)[:-1]):
        assert qiao.post("/people/look-up", {"text": text}, key=None).json()["found"] == []


def test_no_number_of_a_person_ever_stands_in_an_address():
    """No filter asks for one: addresses are kept by proxies, logs and shells."""
    from members.api.register import AskedPeople

    assert set(AskedPeople().fields) == {"limit", "cursor", "union"}


# -- unions ----------------------------------------------------------------------------------
def test_unions_are_found_by_name_level_and_branch(cast: Cast):
    program, tree = Program(cast.wei), cast.tree
    assert ids(program.get("/unions", q="驼城")) == [tree.union.pk]
    assert len(ids(program.get("/unions", level="county"))) == 12
    within = ids(program.get("/unions", within=tree.county.pk))
    assert within == sorted([tree.county.pk, tree.union.pk, tree.sibling_union.pk])
    assert ids(program.get("/unions", within=2**62)) == []


# -- cards -----------------------------------------------------------------------------------
def test_cards_are_read_within_reach_and_narrowed(cast: Cast):
    mine = make_card(cast.lin_person)
    theirs = make_card(make_person(cast.tree.other_union))
    lifecycle.advance(theirs, to="suspended", by=cast.officer)
    officer, qiao = Program(cast.officer), Program(cast.qiao)
    assert ids(qiao.get("/cards")) == [mine.pk]
    assert problem(qiao.get(f"/cards/{theirs.pk}"), 404) == "not_found"
    for asked, found in (
        ({}, [theirs.pk, mine.pk]),
        ({"state": "active"}, [mine.pk]),
        ({"county": cast.tree.other_county.division_code}, [theirs.pk]),
        ({"county": "999999"}, []),
        ({"bank": make_bank().code}, [theirs.pk, mine.pk]),
        ({"bank": "none"}, []),
        ({"issued_from": "2024-05-01", "issued_to": "2024-05-01"}, [theirs.pk, mine.pk]),
        ({"issued_from": "2024-05-02"}, []),
    ):
        assert ids(officer.get("/cards", **asked)) == found, asked
    one = officer.get(f"/cards/{mine.pk}")
    assert one.json()["last_four"] == mine.last_four
    assert str(mine.number) not in one.content.decode()


def test_a_member_reads_their_own_card_and_reports_it_lost(cast: Cast):
    lin = Program(cast.lin)
    assert problem(lin.get("/cards/mine"), 404) == "not_found"
    card = make_card(cast.lin_person)
    assert lin.get("/cards/mine").json()["id"] == card.pk
    told = lin.post("/cards/mine/loss", {"reason": "left on the bus"})
    assert (told.status_code, told.json()["state"]) == (200, "lost")
    assert told.json()["bank"]["hotline"] == make_bank().hotline
    assert problem(lin.post("/cards/mine/loss"), 409) == "stale"
    assert problem(Program(cast.wei).get("/cards/mine"), 404) == "not_found"
    assert ServiceCard.objects.get().state == "lost"


# -- the directory ------------------------------------------------------------------------------
def test_the_directory_is_read_without_a_token_and_narrowed(cast: Cast):
    merchant = make_merchant(cast)
    agree(cast, merchant)
    offer = make_offer(cast, merchant)
    draft = make_offer(cast, merchant, publish=False)
    anybody = Program()
    told = anybody.get("/offers").json()["results"]
    assert [one["id"] for one in told] == [offer.pk]
    assert told[0]["merchant"] == {"id": merchant.pk, "name": merchant.name}
    code = offer.category.code
    for asked, found in (
        ({"q": offer.title}, [offer.pk]),
        ({"q": "no such words"}, []),
        ({"category": code, "kind": offer.kind, "sort": "new"}, [offer.pk]),
        ({"category": "none"}, []),
        ({"need": "travel"}, []),
    ):
        assert ids(anybody.get("/offers", **asked)) == found, asked
    assert anybody.get(f"/offers/{offer.pk}").json()["is_honoured"] is True
    assert problem(anybody.get(f"/offers/{draft.pk}"), 404) == "not_found"
    assert [one["code"] for one in anybody.get("/categories").json()["results"]] == [code]
    assert ids(anybody.get("/merchants", category=code, q=merchant.name[:4])) == [merchant.pk]
    assert "contact" not in anybody.get("/merchants").content.decode()


def test_a_merchant_without_an_agreement_is_in_no_directory(cast: Cast):
    make_merchant(cast)
    assert ids(Program().get("/merchants")) == []


# -- pages ----------------------------------------------------------------------------------------
def walked(program: Program, path: str, **asked: Any) -> list[int]:
    """All rows, page by page, as “next” leads; and back again as “previous” does."""
    there: list[int] = []
    page = program.get(path, **asked).json()
    while True:
        there += [one["id"] for one in page["results"]]
        if page["next"] is None:
            break
        page = program.client.get(page["next"], headers=program.heads).json()
    back = [one["id"] for one in page["results"]]
    while page["previous"] is not None:
        page = program.client.get(page["previous"], headers=program.heads).json()
        back = [one["id"] for one in page["results"]] + back
    assert back == there
    return there


def test_pages_lead_through_all_rows_and_back_though_rows_come_in(cast: Cast):
    people = [make_person(cast.tree.union) for _turn in range(7)]
    qiao = Program(cast.qiao)
    expected = [*[person.pk for person in people][::-1], cast.lin_person.pk]
    assert walked(qiao, "/people", limit=3) == expected
    first = qiao.get("/people", limit=3).json()
    make_person(cast.tree.union)
    second = qiao.client.get(first["next"], headers=qiao.heads).json()
    assert [one["id"] for one in second["results"]] == expected[3:6]


def test_pages_keep_an_order_with_equals(cast: Cast):
    merchant = make_merchant(cast)
    agree(cast, merchant)
    offers = [make_offer(cast, merchant).pk for _turn in range(5)]
    assert walked(Program(), "/offers", limit=2) == offers[::-1]
    with the_superuser():
        for number, used in zip(offers, (2, 0, 1, 0, 2), strict=True):
            BenefitOffer.objects.filter(pk=number).update(used_count=used)
    expected = [offers[place] for place in (4, 0, 2, 3, 1)]
    assert walked(Program(), "/offers", limit=2) == expected
    assert walked(Program(), "/offers", limit=1, sort="used") == expected


@pytest.mark.parametrize("cursor", ["x", "bz0x", "p=1:xx", "", "a" * 400, "\u4f60"])
def test_a_cursor_of_ones_own_is_refused(cast: Cast, cursor: str):
    answer = Program(cast.qiao).get("/people", cursor=cursor)
    if 0 < len(cursor) <= 300:
        assert problem(answer, 422) == "cursor"
    else:
        assert problem(answer, 400) == "invalid"


def test_a_cursor_of_another_list_is_refused(cast: Cast):
    make_person(cast.tree.union)
    qiao = Program(cast.qiao)
    cursor = qiao.get("/people", limit=1).json()["next"].partition("cursor=")[2].partition("&")[0]
    assert problem(qiao.get("/unions", cursor=cursor), 422) == "cursor"


# -- strictness ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("/cards", {"status": "active"}, "status"),
        ("/cards", {"state": "activ"}, "state"),
        ("/cards", {"limit": 0}, "limit"),
        ("/cards", {"limit": 201}, "limit"),
        ("/cards", {"issued_from": "01.05.2024"}, "issued_from"),
        ("/cards", {"county": "61"}, "county"),
        ("/offers", {"kept": "yes"}, "kept"),
        ("/offers", {"sort": ["new", "used"]}, "sort"),
        ("/me", {"x": "1"}, "x"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_rather_than_passed_over(
    cast: Cast, path: str, asked: dict[str, Any], field: str
):
    answer = Program(cast.officer).get(path, **asked)
    assert problem(answer, 400) == "invalid"
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


# -- what it costs ------------------------------------------------------------------------------
LISTS = {"/people": 8, "/cards": 10, "/unions": 8, "/offers": 8, "/merchants": 6, "/categories": 4}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_a_few_questions_however_long(cast: Cast, path: str):
    make_bank()
    counted = []
    for _turn in range(2):
        for _row in range(3):
            make_card(make_person(cast.tree.union))
            merchant = make_merchant(cast, category=category(f"c{_turn}{_row}"))
            agree(cast, merchant)
            make_offer(cast, merchant)
        with CaptureQueriesContext(connection) as asked:
            assert Program(cast.officer).get(path).status_code == 200
        counted.append(len(asked))
    assert counted[0] == counted[1] <= LISTS[path] + TOKEN_MADE, counted


# Each program of the tests has its token made.
TOKEN_MADE = 4


# -- reach -----------------------------------------------------------------------------------------
def everybody(cast: Cast) -> list[Account]:
    return [holder("everything", cast.tree.other_county, *Role), make_account("plain"), cast.till]


def test_a_row_elsewhere_is_as_good_as_none(cast: Cast):
    card = make_card(cast.lin_person)
    for account in everybody(cast):
        program = Program(account)
        for there, nowhere in (
            (f"/people/{cast.lin_person.pk}", f"/people/{2**60}"),
            (f"/cards/{card.pk}", f"/cards/{2**60}"),
        ):
            one, none = program.get(there), program.get(nowhere)
            told, nothing = one.json(), none.json()
            assert one.status_code == none.status_code in (403, 404)
            told.pop("request"), nothing.pop("request")
            assert told == nothing
