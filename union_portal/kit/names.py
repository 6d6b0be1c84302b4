"""Names of people: one spelling to store, pinyin to search and sort by."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.plain_text import (
    halfwidth,
    has_control_characters,
    without_invisible,
)
from union_portal.kit.refusals import Refused

LONGEST: Final = 50
MIDDLE_DOT: Final = "·"
_DOTS: Final = dict.fromkeys(map(ord, "•‧∙⋅・･᛫"), MIDDLE_DOT)
_KANGXI: Final = {c: unicodedata.normalize("NFKC", chr(c)) for c in range(0x2F00, 0x2FD6)}
_HAN: Final = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_COMPATIBILITY: Final = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f]+)")
_VARIATION_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_DOT_BY_HAN: Final = re.compile(rf"(?<=[{_HAN}])\s*[.{MIDDLE_DOT}]\s*(?=[{_HAN}])")
_SPACE_BY_HAN: Final = re.compile(rf"(?<=[{_HAN}])\s+|\s+(?=[{_HAN}])")
_PLAIN_HAN: Final = re.compile("[\u4e00-\u9fff]{2,4}")
_INNER_MARKS: Final = frozenset(f"{MIDDLE_DOT} '-.")

_READINGS: Final = """
单 shan;仇 qiu;曾 zeng;解 xie;查 zha;区 ou;盖 ge;朴 piao;任 ren;华 hua;翟 zhai;乐 yue;缪 miao
覃 qin;隗 wei;秘 bi;冼 xian;洗 xian;召 shao;折 she;么 yao;黑 he;盛 sheng;车 che;种 chong;都 du
那 na;卜 bu;褚 chu;句 gou;过 guo;纪 ji;牟 mu;能 nai;宁 ning;繁 po;瞿 qu;沈 shen;尉 wei;燕 yan
应 ying;於 yu;祭 zhai;占 zhan;长 zhang;重 chong;笮 ze;訾 zi;员 yun;贠 yun;郗 xi;谌 chen;柏 bai
澹台 tan tai;尉迟 yu chi;万俟 mo qi;长孙 zhang sun;单于 chan yu;令狐 ling hu;乐正 yue zheng
亓官 qi guan;欧阳 ou yang;司马 si ma;上官 shang guan;诸葛 zhu ge;夏侯 xia hou;皇甫 huang fu
东方 dong fang;公孙 gong sun;慕容 mu rong;宇文 yu wen;司徒 si tu;呼延 hu yan;哈 ha
"""
SURNAMES: Final[dict[str, str]] = {
    surname: reading
    for entry in _READINGS.strip().replace("\n", ";").split(";")
    for surname, _, reading in [entry.partition(" ")]
}
"""Surnames that general pinyin tables read wrongly or may, and compound surnames."""


class PersonNameError(Refused):
    """A text that cannot be stored as a person's name."""


def read_label(text: str) -> str:
    """What a till or a desk is called: one line of whatever prints, digits included.

    Errors: PersonNameError for nothing, for too much and for control characters.
    """
    label = " ".join(without_invisible(text).split())
    if has_control_characters(label) or not 0 < len(label) <= LONGEST:
        raise PersonNameError(
            gettext_noop(
                "The name is empty, longer than %(longest)s characters, or does not print."
            ),
            gettext_noop("Call it as people do, for example “Till 1”."),
            {"longest": LONGEST},
        )
    return label


def read_name(text: str) -> str:
    """The one spelling of a person's name.

    Spaces in and around Chinese names go, every middle dot becomes ``·``, Kangxi radicals
    become the characters they look like, letters are composed (NFC); rare characters and
    compatibility ideographs such as 﨑 stay as they are. Errors: PersonNameError.
    """
    if _PLAIN_HAN.fullmatch(text):
        return text
    name = without_invisible(halfwidth(text)).strip()
    if has_control_characters(name):
        raise PersonNameError(
            gettext_noop("The name holds a control character such as a line break or tab."),
            gettext_noop("Type the name again instead of pasting it."),
        )
    name = _VARIATION_SELECTORS.sub("", name)
    name = _composed(name.translate(_KANGXI).translate(_DOTS))
    name = _SPACE_BY_HAN.sub("", _DOT_BY_HAN.sub(MIDDLE_DOT, name))
    name = " ".join(name.split())
    _require_name(name)
    return name


def _composed(name: str) -> str:
    """NFC, except for compatibility ideographs, which NFC would replace for good."""
    return "".join(
        part if _COMPATIBILITY.fullmatch(part) else unicodedata.normalize("NFC", part)
        for part in _COMPATIBILITY.split(name)
    )


def _require_name(name: str) -> None:
    if not name:
        raise PersonNameError(
            gettext_noop("The name is missing."),
            gettext_noop("Enter the name exactly as on the identity card."),
        )
    if len(name) > LONGEST:
        raise PersonNameError(
            gettext_noop("The name is longer than %(longest)s characters."),
            gettext_noop("Enter the name alone, without titles or remarks."),
            {"longest": LONGEST},
        )
    categories = {unicodedata.category(character) for character in name}
    if "Co" in categories:
        raise PersonNameError(
            gettext_noop("The name holds a character from a private font."),
            gettext_noop("Type the rare character with a Unicode input method."),
        )
    if not all(_may_stand_in_name(character) for character in name) or (
        name[0] in _INNER_MARKS or name[-1] in f"{MIDDLE_DOT}-"
    ):
        raise PersonNameError(
            gettext_noop("The name holds a digit or a sign that names do not have."),
            gettext_noop("Enter the name alone, without titles or remarks."),
        )


def _may_stand_in_name(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or character == "〇" or character in _INNER_MARKS


def _surname(name: str) -> str:
    """The surname at the head of a Chinese name, if it is one of the listed ones."""
    if len(name) > 2 and name[:2] in SURNAMES:
        return name[:2]
    return name[:1] if name[:1] in SURNAMES else ""


def _syllables(name: str) -> Iterator[str]:
    surname = "" if MIDDLE_DOT in name or " " in name else _surname(name)
    if surname:
        yield from SURNAMES[surname].split()
    elif _PLAIN_HAN.fullmatch(name):
        # Read by itself: a word made of surname and given name misleads, as in 王子轩.
        surname = name[0]
        yield from _readings(surname)
    yield from _readings(name[len(surname) :].replace(MIDDLE_DOT, " "))


@lru_cache(maxsize=16_384)
def _readings(given: str) -> tuple[str, ...]:
    """Syllables of a given name; the same ones come by again and again in a roster."""
    # The tables take 50 MB: only who writes names pays for them, not every process.
    from pypinyin import Style, lazy_pinyin

    read = lazy_pinyin(given, style=Style.NORMAL, errors=_latin_words)
    return tuple(part for syllable in read for part in syllable.lower().split())


def _latin_words(unread: str) -> str:
    """What has no pinyin: letters stay, characters nobody can read are left out."""
    return "".join(c if c.isascii() and (c.isalpha() or c == " ") else "" for c in unread)


def pinyin(name: str) -> str:
    """Toneless syllables separated by spaces: ``zhang san``; ü is written v."""
    return " ".join(_syllables(name))


def initials(name: str) -> str:
    """First letters of the syllables: ``zs``."""
    return "".join(syllable[0] for syllable in _syllables(name))
