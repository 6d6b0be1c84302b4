"""Bank cards, phones and credit codes: mended where harmless, refused with a remedy."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from union_portal.kit import fictional
from union_portal.kit.bank_card import BankAccountError, luhn_is_valid, read_account
from union_portal.kit.credit_code import (
    ALPHABET,
    NOT_A_UNION,
    NOT_GRASSROOTS,
    CreditCodeError,
    check_character,
    read_credit_code,
)
from union_portal.kit.phone import PhoneError, read_mobile


@pytest.mark.parametrize(
    "typed",
    ["4111 1111 1111 1111", "4111-1111-1111-1111", "４１１１１１１１１１１１１１１１"],
)
def test_a_card_number_is_mended(typed: str) -> None:
    assert read_account(typed) == "4111111111111111"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "missing"),
        ("6.2E+18", "rounded number"),
        ("6.2170012E18", "rounded number"),
        ("６.2E+18", "rounded number"),
        ("6217001234567890000.0", "rounded number"),
        ("4111111111111112", "check digit"),
        ("411111111111111", "15 digits instead of 16 to 19"),
        ("41111111111111111111", "20 digits instead of 16 to 19"),
        ("4111x11111111111", "other than digits"),
        ("¹111111111111111", "other than digits"),
    ],
)
def test_a_wrong_card_number_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(BankAccountError, match=reason) as refusal:
        read_account(typed)
    assert refusal.value.remedy
    assert typed == "" or typed not in str(refusal.value)


def test_an_enterprise_account_needs_no_check_digit() -> None:
    assert read_account("2610 0801 0920 0012 341", kind="enterprise") == "2610080109200012341"
    with pytest.raises(BankAccountError, match="instead of 8 to 32"):
        read_account("1234567", kind="enterprise")


@given(st.integers(0, 2**32))
def test_made_up_cards_pass_and_a_mistyped_digit_does_not(seed: int) -> None:
    rng = random.Random(seed)
    card = fictional.make_card_number(rng)
    assert read_account(card) == card
    assert len(card) == 19
    place = rng.randrange(19)
    wrong = card[:place] + str((int(card[place]) + rng.randrange(1, 10)) % 10) + card[place + 1 :]
    assert not luhn_is_valid(wrong)


@pytest.mark.parametrize(
    "typed",
    [
        "138 0013 8000",
        "138-0013-8000",
        "+86 13800138000",
        "0086-13800138000",
        "8613800138000",
        "１３８００１３８０００",
        "(+86)13800138000",
        "13800138000.0",
    ],
)
def test_a_mobile_number_is_mended(typed: str) -> None:
    assert read_mobile(typed) == "13800138000"


@pytest.mark.parametrize("new_range", ["16600000000", "19200000000", "19900000000"])
def test_new_ranges_are_known(new_range: str) -> None:
    assert read_mobile(new_range) == new_range


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("1.38E+10", "rounded number"),
        ("1380013800.0", "rounded number"),
        ("", "missing"),
        ("1380013800", "10 digits instead of 11"),
        ("0912-3890000", "No mainland mobile network"),
        ("12000138000", "No mainland mobile network"),
        ("13800138000/13900139000", "other than digits"),
        ("13800138000转2", "other than digits"),
    ],
)
def test_a_wrong_phone_number_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(PhoneError, match=reason) as refusal:
        read_mobile(typed)
    assert refusal.value.remedy


@pytest.mark.parametrize("code", ["91110000802100433B", "91350100M000100Y43", "91440300708461136T"])
def test_known_companies_codes_pass_with_a_warning(code: str) -> None:
    assert read_credit_code(code).warnings == (NOT_A_UNION,)


@given(st.integers(0, 2**32))
def test_made_up_union_codes_pass(seed: int) -> None:
    code = fictional.make_credit_code(random.Random(seed), division="610802")
    read = read_credit_code(f" {code.lower()} ")
    assert (read.code, read.division, read.warnings) == (code, "610802", ())


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_the_weighted_sum_of_a_whole_code_is_a_multiple_of_31(first_seventeen: str) -> None:
    code = first_seventeen + check_character(first_seventeen)
    weights = [*(pow(3, place, 31) for place in range(17)), 1]
    total = sum(ALPHABET.index(c) * weight for c, weight in zip(code, weights, strict=True))
    assert total % 31 == 0


def test_a_federations_code_is_not_a_grassroots_one() -> None:
    code = fictional.make_credit_code(random.Random(7), category="89")
    assert read_credit_code(code).warnings == (NOT_GRASSROOTS,)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("91110000802100433", "17 characters"),
        ("91110000802100433C", "check character"),
        ("91110000802IO0433B", "never use"),
    ],
)
def test_a_wrong_credit_code_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(CreditCodeError, match=reason):
        read_credit_code(typed)
