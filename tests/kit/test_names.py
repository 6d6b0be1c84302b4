"""Names keep their rare characters; pinyin knows surnames."""

import pytest

from union_portal.kit.names import PersonNameError, initials, pinyin, read_name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" 张　三 ", "张三"),
        ("张 三\u200b", "张三"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉・买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉 . 买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉．买买提", "阿卜杜拉·买买提"),
        ("\u2f2d田", "山田"),
        ("Jose\u0301  Garcia", "José Garcia"),
        ("ＪＯＨＮ Smith", "JOHN Smith"),
        ("张\ufe00三", "张三"),
    ],
)
def test_a_name_has_one_spelling(typed: str, stored: str) -> None:
    assert read_name(typed) == stored


@pytest.mark.parametrize("rare", "䶮㛃𠅤喆堃犇㼆𬭚𬀩𫖯𡋾﨑〇\ufa19")
def test_a_rare_character_survives(rare: str) -> None:
    assert read_name(f"张{rare}") == f"张{rare}"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("张三1", "digit or a sign"),
        ("张三（女）", "digit or a sign"),
        ("张三、李四", "digit or a sign"),
        ("张三\n李四", "control character"),
        ("张\ue863", "private font"),
        ("·张三", "digit or a sign"),
        ("=cmd|calc", "digit or a sign"),
        ("张" * 51, "longer than 50"),
    ],
)
def test_what_is_not_a_name_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(PersonNameError, match=reason) as refusal:
        read_name(typed)
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("张三", "zhang san"),
        ("单雄信", "shan xiong xin"),
        ("仇和", "qiu he"),
        ("曾国藩", "zeng guo fan"),
        ("解缙", "xie jin"),
        ("查良镛", "zha liang yong"),
        ("区志航", "ou zhi hang"),
        ("盖叫天", "ge jiao tian"),
        ("朴树", "piao shu"),
        ("折可适", "she ke shi"),
        ("尉迟恭", "yu chi gong"),
        ("万俟卨", "mo qi xie"),
        ("令狐冲", "ling hu chong"),
        ("吕布", "lv bu"),
        ("阿卜杜拉·买买提", "a bo du la mai mai ti"),
        ("张𠅤", "zhang xi"),
        ("John Smith", "john smith"),
    ],
)
def test_pinyin_reads_surnames_as_surnames(name: str, read: str) -> None:
    assert pinyin(name) == read


def test_a_surname_reading_does_not_spill_into_the_given_name() -> None:
    assert pinyin("王解放") == "wang jie fang"


def test_initials_are_the_first_letters() -> None:
    assert initials("单雄信") == "sxx"
    assert initials("阿依古丽·吾布力") == "ayglwbl"
