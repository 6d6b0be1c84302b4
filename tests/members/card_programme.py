"""A programme of service cards at the size of a city: `./portal test -s
tests/members/card_programme.py`, of `CARDS` members (13,000).

Applies for all, checks, approves, writes one batch, takes the bank's answer in, hands out and
activates; tells milliseconds, statements and the growth of memory of each step.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.actions import card_batches, card_life, card_results, cards
from members.models import Channel, Consent, Membership, Person, ServiceCard
from members.queries import cards as queries_cards
from members.rules.card_layouts import SAMPLES
from members.states import CardState
from tests.cast import NOW, TODAY, Cast
from tests.members.card_office import CardOffice, make_card_office, written
from tests.processes import peak, restart_peak
from union_portal import sets
from union_portal.fields import keyring
from union_portal.kit import fictional, masks

pytestmark = pytest.mark.django_db
CARDS = int(os.environ.get("CARDS", "13000"))
MEBIBYTE = 1024 * 1024


def populate(office: CardOffice, count: int) -> None:
    """Members of the three unions, with memberships and consents."""
    rng, ring = random.Random(13000), keyring()
    made = list(
        fictional.make_people(
            rng, count, divisions=["610802", "610881"], first=date(1970, 1, 1),
            last=date(2000, 12, 31),
        )
    )  # fmt: skip
    prints = ring.fingerprint_many("national_id", [one.national_id for one in made])
    phones = ring.fingerprint_many("phone", [one.mobile for one in made])
    unions = office.cast.tree.unions
    people = Person.objects.bulk_create(
        (
            Person(
                name=one.name, pinyin="x", initials="x", sex=one.sex, born_on=one.born_on,
                national_id=one.national_id, national_id_index=print_,
                national_id_shown=masks.mask_id(one.national_id), phone=one.mobile,
                phone_index=phone, phone_shown=masks.mask_phone(one.mobile),
                organization=unions[number % 2],
            )
            for number, (one, print_, phone) in enumerate(zip(made, prints, phones, strict=True))
        ),
        batch_size=2000,
    )  # fmt: skip
    joined = TODAY - timedelta(days=100)
    Membership.objects.bulk_create(
        (
            Membership(
                person=one, organization=one.organization, joined_on=joined,
                first_joined_on=joined, channel=Channel.DESK,
            )
            for one in people
        ),
        batch_size=2000,
    )  # fmt: skip
    Consent.objects.bulk_create(
        (Consent(person=one, text=office.text, channel=Channel.DESK) for one in people),
        batch_size=2000,
    )
    for model in (Person, Membership, Consent):
        sets.refresh(model, count)


def told(what: str, act: Callable[[], Any]) -> Any:
    before, begun = restart_peak(), time.monotonic_ns()
    with CaptureQueriesContext(connection) as asked:
        result = act()
    milliseconds = (time.monotonic_ns() - begun) // 1_000_000
    grown = (peak() - before) // MEBIBYTE
    print(f"{what:<28} {milliseconds:>7} ms {len(asked):>4} statements {grown:>4} MiB", flush=True)
    return result


def test_a_programme_of_a_city(cast: Cast):
    office = make_card_office(cast, layout={**SAMPLES["sample-text"], "most_rows": CARDS})
    populate(office, CARDS)
    city, county = cast.tree.city, cast.tree.county
    everybody = Person.objects.filter(consents__isnull=False)
    applied = told("apply for all", lambda: cards.apply_many(
        people=everybody, bank=office.bank, by=cast.qiao, today=TODAY))  # fmt: skip
    print(f"  within Qiao's union: {applied.count}")
    ServiceCard.objects.bulk_create(
        (
            ServiceCard(person=one, organization=one.organization, bank=office.bank,
                        handle=cards.new_handle(), channel="import", state=CardState.UNION_REVIEW)
            for one in everybody.filter(cards__isnull=True).select_related("organization")
        ),
        batch_size=2000,
    )  # fmt: skip
    sets.refresh(ServiceCard, CARDS)
    told("check", lambda: cards.check_all(organization=county, by=cast.shi, now=NOW))
    told("approve", lambda: cards.approve_all(organization=city, by=cast.officer, now=NOW))
    batch = told("make the batch", office.made)
    told("fetch", lambda: card_batches.fetch(batch=batch, by=cast.officer, reason="bank"))
    told("mark as sent", lambda: card_batches.mark_sent(batch=batch, by=cast.officer, now=NOW))
    content = written(office.rows(batch))
    file = told("take the answer in", lambda: office.take(batch, content))
    assert card_results.verdicts(file.rows.all()) == {"issued": CARDS}
    told("the same answer again", lambda: office.take(batch, content))
    counts = told("count by county and month", lambda: queries_cards.issued_by_county_and_month(
        ServiceCard.objects.all(), "city"))  # fmt: skip
    assert counts.total == CARDS
    told("sign for a union", lambda: card_life.hand_out_all(
        organization=cast.tree.union, receipt=batch.file, by=cast.qiao, now=NOW))  # fmt: skip
    told("activate the bank's list", lambda: card_life.activate_listed(
        numbers=office.numbers, by=cast.officer, today=TODAY))  # fmt: skip
