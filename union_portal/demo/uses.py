"""Uses of the demo's offers over half a year, and what members say of them.

Each is a row that every guard of the table has judged: the offer as it was published, an active
card, quotas and the programme's budget.
"""

import calendar
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from members.actions import (
    card_changes,
    card_codes,
    complaints,
    favourites,
    ratings,
    redemptions,
)
from members.models import (
    BenefitOffer,
    Channel,
    CodeKind,
    Favourite,
    Merchant,
    MerchantComplaint,
    MerchantLogin,
    Rating,
    Redemption,
    ServiceCard,
)
from members.states import CardState, OfferState
from union_portal import audit
from union_portal.demo import merchants
from union_portal.demo.cast import Player
from union_portal.demo.lots import Lots, lots
from union_portal.demo.merchants import TILL
from union_portal.demo.setting import Setting
from union_portal.demo.street import TRADES
from union_portal.fields import keyring
from union_portal.models import Account

# The programme's row is written by every use: what ends with its transaction is soon forgotten.
_CHUNK: Final = 400
_PLAIN_USES: Final = 14
_RATED: Final = 12
_LOST: Final = 40
_SUSPENDED: Final = 6
_APART: Final = 250
_WORDS: Final = ("很方便", "服务热情", "优惠实在", "排队有点久", "下次还来", "")


@dataclass(frozen=True)
class _Holder:
    """Who may have used something from a day on."""

    card: int
    person: int
    organization: int
    since: date


