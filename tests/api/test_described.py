"""The API called in every way that its description allows, and in many that it forbids.

Schemathesis reads the description and makes calls of it: the examples, the edges of every field,
and calls made at random from a fixed seed. Each goes through the real WSGI application to the real
database, by somebody for whom the endpoint opens; whatever comes back must be what the description
says. How many are made at random: `PORTAL_API_EXAMPLES` (docs/proofs.md).
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.generation.hypothesis import examples

from members.api import tills
from members.models import ServiceCard
from tests.api.calling import token_of
from tests.cast import NOW, Cast
from tests.members.street import Street, make_street
from tests.web.log_in import PASSWORD, may_log_in
from tests.welfare.shop import FEBRUARY, make_shop, use
from union_portal.api import schema as description
from union_portal.api import sealed
from union_portal.models import Account
from welfare.actions import settlements
from welfare.models import MerchantStatement

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("PORTAL_API_EXAMPLES", "4"))
SEED = int(os.environ.get("PORTAL_API_SEED", "20261128"))
CONFIG = {
    "seed": SEED,
    "generation": {
        "max-examples": EXAMPLES,
        "deterministic": True,
        "no-shrink": EXAMPLES < 50,
        # A NUL is no text of PostgreSQL; what becomes of one has tests of its own.
        "allow-x00": False,
    },
    "checks": {
        # What the shape allows may still be refused by a rule: a code of nobody, a used-up quota.
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "401", "403", "404", "409", "422", "429"]
        },
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "406", "409", "413", "415",
                                  "422", "429"]
        },
    },
}  # fmt: skip


@dataclass
class World:
    """Who calls, and rows that a call may name."""

    cast: Cast
    street: Street
    member: ServiceCard
    merchant: Account
    statement: MerchantStatement
    use: int
    offer: int
    tokens: dict[int, str] = field(default_factory=dict)
    turns: Iterator[int] = field(default_factory=itertools.count)

    def caller(self, path: str) -> Account:
        """Somebody for whom the endpoint opens."""
        if path.startswith("/api/v1/redemptions"):
            return self.street.till
        if path.startswith("/api/v1/statements"):
            return self.merchant
        return self.cast.lin if path.startswith("/api/v1/cards/mine") else self.cast.officer

    def token(self, path: str) -> str:
        """A token of theirs; of one that is about to be ended, a new one each time."""
        account = self.caller(path)
        if path.startswith("/api/v1/tokens"):
            return token_of(account)
        if account.pk not in self.tokens:
            self.tokens[account.pk] = token_of(account)
        return self.tokens[account.pk]

    def bodies(self) -> dict[str, Callable[[], dict[str, Any]]]:
        """What makes sense where the shape alone does not, by operation."""
        return {
            "POST /api/v1/tokens": lambda: {"login": "lin", "password": PASSWORD},
            "POST /api/v1/people/look-up": lambda: {"text": self.cast.lin_person.name},
            "POST /api/v1/redemptions/look-up": self._code,
            "POST /api/v1/redemptions": self._look,
        }

    def _code(self) -> dict[str, Any]:
        return {"code": self.street.code(self.member)}

    def _look(self) -> dict[str, Any]:
        look = self.street.look(self.street.code(self.member))
        carried = sealed.seal(tills.LOOK, tills.carried(look), account=self.street.till)
        return {"look": carried, "offer": self.offer, "revision": 1}

    def numbers(self) -> dict[str, int]:
        """Rows that are there, by the names of the parameters."""
        return {
            "person_id": self.cast.lin_person.pk,
            "card_id": self.cast.lin_person.cards.latest("pk").pk,
            "offer_id": self.offer,
            "use_id": self.use,
            "statement_id": self.statement.pk,
            "position": 1,
        }


@pytest.fixture
def world(cast: Cast, request: pytest.FixtureRequest) -> World:
    ours = request.getfixturevalue("settings")
    ours.API_CALLS_PER_ACCOUNT = ours.API_CALLS_PER_ADDRESS = 10**9
    ours.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    street = make_street(cast)
    offer = street.offer()
    may_log_in(cast.lin)
    street.member(person=cast.lin_person)
    member = street.member()
    made = street.use(member, offer)
    shop = make_shop(cast)
    use(shop, street.member())
    settlements.issue(month=FEBRUARY, by=shop.officer, now=NOW, today=timezone.localdate())
    statement = MerchantStatement.objects.get(merchant=shop.merchant)
    return World(cast, street, member, shop.till, statement, made.pk, offer.pk)


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """Calls share the test's connection, as those of Django's own test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def described(world: World, _one_connection: None) -> Any:
    found = schemathesis.openapi.from_dict(
        description.document(), config=schemathesis.Config.from_dict(CONFIG)
    )
    found.app = get_wsgi_application()
    return found


def test_every_call_that_is_described_is_answered_as_described(described: Any, world: World):
    counted: Counter[int] = Counter()
    faults = []
    for found in described.get_all_operations():
        operation = found.ok()
        for case in cases(described, operation):
            answer, told = _call(case, world)
            counted[answer] += 1
            faults += [f"{operation.label}: {told}"] if told else []
    assert faults == [], "\n\n".join(faults[:20])
    # More than refusals was seen, and refusals of each kind.
    assert {200, 201, 400, 401, 404, 405, 422} <= set(counted)
    assert counted.total() > 500, counted
    assert min(counted[201], counted[200]) > 5, counted


def cases(described: Any, operation: Any) -> Iterator[Any]:
    """The examples, the edges of every field, then calls made at random."""
    for strategy in operation.get_strategies_from_examples():
        yield examples.generate_one(strategy)
    yield from described.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=described.config.generation,
    )
    for mode in GenerationMode:
        yield from _at_random(operation.as_strategy(mode))


def _at_random(strategy: Any) -> list[Any]:
    """So many calls, the same for the same seed."""
    made: list[Any] = []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def make(case: Any) -> None:
        # A list of no values is not sent: a call that is forbidden by it alone is allowed.
        assume([] not in (case.query or {}).values())
        made.append(case)

    with suppress(Unsatisfiable):  # nothing that could be sent is forbidden
        make()
    return made


def _call(case: Any, world: World) -> tuple[int, str]:
    """The status of the answer, and how it differs from what is described."""
    if _is_allowed(case) and next(world.turns) % 2:
        _name_real_rows(case, world)
    heads = {}
    if case.operation.definition.raw.get("security"):
        heads["Authorization"] = f"Bearer {world.token(case.operation.path)}"
    answer = case.call(headers=heads)
    try:
        case.validate_response(answer, headers=heads)
    except FailureGroup as group:
        asked = f"{case.method} {case.formatted_path} {case.query} {case.body!r}"[:400]
        told = "; ".join(f"{type(one).__name__}: {one}" for one in group.exceptions)
        return answer.status_code, f"{asked}\n{told}"[:1500]
    return answer.status_code, ""


def _is_allowed(case: Any) -> bool:
    """Whether the description allows the call as it was made."""
    return case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE


def _name_real_rows(case: Any, world: World) -> None:
    """Every second call names what is there, so that more than refusals is seen."""
    there = world.numbers()
    for name in case.path_parameters or {}:
        case.path_parameters[name] = there.get(name, case.path_parameters[name])
    body = world.bodies().get(case.operation.label)
    if body is not None and isinstance(case.body, dict):
        case.body = {**case.body, **body()}
