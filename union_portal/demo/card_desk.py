"""The card desk at work: applications in every state, two batches of one bank, its answers.

Everything here goes through the actions that staff and members use, each on its day of the weeks
before today; whoever is left where they are shows a state.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from members.actions import card_batches, card_life, card_results, cards, consents
from members.models import (
    CardBank,
    CardBatch,
    Channel,
    Consent,
    ConsentPurpose,
    Person,
    ServiceCard,
)
from members.queries.privacy import text_in_force
from members.states import CardState
from union_portal import files
from union_portal.demo import documents, federation
from union_portal.demo.cast import Player
from union_portal.demo.lots import lots
from union_portal.demo.members import BANKS
from union_portal.demo.setting import Setting
from union_portal.kit import fictional
from union_portal.models import Organization

# Of the people at home: how many go into the first batch, the second, and wait further back.
_FIRST, _SECOND, _READY, _CHECKED, _APPLIED = 60, 8, 6, 5, 5
# Rows of its file that the bank refuses.
_REFUSED: Final = (5, 6, 7)
_NOT_COLLECTED: Final = 10
_NOT_ACTIVATED: Final = 9
# Of the cast: who applies in the portal and holds an active card soon, and who has just begun.
_PLAYING: Final = ("kong", "yan", "bo")
_BEGINNING: Final = ("xi", "ni")
# Whose card was lost and found.
_LOSING: Final = "bo"


class Step(NamedTuple):
    """When something is done: so many working days before today, at that hour."""

    days: int
    hour: int


# Of the first batch, of the card that takes a lost one's place, and of those still on their way:
# applied, checked, approved.
_FIRST_STEPS: Final = (Step(18, 9), Step(17, 10), Step(15, 15))
_NEXT_STEPS: Final = (Step(5, 11), Step(4, 9), Step(4, 15))
_LAST_STEPS: Final = (Step(3, 10), Step(2, 11), Step(1, 9))
_SENT, _SENT_NEXT = Step(14, 16), Step(3, 16)
_ISSUED, _ISSUED_NEXT = Step(9, 10), Step(1, 10)
_HANDED_OUT, _ACTIVATED = Step(7, 14), Step(6, 10)
_LOST, _FOUND, _SUSPENDED, _LIFTED = Step(5, 10), Step(4, 16), Step(3, 9), Step(2, 10)
_BEGUN, _SENT_BACK = Step(2, 15), Step(1, 11)


class CardDesk:
    """The union of the cast hands out cards."""

    def __init__(self, setting: Setting, players: dict[str, Player]) -> None:
        self.setting = setting
        self.players = players
        self.home: Organization = federation.home_union(setting.city)
        self.bank = CardBank.objects.get(code=BANKS[0][0])
        self.rng = lots("card desk", setting.today.year)

    def play(self) -> str:
        """Once, in one transaction: either all of it is there or none."""
        if not CardBatch.objects.exists():
            with transaction.atomic():
                self._play()
        applied = ServiceCard.objects.exclude(channel=Channel.IMPORT).count()
        return f"{applied} applications for cards, {CardBatch.objects.count()} batches"

    def _play(self) -> None:
        people = self._people()
        applied = self._at(_FIRST_STEPS[0])
        self._agree(people, applied)
        parts = iter(people)
        self._apply([next(parts) for _each in range(_FIRST)], applied)
        for name in _PLAYING:
            self._apply_in_the_portal(name, applied)
        self._check_and_approve_all()
        batch = self._batch(self._at(_SENT))
        self._answer(batch, self._at(_ISSUED), refused=_REFUSED, with_stranger=True)
        self._hand_out(batch)
        self._activate(batch)
        self._lost_and_found()
        replacement = self._some_go_wrong(batch)
        self._bring([next(parts) for _each in range(_SECOND)], CardState.READY, _NEXT_STEPS)
        if replacement is not None:
            sent = self._batch(self._at(_SENT_NEXT))
            self._answer(sent, self._at(_ISSUED_NEXT), only=replacement)
        for count, state in (
            (_READY, CardState.READY),
            (_CHECKED, CardState.CITY_REVIEW),
            (_APPLIED, CardState.UNION_REVIEW),
        ):
            self._bring([next(parts) for _each in range(count)], state, _LAST_STEPS)
        self._begin()

    def _at(self, step: Step) -> datetime:
        return self.setting.before(*step)

    # -- who -------------------------------------------------------------------------------
    def _people(self) -> list[Person]:
        """Lin, and those of the home union that the demo made for this."""
        own = Person.objects.filter(
            organization=self.home,
            cards__isnull=True,
            phone__isnull=False,
            memberships__state="active",
            memberships__channel=Channel.IMPORT,
        )
        ours = [player.person.pk for player in self.players.values()]
        return list(own.exclude(pk__in=ours).order_by("pk"))

    def _agree(self, people: Sequence[Person], when: datetime) -> None:
        """They agreed on the sheet that came with the list of the factory."""
        text = text_in_force(ConsentPurpose.CARD, timezone.localdate(when))
        Consent.objects.bulk_create(
            Consent(
                person=person,
                text=text,
                channel=Channel.IMPORT,
                given_at=when,
                given_by=self.setting.staff["qiao"],
            )
            for person in people
        )

    # -- applying --------------------------------------------------------------------------
    def _apply(self, people: Sequence[Person], when: datetime) -> None:
        cards.apply_many(
            people=Person.objects.filter(pk__in=[one.pk for one in people]),
            bank=self.bank,
            by=self.setting.staff["qiao"],
            today=timezone.localdate(when),
        )
        self._date(people, when)

    def _apply_in_the_portal(self, name: str, when: datetime) -> ServiceCard | None:
        """The member agrees to the text that stands there, and applies."""
        player, day = self.players.get(name), timezone.localdate(when)
        text = text_in_force(ConsentPurpose.CARD, day)
        if player is None or text is None:
            return None
        consents.give(
            person=player.person,
            purpose=ConsentPurpose.CARD,
            by=player.account,
            now=when,
            today=day,
            seen=text.version,
        )
        card = cards.apply(person=player.person, bank=self.bank, by=player.account, today=day)
        self._date([player.person], when)
        return card

    @staticmethod
    def _date(people: Sequence[Person], when: datetime) -> None:
        """Their newest applications came in on that day: the action itself knows only now."""
        made = ServiceCard.objects.filter(person__in=people, checked_at__isnull=True)
        made.update(applied_at=when)

    def _check_and_approve_all(self) -> None:
        _applied, checked, approved = map(self._at, _FIRST_STEPS)
        county = federation.counties(self.setting.city)[0]
        cards.check_all(organization=county, by=self.setting.staff["shi"], now=checked)
        cards.approve_all(organization=self.setting.city, by=self.setting.staff["he"], now=approved)

    def _bring(self, people: Sequence[Person], to: CardState, steps: Sequence[Step]) -> None:
        """Apply for each, and let each get so far."""
        self._apply(people, self._at(steps[0]))
        for card in ServiceCard.objects.filter(person__in=people).order_by("pk"):
            self._on(card, to, steps)

    def _on(self, card: ServiceCard, to: CardState, steps: Sequence[Step]) -> None:
        _applied, checked, approved = map(self._at, steps)
        if to in (CardState.CITY_REVIEW, CardState.READY):
            cards.check(card=card, by=self.setting.staff["shi"], now=checked)
        if to == CardState.READY:
            cards.approve(card=card, by=self.setting.staff["he"], now=approved)

    def _begin(self) -> None:
        """One has just applied, the other was asked for more."""
        for name, is_returned in zip(_BEGINNING, (False, True), strict=True):
            card = self._apply_in_the_portal(name, self._at(_BEGUN))
            if card is not None and is_returned:
                cards.send_back(
                    card=card,
                    by=self.setting.staff["shi"],
                    reason="请到工会核对工作单位名称后重新提交（演示）。",
                    now=self._at(_SENT_BACK),
                )

    # -- the bank --------------------------------------------------------------------------
    def _batch(self, now: datetime) -> CardBatch:
        """Made, fetched and sent."""
        he, day = self.setting.staff["he"], timezone.localdate(now)
        batch = card_batches.make(
            bank=self.bank, organization=self.setting.city, by=he, today=day, now=now
        )
        card_batches.fetch(batch=batch, by=he, reason="送银行制卡（演示）")
        card_batches.mark_sent(batch=batch, by=he, now=now)
        return batch

    def _answer(
        self,
        batch: CardBatch,
        now: datetime,
        *,
        refused: Sequence[int] = (),
        with_stranger: bool = False,
        only: ServiceCard | None = None,
    ) -> None:
        """The bank's file: cards for all but a few, or for one alone."""
        rows = batch.cards.select_related("person").order_by("batch_row")
        told = list(rows if only is None else rows.filter(pk=only.pk))
        lines = []
        for nth, card in enumerate(told, start=1):
            is_issued = nth not in refused
            number = fictional.make_card_number(self.rng) if is_issued else ""
            result = ("成功", "") if is_issued else ("失败", "手机号已绑定其他客户")
            who = (card.person.name, str(card.person.national_id))
            lines.append((str(card.batch_row), *who, number, *result))
        if with_stranger:
            lines.append(("999", "查无此人", "", fictional.make_card_number(self.rng), "成功", ""))
        card_results.take(
            batch=batch,
            content=_written(lines),
            name=f"{batch.number}-result.csv",
            by=self.setting.staff["he"],
            today=timezone.localdate(now),
            now=now,
        )

    # -- the card in the hand ---------------------------------------------------------------
    def _hand_out(self, batch: CardBatch) -> None:
        """Most have signed the list; some have not come yet."""
        qiao = self.setting.staff["qiao"]
        issued = batch.cards.filter(state=CardState.ISSUED, channel=Channel.DESK)
        left = list(issued.order_by("-pk").values_list("pk", flat=True)[:_NOT_COLLECTED])
        sheet = documents.receipt("领卡签收表", "会员服务卡领取签收（演示）。")
        receipt = files.store(
            purpose=card_life.RECEIPT,
            name=sheet.name,
            content=sheet.content,
            subject=batch,
            organization=self.home,
            by=qiao,
        )
        card_life.hand_out_all(
            organization=self.home, receipt=receipt, by=qiao, now=self._at(_HANDED_OUT), but=left
        )

    def _activate(self, batch: CardBatch) -> None:
        """The bank's list of activated cards; the cast bind theirs in the portal."""
        now = self._at(_ACTIVATED)
        collected = batch.cards.filter(state=CardState.COLLECTED, channel=Channel.DESK)
        numbers = [str(card.number) for card in collected.order_by("pk")]
        card_life.activate_listed(
            numbers=numbers[: len(numbers) - _NOT_ACTIVATED],
            by=self.setting.staff["he"],
            today=timezone.localdate(now),
        )
        for name in _PLAYING:
            player = self.players.get(name)
            if player is not None:
                card = ServiceCard.objects.get(person=player.person)
                if card.state == CardState.COLLECTED:
                    card_life.activate(
                        card=card,
                        number=str(card.number),
                        by=player.account,
                        today=timezone.localdate(now),
                        now=now,
                    )

    def _lost_and_found(self) -> None:
        """One of the cast loses the card, finds it in a coat, and is looked into for a day."""
        player, he = self.players.get(_LOSING), self.setting.staff["he"]
        if player is None:
            return
        card = ServiceCard.objects.filter(person=player.person, state=CardState.ACTIVE).first()
        if card is None:
            return
        card_life.report_lost(card=card, by=player.account, now=self._at(_LOST))
        card_life.find_again(card=card, by=player.account, now=self._at(_FOUND))
        suspended, lifted = self._at(_SUSPENDED), self._at(_LIFTED)
        card_life.suspend(card=card, by=he, now=suspended, reason="核对挂失期间的用卡记录（演示）")
        card_life.lift(card=card, by=he, now=lifted, reason="核对无误（演示）")

    def _some_go_wrong(self, batch: CardBatch) -> ServiceCard | None:
        """Lost, lost and replaced, suspended, cancelled: one each."""
        now, qiao, he = self._at(_LOST), self.setting.staff["qiao"], self.setting.staff["he"]
        active = batch.cards.filter(state=CardState.ACTIVE, channel=Channel.DESK)
        chosen = list(active.order_by("-pk")[:4])
        if len(chosen) < 4:
            return None
        lost, replaced, suspended, cancelled = chosen
        card_life.report_lost(card=lost, by=qiao, now=now, reason="本人到工会报失（演示）")
        card_life.report_lost(card=replaced, by=qiao, now=now, reason="卡片遗失（演示）")
        card_life.suspend(card=suspended, by=he, now=now, reason="信息核对期间暂停（演示）")
        cards.cancel(card=cancelled, by=he, now=now, reason="本人申请注销（演示）")
        another = cards.replace(card=replaced, by=qiao, today=timezone.localdate(now))
        self._date([another.person], self._at(_NEXT_STEPS[0]))
        self._on(another, CardState.READY, _NEXT_STEPS)
        return another


def _written(lines: Sequence[tuple[str, ...]]) -> bytes:
    """A result file as the sample layout has it."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(("序号", "姓名", "证件号码", "卡号", "处理结果", "失败原因"))
    writer.writerows(lines)
    return text.getvalue().encode("gb18030")
