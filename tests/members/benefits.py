"""Merchants, agreements and offers to play with, made by the actions that make them in life.

They hold on the day of the test, whatever day that is: pages ask the real calendar.
"""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.utils import timezone
from PIL import Image

from members.actions import (
    agreements,
    complaints,
    merchant_accounts,
    merchant_logins,
    merchants,
    offers,
    places,
    programmes,
)
from members.actions.merchants import Upload
from members.models import (
    BenefitCategory,
    BenefitOffer,
    BenefitProgramme,
    CodeKind,
    Merchant,
    MerchantAccount,
    MerchantAgreement,
    MerchantComplaint,
    MerchantLogin,
    MerchantPlace,
    Need,
    Person,
    Rating,
    Redemption,
    ServiceCard,
)
from tests.cast import Cast
from tests.members.cards import make_card
from union_portal.kit import fictional
from union_portal.models import Organization

_rng = random.Random(20261128)
_numbers = itertools.count(1)
SUBSIDISED: dict[str, Any] = {
    "kind": "subsidy", "price_fen": 1_500, "subsidy_fen": 500, "quota_total": 10,
    "quota_per_member": 2,
}  # fmt: skip
PASSWORD = "kd3p-9fwa-h2mx-77qe"
_day = timezone.localdate().isoformat()
AGREED = {
    "number": "榆工惠〔2026〕7号", "signed_on": _day, "valid_from": _day, "valid_to": _day,
    "tender": "",
}  # fmt: skip


def today() -> date:
    return timezone.localdate()


def paper(name: str = "licence.jpg") -> Upload:
    sheet = BytesIO()
    Image.new("RGB", (320, 240), "white").save(sheet, "JPEG")
    sheet.seek(0)
    return Upload(name, sheet)


def category(code: str = "dining", **more: Any) -> BenefitCategory:
    fields = {"name": f"餐饮{code}", "name_en": f"Dining {code}", "need": Need.FOOD, **more}
    made, _new = BenefitCategory.objects.get_or_create(code=code, defaults=fields)
    return made


def credit_code() -> str:
    return fictional.make_credit_code(_rng, category="91")


def applying(cast: Cast) -> dict[str, str]:
    """What the public form says, without its file."""
    return {
        "name": "榆林古城老面馆", "uscc": credit_code(), "category": str(category().pk),
        "introduction": "Noodles.", "contact": "王掌柜", "contact_phone": "13800138000",
    }  # fmt: skip


def apply(**more: Any) -> Merchant:
    """An application as it arrives from the public page."""
    fields: dict[str, Any] = {
        "name": "榆林古城老面馆", "uscc": credit_code(), "category": category(),
        "contact": "王掌柜", "contact_phone": "13800138000", "licence": paper(),
        "address": "192.0.2.7", "now": timezone.now(), **more,
    }  # fmt: skip
    return merchants.apply(**fields)


def make_merchant(
    cast: Cast, *, approve: bool = True, organization: Organization | None = None, **more: Any
) -> Merchant:
    """A merchant with a shop; approved unless told otherwise, without an agreement."""
    fields: dict[str, Any] = {
        "name": f"塞上示范商户{next(_numbers)}号", "uscc": credit_code(), "category": category(),
        "contact": "王掌柜", "contact_phone": "13800138000", "licence": paper(),
    }  # fmt: skip
    merchant = merchants.invite(
        organization=organization or cast.tree.city, by=cast.benefits, **{**fields, **more}
    )
    make_place(cast, merchant)
    merchants.review(merchant=merchant, by=cast.benefits, now=timezone.now())
    if approve:
        merchants.approve(merchant=merchant, by=cast.decider, now=timezone.now())
    return merchant


def make_place(cast: Cast, merchant: Merchant, **more: Any) -> MerchantPlace:
    fields: dict[str, Any] = {
        "name": "老街店", "address": "榆阳区北大街7号", "division_code": "610802",
        "latitude": Decimal("38.285"), "longitude": Decimal("109.735"), **more,
    }  # fmt: skip
    return places.add(merchant=merchant, by=cast.benefits, **fields)


