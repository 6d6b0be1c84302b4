"""Identity numbers: what is accepted, what is refused, and with which remedy."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from union_portal.kit import fictional, identity
from union_portal.kit.identity import IdentityError, read_national_id
from union_portal.kit.regions import YULIN_DIVISIONS

TODAY = date(2026, 11, 23)


def number(first_seventeen: str) -> str:
    return first_seventeen + identity.check_character(first_seventeen)


def test_a_number_tells_birth_sex_and_place_of_issue() -> None:
    lin = read_national_id(number("61080219880312402"), today=TODAY)
    assert (lin.born_on, lin.sex, lin.division) == (
        date(1988, 3, 12),
        "female",
        "610802",
    )
    assert (lin.kind, lin.warnings) == ("citizen", ())


def test_the_standards_own_example_passes() -> None:
    assert read_national_id("11010519491231002X", today=TODAY).born_on == date(1949, 12, 31)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105-19491231-002X",
        "\u200b11010519491231002X\ufeff",
    ],
)
def test_careless_typing_is_mended(typed: str) -> None:
    assert read_national_id(typed, today=TODAY).number == "11010519491231002X"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "missing"),
        ("1101051949123100", "16 characters instead of 18"),
        ("110105491231002", "old identity number of 15 digits"),
        ("110105194912310021", "check character"),
        ("11010519491231O02X", "other than digits"),
        ("1101051949123100AX", "other than digits"),
        ("1.10105E+17", "rounded number"),
        (number("61080219880230402"), "does not exist"),
        (number("61080219881312402"), "does not exist"),
        (number("61080220261124402"), "future"),
        (number("61080218991231402"), "before 1900"),
    ],
)
def test_each_fault_has_its_own_message_and_a_remedy(typed: str, reason: str) -> None:
    with pytest.raises(IdentityError, match=reason) as refusal:
        read_national_id(typed, today=TODAY)
    assert refusal.value.remedy


def test_an_old_number_is_answered_with_how_to_mend_it() -> None:
    with pytest.raises(IdentityError, match="Ask for the person's 18-character card"):
        read_national_id("612701480312402", today=TODAY)


def test_a_refusal_never_quotes_the_number() -> None:
    with pytest.raises(IdentityError) as refusal:
        read_national_id("110105194912310021", today=TODAY)
    assert "1949" not in str(refusal.value) + repr(refusal.value)


def test_a_person_born_today_is_accepted() -> None:
    assert read_national_id(number("61080220261123402"), today=TODAY).born_on == TODAY


@pytest.mark.parametrize("prefix", ["810000", "820000", "830000"])
def test_residence_permits_are_accepted(prefix: str) -> None:
    permit = read_national_id(number(f"{prefix}19900101001"), today=TODAY)
    assert (permit.kind, permit.warnings) == ("residence_permit", ())


def test_a_foreigners_permanent_residence_card_is_accepted() -> None:
    card = read_national_id(number("93115619900101001"), today=TODAY)
    assert (card.kind, card.warnings) == ("foreign_permanent_resident", ())


def test_an_unknown_province_is_only_a_warning() -> None:
    assert read_national_id(number("66010119900101001"), today=TODAY).warnings


def test_a_renamed_division_raises_no_warning() -> None:
    assert not read_national_id(number("61270119750101001"), today=TODAY).warnings


def test_the_number_stays_out_of_representations() -> None:
    assert "11010519491231002X" not in repr(read_national_id("11010519491231002X", today=TODAY))


@given(
    seed=st.integers(0, 2**32),
    born_on=st.dates(date(1900, 1, 1), TODAY),
    sex=st.sampled_from(["male", "female"]),
    division=st.sampled_from(sorted(YULIN_DIVISIONS)),
)
def test_made_up_numbers_say_what_they_were_made_for(
    seed: int, born_on: date, sex: identity.Sex, division: str
) -> None:
    made = fictional.make_national_id(random.Random(seed), born_on, sex, division)
    read = read_national_id(made, today=TODAY)
    assert (read.born_on, read.sex, read.warnings) == (born_on, sex, ())
    assert read.division == division or read.division.startswith("6127")


@given(st.integers(0, 2**32), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(seed: int, place: int, shift: int) -> None:
    right = fictional.make_national_id(random.Random(seed), date(1980, 5, 6), "male", "610822")
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    with pytest.raises(IdentityError):
        read_national_id(wrong, today=TODAY)
