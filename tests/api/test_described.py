"""The API called in every way that its description allows, and in many that it forbids.

Schemathesis reads the description and makes calls of it: the examples, the edges of every field,
and calls made at random from a fixed seed. Each goes through the real WSGI application to the real
database, by somebody for whom the endpoint opens; whatever comes back must be what the description
says. How many are made at random: `PORTAL_API_EXAMPLES` (docs/proofs.md).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.utils import timezone
from schemathesis.generation import GenerationMode

from tests.api.calling import token_of
from tests.cast import NOW, Cast
from tests.members.street import Street, make_street
from tests.welfare.shop import FEBRUARY, make_shop, use
from union_portal.api import schema as description
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
    merchant: Account
    statement: MerchantStatement
    use: int
    offer: int

    def caller(self, path: str) -> Account:
        """Somebody for whom the endpoint opens."""
        if path.startswith("/api/v1/redemptions"):
            return self.street.till
        if path.startswith("/api/v1/statements"):
            return self.merchant
        return self.cast.lin if path.startswith("/api/v1/cards/mine") else self.cast.officer

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
def world(cast: Cast, settings: Any) -> World:
    settings.API_CALLS_PER_ACCOUNT = settings.API_CALLS_PER_ADDRESS = 10**9
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    street = make_street(cast)
    offer = street.offer()
    street.member(person=cast.lin_person)
    made = street.use(street.member(), offer)
    shop = make_shop(cast)
    use(shop, street.member())
    settlements.issue(month=FEBRUARY, by=shop.officer, now=NOW, today=timezone.localdate())
    statement = MerchantStatement.objects.get(merchant=shop.merchant)
    return World(cast, street, shop.till, statement, made.pk, offer.pk)


@pytest.fixture
def described(world: World) -> Any:
    config = schemathesis.Config.from_dict(CONFIG)
    found = schemathesis.openapi.from_dict(description.document(), config=config)
    found.app = get_wsgi_application()
    found.world = world
    return found


lazily = schemathesis.pytest.from_fixture("described")


@lazily.parametrize()
def test_every_call_that_is_described_is_answered_as_described(case: Any, world: World):
    if _is_allowed(case):
        _name_real_rows(case, world)
    heads = {}
    if case.operation.definition.raw.get("security"):
        heads["Authorization"] = f"Bearer {token_of(world.caller(case.operation.path))}"
    case.call_and_validate(headers=heads)


def _is_allowed(case: Any) -> bool:
    """Whether the description allows the call as it was made."""
    return case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE


def _name_real_rows(case: Any, world: World) -> None:
    """Every second call names rows that are there, so that more than refusals is seen."""
    there = world.numbers()
    for name, value in (case.path_parameters or {}).items():
        if name in there and int(value) % 2:
            case.path_parameters[name] = there[name]