class Uses:
    """What became of the offers."""

    def __init__(self, setting: Setting, players: dict[str, Player]) -> None:
        self.setting = setting
        self.players = players
        self.today = setting.today

    def make(self) -> str:
        """The uses of the past months, a part at a time; what is there already is left alone."""
        made = 0
        if not self._is_made():
            known = set(Redemption.objects.values_list("code_digest", flat=True))
            wanted = [one for one in self._all() if one.code_digest not in known]
            for start in range(0, len(wanted), _CHUNK):
                made += len(Redemption.objects.bulk_create(wanted[start : start + _CHUNK]))
            with transaction.atomic():
                self._log("uses", made)
                self._rate()
                self._stop_some()
        return f"{Redemption.objects.count()} uses of offers, {Rating.objects.count()} ratings"

    @staticmethod
    def _is_made() -> bool:
        """What is stopped last is there."""
        return ServiceCard.objects.filter(
            state=CardState.SUSPENDED, channel=Channel.IMPORT
        ).exists()

    # -- the past ------------------------------------------------------------------------
    def _all(self) -> list[Redemption]:
        """Every use, in the order of their instants; the same however often it is asked."""
        cards = ServiceCard.objects.filter(channel=Channel.IMPORT, state=CardState.ACTIVE)
        holders = [
            _Holder(card, person, organization, since)
            for card, person, organization, since in cards.order_by(
                "activated_on", "pk"
            ).values_list("pk", "person", "organization", "activated_on")
            if since is not None
        ]
        tills = dict(MerchantLogin.objects.values_list("merchant", "account"))
        places: dict[int, list[int]] = {}
        through = BenefitOffer.places.through.objects.order_by("pk")
        for pk, place in through.values_list("benefitoffer", "merchantplace"):
            places.setdefault(pk, []).append(place)
        made: list[Redemption] = []
        for offer in self._offers():
            rng = lots("uses", offer.title, offer.merchant_id, offer.valid_from.year)
            made += self._of(offer, rng, holders, tills[offer.merchant_id], places[offer.pk])
        made.sort(key=lambda one: (one.redeemed_at, one.code_digest))
        return made

    @staticmethod
    def _offers() -> Sequence[BenefitOffer]:
        published = BenefitOffer.objects.filter(
            state=OfferState.PUBLISHED, merchant__in=merchants.live()
        )
        return list(published.select_related("category").order_by("pk"))

    def _of(
        self,
        offer: BenefitOffer,
        rng: Lots,
        holders: Sequence[_Holder],
        till: int,
        places: Sequence[int],
    ) -> Iterator[Redemption]:
        used: dict[int, int] = {}
        most = offer.quota_per_member or 12
        for number, day in enumerate(self._days(offer, rng), start=1):
            # Whoever had a card by then; drawn anew where the limit of a member is reached.
            many = bisect_left(holders, day, key=lambda one: one.since)
            holder = holders[rng.randrange(many)]
            while used.get(holder.person, 0) >= most:
                holder = holders[rng.randrange(many)]
            used[holder.person] = used.get(holder.person, 0) + 1
            at = datetime.combine(day, time(rng.randrange(9, 20), rng.randrange(60)))
            mark = f"demo:{offer.merchant_id}:{offer.pk}:{number}"
            yield Redemption(
                offer=offer,
                revision=offer.revision,
                merchant_id=offer.merchant_id,
                place_id=rng.choice(places),
                card_id=holder.card,
                person_id=holder.person,
                organization_id=holder.organization,
                programme_id=offer.programme_id,
                ordinal=used[holder.person],
                code_digest=keyring().fingerprint("card_code", mark),
                code_kind=CodeKind.LIVE if rng.randrange(20) else CodeKind.PRINTED,
                subsidy_fen=offer.subsidy_fen,
                redeemed_at=timezone.make_aware(at),
                redeemed_by_id=till,
            )

    def _days(self, offer: BenefitOffer, rng: Lots) -> list[date]:
        """The days of an offer's uses: more each month, none today."""
        found = merchants.months(self.today)
        shares = self._shares(found)
        subsidised = TRADES[offer.category.code].subsidised
        wanted = subsidised.uses if offer.subsidy_fen and subsidised else _PLAIN_USES
        days: list[date] = []
        given = before = 0
        for month, share in zip(found, shares, strict=True):
            given += share
            until = wanted * given // sum(shares)
            if not offer.subsidy_fen or month.year == offer.valid_from.year:
                days += [self._day(month, rng) for _use in range(until - before)]
            before = until
        return sorted(days)

    def _shares(self, found: Sequence[date]) -> list[int]:
        """How many parts of all uses fall into each month: of this one, the days that are over."""
        shares = [(6 + nth) * 30 for nth in range(len(found))]
        shares[-1] = (6 + len(found)) * (self.today.day - 1)
        return shares

    def _day(self, month: date, rng: Lots) -> date:
        is_now = (month.year, month.month) == (self.today.year, self.today.month)
        days = self.today.day - 1 if is_now else calendar.monthrange(month.year, month.month)[1]
        return month + timedelta(days=rng.randrange(days))

    # -- what was said, and what was stopped -------------------------------------------------
    def _rate(self) -> None:
        """Every twelfth use has its stars."""
        rng = lots("ratings")
        rows = list(
            Redemption.objects.filter(rating__isnull=True)
            .order_by("pk")
            .values_list("pk", "redeemed_at")[::_RATED]
        )
        Rating.objects.bulk_create(
            Rating(
                redemption_id=pk,
                stars=rng.choices((5, 4, 3, 2, 1), (55, 28, 10, 4, 3))[0],
                words=rng.choice(_WORDS),
                rated_at=at + timedelta(hours=3),
            )
            for pk, at in rows
        )

    def _stop_some(self) -> None:
        """Some cards were lost since, and some are suspended: it happens in every programme.

        All on the evening before, when the last of their uses is over.
        """
        at = timezone.make_aware(datetime.combine(self.today - timedelta(days=1), time(20)))
        taken = ServiceCard.objects.filter(channel=Channel.IMPORT, state=CardState.ACTIVE).order_by(
            "pk"
        )
        chosen = list(taken.values_list("pk", flat=True)[::_APART])
        lost, suspended = chosen[:_LOST], chosen[_LOST : _LOST + _SUSPENDED]
        for pks, state, why in (
            (lost, CardState.LOST, "持卡人报失（演示）"),
            (suspended, CardState.SUSPENDED, "信息核对期间暂停（演示）"),
        ):
            rows = ServiceCard.objects.filter(pk__in=pks)
            card_changes.move_set(rows, to=state, at=at, by=self.setting.staff["he"], reason=why)
            rows.update(reason=why, suspended_at=at if state == CardState.SUSPENDED else None)

    # -- at the till, as it is done ----------------------------------------------------------
    def at_the_till(self) -> str:
        """Kong shows codes in the noodle shop; what she and Yan say of it."""
        kong = self.players.get("kong")
        if kong is not None and not Redemption.objects.filter(person=kong.person).exists():
            with transaction.atomic():
                self._kong_eats(kong)
        return f"{MerchantComplaint.objects.count()} complaints, {Favourite.objects.count()} kept"

    def _kong_eats(self, kong: Player) -> None:
        till = Account.objects.get(username=TILL)
        shop = Merchant.objects.get(logins__account=till)
        card = ServiceCard.objects.get(person=kong.person, state=CardState.ACTIVE)
        here = BenefitOffer.objects.filter(merchant=shop, state=OfferState.PUBLISHED)
        open_now = list(here.filter(valid_to__gte=self.today).order_by("-subsidy_fen", "pk"))
        first = self._use(card, open_now[0], kong.account, till)
        wrong = self._use(card, open_now[-1], kong.account, till)
        redemptions.undo(redemption=wrong, reason="收银员点错优惠（演示）", by=till)
        ratings.rate(redemption=first, stars=5, words="面好吃，补贴当场就减。", by=kong.account)
        for offer in open_now:
            favourites.keep(offer=offer, person=kong.person)
        complaints.file(
            merchant=shop,
            person=kong.person,
            text="高峰时段收银台说扫不了码，第二次才成功。",
            by=kong.account,
            redemption=first,
        )
        answered = complaints.file(
            merchant=merchants.live()[0],
            person=kong.person,
            text="店里没有张贴会员优惠的说明，店员也不清楚。",
            by=kong.account,
        )
        complaints.answer(
            complaint=answered,
            text="已要求商户张贴说明并培训店员，感谢反映（演示）。",
            by=self.setting.staff["hui"],
            now=timezone.now(),
        )

    @staticmethod
    def _use(card: ServiceCard, offer: BenefitOffer, holder: Account, till: Account) -> Redemption:
        """The whole way: the code is shown, looked up and confirmed."""
        code = card_codes.renew(card=card, by=holder, offer=offer).code
        look = redemptions.look_up(text=code, by=till, address="192.0.2.10")
        return redemptions.confirm(look=look, offer_id=offer.pk, revision=offer.revision, by=till)

    @staticmethod
    def _log(what: str, count: int) -> None:
        audit.record_ref(
            "demo.taken_over", "demo", "uses", by=audit.Machine("demo"), what=what, count=count
        )
