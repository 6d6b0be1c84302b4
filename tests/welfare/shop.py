"""A merchant with a subsidised offer, and uses of it: rows to settle."""

import itertools
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from members.models import (
    BankAccount,
    BenefitCategory,
    BenefitOffer,
    BenefitProgramme,
    Merchant,
    MerchantLogin,
    Redemption,
    ServiceCard,
)
from members.states import BankAccountState, MerchantState, OfferState
from tests.cast import Cast, make_account, make_rule_set
from union_portal import lifecycle
from union_portal.access import Role
from union_portal.models import Account, RuleSet
from welfare.sample_rules import MERCHANTS

SHANGHAI = ZoneInfo("Asia/Shanghai")
FEBRUARY = date(2026, 2, 1)
_numbers = itertools.count(1)
# Valid credit codes of nobody (GB 32100).
CODES = ("91610802MA00000011", "91610802MA00000038")


@dataclass
class Shop:
    """Everything that one merchant's settlement asks for."""

    merchant: Merchant
    offer: BenefitOffer
    programme: BenefitProgramme
    till: Account
    officer: Account
    colleague: Account
    rules: RuleSet


def make_shop(cast: Cast, *, code: str = CODES[0], programme: Any = None) -> Shop:
    """An approved merchant with a till, and an offer that costs the federation 20 yuan a use."""
    n = next(_numbers)
    officer = make_account(f"pu{n}", role=Role.BENEFITS_OFFICER, at=cast.tree.city)
    colleague = make_account(f"hui{n}", role=Role.BENEFITS_OFFICER, at=cast.tree.city)
    category, _made = BenefitCategory.objects.get_or_create(
        code="noodles", defaults={"name": "面馆", "name_en": "Noodles", "need": "food"}
    )
    merchant = Merchant.objects.create(
        name=f"驼城面馆{n}号", uscc=code, category=category, organization=cast.tree.city,
        contact="高掌柜", contact_phone="19900000000", contact_phone_shown="199****0000",
        receipt=f"M{n:09d}", entered_by=officer,
    )  # fmt: skip
    lifecycle.advance(merchant, to=MerchantState.REVIEWED, by=officer, reviewed_by=officer)
    lifecycle.advance(
        merchant, to=MerchantState.APPROVED, by=cast.decider, approved_by=cast.decider
    )
    programme = programme or BenefitProgramme.objects.create(
        name="普惠 2026", year=2026, fund_code="benefits", organization=cast.tree.city,
        budget_fen=1_000_000,
    )  # fmt: skip
    offer = _offer(cast, merchant, programme, officer)
    till = make_account(f"till{n}")
    MerchantLogin.objects.create(account=till, merchant=merchant, given_by=officer)
    rules = RuleSet.objects.filter(scheme=MERCHANTS).first() or make_rule_set(
        cast, MERCHANTS, fund_code="benefits", parameters={"dispute_days": 7}
    )
    return Shop(merchant, offer, programme, till, officer, colleague, rules)


def of_another_programme(cast: Cast, shop: Shop) -> Shop:
    """The same merchant, with an offer that the programme of the year before still pays."""
    programme = BenefitProgramme.objects.create(
        name="普惠 2025", year=2025, fund_code="benefits", organization=cast.tree.city,
        budget_fen=1_000_000,
    )  # fmt: skip
    offer = _offer(cast, shop.merchant, programme, shop.officer)
    return replace(shop, programme=programme, offer=offer)


def _offer(
    cast: Cast, merchant: Merchant, programme: BenefitProgramme, officer: Account
) -> BenefitOffer:
    offer = BenefitOffer.objects.create(
        merchant=merchant, category=merchant.category, programme=programme,
        title="羊肉面立减20元", text="立减20元", kind="subsidy", subsidy_fen=2_000,
        valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31), quota_total=1_000,
        quota_per_member=20, entered_by=officer,
    )  # fmt: skip
    lifecycle.advance(offer, to=OfferState.SUBMITTED, by=officer)
    lifecycle.advance(offer, to=OfferState.PUBLISHED, by=cast.decider, approved_by=cast.decider)
    return offer


def use(shop: Shop, card: ServiceCard, *, day: int = 10, month: int = 2) -> Redemption:
    """One use at noon of a day."""
    n = next(_numbers)
    before = Redemption.objects.filter(offer=shop.offer, person=card.person).count()
    return Redemption.objects.create(
        offer=shop.offer, revision=shop.offer.revision, merchant=shop.merchant, card=card,
        person=card.person, organization=card.organization, programme=shop.programme,
        ordinal=before + 1, code_digest=f"{n:064d}", code_kind="live", subsidy_fen=2_000,
        redeemed_at=datetime(2026, month, day, 12, tzinfo=SHANGHAI), redeemed_by=shop.till,
    )  # fmt: skip


def confirm_account(shop: Shop, cast: Cast) -> BankAccount:
    """The merchant's own account, confirmed by finance."""
    made = BankAccount.objects.create(
        merchant=shop.merchant, holder=shop.merchant.name, number="6222000000000000018",
        last_four="0018", bank_name="榆林示范银行", entered_by=shop.officer,
    )  # fmt: skip
    lifecycle.advance(
        made, to=BankAccountState.CONFIRMED, by=cast.feng_checker,
        confirmed_by=cast.feng_checker, confirmed_at=datetime(2026, 3, 1, tzinfo=SHANGHAI),
    )  # fmt: skip
    return made
