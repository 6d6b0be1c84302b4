"""The twelve digits that stand for a card at a till, and the signed token of its QR code.

The token holds the digits, the instant and a signature, nothing of the person, and is good for
sixty seconds. Typed by hand, the digits alone are the same code. Chance, instants and the
signature are arguments; instants are the database's on both sides, so that no other clock counts.
"""

import base64
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import digits_as_typed
from union_portal.kit.refusals import Refused

VERSION: Final = "UP1"
LIFE: Final = timedelta(seconds=60)
# What two clocks of one database may differ by after it moved to another server.
AHEAD: Final = timedelta(seconds=5)
DIGITS: Final = 12
_SIGNATURE_BYTES: Final = 10
_TOKEN: Final = re.compile(
    r"UP(?P<version>[0-9])-(?P<code>[0-9]{12})-(?P<at>[0-9]{10})-[A-Z2-7]{16}"
)
_CODE: Final = re.compile(r"[0-9]{12}")
# A quasigroup of order ten without fixed pairs (H. M. Damm, 2004): whatever single digit is
# mistyped, or two neighbours swapped, the check digit shows it.
_DAMM: Final = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip

# The keyed hash of a text, in hexadecimal.
Sign = Callable[[str], str]


class Fault(StrEnum):
    """Why a token or a code is none."""

    MALFORMED = "malformed"
    FORGED = "forged"
    EXPIRED = "expired"
    AHEAD = "ahead"


_WORDS: Final = {
    Fault.MALFORMED: (
        gettext_noop("This is no code of a service card."),
        gettext_noop("Compare the twelve digits, or scan again."),
    ),
    Fault.FORGED: (
        gettext_noop("This code was not made by the portal."),
        gettext_noop("Ask the member to open the card's page in the portal."),
    ),
    Fault.EXPIRED: (
        gettext_noop("This code is too old: a code counts for one minute."),
        gettext_noop("Ask the member to renew it."),
    ),
    Fault.AHEAD: (
        gettext_noop("This code is dated in the future."),
        gettext_noop("Ask the member to renew it."),
    ),
}


class TokenRefused(Refused):
    """A text that stands for no card; `fault` tells why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(*_WORDS[fault])
        self.fault = fault


def make_code(draw: Callable[[int], int]) -> str:
    """Eleven drawn digits and their check digit; `draw(n)` gives a number below n."""
    drawn = f"{draw(10 ** (DIGITS - 1)):0{DIGITS - 1}d}"
    return drawn + str(_interim(drawn))


def is_code(text: str) -> bool:
    """Whether the text is twelve digits of which the last fits the others."""
    return _CODE.fullmatch(text) is not None and _interim(text) == 0


def grouped(code: str) -> str:
    """The code for people: ``1234 5678 9012``."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def issue(code: str, *, at: datetime, sign: Sign) -> str:
    """The token for a code from an instant on. Capitals and digits alone: a small picture."""
    body = f"{VERSION}-{code}-{int(at.timestamp()):010d}"
    return f"{body}-{_signature(body, sign)}"


def read(text: str, *, now: datetime, sign: Sign) -> str:
    """The code of what was scanned or typed. Errors: TokenRefused."""
    scanned = text.strip().upper()
    if scanned.startswith("UP"):
        return _verified(scanned, now=now, sign=sign)
    code = digits_as_typed(text)
    if not is_code(code):
        raise TokenRefused(Fault.MALFORMED)
    return code


def _verified(token: str, *, now: datetime, sign: Sign) -> str:
    """The code of a token. The signature is judged first: nothing else of a forged one is told."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise TokenRefused(Fault.MALFORMED)
    body, _dash, signature = token.rpartition("-")
    if not hmac.compare_digest(signature, _signature(body, sign)):
        raise TokenRefused(Fault.FORGED)
    if not body.startswith(f"{VERSION}-") or not is_code(found["code"]):
        raise TokenRefused(Fault.MALFORMED)
    age = now - datetime.fromtimestamp(int(found["at"]), UTC)
    if age < -AHEAD:
        raise TokenRefused(Fault.AHEAD)
    if age > LIFE:
        raise TokenRefused(Fault.EXPIRED)
    return found["code"]


def _signature(body: str, sign: Sign) -> str:
    """The first eighty bits of the keyed hash; a forger has one minute, and ten tries."""
    return base64.b32encode(bytes.fromhex(sign(body))[:_SIGNATURE_BYTES]).decode()


def _interim(digits: str) -> int:
    found = 0
    for digit in digits:
        found = int(_DAMM[found][int(digit)])
    return found
