"""What holds for every endpoint, whoever adds one: gates, keys, problems, throttles, words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.views import APIView

from members.models import MerchantLogin, Redemption
from tests.api.calling import HERE, PROBLEM, Program, problem, token_of
from tests.cast import Cast, make_account, make_person
from tests.members.benefits import give_login, make_merchant
from tests.members.street import make_street
from tests.web.scene import play
from tests.web.test_reach import holder
from tests.web.walk import NOBODYS, address, patterns
from union_portal import access
from union_portal.access import Role
from union_portal.api import gates, schema, throttles
from union_portal.api.endpoint import Endpoint
from union_portal.models import Account, CallCount
from welfare.models import StatementLine

METHODS = ("get", "post", "delete")
# The whole list of what opens without a token. A new one is added here on purpose.
PUBLIC = {
    "api:openapi", "api:token-list", "api:category-list", "api:offer-list", "api:offer",
    "api:merchant-list",
}  # fmt: skip
# What changes nothing, or can't be done twice: no key is asked for.
WITHOUT_KEY = {
    ("api:token-list", "post"),
    ("api:token-current", "delete"),
    ("api:person-look-up", "post"),
    ("api:code-look-up", "post"),
}


def endpoints() -> Iterator[tuple[str, str, type[Any]]]:
    """Name, path and class of every endpoint."""
    for name, route, pattern in patterns():
        view = getattr(pattern.callback, "cls", None)
        if view is not None and issubclass(view, APIView):
            yield name, address(route, pattern), view


def methods_of(view: type[Any]) -> list[str]:
    return [one for one in METHODS if hasattr(view, one)]


# -- gates ---------------------------------------------------------------------------------------
def test_every_address_below_the_api_is_an_endpoint_with_a_gate_of_its_own():
    found = list(endpoints())
    assert len(found) > 20
    below = {name for name, route, _pattern in patterns() if route.startswith("api/")}
    assert below == {name for name, _path, _view in found}
    assert [name for name, _path, view in found if not issubclass(view, Endpoint)] == []
    assert [name for name, _path, view in found if view.gate is gates.NOBODY] == []


def test_what_opens_without_a_token_is_exactly_this_list():
    assert {name for name, _path, view in endpoints() if view.gate.is_public} == PUBLIC


def test_an_endpoint_that_names_no_gate_opens_for_nobody():
    assert gates.NOBODY.has_permission(None, None) is False  # type: ignore[arg-type]
    assert Endpoint.gate is gates.NOBODY


def test_no_endpoint_does_what_asks_for_a_fresh_log_in():
    """A token is hours or weeks old: nothing that asks again who it is can be done with one."""
    told = {
        permission
        for _name, _path, view in endpoints()
        for permission in getattr(view.gate, "permissions", ())
        if "post" in methods_of(view)
    }
    assert told & access.FRESH_LOG_IN == set()


@pytest.mark.django_db
def test_without_a_token_nothing_else_opens(cast: Cast):
    for name, path, view in endpoints():
        for method in methods_of(view):
            answer = Program().send(method.upper(), path.removeprefix(HERE))
            if name not in PUBLIC:
                assert problem(answer, 401) == "not_logged_in", name


# -- every endpoint as everybody -----------------------------------------------------------------
WHO = (
    "lin", "till", "wei", "qiao", "shi", "officer", "decider", "reviewer", "rules_clerk", "feng",
    "feng_checker", "feng_releaser", "gao", "account_admin", "security_admin", "benefits",
)  # fmt: skip
FINE = {200, 400, 403, 404}


@pytest.mark.django_db
def test_no_endpoint_breaks_for_anybody_and_nobody_is_told_a_whole_number(
    cast: Cast, settings: Any
):
    settings.API_CALLS_PER_ADDRESS = 100_000
    play(cast)
    lin = cast.lin_person
    secrets = [str(lin.national_id), str(lin.phone)]
    secrets += [str(card.number) for card in lin.cards.all() if card.number]
    for who in WHO:
        program = Program(getattr(cast, who))
        for name, path, view in endpoints():
            for method in methods_of(view):
                if (name, method) == ("api:token-current", "delete"):
                    continue
                answer = program.send(method.upper(), path.removeprefix(HERE), b"{}")
                assert answer.status_code in FINE, (who, name, method, answer.content)
                text = answer.content.decode()
                assert [one for one in secrets if one in text] == [], (who, name)


# -- rows of others -------------------------------------------------------------------------------
@dataclass(frozen=True)
class Rows:
    """A row behind every numbered address, and who may see it."""

    cast: Cast

    def numbers(self) -> dict[str, int]:
        till = MerchantLogin.objects.get(account=self.cast.till)
        line = StatementLine.objects.filter(statement__merchant=till.merchant).first()
        assert line is not None
        return {
            "person_id": self.cast.lin_person.pk,
            "card_id": self.cast.lin_person.cards.latest("pk").pk,
            "use_id": Redemption.objects.get(person=self.cast.lin_person).pk,
            "statement_id": line.statement_id,
            "position": line.position,
        }

    def owner(self, name: str) -> Account:
        return self.cast.qiao if name in {"api:person", "api:card"} else self.cast.till


# The same for everybody.
FOR_ALL = {"api:offer"}


@pytest.mark.django_db
def test_a_row_of_somebody_else_is_told_from_none_by_no_endpoint(cast: Cast, settings: Any):
    """Every endpoint with a number, found anew: for its owner there is a row, for others none."""
    settings.API_CALLS_PER_ADDRESS = 100_000
    play(cast)
    rows = Rows(cast)
    neighbour = make_account("neighbour")
    make_person(cast.tree.union, account=neighbour)
    rival = give_login(cast, make_merchant(cast), "rival").account
    everything = holder("elsewhere", cast.tree.other_county, *Role)
    others = [Program(one) for one in (neighbour, rival, everything, cast.wei)]
    numbered = [
        (name, route, pattern.callback.cls)  # type: ignore[attr-defined]
        for name, route, pattern in patterns()
        if route.startswith("api/") and "<" in route and name not in FOR_ALL
    ]
    assert len(numbered) >= 8
    for name, route, view in numbered:
        there, nowhere = (_filled(route, numbers) for numbers in (rows.numbers(), {}))
        for method in methods_of(view):
            mine = asked(Program(rows.owner(name)), method, there)
            assert mine.status_code != 404, (name, mine.content)
            for program in others:
                told, none = (asked(program, method, one) for one in (there, nowhere))
                assert told.status_code == none.status_code in {403, 404}, (name, told.content)
                assert _without_number(told) == _without_number(none), name


def asked(program: Program, method: str, path: str) -> Any:
    """An empty call, with a key where it acts."""
    return program.post(path) if method == "post" else program.send(method.upper(), path)


def _filled(route: str, numbers: dict[str, int]) -> str:
    """The path behind /api/v1 with these rows; with nobody's where none is given."""
    parts = [
        str(numbers.get(part.partition(":")[2][:-1], NOBODYS["int"])) if "<" in part else part
        for part in route.split("/")
    ]
    return ("/" + "/".join(parts)).removeprefix(HERE)


