"""Unified social credit codes (统一社会信用代码, GB 32100)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import digits_as_typed
from union_portal.kit.refusals import Refused

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS: Final = tuple(3**place % 31 for place in range(17))
_BODY_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_BODY_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

NOT_A_UNION: Final = gettext_noop("The code does not begin with 8, as codes of union bodies do.")
NOT_GRASSROOTS: Final = gettext_noop(
    "The code does not begin with 81, as codes of grassroots unions do."
)


class CreditCodeError(Refused):
    """A text that cannot be a unified social credit code."""


@dataclass(frozen=True)
class CreditCode:
    """A valid code; ``warnings`` say where it is unusual for a union body."""

    code: str
    division: str
    warnings: Sequence[str] = ()


def check_character(first_seventeen: str) -> str:
    """Check character of GB 32100: weights 3^i modulo 31."""
    total = sum(_VALUES[c] * w for c, w in zip(first_seventeen, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def body_check_character(first_eight: str) -> str:
    """Check character of the organisation's own code inside (GB 11714), 9th of nine."""
    values = (_BODY_ALPHABET.index(character) for character in first_eight)
    remainder = 11 - sum(v * w for v, w in zip(values, _BODY_WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(remainder, str(remainder))


def read_credit_code(text: str) -> CreditCode:
    """Read a code of 18 characters; full-width, spaced and lower-case input is mended.

    Errors: CreditCodeError. A code that is no union body's own is only warned about,
    because many grassroots unions use their employer's code.
    """
    code = digits_as_typed(text).upper()
    if len(code) != 18:
        raise CreditCodeError(
            gettext_noop("The credit code has %(length)s characters instead of 18."),
            gettext_noop("Copy it from the certificate; an old registration number is no use."),
            {"length": len(code)},
        )
    if not set(code) <= _VALUES.keys():
        raise CreditCodeError(
            gettext_noop("The credit code holds a character that such codes never use."),
            gettext_noop("The letters I, O, S, V and Z do not occur: check for 1, 0, 5 and 2."),
        )
    if check_character(code[:17]) != code[17]:
        raise CreditCodeError(
            gettext_noop("The check character of the credit code is wrong."),
            gettext_noop("Compare every character with the certificate."),
        )
    warnings: tuple[str, ...] = ()
    if code[0] != "8":
        warnings = (NOT_A_UNION,)
    elif code[1] != "1":
        warnings = (NOT_GRASSROOTS,)
    return CreditCode(code=code, division=code[2:8], warnings=warnings)
