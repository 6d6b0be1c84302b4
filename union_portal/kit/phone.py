"""Mainland mobile numbers."""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import SPREADSHEET_FLOAT, digits_as_typed, halfwidth
from union_portal.kit.refusals import Refused

_WHOLE: Final = re.compile(r"(1[0-9]{10})\.0*")
_BRACKETS: Final = str.maketrans("", "", "()")


class PhoneError(Refused):
    """A text that cannot be a mainland mobile number. Never quotes the number."""


@lru_cache(maxsize=4096)
def _is_mobile_range(first_five: str) -> bool:
    """Whether numbers beginning so are mobile: the national plan decides by five digits."""
    number = phonenumbers.parse(f"{first_five}000000", "CN")
    return (
        phonenumbers.is_valid_number(number)
        and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    )


def read_mobile(text: str) -> str:
    """The eleven digits of a mainland mobile number; +86, spaces and dashes are mended.

    Errors: PhoneError.
    """
    typed = halfwidth(text).strip()
    # Eleven digits and a dot are a number that the spreadsheet kept whole.
    whole = _WHOLE.fullmatch(typed)
    if whole is None and SPREADSHEET_FLOAT.fullmatch(typed):
        raise PhoneError(
            gettext_noop("The spreadsheet has turned the phone number into a rounded number."),
            gettext_noop("Set the column's format to text and enter the numbers again."),
        )
    number = digits_as_typed(whole[1] if whole else text).translate(_BRACKETS)
    for prefix in ("+86", "0086", "86"):
        if number.startswith(prefix) and len(number) == 11 + len(prefix):
            number = number.removeprefix(prefix)
            break
    if not (number.isascii() and number.isdigit()):
        raise PhoneError(
            gettext_noop("The phone number is missing or holds something other than digits."),
            gettext_noop("Enter one mobile number of 11 digits; leave the cell empty if none."),
        )
    if len(number) != 11:
        raise PhoneError(
            gettext_noop("The phone number has %(length)s digits instead of 11."),
            gettext_noop("Enter a mobile number; landlines cannot receive messages."),
            {"length": len(number)},
        )
    if not _is_mobile_range(number[:5]):
        raise PhoneError(
            gettext_noop("No mainland mobile network uses numbers that begin like this."),
            gettext_noop("Enter a mainland mobile number that begins with 13 to 19."),
        )
    return number
