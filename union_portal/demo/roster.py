"""The roster as a clerk would keep it: a spreadsheet of fictional model workers and members."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from union_portal.kit import fictional, sheets
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
KINDS = ("科教", "文化", "企业", "农村")
# Of a hundred people: so many model workers, and so many of those of the city's own level.
MODEL_WORKERS, MUNICIPAL = 45, 82


def write_roster(path: Path, *, city: Organization, people: int, today: date, seed: int) -> None:
    """Write `people` rows; the same seed gives the same file."""
    rng = random.Random(seed + 1)  # noqa: S311
    unions = list(
        Organization.objects.within(city)
        .filter(level=OrganizationLevel.GRASSROOTS)
        .values_list("uscc", "name", "division_code")
    )
    with path.open("wb") as stream:
        sheets.write_xlsx(
            stream, [sheets.SheetData("名册", HEADERS, _rows(rng, unions, people, today))]
        )


def _rows(
    rng: random.Random, unions: list[tuple[str | None, str, str]], people: int, today: date
) -> Iterator[tuple[str, ...]]:
    born = {"first": date(1942, 1, 1), "last": date(2003, 12, 31)}
    made = fictional.make_people(
        rng, people, divisions=sorted({code for _u, _n, code in unions if code != "610800"}), **born
    )
    for number, person in enumerate(made, start=1):
        uscc, union, _code = unions[number % len(unions)]
        has_phone = rng.randrange(100) < 97
        yield (
            person.name,
            person.national_id,
            person.mobile if has_phone else "",
            uscc or "",
            union.removesuffix("工会委员会").split("（")[0],
            rng.choice(BANKS),
            person.card_number,
            person.name,
            *_honour(rng, number, person.born_on, today),
        )


def _honour(rng: random.Random, number: int, born_on: date, today: date) -> tuple[str, ...]:
    if rng.randrange(100) >= MODEL_WORKERS:
        return ("",) * 8
    level = rng.randrange(100)
    title, shown = (
        ("榆林市劳动模范", "市级")
        if level < MUNICIPAL
        else ("陕西省劳动模范", "省级")
        if level < 95
        else ("全国劳动模范", "国家级")
    )
    kind = rng.choice(KINDS)
    conferred = max(born_on + timedelta(days=24 * 366), date(1985, 4, 30))
    conferred = min(conferred + timedelta(days=rng.randrange(4000)), date(2026, 4, 23))
    is_farmer = kind == "农村"
    lost = str(today - timedelta(days=rng.randrange(300, 3000))) if rng.randrange(60) == 0 else ""
    died = str(today - timedelta(days=rng.randrange(30, 900))) if rng.randrange(80) == 0 else ""
    certificate = f"演示{conferred.year}-{number:06d}"
    return (
        title, shown, str(conferred), certificate, kind, "是" if is_farmer else "否", lost, died,
    )  # fmt: skip
