"""What a month's uses come to, explained offer by offer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext_noop

from union_portal.kit.money import yuan
from union_portal.kit.refusals import Refused

CLAUSE: Final = "S1"
_USES: Final = gettext_noop("%(title)s: %(count)s uses at %(each)s yuan")
_MOST_DAYS: Final = 60


@dataclass(frozen=True)
class Uses:
    """The counted uses of one offer at one subsidy, in fen each."""

    title: str
    count: int
    each_fen: int


def steps(uses: Iterable[Uses]) -> list[dict[str, Any]]:
    """One sentence an offer; the amounts add up to what is paid."""
    return [
        {
            "clause": CLAUSE,
            "message": _USES,
            "values": {"title": one.title, "count": one.count, "each": yuan(one.each_fen)},
            "amount_fen": one.count * one.each_fen,
        }
        for one in uses
    ]


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def month_after(month: date) -> date:
    """The first day of the next month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def dispute_days(parameters: Mapping[str, Any]) -> int:
    """How many days a merchant has to dispute a statement, from the day of its issue."""
    return int(parameters["dispute_days"])


def check(parameters: Mapping[str, Any]) -> None:
    """What the scheme's rule sets must state. Errors: Refused."""
    days = parameters.get("dispute_days")
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= _MOST_DAYS:
        raise Refused(
            gettext_noop("The rule set does not say within how many days lines are disputed."),
            gettext_noop("Enter “dispute_days”, a whole number from 0 to %(most)s."),
            {"most": _MOST_DAYS},
        )
