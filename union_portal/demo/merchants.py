"""The demo's merchants with agreements, shops, tills and offers; and those that did not get so far.

Most are entered in sets, each state by the same step as in life; a few go the whole way by the
actions, so that every desk has something to do.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from members.actions import agreements, merchant_accounts, merchants, offers, programmes
from members.actions.merchants import Upload
from members.models import (
    BenefitCategory,
    BenefitOffer,
    BenefitProgramme,
    Merchant,
    MerchantAgreement,
    MerchantLogin,
    MerchantPlace,
)
from members.sample_categories import SAMPLE_CATEGORIES
from members.states import AgreementState, MerchantState, OfferState
from union_portal import lifecycle
from union_portal.demo import documents, federation
from union_portal.demo.lots import Lots, lots
from union_portal.demo.setting import Setting
from union_portal.demo.shops import division_of, shops_of, trade_of
from union_portal.demo.street import HEADS, SUFFIX, TRADES, Said
from union_portal.kit import fictional, masks, names
from union_portal.models import Account

# Of the newspaper's figures: so many shops with so many offers between them.
MERCHANTS: Final = 84
OFFERS: Final = 95
MONTHS: Final = 6
FUND_CODE: Final = "benefits"
BUDGET_FEN: Final = 120_000_000
BANK: Final = "驼城演示银行"
# The till whose log-in the demo tells stands in a noodle shop with a subsidised bowl.
TILL: Final = "till"
TILL_AT: Final = 1 + list(TRADES).index("dining")
_QUOTA_EACH: Final = 6
_ROOM: Final = 400


def months(today: date) -> list[date]:
    """The first days of this month and of the five before it, the oldest first."""
    found = [today.replace(day=1)]
    while len(found) < MONTHS:
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return found


def years(today: date) -> list[int]:
    """The years in which the demo's offers were used: the money of each is its own."""
    return sorted({month.year for month in months(today)})


def live() -> list[Merchant]:
    """The demo's merchants in the order they were made."""
    return list(Merchant.objects.filter(receipt__startswith="DEMO").order_by("receipt"))


