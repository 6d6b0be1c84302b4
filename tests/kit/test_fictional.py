"""Made-up people are valid, repeatable and plentiful."""

import random
from datetime import date

from union_portal.kit import fictional
from union_portal.kit.bank_card import read_account
from union_portal.kit.identity import read_national_id
from union_portal.kit.names import pinyin, read_name
from union_portal.kit.phone import read_mobile
from union_portal.kit.regions import FORMER_CODES, YULIN_DIVISIONS, YULIN_DIVISIONS_ZH

TODAY = date(2026, 11, 23)


def people(seed: int, count: int) -> list[fictional.FictionalPerson]:
    return list(
        fictional.make_people(
            random.Random(seed),
            count,
            divisions=sorted(YULIN_DIVISIONS),
            first=date(1935, 1, 1),
            last=date(2005, 12, 31),
        )
    )


def test_every_made_up_person_passes_every_check() -> None:
    for person in people(1, 3000):
        assert read_name(person.name) == person.name
        assert pinyin(person.name)
        assert read_mobile(person.mobile) == person.mobile
        assert read_account(person.card_number) == person.card_number
        read = read_national_id(person.national_id, today=TODAY)
        assert (read.born_on, read.sex) == (person.born_on, person.sex)


def test_one_seed_gives_the_same_people() -> None:
    assert people(7, 200) == people(7, 200) != people(8, 200)


def test_no_two_people_share_a_number_even_when_numbers_are_few() -> None:
    day = date(1980, 1, 1)
    crowd = fictional.make_people(random.Random(3), 900, divisions=["610822"], first=day, last=day)
    assert len({person.national_id for person in crowd}) == 900


def test_a_crowd_holds_rare_characters_and_dotted_names() -> None:
    names = [person.name for person in people(2, 3000)]
    assert any(set(name) & set(fictional.RARE_CHARACTERS) for name in names)
    assert any("·" in name for name in names)


def test_people_born_before_yulin_was_a_city_have_its_former_code() -> None:
    number = fictional.make_national_id(random.Random(1), date(1975, 1, 1), "male", "610822")
    assert number.startswith("612723")


def test_the_twelve_counties_are_named_and_mapped() -> None:
    assert YULIN_DIVISIONS.keys() == YULIN_DIVISIONS_ZH.keys() == FORMER_CODES.keys()
    assert len(set(FORMER_CODES.values())) == len(YULIN_DIVISIONS) == 12
