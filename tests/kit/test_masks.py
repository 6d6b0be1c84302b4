"""Masks show enough to recognise and too little to use."""

import pytest

from union_portal.kit.masks import mask_account, mask_id, mask_name, mask_phone


def test_identity_numbers_show_three_and_four() -> None:
    assert mask_id("61012319800101123X") == "610***********123X"


def test_phones_show_three_and_four() -> None:
    assert mask_phone("13812341234") == "138****1234"


@pytest.mark.parametrize("card", ["6222000000001234", "6299990000000001234"])
def test_accounts_show_the_last_four_and_hide_their_length(card: str) -> None:
    assert mask_account(card) == "************1234"


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张晓明", "张*明"),
        ("李四", "李*"),
        ("欧阳修文", "欧**文"),
        ("阿卜杜拉·买买提", "阿***·**提"),
        ("𠅤三", "𠅤*"),
        ("张三𬭚", "张*𬭚"),
        ("张\U000e0100三", "张*"),
        ("John Smith", "J*** ****h"),
        ("李", "*"),
        ("", ""),
    ],
)
def test_names_show_their_ends(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize("mask", [mask_id, mask_phone, mask_account])
@pytest.mark.parametrize("short", ["", "1", "1234", "1234567"])
def test_a_text_too_short_to_hide_is_hidden_whole(mask: object, short: str) -> None:
    assert not set(mask(short)) - {"*"}  # type: ignore[operator]