def _without_number(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "request"}


# -- acts --------------------------------------------------------------------------------------
def test_every_act_asks_for_a_key_unless_it_changes_nothing():
    without = {
        (name, method)
        for name, _path, view in endpoints()
        for method in methods_of(view)
        if method != "get" and not getattr(getattr(view, method), "is_once_per_key", False)
    }
    assert without == WITHOUT_KEY


# -- what breaks -----------------------------------------------------------------------------------
DEEP = b"[" * 30_000
BODIES: list[tuple[str, bytes, str, int]] = [
    ("no JSON", b"{", "application/json", 400),
    ("no object", b"[]", "application/json", 400),
    ("a text", b'"x"', "application/json", 400),
    ("a number beyond numbers", b'{"code": NaN}', "application/json", 400),
    ("nested beyond reason", DEEP, "application/json", 400),
    ("no UTF-8", b'{"code": "\xff"}', "application/json", 400),
    ("half a character", b'{"code": "\\ud800"}', "application/json", 400),
    ("half a character as a name", b'{"\\ud800": 1}', "application/json", 400),
    ("a NUL", b'{"code": "\\u0000"}', "application/json", 400),
    ("a number for a text", b'{"code": 123456789012}', "application/json", 400),
    ("nothing for a text", b'{"code": null}', "application/json", 400),
    ("a field more", b'{"code": "1", "offer": 1}', "application/json", 400),
    ("nothing", b"", "application/json", 400),
    ("a form", b"code=1", "application/x-www-form-urlencoded", 415),
    ("XML", b"<a/>", "text/xml", 415),
    ("no kind at all", b"{}", "", 415),
    ("too long", b'{"code": "' + b"1" * 70_000 + b'"}', "application/json", 413),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "kind", "status"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_a_body_that_makes_no_sense_is_a_problem(cast: Cast, body: bytes, kind: str, status: int):
    answer = Program(make_street(cast).till).send("POST", "/redemptions/look-up", body, kind)
    problem(answer, status)


@pytest.mark.django_db
def test_an_act_that_is_nested_beyond_reason_is_a_problem(cast: Cast):
    """Wherever on the way the depth is too much: read, digested, judged."""
    program = Program(cast.lin)
    heads = {"Idempotency-Key": "one-key-of-one-act"}
    for depth in range(700, 1000, 5):
        body = b'{"words": ' + b"[" * depth + b"]" * depth + b"}"
        problem(program.send("POST", "/cards/mine/loss", body, **heads), 400)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/people/", 404),
        ("GET", "/people/0x1", 404),
        ("GET", f"/people/{10**30}", 404),
        ("GET", "/people/%00", 400),
        ("GET", "/people?limit=%00", 400),
        ("PUT", "/people", 405),
        ("OPTIONS", "/people", 405),
        ("TRACE", "/people", 405),
        ("DELETE", "/people", 405),
        ("POST", "/people", 405),
        ("XY", "/offers", 405),
    ],
)
def test_an_address_or_method_that_is_none_is_a_problem(
    cast: Cast, method: str, path: str, status: int
):
    answer = Program(cast.qiao).send(method, path)
    problem(answer, status)
    if status == 405:
        assert answer.headers["Allow"]


