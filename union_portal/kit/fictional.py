"""Made-up people, cards and unions for tests and the demonstration.

Everything is drawn from the ``random.Random`` passed in: the same seed gives the same
people. Numbers pass their checks and belong to nobody on purpose: the birth dates are
random, the card issuer 629999 is not assigned, and no gateway is configured for the phones.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from typing import Final

from union_portal.kit import bank_card, credit_code, identity
from union_portal.kit.identity import Sex
from union_portal.kit.regions import FORMER_CODES


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CARD_ISSUER: Final = "629999"
PHONE_PREFIX: Final = "19900"
RARE_CHARACTERS: Final = "䶮㛃𠅤喆堃犇㼆𬭚𬀩𫖯𡋾﨑"

_YULIN_BECAME_A_CITY: Final = date(2000, 1, 1)
_SURNAMES: Final = _words(
    "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧"
    " 程 曹 袁 邓 许 傅 沈 曾 彭 吕 苏 卢 蒋 蔡 贾 丁 魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜"
    " 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 顾 侯 邵 孟 龙 万 段 雷 钱 汤"
    " 尹 黎 易 常 武 乔 贺 赖 龚 文 折 呼 艾 拓 惠 单 仇 解 查 盖 翟 尉迟 欧阳 令狐 慕"
)
_MALE: Final = "建国军强勇伟志刚永生海峰宏亮平光明辉鹏飞浩然子轩宇航文博俊杰凯旋振华德才福"
_FEMALE: Final = "秀英桂兰玉梅红霞丽娟艳芳雪琴彩云晓燕婷欣怡诗涵梓萱雨桐佳慧静雅洁莹巧凤"
_EITHER: Final = "春秋冬小大新立成东西北宁安民乐林江河山川泽润青松柏晨阳思源敏卫"
_DOTTED_GIVEN: Final = _words(
    "阿卜杜拉 买买提 艾力 古丽娜尔 热依汗 迪丽努尔 吾布力 玉素甫 阿依古丽 木合塔尔 努尔兰 萨迪克"
)
_UNION_HEADS: Final = _words(
    "驼城 塞上 长城 榆溪 红石峡 镇北台 无定河 秃尾河 沙柳 胡杨 榆阳 金沙 北岳 绿洲 大漠 麻黄梁"
)
_UNION_TRADES: Final = _words(
    "煤业 能源 化工 运输 建筑 纺织 农牧 机械 电力 商贸 环卫 公交 酒店 物业 印务 食品 制药 水务"
)
_UNION_FORMS: Final = ("有限公司", "集团公司", "厂", "合作社", "学校", "医院")


@cache
def _surname_weights() -> tuple[int, ...]:
    return tuple(accumulate(1200 // (rank + 6) + 1 for rank in range(len(_SURNAMES))))


def make_name(
    rng: random.Random, sex: Sex, *, rare_per_mille: int = 10, dotted_per_mille: int = 5
) -> str:
    """A name: common surnames are common; a few hold a rare character or a middle dot."""
    lot = rng.randrange(1000)
    if lot < dotted_per_mille:
        return "·".join(rng.sample(_DOTTED_GIVEN, 2))
    characters = (_MALE if sex == "male" else _FEMALE) + _EITHER
    surname = rng.choices(_SURNAMES, cum_weights=_surname_weights())[0]
    given = [rng.choice(characters) for _ in range(1 if rng.randrange(5) == 0 else 2)]
    if lot < dotted_per_mille + rare_per_mille:
        given[-1] = rng.choice(RARE_CHARACTERS)
    return surname + "".join(given)


def make_birth_date(rng: random.Random, *, first: date, last: date) -> date:
    """A date from ``first`` to ``last``, both possible."""
    return first + timedelta(days=rng.randrange((last - first).days + 1))


def make_national_id(rng: random.Random, born_on: date, sex: Sex, division: str) -> str:
    """A valid identity number; people born before 2000 get the county's former code."""
    issued = FORMER_CODES.get(division, division)
    prefix = issued if born_on < _YULIN_BECAME_A_CITY else division
    order = rng.randrange(0, 500) * 2 + (1 if sex == "male" else 0)
    body = f"{prefix}{born_on:%Y%m%d}{order:03d}"
    return body + identity.check_character(body)


def make_mobile(rng: random.Random) -> str:
    """A valid mobile number from one thin block; the country reserves none for fiction."""
    return f"{PHONE_PREFIX}{rng.randrange(10**6):06d}"


def make_card_number(rng: random.Random) -> str:
    """A card number of 19 digits of an issuer that does not exist, passing Luhn."""
    payload = f"{CARD_ISSUER}{rng.randrange(10**12):012d}"
    return payload + bank_card.luhn_digit(payload)


def make_enterprise_account(rng: random.Random) -> str:
    """An enterprise account of 20 digits."""
    return f"9999{rng.randrange(10**16):016d}"


def make_credit_code(rng: random.Random, *, category: str = "81", division: str = "610800") -> str:
    """A valid code: 81 for a grassroots union, 91 for a company."""
    body = "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=8))
    code = f"{category}{division}{body}{credit_code.body_check_character(body)}"
    return code + credit_code.check_character(code)


def make_union_name(rng: random.Random, place: str = "") -> str:
    """Name of a grassroots union of an enterprise that does not exist."""
    head, trade = rng.choice(_UNION_HEADS), rng.choice(_UNION_TRADES)
    return f"{place}{head}{trade}{rng.choice(_UNION_FORMS)}工会委员会"


@dataclass(frozen=True)
class FictionalPerson:
    """Somebody who does not exist."""

    name: str
    sex: Sex
    born_on: date
    division: str
    national_id: str = field(repr=False)
    mobile: str = field(repr=False)
    card_number: str = field(repr=False)


def make_people(
    rng: random.Random, count: int, *, divisions: Sequence[str], first: date, last: date
) -> Iterator[FictionalPerson]:
    """``count`` people born from ``first`` to ``last``, no two with one number or card."""
    taken: set[str] = set()
    while count:
        sex: Sex = rng.choice(("male", "female"))
        born_on = make_birth_date(rng, first=first, last=last)
        division = rng.choice(divisions)
        number, card = (
            make_national_id(rng, born_on, sex, division),
            make_card_number(rng),
        )
        if number in taken or card in taken:
            continue
        taken |= {number, card}
        name, mobile = make_name(rng, sex), make_mobile(rng)
        yield FictionalPerson(name, sex, born_on, division, number, mobile, card)
        count -= 1
