"""Money as integer fen, at the edges as exact text.

``in_words`` follows the appendix of the Payment and Settlement Measures (支付结算办法 附一).
"""

import re
from decimal import Decimal

from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import halfwidth, without_invisible
from union_portal.kit.refusals import Refused

MAX_FEN = 10**18 - 1
_YUAN = re.compile(
    r"(?P<sign>[+-]?)[¥]?(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<part>[0-9]*))?元?"
)
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")


class MoneyError(Refused):
    """An amount that is not an exact number of fen."""


class ThirdDecimal(MoneyError):
    """An amount with a part of a fen."""


def _not_an_amount() -> MoneyError:
    return MoneyError(
        gettext_noop("This is not an amount in yuan."),
        gettext_noop("Write digits with at most two decimals, for example 1234.50."),
    )


def _third_decimal() -> ThirdDecimal:
    return ThirdDecimal(
        gettext_noop("The amount has more than two decimals."),
        gettext_noop(
            "Round it to whole fen in the sheet itself, not only in how the cell is shown."
        ),
    )


def _within_range(fen: int) -> int:
    if abs(fen) > MAX_FEN:
        raise MoneyError(
            gettext_noop("The amount is too large."),
            gettext_noop("Check the decimal point."),
        )
    return fen


def fen_from_yuan(amount: str | Decimal | int) -> int:
    """Fen of an amount in yuan, exactly.

    Text may carry thousands separators, full-width digits, ¥ and 元. A float, a third
    decimal or anything that is not a number raises MoneyError.
    """
    if isinstance(amount, bool) or not isinstance(amount, (str, Decimal, int)):
        raise _not_an_amount()
    if isinstance(amount, int):
        return _within_range(amount * 100)
    if isinstance(amount, Decimal):
        return _fen_from_decimal(amount)
    return _fen_from_text(amount)


def fen_as_typed(amount: str) -> int:
    """Fen of what somebody typed into a form; a third decimal is mended there, in no sheet."""
    try:
        return fen_from_yuan(amount)
    except ThirdDecimal as refusal:
        raise MoneyError(
            refusal.message_id,
            gettext_noop("Write it with at most two decimals, for example 1234.50."),
        ) from None


def _fen_from_decimal(amount: Decimal) -> int:
    if not amount.is_finite():
        raise _not_an_amount()
    if abs(amount) > MAX_FEN // 100 + 1:
        _within_range(MAX_FEN + 1)
    numerator, denominator = amount.as_integer_ratio()
    if 100 % denominator:
        raise _third_decimal()
    return _within_range(numerator * (100 // denominator))


def _fen_from_text(amount: str) -> int:
    plain = "".join(without_invisible(halfwidth(amount)).split())
    match = _YUAN.fullmatch(plain)
    if match is None:
        raise _not_an_amount()
    part = match["part"] or ""
    if len(part) > 2:
        raise _third_decimal()
    digits = match["whole"].replace(",", "").lstrip("0")
    if len(digits) > 18:
        _within_range(MAX_FEN + 1)
    fen = int(digits or "0") * 100 + int(part.ljust(2, "0") or "0")
    return _within_range(-fen if match["sign"] == "-" else fen)


def _whole_fen(fen: int) -> int:
    if isinstance(fen, bool) or not isinstance(fen, int):
        raise TypeError("fen must be an int")
    return fen


def yuan(fen: int) -> str:
    """Fen as yuan for people: ``1,234.50``."""
    whole, part = divmod(abs(_whole_fen(fen)), 100)
    return f"{'-' if fen < 0 else ''}{whole:,}.{part:02d}"


def shown(fen: int) -> str:
    """Fen with the sign of the currency, as pages write it: ``¥1,234.50``, ``-¥1,234.50``."""
    return f"{'-' if fen < 0 else ''}¥{yuan(abs(_whole_fen(fen)))}"


def plain_yuan(fen: int) -> str:
    """Fen as yuan for bank files: ``1234.50``, always two decimals, no separators."""
    whole, part = divmod(abs(_whole_fen(fen)), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{part:02d}"


def in_words(fen: int, *, prefix: bool = False) -> str:
    """Amount in the capital numerals of vouchers (大写); refuses negative amounts.

    Ends in 整 after 元 only; 零 stands between 元 and 角 when the yuan end in 0, and before
    分 when there are no 角. With ``prefix`` it starts with 人民币, without a gap.
    Source: Payment and Settlement Measures, appendix 1, articles 1–4.
    """
    if _whole_fen(fen) < 0:
        raise MoneyError(
            gettext_noop("A negative amount cannot be written in words."),
            gettext_noop("State the amount as a positive sum."),
        )
    whole, part = divmod(_within_range(fen), 100)
    jiao, fen_digit = divmod(part, 10)
    text = f"{_whole_in_words(whole)}元" if whole else ""
    if not part:
        text = f"{text or '零元'}整"
    elif jiao:
        text += ("零" if whole and whole % 10 == 0 else "") + f"{_DIGITS[jiao]}角"
    elif whole:
        text += "零"
    if fen_digit:
        text += f"{_DIGITS[fen_digit]}分"
    return f"人民币{text}" if prefix else text


def _whole_in_words(number: int) -> str:
    """Words of a positive whole number below 10^16."""
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        high, low = divmod(number, unit)
        if high:
            gap = "零" if 0 < low < unit // 10 else ""
            return _whole_in_words(high) + name + gap + (_whole_in_words(low) if low else "")
    return _group_in_words(number)


def _group_in_words(number: int) -> str:
    """Words of 1–9999, with one 零 for any run of inner zeros."""
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            text += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = bool(text) and digit == 0
    return text