@pytest.mark.django_db
def test_an_answer_that_is_not_to_be_had_in_json_is_a_problem(cast: Cast):
    assert problem(Program(cast.qiao, Accept="text/html").get("/people"), 406) == "not_acceptable"


@pytest.mark.django_db
def test_an_error_of_ours_tells_its_number_and_nothing_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
):
    from members import queries

    def fails(*_asked: Any, **_more: Any) -> None:
        raise RuntimeError("SELECT the-secret FROM members_person")

    monkeypatch.setattr(queries, "people_for", fails)
    answer = Program(cast.qiao).get("/people")
    assert problem(answer, 500) == "ours"
    for told in ("Traceback", "RuntimeError", "secret", "SELECT"):
        assert told not in answer.content.decode()


@pytest.mark.django_db
def test_a_problem_speaks_the_language_that_was_asked_for(cast: Cast):
    chinese, english, other = (
        Program(**{"Accept-Language": wished}).get("/people")
        for wished in ("zh-CN,zh;q=0.9", "en-GB", "fr, *;q=0.1")
    )
    assert english.json()["detail"].startswith("This call needs a token")
    assert chinese.headers["Content-Language"] == other.headers["Content-Language"] == "zh-hans"
    assert english.headers["Content-Language"] == "en"
    assert "Accept-Language" in english.headers["Vary"]