class Street:
    """The merchants, from the categories to their offers."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.hui, self.lu = setting.staff["hui"], setting.staff["lu"]
        opened = months(setting.today)[0] - timedelta(days=100)
        self.opened = timezone.make_aware(datetime.combine(opened, time(9)))

    def open(self) -> str:
        """Everything of the street, once."""
        with transaction.atomic():
            self._categories()
            for year in years(self.setting.today):
                self._programme(year)
        if not Merchant.objects.filter(receipt__startswith="DEMO").exists():
            with transaction.atomic():
                self._merchants()
                self._agreements()
                self._shops()
                self._tills()
                self._offers()
                self._accounts()
                self._unfinished()
        count = BenefitOffer.objects.filter(state=OfferState.PUBLISHED).count()
        return f"{Merchant.objects.count()} merchants, {count} offers published"

    # -- what they stand under ------------------------------------------------------------
    def _categories(self) -> None:
        known = set(BenefitCategory.objects.values_list("code", flat=True))
        for position, sample in enumerate(SAMPLE_CATEGORIES, start=1):
            if sample.code not in known:
                programmes.add_category(**sample._asdict(), position=position, by=self.lu)

    def _programme(self, year: int) -> None:
        if not BenefitProgramme.objects.filter(year=year).exists():
            programmes.open_programme(
                name=f"{year}年会员普惠补贴（演示）",
                year=year,
                fund_code=FUND_CODE,
                budget_fen=BUDGET_FEN,
                by=self.lu,
            )

    # -- the merchants ------------------------------------------------------------------------
    def _merchants(self) -> None:
        made = [self._merchant(number) for number in range(1, MERCHANTS + 1)]
        Merchant.objects.bulk_create(made)
        # One sample sheet stands for every licence: it says itself that it is none.
        first = Merchant.objects.get(receipt="DEMO00000001")
        merchants.describe(merchant=first, by=self.hui, licence=licence())
        rows = Merchant.objects.filter(receipt__startswith="DEMO")
        rows.update(licence=first.licence)
        lifecycle.advance_set(
            rows,
            to=MerchantState.REVIEWED,
            by=self.hui,
            reviewed_by=self.hui.pk,
            reviewed_at=self.opened + timedelta(days=3),
        )
        lifecycle.advance_set(
            rows,
            to=MerchantState.APPROVED,
            by=self.lu,
            approved_by=self.lu.pk,
            approved_at=self.opened + timedelta(days=5),
        )

    def _merchant(self, number: int) -> Merchant:
        rng = lots("merchant", number)
        code, nth = trade_of(number)
        name = f"{HEADS[(number * 5 + nth) % len(HEADS)]}{TRADES[code].nouns[nth]}{SUFFIX}"
        phone = fictional.make_mobile(rng)
        return Merchant(
            name=name,
            pinyin=names.pinyin(name).replace(" ", ""),
            initials=names.initials(name),
            uscc=fictional.make_credit_code(rng, category="91", division=division_of(number)),
            category=BenefitCategory.objects.get(code=code),
            organization=self.setting.city,
            introduction=f"{name}，演示虚构的普惠单位。",
            contact=fictional.make_name(rng, "male", rare_per_mille=0, dotted_per_mille=0),
            contact_phone=phone,
            contact_phone_shown=masks.mask_phone(phone),
            receipt=f"DEMO{number:08d}",
            entered_by=self.hui,
            entered_at=self.opened,
            state=MerchantState.INVITED,
        )

    def _agreements(self) -> None:
        start = self.opened.date() + timedelta(days=6)
        MerchantAgreement.objects.bulk_create(
            MerchantAgreement(
                merchant=merchant,
                number=f"榆工惠演示{start.year}-{number:03d}",
                signed_on=start,
                valid_from=start,
                # One of them ends soon, which the officer's desk tells.
                valid_to=self.setting.today + timedelta(days=45 if number == MERCHANTS else 400),
                tender="比选公告（演示）",
                entered_by=self.hui,
                entered_at=self.opened + timedelta(days=6),
            )
            for number, merchant in enumerate(live(), start=1)
        )
        lifecycle.advance_set(
            MerchantAgreement.objects.filter(merchant__receipt__startswith="DEMO"),
            to=AgreementState.CONFIRMED,
            by=self.lu,
            confirmed_by=self.lu.pk,
            confirmed_at=self.opened + timedelta(days=7),
        )

    def _shops(self) -> None:
        MerchantPlace.objects.bulk_create(
            shop for number, merchant in enumerate(live(), 1) for shop in shops_of(merchant, number)
        )

    def _tills(self) -> None:
        """A log-in a merchant: `till` stands in the noodle shop, `till01` and so on elsewhere."""
        password = make_password(federation.PASSWORD)
        found = live()
        accounts = Account.objects.bulk_create(
            Account(
                username=TILL if number == TILL_AT else f"{TILL}{number:02d}",
                name=f"{merchant.name.removesuffix(SUFFIX)}收银台",
                password=password,
            )
            for number, merchant in enumerate(found, start=1)
        )
        MerchantLogin.objects.bulk_create(
            MerchantLogin(
                account=account, merchant=merchant, given_by=self.hui, given_at=self.opened
            )
            for account, merchant in zip(accounts, found, strict=True)
        )

    # -- the offers ---------------------------------------------------------------------------
    def _offers(self) -> None:
        made = list(self._drafts())
        BenefitOffer.objects.bulk_create(made)
        shops: dict[int, list[int]] = {}
        for pk, merchant in MerchantPlace.objects.order_by("pk").values_list("pk", "merchant"):
            shops.setdefault(merchant, []).append(pk)
        through = BenefitOffer.places.through
        through.objects.bulk_create(
            through(benefitoffer_id=offer.pk, merchantplace_id=place)
            for offer in made
            for place in shops[offer.merchant_id]
        )
        rows = BenefitOffer.objects.filter(pk__in=[offer.pk for offer in made])
        lifecycle.advance_set(rows, to=OfferState.SUBMITTED, by=self.hui)
        for nth in range(3):
            # They came one after the other: the page of figures shows how they grew.
            chosen = [offer.pk for offer in made if offer.merchant_id % 3 == nth]
            lifecycle.advance_set(
                rows.filter(pk__in=chosen),
                to=OfferState.PUBLISHED,
                by=self.lu,
                approved_by=self.lu.pk,
                approved_at=self.opened + timedelta(days=10 + nth * 35),
            )

    def _drafts(self) -> Iterator[BenefitOffer]:
        found = live()
        for number, merchant in enumerate(found, start=1):
            code, nth = trade_of(number)
            if TRADES[code].subsidised is not None and nth == 0:
                yield from self._subsidised(merchant, code)
            else:
                yield self._plain(merchant, TRADES[code].offers[nth % len(TRADES[code].offers)])
        for number, merchant in enumerate(found[: OFFERS - MERCHANTS], start=1):
            code, nth = trade_of(number)
            yield self._plain(merchant, TRADES[code].offers[(nth + 1) % len(TRADES[code].offers)])

    def _plain(self, merchant: Merchant, said: Said) -> BenefitOffer:
        return BenefitOffer(
            merchant=merchant,
            category=merchant.category,
            title=said.title,
            title_en=said.title_en,
            text=said.text,
            terms="演示虚构的优惠，不可兑换。",
            kind=said.kind,
            price_fen=said.figure if said.kind == "price" else None,
            discount=Decimal(said.figure) / 10 if said.kind == "discount" else None,
            valid_from=self.opened.date() + timedelta(days=8),
            valid_to=self.setting.today + timedelta(days=300),
            quota_per_member=12 if said.kind == "gift" else None,
            entered_by=self.hui,
            entered_at=self.opened + timedelta(days=8),
        )

    def _subsidised(self, merchant: Merchant, code: str) -> Iterator[BenefitOffer]:
        """One edition a year: the money of a year pays for uses of that year alone."""
        said = TRADES[code].subsidised
        assert said is not None
        for year in years(self.setting.today):
            yield BenefitOffer(
                merchant=merchant,
                category=merchant.category,
                programme=BenefitProgramme.objects.get(year=year),
                title=said.title,
                title_en=said.title_en,
                text=said.text,
                terms="工会补贴由系统按月与商户结算；演示虚构。",
                kind="subsidy",
                subsidy_fen=said.subsidy_fen,
                valid_from=date(year, 1, 1),
                valid_to=date(year, 12, 31),
                quota_total=said.uses + _ROOM,
                quota_per_member=_QUOTA_EACH,
                entered_by=self.hui,
                entered_at=self.opened + timedelta(days=8),
            )

    def _accounts(self) -> None:
        """Whoever is settled has an account that finance confirmed; one more waits for that."""
        for number, merchant in enumerate(live(), start=1):
            code, nth = trade_of(number)
            if nth or (TRADES[code].subsidised is None and code != "clothing"):
                continue
            entered = merchant_accounts.enter(
                merchant=merchant,
                number=fictional.make_enterprise_account(lots("account", number)),
                bank_name=BANK,
                by=self.hui,
            )
            if code != "clothing":
                merchant_accounts.confirm(
                    account=entered, by=self.setting.staff["jiang"], now=timezone.now()
                )

    # -- what is not finished -----------------------------------------------------------------
    def _unfinished(self) -> None:
        """One of each kind of work that waits, and one of each end that is none to be proud of."""
        now, rng = timezone.now(), lots("unfinished")
        applied = [self._applies(nth, rng) for nth in range(3)]
        merchants.review(merchant=applied[1], by=self.hui, now=now)
        agreements.enter(
            merchant=applied[1],
            number=f"榆工惠演示{self.setting.today.year}-900",
            signed_on=self.setting.today,
            valid_from=self.setting.today,
            valid_to=self.setting.today + timedelta(days=365),
            by=self.hui,
            today=self.setting.today,
        )
        merchants.refuse(
            merchant=applied[2], by=self.hui, reason="经营地址与营业执照不符（演示）。"
        )
        self._stopped(rng, now)
        shops = live()
        self._offer_that(shops[20], "周三会员日八折", submit=False)
        self._offer_that(shops[21], "会员生日赠礼", submit=True)

    def _applies(self, nth: int, rng: Lots) -> Merchant:
        trade = ("dining", "books", "lodging")[nth]
        return merchants.apply(
            name=f"{HEADS[nth]}{TRADES[trade].nouns[-1]}新店{SUFFIX}",
            uscc=fictional.make_credit_code(rng, category="91"),
            category=BenefitCategory.objects.get(code=trade),
            contact=fictional.make_name(rng, "female", rare_per_mille=0, dotted_per_mille=0),
            contact_phone=fictional.make_mobile(rng),
            licence=licence(),
            address=f"192.0.2.{nth + 1}",
            now=timezone.now(),
            introduction="希望加入会员普惠（演示）。",
        )

    def _stopped(self, rng: Lots, now: datetime) -> None:
        """Two that were merchants: one is suspended after a complaint, one has parted."""
        for name, is_ended in (("桃林烧烤", False), ("绿洲旧书屋", True)):
            made = merchants.invite(
                name=f"{name}{SUFFIX}",
                uscc=fictional.make_credit_code(rng, category="91"),
                category=BenefitCategory.objects.get(code="books" if is_ended else "dining"),
                organization=self.setting.city,
                contact=fictional.make_name(rng, "male", rare_per_mille=0, dotted_per_mille=0),
                contact_phone=fictional.make_mobile(rng),
                by=self.hui,
                licence=licence(),
            )
            merchants.review(merchant=made, by=self.hui, now=now)
            merchants.approve(merchant=made, by=self.lu, now=now)
            if is_ended:
                merchants.end(merchant=made, by=self.lu, reason="商户停业（演示）。", now=now)
            else:
                merchants.suspend(
                    merchant=made, by=self.hui, reason="会员投诉不认卡，核实期间暂停（演示）。"
                )

    def _offer_that(self, merchant: Merchant, title: str, *, submit: bool) -> None:
        """An offer that the merchant wrote: still a draft, or waiting to be published."""
        till = MerchantLogin.objects.get(merchant=merchant).account
        says = offers.Draft(
            category=merchant.category,
            title=title,
            text="商户自拟的优惠（演示）。",
            kind="gift",
            valid_from=self.setting.today,
            valid_to=self.setting.today + timedelta(days=90),
            places=list(merchant.places.all()),
        )
        made = offers.draft(merchant=merchant, says=says, by=till, today=self.setting.today)
        if submit:
            offers.submit(offer=made, by=till, today=self.setting.today)


def licence() -> Upload:
    """A sheet that says of itself that it is no licence."""
    sheet = documents.receipt("营业执照样本", "演示虚构，不是任何单位的营业执照。")
    return Upload("营业执照样本.jpg", sheet.content)
