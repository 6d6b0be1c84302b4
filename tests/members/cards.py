"""A bank and the cards it has issued, for whoever needs a holder of one."""

import random
from datetime import date
from itertools import count
from typing import Any

from members.models import CardBank, Channel, Person, ServiceCard
from members.rules.card_layouts import SAMPLES
from members.states import CardState
from union_portal.kit import fictional

_numbers = count(1)
_rng = random.Random(20260602)


def make_bank(**more: Any) -> CardBank:
    """The bank of the tests; what `more` says holds if it is the first to ask."""
    fields: dict[str, Any] = {
        "name": "榆林示范银行", "hotline": "0912-95000", "prefixes": "629999",
        "layout": SAMPLES["sample-text"],
    }  # fmt: skip
    made, _new = CardBank.objects.get_or_create(code="DEMO", defaults={**fields, **more})
    return made


def make_card(person: Person, **more: Any) -> ServiceCard:
    """The person's active card."""
    number = fictional.make_card_number(_rng)
    fields: dict[str, Any] = {
        "number": number, "last_four": number[-4:], "handle": f"h{next(_numbers):020d}",
        "channel": Channel.DESK, "issued_on": date(2024, 5, 1), "state": CardState.ACTIVE,
    }  # fmt: skip
    fields |= {"bank": more.pop("bank", None) or make_bank(), **more}
    return ServiceCard.objects.create(person=person, organization=person.organization, **fields)