def agree(
    cast: Cast, merchant: Merchant, *, first: int = -30, last: int = 300, confirm: bool = True
) -> MerchantAgreement:
    """An agreement from some days before today (`first`) to some after it (`last`).

    It is entered while it holds: for one that has ended the clock of the action stood earlier.
    """
    start, end = today() + timedelta(days=first), today() + timedelta(days=last)
    made = agreements.enter(
        merchant=merchant, number=f"A{next(_numbers)}", signed_on=min(start, today()),
        valid_from=start, valid_to=end, by=cast.benefits, today=min(end, today()),
    )  # fmt: skip
    if confirm:
        agreements.confirm(agreement=made, by=cast.decider, now=timezone.now())
    return made


def programme(
    cast: Cast, *, budget_fen: int = 100_000, year: int | None = None
) -> BenefitProgramme:
    year = year or today().year
    held = BenefitProgramme.objects.filter(year=year).first()
    return held or programmes.open_programme(
        name=f"{year}年职工普惠", year=year, fund_code="benefits", budget_fen=budget_fen,
        by=cast.decider,
    )  # fmt: skip


def says(merchant: Merchant, **more: Any) -> offers.Draft:
    """What an offer of the merchant says: a members' price of 25 yuan unless told otherwise."""
    fields: dict[str, Any] = {
        "category": merchant.category, "title": f"会员套餐{next(_numbers)}", "title_en": "Lunch",
        "text": "凭会员服务卡享受优惠。", "kind": "price", "price_fen": 2_500,
        "valid_from": today() - timedelta(days=3), "valid_to": today() + timedelta(days=20),
        "places": list(merchant.places.all()), **more,
    }  # fmt: skip
    return offers.Draft(**fields)


def make_offer(
    cast: Cast, merchant: Merchant, *, publish: bool = True, **more: Any
) -> BenefitOffer:
    """An offer written by the benefits officer and published by the decider."""
    offer = offers.draft(
        merchant=merchant, says=says(merchant, **more), by=cast.benefits, today=today()
    )
    if publish:
        offers.submit(offer=offer, by=cast.benefits, today=today())
        offers.publish(offer=offer, by=cast.decider, now=timezone.now(), today=today())
    return offer


def honoured(cast: Cast, **more: Any) -> BenefitOffer:
    """An offer that can be used today."""
    merchant = make_merchant(cast)
    agree(cast, merchant)
    return make_offer(cast, merchant, **more)


def give_login(cast: Cast, merchant: Merchant, username: str) -> MerchantLogin:
    """A log-in whose first password has been changed already."""
    login = merchant_logins.give(
        merchant=merchant, username=username, name="Till", password=PASSWORD, by=cast.benefits
    )
    login.account.is_password_first = False
    login.account.save(update_fields=["is_password_first"])
    return login


def enter_account(cast: Cast, merchant: Merchant, **more: Any) -> MerchantAccount:
    fields: dict[str, Any] = {
        "number": fictional.make_enterprise_account(_rng), "bank_name": "榆林示范银行", **more,
    }  # fmt: skip
    return merchant_accounts.enter(merchant=merchant, by=cast.benefits, **fields)


def complain(cast: Cast, merchant: Merchant, **more: Any) -> MerchantComplaint:
    fields: dict[str, Any] = {"person": cast.lin_person, "by": cast.lin, **more}
    text = "The till refused the card twice."
    return complaints.file(merchant=merchant, text=text, **fields)


def used(cast: Cast, offer: BenefitOffer, person: Person | None = None) -> Redemption:
    """One use of an offer, as the till writes it."""
    person = person or cast.lin_person
    card = ServiceCard.objects.filter(person=person).first() or make_card(person)
    ordinal = Redemption.objects.filter(offer=offer, person=person).count() + 1
    return Redemption.objects.create(
        offer=offer, revision=offer.revision, merchant=offer.merchant, card=card, person=person,
        organization=person.organization, programme=offer.programme, ordinal=ordinal,
        code_digest=f"{next(_numbers):064d}", code_kind=CodeKind.LIVE,
        subsidy_fen=offer.subsidy_fen, redeemed_by=cast.benefits,
    )  # fmt: skip


def rate(use: Redemption, stars: int) -> Rating:
    return Rating.objects.create(redemption=use, stars=stars)
