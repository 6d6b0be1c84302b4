"""The roster as a clerk would keep it: a spreadsheet of fictional model workers and members."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain, islice
from pathlib import Path

from union_portal.demo import cast, federation
from union_portal.demo.cast import Member
from union_portal.kit import fictional, sheets
from union_portal.kit.fictional import FictionalPerson
from union_portal.models import Organization, OrganizationLevel

HEADERS = (
    "姓名",
    "证件号码",
    "手机号",
    "工会编号",
    "工作单位",
    "开户银行",
    "银行账号",
    "户名",
    "荣誉称号",
    "荣誉级别",
    "授予日期",
    "证书编号",
    "劳模类别",
    "是否农民劳模",
    "丧失劳动能力日期",
    "去世日期",
)
BANKS = ("驼城演示银行", "塞上演示信用社", "无定河演示银行")
_TITLES = {"市级": "榆林市劳动模范", "省级": "陕西省劳动模范", "国家级": "全国劳动模范"}
KINDS = ("科教", "文化", "企业", "农村")
# Of a hundred people: so many model workers, and so many of those of the city's own level.
MODEL_WORKERS, MUNICIPAL = 45, 82


# The cast were honoured on one Labour Day.
_CONFERRED = date(2015, 4, 28)


def write_roster(path: Path, *, city: Organization, people: int, today: date, seed: int) -> None:
    """Write `people` rows, the cast's first; the same seed gives the same file."""
    rng = random.Random(seed + 1)  # noqa: S311
    unions = list(
        Organization.objects.within(city)
        .filter(level=OrganizationLevel.GRASSROOTS)
        .values_list("uscc", "name", "division_code")
    )
    home = federation.home_union(city)
    members = cast.MEMBERS[:people]
    rows = [_cast_row(member, home, number) for number, member in enumerate(members, start=1)]
    with path.open("wb") as stream:
        others = _rows(rng, unions, people - len(members), today)
        sheets.write_xlsx(stream, [sheets.SheetData("名册", HEADERS, chain(rows, others))])


def _cast_row(member: Member, home: Organization, number: int) -> tuple[str, ...]:
    title = _TITLES[member.level]
    is_farmer = "是" if member.kind == "农村" else "否"
    certificate = f"演示{_CONFERRED.year}-C{number:05d}"
    honour = (title, member.level, str(_CONFERRED), certificate, member.kind, is_farmer, "", "")
    return (*_person(member.identity(), home.uscc, home.name, BANKS[0]), *honour)


def _rows(
    rng: random.Random, unions: list[tuple[str | None, str, str]], people: int, today: date
) -> Iterator[tuple[str, ...]]:
    taken = {member.identity().national_id for member in cast.MEMBERS}
    made = fictional.make_people(
        rng,
        people + len(taken),
        divisions=sorted({code for _u, _n, code in unions if code != "610800"}),
        first=date(1942, 1, 1),
        last=date(2003, 12, 31),
    )
    drawn = islice((one for one in made if one.national_id not in taken), people)
    for number, person in enumerate(drawn, start=1):
        uscc, union, _code = unions[number % len(unions)]
        has_phone = rng.randrange(100) < 97
        told = _person(person, uscc, union, rng.choice(BANKS), has_phone=has_phone)
        yield (*told, *_honour(rng, number, person.born_on, today))


def _person(
    person: FictionalPerson, uscc: str | None, union: str, bank: str, *, has_phone: bool = True
) -> tuple[str, ...]:
    return (
        person.name,
        person.national_id,
        person.mobile if has_phone else "",
        uscc or "",
        union.removesuffix("工会委员会").split("（")[0],
        bank,
        person.card_number,
        person.name,
    )


def _honour(rng: random.Random, number: int, born_on: date, today: date) -> tuple[str, ...]:
    if rng.randrange(100) >= MODEL_WORKERS:
        return ("",) * 8
    lot = rng.randrange(100)
    level = "市级" if lot < MUNICIPAL else "省级" if lot < 95 else "国家级"
    kind = rng.choice(KINDS)
    conferred = max(born_on + timedelta(days=24 * 366), date(1985, 4, 30))
    conferred = min(conferred + timedelta(days=rng.randrange(4000)), date(2026, 4, 23))
    is_farmer = kind == "农村"
    lost = str(today - timedelta(days=rng.randrange(300, 3000))) if rng.randrange(60) == 0 else ""
    died = str(today - timedelta(days=rng.randrange(30, 900))) if rng.randrange(80) == 0 else ""
    certificate = f"演示{conferred.year}-{number:06d}"
    return (
        *(_TITLES[level], level, str(conferred), certificate, kind),
        *("是" if is_farmer else "否", lost, died),
    )
