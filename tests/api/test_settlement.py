"""A merchant's statements for its own programs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from tests.api.calling import Program, problem
from tests.cast import NOW, Cast, make_account
from tests.members.cards import make_card
from tests.welfare.shop import CODES, FEBRUARY, Shop, make_shop, use
from union_portal.access import Role
from welfare.actions import settlements
from welfare.models import MerchantStatement

pytestmark = pytest.mark.django_db
WORDS = "The bowl was given back; the till's list says so."
KEY = "one-key-of-one-act"


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return make_shop(cast)


@pytest.fixture
def statement(cast: Cast, shop: Shop) -> MerchantStatement:
    card = make_card(cast.lin_person)
    for day in (10, 11, 12):
        use(shop, card, day=day)
    settlements.issue(month=FEBRUARY, by=shop.officer, now=NOW, today=timezone.localdate())
    return MerchantStatement.objects.get(merchant=shop.merchant)


@pytest.fixture
def till(shop: Shop) -> Program:
    return Program(shop.till)


def test_a_merchant_reads_its_statements_with_sums_and_lines(
    till: Program, statement: MerchantStatement
):
    (listed,) = till.get("/statements").json()["results"]
    assert (listed["id"], listed["month"], listed["total_fen"]) == (
        statement.pk,
        date(2026, 2, 1).isoformat(),
        6_000,
    )
    assert till.get("/statements", state="approved").json()["results"] == []
    full = till.get(f"/statements/{statement.pk}").json()
    assert (full["counted_fen"], full["disputed"], full["offers"][0]["count"]) == (6_000, 0, 3)
    lines = till.get(f"/statements/{statement.pk}/lines").json()["results"]
    assert [line["position"] for line in lines] == [1, 2, 3]
    assert "林" not in str(lines)


def test_a_line_is_disputed_once_and_the_statement_then_waits(
    till: Program, statement: MerchantStatement
):
    there = f"/statements/{statement.pk}/lines/2/dispute"
    assert problem(till.post(there, {"words": "short"}), 400) == "invalid"
    assert problem(till.post(there, {"words": " " * 12}), 422) == "refused"
    first, again = (till.post(there, {"words": WORDS}, key=KEY) for _turn in range(2))
    assert (first.status_code, first.json()["state"]) == (200, "disputed")
    assert again.json() == first.json()
    assert problem(till.post(there, {"words": WORDS}), 409) == "stale"
    assert till.get(f"/statements/{statement.pk}").json()["disputed"] == 1
    lines = f"/statements/{statement.pk}/lines"
    listed = till.get(lines, state="disputed").json()["results"]
    assert [line["position"] for line in listed] == [2]
    assert problem(till.post(f"{lines}/9/dispute", {"words": WORDS}), 404) == "not_found"


def test_a_statement_is_accepted_by_its_merchant(till: Program, statement: MerchantStatement):
    there = f"/statements/{statement.pk}/accept"
    first, again = (till.post(there, key=KEY) for _turn in range(2))
    assert first.status_code == 200 and first.json()["accepted_at"]
    assert again.json() == first.json()
    statement.refresh_from_db()
    assert statement.accepted_by is not None


def test_what_is_closed_is_not_accepted(shop: Shop, till: Program, statement: MerchantStatement):
    settlements.cancel(statement=statement, reason="the wrong month was issued", by=shop.officer)
    answer = till.post(f"/statements/{statement.pk}/accept")
    assert problem(answer, 422) == "refused"
    assert statement.number in answer.json()["detail"]


def test_staff_read_the_statements_of_their_reach(
    cast: Cast, shop: Shop, statement: MerchantStatement
):
    staff = Program(shop.officer)
    (listed,) = staff.get("/statements", month="2026-02-17").json()["results"]
    assert listed["merchant"] == {"id": shop.merchant.pk, "name": shop.merchant.name}
    assert listed["union"]["name"] == cast.tree.city.name
    assert staff.get("/statements", month="2026-03-01").json()["results"] == []
    assert staff.get("/statements", merchant=shop.merchant.pk + 1).json()["results"] == []
    assert len(staff.get(f"/statements/{statement.pk}/lines").json()["results"]) == 3
    elsewhere = Program(make_account("du", role=Role.BENEFITS_OFFICER, at=cast.tree.other_county))
    assert elsewhere.get("/statements").json()["results"] == []
    assert problem(elsewhere.get(f"/statements/{statement.pk}"), 404) == "not_found"
    assert problem(elsewhere.get(f"/statements/{statement.pk}/lines"), 404) == "not_found"


def test_staff_do_not_act_for_a_merchant_in_the_api(shop: Shop, statement: MerchantStatement):
    for answer in ways(Program(shop.officer), statement.pk)[2:]:
        assert problem(answer, 404) == "not_found"


def ways(program: Program, statement: int) -> list[Any]:
    there = f"/statements/{statement}"
    return [
        program.get(there),
        program.get(f"{there}/lines"),
        program.post(f"{there}/accept"),
        program.post(f"{there}/lines/1/dispute", {"words": WORDS}),
    ]


def test_the_statement_of_another_merchant_is_as_good_as_none(
    cast: Cast, shop: Shop, statement: MerchantStatement
):
    rival = Program(make_shop(cast, code=CODES[1], programme=shop.programme).till)
    for program in (rival, Program(cast.lin), Program(cast.qiao)):
        for answer, none in zip(ways(program, statement.pk), ways(program, 2**60), strict=True):
            assert problem(answer, 404) == problem(none, 404) == "not_found"
    statement.refresh_from_db()
    assert statement.accepted_at is None
