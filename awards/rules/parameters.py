"""What a rule set of each scheme must state, and how a question about a year is prepared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused

DECISION_DAY = "decision_day"


class ParameterMissing(Refused):
    """A rule set doesn't state what a clause needs; nothing is paid until it does."""


class ParameterWrong(Refused):
    """A parameter that can't be meant."""


@dataclass(frozen=True)
class Parameter:
    """One entry of a rule set. `kind`: fen, age, flag, day or yearly_fen."""

    name: str
    kind: str
    label: str


_VERIFIED = Parameter(
    "requires_verification",
    "flag",
    gettext_noop("Pay only those verified for the year as alive and keeping the honour"),
)

PARAMETERS: dict[str, tuple[Parameter, ...]] = {
    "festival_gift": (
        Parameter("gift_fen", "fen", gettext_noop("Festival gift")),
        Parameter(
            "hardship_standard_fen",
            "yearly_fen",
            gettext_noop("Standard of the year's festival aid to people in hardship"),
        ),
        _VERIFIED,
    ),
    "special_hardship": (
        Parameter("least_fen", "fen", gettext_noop("Least amount of a payment")),
        Parameter("most_fen", "fen", gettext_noop("Greatest amount of a payment")),
        Parameter(
            "heavy_from_fen",
            "fen",
            gettext_noop("Self-paid medical cost that counts as heavy, after all other relief"),
        ),
        _VERIFIED,
    ),
    "living_allowance": (
        Parameter("allowance_fen", "fen", gettext_noop("Living allowance")),
        Parameter("male_from_age", "age", gettext_noop("Age from which men are entitled")),
        Parameter("female_from_age", "age", gettext_noop("Age from which women are entitled")),
        Parameter(
            "age_reference",
            "day",
            gettext_noop("Day on which the age counts: month-day of the year, or decision_day"),
        ),
        _VERIFIED,
    ),
}


def check(scheme: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that are missing, unknown or of the wrong sort."""
    known = {parameter.name: parameter for parameter in PARAMETERS[scheme]}
    for name in known:
        if name not in parameters:
            raise ParameterMissing(
                gettext_noop("The rule set does not state “%(name)s”."),
                gettext_noop("Enter it in a new version of the rule set."),
                {"name": name},
            )
    for name, value in parameters.items():
        if name not in known or not _fits(known[name].kind, value):
            raise ParameterWrong(
                gettext_noop("“%(name)s” can't be “%(value)s”."),
                gettext_noop(
                    "Amounts are whole fen, ages are whole years, days are written MM-DD."
                ),
                {"name": name, "value": value},
            )
    if scheme == "special_hardship" and parameters["least_fen"] > parameters["most_fen"]:
        raise ParameterWrong(
            gettext_noop("The least amount is greater than the greatest."),
            gettext_noop("Exchange the two."),
        )


def prepare(scheme: str, parameters: Mapping[str, Any], *, period: str, on: date) -> dict[str, Any]:
    """The givens of one question: this period, on this day.

    A yearly amount that is not stated stays None and blocks whoever would receive it (X5).
    """
    check(scheme, parameters)
    givens: dict[str, Any] = {"period": period}
    for parameter in PARAMETERS[scheme]:
        value = parameters[parameter.name]
        if parameter.kind == "yearly_fen":
            value = value.get(period)
        if parameter.kind == "day":
            givens["age_on"] = reference_day(value, period=period, on=on).isoformat()
        givens[parameter.name] = value
    return givens


def reference_day(text: str, *, period: str, on: date) -> date:
    """The day on which an age counts (X9: the Measures don't say, so it is a parameter)."""
    if text == DECISION_DAY:
        return on
    month, day = text.split("-")
    return date(int(period), int(month), int(day))


def age(born_on: date, on: date) -> int:
    """Full years on a day; born on 29 February one turns on 1 March in other years."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _fits(kind: str, value: Any) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "day":
        return value == DECISION_DAY or _is_day(value)
    if kind == "yearly_fen":
        return isinstance(value, Mapping) and all(
            len(year) == 4 and year.isdigit() and _is_amount(amount)
            for year, amount in value.items()
        )
    if kind == "age":
        return _is_amount(value) and value < 150
    return _is_amount(value)


def _is_amount(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_day(value: Any) -> bool:
    """Whether it is a month and day of every year."""
    try:
        month, day = str(value).split("-")
        date(2001, int(month), int(day))
    except ValueError:
        return False
    return True
