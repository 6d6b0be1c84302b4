"""The rule set under which merchants are settled, as a sample: made up, and labelled so."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

MERCHANTS: Final = "merchant_settlement"


@dataclass(frozen=True)
class SampleSettlementRules:
    """One version, ready to be entered and adopted. `dispute_days` counts from the issue."""

    scheme: str
    title: str
    issuer: str
    source_clause: str
    place: str
    valid_from: date
    valid_to: date
    parameters: dict[str, Any]
    fund_code: str
    notice_days: int = 0
    is_sample: bool = True


DEMO: Final = SampleSettlementRules(
    scheme=MERCHANTS,
    title="普惠单位补贴结算（演示规则）",
    issuer="榆林市总工会（演示）",
    source_clause="虚构的演示规则：按月结算，七日内可提出异议",
    place="榆林（演示）",
    valid_from=date(2025, 1, 1),
    valid_to=date(2030, 12, 31),
    parameters={"dispute_days": 7},
    fund_code="benefits",
)
