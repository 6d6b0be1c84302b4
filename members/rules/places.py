"""Where a shop lies: a point on the map (GCJ-02, degrees) and a division (GB/T 2260)."""

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit import regions
from union_portal.kit.plain_text import digits_as_typed
from union_portal.kit.refusals import Refused

# The box of China's land, as the check of the table has it: south, north, west, east.
SOUTH, NORTH = Decimal(3), Decimal(54)
WEST, EAST = Decimal(73), Decimal(136)
# Six decimals of a degree are a tenth of a metre.
STEP: Final = Decimal("0.000001")


def read_point(latitude: Decimal, longitude: Decimal) -> tuple[Decimal, Decimal]:
    """A point in China, to six decimals. Errors: Refused; swapped figures are told as such."""
    if not (latitude.is_finite() and longitude.is_finite()):
        raise _outside()
    if SOUTH <= longitude <= NORTH and WEST <= latitude <= EAST:
        raise Refused(
            gettext_noop("Latitude and longitude are swapped."),
            gettext_noop("The latitude is the smaller figure, in Yulin between 36 and 40."),
        )
    if not (SOUTH <= latitude <= NORTH and WEST <= longitude <= EAST):
        raise _outside()
    return latitude.quantize(STEP), longitude.quantize(STEP)


def read_division(text: str) -> str:
    """A division code of six digits. Errors: Refused for one that does not exist."""
    code = digits_as_typed(text)
    is_known = (
        len(code) == 6 and code.isascii() and code.isdigit() and code[:2] in regions.PROVINCES
    )
    if code.startswith(regions.YULIN[:4]):
        is_known = code in regions.YULIN_DIVISIONS
    if not is_known:
        raise Refused(
            gettext_noop("There is no division of this code (GB/T 2260)."),
            gettext_noop("Write the six digits of the county or district, such as 610802."),
        )
    return code


def _outside() -> Refused:
    return Refused(
        gettext_noop("The point lies outside of China."),
        gettext_noop("Read it off a Chinese map (GCJ-02): latitude first, then longitude."),
    )
