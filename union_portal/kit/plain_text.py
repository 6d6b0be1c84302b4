"""Text as people type and paste it, made plain."""

import re
import unicodedata
from collections.abc import Iterable

from django.utils.translation import get_language

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_FULL_WIDTH[0x3000] = 0x20
_FULL_WIDTH[0xFFE5] = 0xA5
_INVISIBLE = dict.fromkeys(
    [
        0x00AD,
        0x061C,
        0x180E,
        0x2060,
        0xFEFF,
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
    ]
)
_DASHES = dict.fromkeys([0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212], 0x2D)

SPREADSHEET_FLOAT = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+|[0-9]+\.0+")
"""A long number that a spreadsheet turned into a float, such as 6.2E+18 or 13800138000.0."""


def halfwidth(text: str) -> str:
    """Full-width forms to ASCII, without the compatibility folding that turns ² into 2."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def without_invisible(text: str) -> str:
    """Drop zero-width and direction marks that pasting from chat or PDF leaves behind."""
    return text if text.isascii() else text.translate(_INVISIBLE)


def digits_as_typed(text: str) -> str:
    """Half-width, without invisible characters, spaces and dashes: the form numbers share."""
    if text.isascii() and text.isalnum():
        return text
    plain = without_invisible(halfwidth(text)).translate(_DASHES)
    return "".join(plain.split()).replace("-", "")


def has_control_characters(text: str) -> bool:
    """True when the text holds a control character (Unicode category Cc)."""
    if text.isprintable():
        return False
    return any(unicodedata.category(character) == "Cc" for character in text)


def enumerated(items: Iterable[object]) -> str:
    """The items one after the other, divided as the reader's language does."""
    is_chinese = (get_language() or "").startswith("zh")
    return ("、" if is_chinese else ", ").join(map(str, items))
