"""Who may have a service card, and what month's batch an application goes into. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Self

from django.utils.translation import gettext_noop as _

from union_portal.kit.refusals import Refused

ACTIVE: Final = "active"
YOUNGEST, OLDEST = 40, 80

# Tianjin's rule, as a sample: off until a bank's conditions name it. Source: notice of Tiangong
# University's union on Tianjin's service card.
TIANJIN: Final[dict[str, Any]] = {
    "excludes_foreigners": True,
    "excludes_retired": True,
    "oldest": {"male": 60, "female": 55},
}


class ConditionsRefused(Refused):
    """Conditions that can't be read, with what is unknown in them."""


@dataclass(frozen=True)
class Conditions:
    """What a bank or a place asks beyond a live membership; all off by default.

    `oldest`: years of age by sex from which no card is given; `excludes_retired`: whoever works
    on after retirement (rehired); `excludes_foreigners`: holders of a foreigner's number.
    """

    excludes_foreigners: bool = False
    excludes_retired: bool = False
    oldest: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read what is stored at the bank. Errors: ConditionsRefused."""
        strange = sorted(set(config) - set(cls.__dataclass_fields__))
        made = cls(**{key: value for key, value in config.items() if key not in strange})
        flags = (made.excludes_foreigners, made.excludes_retired)
        is_sound = (
            not strange
            and all(isinstance(flag, bool) for flag in flags)
            and isinstance(made.oldest, Mapping)
            and set(made.oldest) <= {"male", "female"}
            and all(type(age) is int and YOUNGEST <= age <= OLDEST for age in made.oldest.values())
        )
        if not is_sound:
            raise ConditionsRefused(
                _("The conditions hold what is not known, or a value of the wrong kind."),
                _("Known are excludes_foreigners, excludes_retired and oldest."),
            )
        return made


@dataclass(frozen=True, slots=True)
class Applicant:
    """What is known of somebody who is to have a card."""

    membership: str
    sex: str
    born_on: date
    is_alive: bool
    is_merged: bool
    is_foreigner: bool
    is_retired: bool
    has_phone: bool
    has_consent: bool
    has_card: bool


REASONS: Final[dict[str, tuple[str, str]]] = {
    "gone": (
        _("This row of the register is used no more."),
        _("Search for the person's present row."),
    ),
    "no_member": (
        _("There is no active membership."),
        _("Join a union first, or have the membership entered."),
    ),
    "has_card": (
        _("There is a card or an application for one already."),
        _("A lost card is replaced; one that is on its way is waited for."),
    ),
    "no_phone": (
        _("No phone is known, which the bank asks for."),
        _("Have the phone entered by the union."),
    ),
    "no_consent": (
        _("The consent to giving card data to the bank is missing."),
        _("It is asked for when one applies; at the desk it is signed on paper."),
    ),
    "foreigner": (
        _("This bank gives no card to foreigners."),
        _("Ask the city union about another bank."),
    ),
    "retired": (
        _("This bank gives no card to people past retirement."),
        _("Ask the city union about another bank."),
    ),
}


def why_not(applicant: Applicant, conditions: Conditions, *, on: date) -> str:
    """The code of the first reason against a card (see REASONS), or an empty text."""
    oldest = conditions.oldest.get(applicant.sex)
    faults = (
        ("gone", not applicant.is_alive or applicant.is_merged),
        ("no_member", applicant.membership != ACTIVE),
        ("has_card", applicant.has_card),
        ("no_phone", not applicant.has_phone),
        ("no_consent", not applicant.has_consent),
        ("foreigner", conditions.excludes_foreigners and applicant.is_foreigner),
        ("retired", conditions.excludes_retired and applicant.is_retired),
        ("retired", oldest is not None and age(applicant.born_on, on) >= oldest),
    )
    return next((code for code, holds in faults if holds), "")


def age(born_on: date, on: date) -> int:
    """Whole years on a day."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def last_day_of_batch(today: date, cut_off_day: int | None) -> date:
    """The last day on which an application was approved to go into today's batch.

    Until the cut-off day of the month that is today, afterwards the cut-off day: what comes
    later waits for the next month. Source: Shanghai's rule, first to twentieth.
    """
    if cut_off_day is None or today.day <= cut_off_day:
        return today
    return today.replace(day=cut_off_day)
