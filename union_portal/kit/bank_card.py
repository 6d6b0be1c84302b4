"""Bank card and account numbers as text, never as numbers."""

from typing import Final, Literal

from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import SPREADSHEET_FLOAT, digits_as_typed, halfwidth
from union_portal.kit.refusals import Refused

AccountKind = Literal["personal", "enterprise"]

_LENGTHS: Final[dict[AccountKind, tuple[int, int]]] = {
    "personal": (16, 19),
    "enterprise": (8, 32),
}
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")


class BankAccountError(Refused):
    """A text that cannot be a bank account number. Never quotes the number."""


def luhn_is_valid(number: str) -> bool:
    """Whether the digits pass the Luhn check (ISO/IEC 7812-1)."""
    total = sum(map(int, number[-1::-2])) + sum(map(int, number[-2::-2].translate(_DOUBLED)))
    return total % 10 == 0


def luhn_digit(payload: str) -> str:
    """The digit that makes ``payload`` pass the Luhn check."""
    total = sum(map(int, payload[-1::-2].translate(_DOUBLED))) + sum(map(int, payload[-2::-2]))
    return str(-total % 10)


def read_account(text: str, *, kind: AccountKind = "personal") -> str:
    """The account's digits: spaces, dashes and full-width digits mended.

    A personal card has 16 to 19 digits and a Luhn digit; enterprise accounts have neither.
    Errors: BankAccountError.
    """
    if SPREADSHEET_FLOAT.fullmatch(halfwidth(text).strip()):
        raise BankAccountError(
            gettext_noop("The spreadsheet has turned the account number into a rounded number."),
            gettext_noop(
                "Set the column's format to text and enter the numbers again: the last digits"
                " are lost."
            ),
        )
    number = digits_as_typed(text)
    if not number:
        raise BankAccountError(
            gettext_noop("The account number is missing."),
            gettext_noop("Enter the number on the front of the card."),
        )
    if not (number.isascii() and number.isdigit()):
        raise BankAccountError(
            gettext_noop("The account number holds something other than digits."),
            gettext_noop("Enter digits only; spaces and dashes may separate them."),
        )
    shortest, longest = _LENGTHS[kind]
    if not shortest <= len(number) <= longest:
        raise BankAccountError(
            gettext_noop(
                "The account number has %(length)s digits instead of %(shortest)s to %(longest)s."
            ),
            gettext_noop("Compare with the card: a digit is missing or was added."),
            {"length": len(number), "shortest": shortest, "longest": longest},
        )
    if kind == "personal" and not luhn_is_valid(number):
        raise BankAccountError(
            gettext_noop("The check digit of the card number is wrong."),
            gettext_noop("One digit was mistyped or two were swapped: compare with the card."),
        )
    return number
