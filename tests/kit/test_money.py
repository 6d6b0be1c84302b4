"""Money is exact fen, read from what people type and written as vouchers want it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from union_portal.kit import money
from union_portal.kit.money import MoneyError, fen_from_yuan, in_words, plain_yuan, yuan


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("300", 30_000),
        ("1234.5", 123_450),
        ("1,234.50", 123_450),
        ("１，２３４．５０", 123_450),
        ("¥1,234.50", 123_450),
        ("￥300元", 30_000),
        (" 2 000 ", 200_000),
        ("0.01", 1),
        ("5.", 500),
        ("-12.30", -1_230),
        ("0000000000000000000000012", 1_200),
        (5000, 500_000),
        (Decimal("0.10"), 10),
        (Decimal("1E+3"), 100_000),
        (Decimal("1.5000"), 150),
    ],
)
def test_amounts_people_write_become_exact_fen(written: str | int | Decimal, fen: int) -> None:
    assert fen_from_yuan(written) == fen


@pytest.mark.parametrize("hidden", ["1000.005", "1.500", Decimal("0.333"), Decimal("1E-9")])
def test_a_hidden_third_decimal_is_refused(hidden: str | Decimal) -> None:
    with pytest.raises(MoneyError, match="more than two decimals"):
        fen_from_yuan(hidden)


@pytest.mark.parametrize(
    "nonsense",
    [
        *("", "-", "abc", "1,23.00", "1,2345", "10²", "1.2.3", "1e3", "½", "三百", "NaN", "--1"),
        *(Decimal("NaN"), Decimal("Infinity"), 300.0, 0.1, True, None),
    ],
)
def test_what_is_not_an_exact_amount_is_refused(nonsense: object) -> None:
    with pytest.raises(MoneyError, match="not an amount"):
        fen_from_yuan(nonsense)  # type: ignore[arg-type]


@pytest.mark.parametrize("huge", ["1" + "0" * 16, "9" * 5000, 10**17, Decimal("1E+999999")])
def test_an_absurd_amount_is_refused_quickly(huge: str | int | Decimal) -> None:
    with pytest.raises(MoneyError, match="too large"):
        fen_from_yuan(huge)


def test_fen_are_shown_with_two_decimals() -> None:
    assert yuan(123_450) == "1,234.50"
    assert yuan(-5) == "-0.05"
    assert plain_yuan(123_450) == "1234.50"
    assert plain_yuan(-123_456_789) == "-1234567.89"


def test_the_minus_stands_before_the_sign_of_the_currency() -> None:
    assert money.shown(123_450) == "¥1,234.50"
    assert money.shown(-400_000) == "-¥4,000.00"


def test_a_third_decimal_is_mended_where_it_was_written() -> None:
    with pytest.raises(MoneyError) as in_a_sheet:
        fen_from_yuan("0.125")
    with pytest.raises(MoneyError) as in_a_form:
        money.fen_as_typed("0.125")
    assert "in the sheet" in in_a_sheet.value.remedy
    assert "sheet" not in in_a_form.value.remedy
    assert "at most two decimals" in in_a_form.value.remedy
    assert in_a_form.value.message == in_a_sheet.value.message


def test_a_float_is_never_shown_as_money() -> None:
    with pytest.raises(TypeError):
        yuan(1.0)  # type: ignore[arg-type]


@given(st.integers(-money.MAX_FEN, money.MAX_FEN))
def test_what_is_written_reads_back(fen: int) -> None:
    assert fen_from_yuan(yuan(fen)) == fen_from_yuan(plain_yuan(fen)) == fen


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1409.50", "壹仟肆佰零玖元伍角"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("10", "壹拾元整"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
        ("0", "零元整"),
        ("0.50", "伍角"),
        ("0.05", "伍分"),
        ("0.55", "伍角伍分"),
        ("10.05", "壹拾元零伍分"),
        ("300", "叁佰元整"),
        ("2000", "贰仟元整"),
        ("10001", "壹万零壹元整"),
        ("10010", "壹万零壹拾元整"),
        ("11000", "壹万壹仟元整"),
        ("100000000", "壹亿元整"),
        ("100000001", "壹亿零壹元整"),
        ("100010000", "壹亿零壹万元整"),
        ("110000000", "壹亿壹仟万元整"),
        ("1000000000000", "壹万亿元整"),
        ("1000100000000", "壹万零壹亿元整"),
    ],
)
def test_amount_in_words_follows_the_settlement_measures(amount: str, words: str) -> None:
    assert in_words(fen_from_yuan(amount)) == words


def test_the_prefix_stands_directly_before_the_amount() -> None:
    assert in_words(140_950, prefix=True) == "人民币壹仟肆佰零玖元伍角"


def test_a_negative_amount_has_no_words() -> None:
    with pytest.raises(MoneyError, match="negative"):
        in_words(-1)


_VALUES = dict(zip("零壹贰叁肆伍陆柒捌玖", range(10), strict=True))
_UNITS = {"拾": 10, "佰": 100, "仟": 1000}


def _whole_value(words: str) -> int:
    """An independent reader of capital numerals: splits at the largest unit."""
    for unit, size in (("亿", 10**8), ("万", 10**4)):
        if unit in words:
            high, low = words.rsplit(unit, 1)
            return _whole_value(high) * size + _whole_value(low)
    total, digit = 0, 0
    for character in words:
        if character in _UNITS:
            total, digit = total + digit * _UNITS[character], 0
        else:
            digit = _VALUES[character]
    return total + digit


def _fen_value(words: str) -> int:
    whole, _, part = words.removesuffix("整").rpartition("元")
    fen = _whole_value(whole) * 100
    for mark, size in (("角", 10), ("分", 1)):
        if mark in part:
            digit, _, part = part.partition(mark)
            fen += _VALUES[digit.lstrip("零")] * size
    return fen


@given(st.one_of(st.integers(0, 2_000_000), st.integers(0, money.MAX_FEN)))
def test_words_read_back_by_an_independent_reader(fen: int) -> None:
    words = in_words(fen)
    assert _fen_value(words) == fen
    assert "零零" not in words
    assert words.endswith("整") == (fen % 100 == 0)
