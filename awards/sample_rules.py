"""The rule sets that ship with the product, as data. Both are samples, and labelled so.

Xi'an's Measures of 2019 are real and lapsed on 2023-12-31. The demo's rules are made up so
that the demo has something in force; neither is a rule of Yulin's.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from awards.rules.schemes import FESTIVAL, HARDSHIP, LIVING

FUND_CODE = "model-workers"


@dataclass(frozen=True)
class SampleRules:
    """One version of one scheme's rules, ready to be entered and adopted."""

    scheme: str
    title: str
    issuer: str
    source_clause: str
    place: str
    valid_from: date
    valid_to: date
    parameters: dict[str, Any]
    notice_days: int
    fund_code: str = FUND_CODE
    is_sample: bool = True


_MEASURES = "西安市《市级劳模专项补助资金管理暂行办法》"
_XIAN: dict[str, Any] = {
    "issuer": "西安市财政局、西安市总工会",
    "place": "西安",
    "valid_from": date(2019, 1, 1),
    "valid_to": date(2023, 12, 31),
    "notice_days": 5,
}

# The Measures name no threshold for (a) “heavy”, no day for the age and no yearly proof of
# life: the least demanding values stand in. The year's hardship standard was never found.
XIAN_2019 = (
    SampleRules(
        scheme=FESTIVAL,
        title="双节慰问（西安 2019 样例）",
        source_clause=f"{_MEASURES}：双节慰问",
        parameters={
            "gift_fen": 30_000,
            "hardship_standard_fen": {},
            "requires_verification": False,
        },
        **_XIAN,
    ),
    SampleRules(
        scheme=HARDSHIP,
        title="特殊困难补助（西安 2019 样例）",
        source_clause=f"{_MEASURES}：特殊困难补助",
        parameters={
            "least_fen": 100_000,
            "most_fen": 500_000,
            "heavy_from_fen": 1,
            "requires_verification": False,
        },
        **_XIAN,
    ),
    SampleRules(
        scheme=LIVING,
        title="农民劳模生活补助（西安 2019 样例）",
        source_clause=f"{_MEASURES}：农民劳模生活补助",
        parameters={
            "allowance_fen": 200_000,
            "male_from_age": 60,
            "female_from_age": 55,
            "age_reference": "12-31",
            "requires_verification": False,
        },
        **_XIAN,
    ),
)

_DEMO: dict[str, Any] = {
    "issuer": "榆林市总工会（演示）",
    "source_clause": "虚构的演示规则，金额取自西安 2019 样例",
    "place": "榆林（演示）",
    "valid_from": date(2025, 1, 1),
    "valid_to": date(2030, 12, 31),
    "notice_days": 5,
}

DEMO = (
    SampleRules(
        scheme=FESTIVAL,
        title="双节慰问（演示规则）",
        parameters={
            "gift_fen": 30_000,
            "hardship_standard_fen": {"2025": 80_000, "2026": 80_000, "2027": 80_000},
            "requires_verification": True,
        },
        **_DEMO,
    ),
    SampleRules(
        scheme=HARDSHIP,
        title="特殊困难补助（演示规则）",
        parameters={
            "least_fen": 100_000,
            "most_fen": 500_000,
            "heavy_from_fen": 500_000,
            "requires_verification": True,
        },
        **_DEMO,
    ),
    SampleRules(
        scheme=LIVING,
        title="农民劳模生活补助（演示规则）",
        parameters={
            "allowance_fen": 200_000,
            "male_from_age": 60,
            "female_from_age": 55,
            "age_reference": "12-31",
            "requires_verification": True,
        },
        **_DEMO,
    ),
)
