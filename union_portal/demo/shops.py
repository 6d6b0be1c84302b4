"""What the demo's n-th merchant trades in, and where its shops lie; told by its number alone."""

from collections.abc import Iterator
from decimal import Decimal

from members.models import Merchant, MerchantPlace
from union_portal.demo.lots import lots
from union_portal.demo.street import SEATS, STREETS, TRADES
from union_portal.kit import regions


def trade_of(number: int) -> tuple[str, int]:
    """The category of the n-th merchant, and which of its shops it is."""
    codes = list(TRADES)
    return codes[(number - 1) % len(codes)], (number - 1) // len(codes)


def division_of(number: int) -> str:
    """The county of the n-th merchant, as many in each as its size says."""
    codes = list(SEATS)
    return lots("county", number).choices(codes, [SEATS[code][2] for code in codes])[0]


def shops_of(merchant: Merchant, number: int) -> Iterator[MerchantPlace]:
    """One shop, and a second for every fifth merchant."""
    for nth in range(1 + (number % 5 == 0)):
        rng = lots("shop", number, nth)
        division = division_of(number * (nth + 1))
        latitude, longitude, _share = SEATS[division]
        county, street = regions.YULIN_DIVISIONS_ZH[division], rng.choice(STREETS)
        yield MerchantPlace(
            merchant=merchant,
            name=f"{county}{street}店",
            address=f"{county}{street}{rng.randrange(1, 200)}号（演示）",
            division_code=division,
            latitude=latitude + Decimal(rng.randrange(-12_000, 12_000)) / 1_000_000,
            longitude=longitude + Decimal(rng.randrange(-12_000, 12_000)) / 1_000_000,
            phone="0912-0000000",
            hours="9:00–20:00",
        )
