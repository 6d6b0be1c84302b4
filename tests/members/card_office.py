"""The office that hands out service cards: members who may have one, batches, banks' answers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from members.actions import card_batches, card_life, card_results, cards
from members.models import (
    CardBank,
    CardBatch,
    CardResultFile,
    Channel,
    Consent,
    ConsentText,
    Membership,
    Person,
    ServiceCard,
)
from members.queries.privacy import text_in_force
from members.queries.till import live_membership
from members.states import MembershipState
from tests.cast import NOW, TODAY, Cast, make_person
from tests.members.cards import make_bank
from union_portal.kit import fictional
from union_portal.models import Account, Organization

_rng = random.Random(20260311)


@dataclass
class CardOffice:
    """A bank, the consent's text, and everybody in the cast with their duties."""

    cast: Cast
    bank: CardBank
    text: ConsentText
    numbers: list[str] = field(default_factory=list)

    def member(
        self,
        union: Organization | None = None,
        *,
        person: Person | None = None,
        state: str = MembershipState.ACTIVE,
        consents: bool = True,
        **more: Any,
    ) -> Person:
        """Somebody with a live membership who agreed to giving the data to the bank."""
        union = union or self.cast.tree.union
        person = person or make_person(union, **more)
        if live_membership(person) is None:
            Membership.objects.create(
                person=person, organization=union, joined_on=TODAY - timedelta(days=100),
                first_joined_on=TODAY - timedelta(days=100), channel=Channel.DESK, state=state,
            )  # fmt: skip
        if consents:
            Consent.objects.create(person=person, text=self.text, channel=Channel.DESK)
        return person

    def applied(self, person: Person | None = None, by: Account | None = None) -> ServiceCard:
        return cards.apply(
            person=person or self.member(), bank=self.bank, by=by or self.cast.qiao, today=TODAY
        )

    def ready(self, person: Person | None = None, **more: Any) -> ServiceCard:
        """Applied for by Qiao, checked by Shi, approved by the city."""
        return self._approved(self.applied(person, **more))

    def ready_instead_of(self, lost: ServiceCard) -> ServiceCard:
        return self._approved(cards.replace(card=lost, by=self.cast.qiao, today=TODAY))

    def _approved(self, card: ServiceCard) -> ServiceCard:
        cards.check(card=card, by=self.cast.shi, now=NOW)
        cards.approve(card=card, by=self.cast.officer, now=NOW)
        return card

    def made(self, count: int = 0) -> CardBatch:
        """A batch of whatever is ready, and of so many more."""
        for _each in range(count):
            self.ready()
        return card_batches.make(
            bank=self.bank, organization=self.cast.tree.city, by=self.cast.officer, today=TODAY,
            now=NOW,
        )  # fmt: skip

    def sent(self, count: int = 0) -> CardBatch:
        batch = self.made(count)
        card_batches.fetch(batch=batch, by=self.cast.officer, reason="for the bank")
        card_batches.mark_sent(batch=batch, by=self.cast.officer, now=NOW)
        return batch

    def issued(self, person: Person | None = None) -> ServiceCard:
        card = self.ready(person)
        batch = self.sent()
        self.take(batch, self.says(batch))
        card.refresh_from_db()
        return card

    def collected(self, person: Person | None = None) -> ServiceCard:
        card = self.issued(person)
        card_life.hand_out(card=card, by=self.cast.qiao, now=NOW)
        return card

    def active(self, person: Person | None = None) -> ServiceCard:
        card = self.collected(person)
        by = card.person.account or self.cast.qiao
        card_life.activate(card=card, number=str(card.number), by=by, today=TODAY, now=NOW)
        return card

    # -- what a bank says ---------------------------------------------------------------
    def number(self) -> str:
        """A card number that nobody has yet."""
        while (number := fictional.make_card_number(_rng)) in self.numbers:
            pass
        self.numbers.append(number)
        return number

    def rows(self, batch: CardBatch) -> list[list[str]]:
        """A row of success for each application, as the sample layout asks."""
        return [
            [str(card.batch_row), card.person.name, str(card.person.national_id), self.number(),
             "成功", ""]
            for card in batch.cards.select_related("person").order_by("batch_row")
        ]  # fmt: skip

    def says(self, batch: CardBatch, *changes: tuple[int, int, str]) -> bytes:
        """The bank's answer with some cells changed: (place of the row, column, text)."""
        rows = self.rows(batch)
        for place, cell, text in changes:
            rows[place][cell] = text
        return written(rows)

    def take(self, batch: CardBatch, content: bytes, **more: Any) -> CardResultFile:
        fields: dict[str, Any] = {"name": "result.csv", "by": self.cast.officer, "today": TODAY}
        return card_results.take(
            batch=batch, content=content, **{**fields, "now": timezone.now(), **more}
        )


TITLES = ["序号", "姓名", "证件号码", "卡号", "处理结果", "失败原因"]


def written(rows: list[list[str]], titles: list[str] | None = None) -> bytes:
    lines = [",".join(f'"{cell}"' for cell in row) for row in [titles or TITLES, *rows]]
    return ("\r\n".join(lines) + "\r\n").encode("gb18030")


def make_card_office(cast: Cast, *, text_from: date = date(2020, 1, 1), **bank: Any) -> CardOffice:
    made = make_bank(**bank)
    return CardOffice(cast, made, text_in_force("card", TODAY) or _text(cast, text_from))


def _text(cast: Cast, valid_from: date) -> ConsentText:
    """The next version of what members agree to: it holds whatever was adopted later."""
    return ConsentText.objects.create(
        purpose="card", version=ConsentText.objects.filter(purpose="card").count() + 1,
        text="同意将姓名、证件号码和手机号提供给银行。", text_en="I agree.", valid_from=valid_from,
        written_by=cast.rules_clerk, adopted_by=cast.decider, adopted_at=NOW,
    )  # fmt: skip
