"""Where a shop lies: a point on the map (GCJ-02, degrees) and a division (GB/T 2260)."""

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit import regions
from union_portal.kit.plain_text import digits_as_typed
from union_portal.kit.refusals import Refused

# The box around the twelve counties, with some kilometres to spare: south, north, west, east.
SOUTH, NORTH = Decimal("36.7"), Decimal("39.8")
WEST, EAST = Decimal("107.1"), Decimal("111.4")
# Six decimals of a degree are a tenth of a metre.
STEP: Final = Decimal("0.000001")


def read_point(latitude: Decimal, longitude: Decimal) -> tuple[Decimal, Decimal]:
    """A point of the city, to six decimals. Errors: Refused; swapped figures are told as such."""
    if not (latitude.is_finite() and longitude.is_finite()):
        raise _outside("latitude")
    if _is_within(longitude, latitude):
        raise Refused(
            gettext_noop("Latitude and longitude are swapped."),
            gettext_noop("The latitude is the smaller figure, in Yulin between 36 and 40."),
            at="latitude",
        )
    if not _is_within(latitude, longitude):
        raise _outside("longitude" if SOUTH <= latitude <= NORTH else "latitude")
    return latitude.quantize(STEP), longitude.quantize(STEP)


def read_division(text: str) -> str:
    """The code of one of the twelve counties. Errors: Refused for any other."""
    code = digits_as_typed(text)
    if code not in regions.YULIN_DIVISIONS:
        raise Refused(
            gettext_noop("No county of the city has this code (GB/T 2260)."),
            gettext_noop("Choose one of the twelve counties, such as 610802 for Yuyang District."),
            at="division_code",
        )
    return code


def _is_within(latitude: Decimal, longitude: Decimal) -> bool:
    return SOUTH <= latitude <= NORTH and WEST <= longitude <= EAST


def _outside(at: str) -> Refused:
    return Refused(
        gettext_noop("The point lies outside of the city."),
        gettext_noop(
            "Read it off a Chinese map (GCJ-02): latitudes go from %(south)s to %(north)s here,"
            " longitudes from %(west)s to %(east)s."
        ),
        {"south": SOUTH, "north": NORTH, "west": WEST, "east": EAST},
        at=at,
    )
