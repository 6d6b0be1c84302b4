"""Identity numbers of GB 11643: 18 characters, birth date and check character inside.

The first six digits say where the number was first issued; they are never refused, because
divisions are renamed while numbers stay (a person born in Yulin before 2000 has 6127xx).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import mul
from typing import Final, Literal

from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import SPREADSHEET_FLOAT, digits_as_typed, halfwidth
from union_portal.kit.refusals import Refused
from union_portal.kit.regions import PROVINCES

Sex = Literal["male", "female"]
DocumentKind = Literal["citizen", "residence_permit", "foreign_permanent_resident"]

_FORM: Final = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"
_EARLIEST_YEAR: Final = 1900

UNKNOWN_DIVISION: Final = gettext_noop(
    "The first digits of the identity number are not a known province; compare with the card."
)


class IdentityError(Refused):
    """A number that cannot be an identity number, with the remedy. Never quotes the number."""


@dataclass(frozen=True)
class NationalId:
    """What an identity number says by itself."""

    number: str = field(repr=False)
    born_on: date
    sex: Sex
    division: str
    kind: DocumentKind = "citizen"
    warnings: Sequence[str] = ()


def check_character(first_seventeen: str) -> str:
    """Check character of the first 17 digits (GB 11643: weighted sum modulo 11)."""
    total = sum(map(mul, map(int, first_seventeen), _WEIGHTS))
    return _CHECK[total % 11]


def read_national_id(text: str, *, today: date) -> NationalId:
    """Read a citizen's number, a residence permit (81/82/83) or a foreigner's (9).

    Full-width digits, spaces, dashes and a lower-case x are mended silently. Errors:
    IdentityError with its own message for every way a number can be wrong. An unknown
    province is a warning only.
    """
    number = digits_as_typed(text).upper()
    if not _FORM.fullmatch(number):
        _require_form(text, number)
    if check_character(number[:17]) != number[17]:
        raise IdentityError(
            gettext_noop("The check character of the identity number is wrong."),
            gettext_noop(
                "One character was mistyped or two were swapped: compare with the card."
                " If it came from a spreadsheet, store the column as text."
            ),
        )
    born_on = _birth_date(number, today)
    kind = _kind(number)
    known = kind != "citizen" or number[:2] in PROVINCES
    return NationalId(
        number=number,
        born_on=born_on,
        sex="male" if int(number[16]) % 2 else "female",
        division=number[:6],
        kind=kind,
        warnings=() if known else (UNKNOWN_DIVISION,),
    )


def _kind(number: str) -> DocumentKind:
    if number[:2] in ("81", "82", "83"):
        return "residence_permit"
    return "foreign_permanent_resident" if number[0] == "9" else "citizen"


def _require_form(text: str, number: str) -> None:
    if not number:
        raise IdentityError(
            gettext_noop("The identity number is missing."),
            gettext_noop("Enter the 18 characters on the card."),
        )
    if SPREADSHEET_FLOAT.fullmatch(halfwidth(text).strip()):
        raise IdentityError(
            gettext_noop("The spreadsheet has turned the identity number into a rounded number."),
            gettext_noop(
                "Set the column's format to text and enter the numbers again: the last digits"
                " are lost."
            ),
        )
    if len(number) == 15 and number.isascii() and number.isdigit():
        raise IdentityError(
            gettext_noop("This is an old identity number of 15 digits, no longer valid."),
            gettext_noop("Ask for the person's 18-character card and enter its number."),
        )
    if len(number) != 18:
        raise IdentityError(
            gettext_noop("The identity number has %(length)s characters instead of 18."),
            gettext_noop("Compare with the card: a character is missing or was added."),
            {"length": len(number)},
        )
    if not (number.isascii() and number[:17].isdigit() and (number[17] in "0123456789X")):
        raise IdentityError(
            gettext_noop("The identity number holds something other than digits and a final X."),
            gettext_noop("Check for the letter O instead of zero and the letter l instead of 1."),
        )


def _birth_date(number: str, today: date) -> date:
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    try:
        born_on = date(year, month, day)
    except ValueError:
        raise IdentityError(
            gettext_noop("The identity number holds a birth date that does not exist."),
            gettext_noop("Compare the 7th to the 14th digit with the birth date on the card."),
        ) from None
    if born_on > today:
        raise IdentityError(
            gettext_noop("The identity number holds a birth date in the future."),
            gettext_noop("Compare the 7th to the 14th digit with the birth date on the card."),
        )
    if year < _EARLIEST_YEAR:
        raise IdentityError(
            gettext_noop("The identity number holds a birth date before 1900."),
            gettext_noop("Compare the 7th to the 14th digit with the birth date on the card."),
        )
    return born_on