# -- throttles -----------------------------------------------------------------------------------
@pytest.fixture
def half_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the throttles stands in the middle of a minute: none ends under a test."""
    now = timezone.now().replace(second=30)
    monkeypatch.setattr(throttles, "timezone", SimpleNamespace(now=lambda: now))


@pytest.mark.django_db
def test_an_account_that_calls_too_often_waits(cast: Cast, settings: Any, half_past):
    settings.API_CALLS_PER_ACCOUNT = 3
    one, other = Program(cast.qiao), Program(cast.shi)
    answers = [one.get("/me") for _turn in range(4)]
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    assert problem(answers[3], 429) == "too_many"
    assert answers[3].headers["Retry-After"] == "30"
    assert other.get("/me").status_code == 200
    CallCount.objects.update(minute=timezone.now() - timedelta(minutes=5))
    assert one.get("/me").status_code == 200


@pytest.mark.django_db
def test_an_address_that_calls_too_often_waits_whatever_it_claims(
    cast: Cast, settings: Any, half_past
):
    settings.API_CALLS_PER_ADDRESS = 3
    for number in range(3):
        Program(token=f"upt_{number}", **{"X-Forwarded-For": f"10.1.1.{number}"}).get("/me")
    assert problem(Program(token="upt_4").get("/me"), 429) == "too_many"
    assert problem(Program().get("/offers"), 429) == "too_many"


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_are_counted_one_by_one(half_past):
    def calls(_turn: int) -> int:
        answered = 0
        try:
            for _call in range(20):
                with suppress(Throttled):
                    throttles._count("account:1", 100)
                    answered += 1
        finally:
            connection.close()
        return answered

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(calls, range(8))) == 100
    assert CallCount.objects.get(caller="account:1").count == 160


@pytest.mark.django_db
def test_counts_are_forgotten_once_they_are_over(cast: Cast):
    Program(cast.qiao).get("/me")
    assert throttles.sweep(now=timezone.now()) == 0
    assert throttles.sweep(now=timezone.now() + timedelta(hours=2)) == 2


# -- the description -----------------------------------------------------------------------------
def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema.document()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_description_knows_every_endpoint_and_method():
    described = {(path, method) for path, method, _operation in operations()}
    there = set()
    for name, path, view in endpoints():
        if name != "api:openapi":
            for method in methods_of(view):
                there.add((_templated(name, path), method))
    assert described == there


def _templated(name: str, path: str) -> str:
    route = next(route for one, route, _pattern in patterns() if one == name)
    parts = [
        "{" + part.partition(":")[2][:-1] + "}" if part.startswith("<") else part
        for part in route.split("/")
    ]
    assert str(NOBODYS["int"]) not in route
    return "/" + "/".join(parts)


def test_every_operation_says_what_it_does_for_whom_and_how_it_fails():
    for path, method, operation in operations():
        assert operation["summary"] and "Opens for" in operation["description"], path
        assert operation["tags"], path
        for status, answer in operation["responses"].items():
            assert answer["description"] or status.startswith("2"), (path, status)
            if status >= "400":
                assert PROBLEM in answer["content"], (path, method, status)


def test_every_example_is_what_the_description_says():
    """What is sent and what is answered: each has an example, and each example fits."""
    whole = schema.document()
    shown = 0
    for path, method, operation in operations():
        sides = [("sent", operation.get("requestBody"))]
        sides += [("told", one) for status, one in operation["responses"].items() if status < "300"]
        for side, held in sides:
            if not held or "content" not in held:
                continue
            content = held["content"]["application/json"]
            assert content.get("examples"), (path, method, side)
            for example in content["examples"].values():
                checked = {**content["schema"], "components": whole["components"]}
                jsonschema.validate(example["value"], checked)
                shown += 1
    assert shown > 25


@pytest.mark.django_db
def test_the_description_is_served_to_everybody_and_may_be_kept():
    answer = Program().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")
    assert "max-age" in answer.headers["Cache-Control"]
    assert json.loads(answer.content) == json.loads(json.dumps(schema.document()))


@pytest.mark.django_db
def test_what_a_token_is_told_is_kept_by_no_cache(cast: Cast):
    answer = Program(token=token_of(cast.qiao)).get("/me")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Authorization" in answer.headers["Vary"]
    assert not answer.cookies
