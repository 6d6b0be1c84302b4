"""Who may be entered as family, and with whom: a child under 14 with a guardian.

Personal Information Protection Law, art. 31.
"""

from datetime import date
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.identity import NationalId
from union_portal.kit.refusals import Refused

# Under 14 on the day of the entry, as the calendar of the office counts days.
CHILD_AGE: Final = 14


class FamilyUnsound(Refused):
    """What is said of somebody of a family can't be true, or leaves out who answers for them."""


def age(born_on: date, on: date) -> int:
    """Whole years on a day, as PostgreSQL's age() counts them: a birthday counts from its day."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def is_child(born_on: date, *, today: date) -> bool:
    """Whether a guardian answers for them."""
    return age(born_on, today) < CHILD_AGE


def read_birth(number: NationalId | None, said: date | None, *, today: date) -> date:
    """The birth date: that of the number, with which what is said agrees. Errors: FamilyUnsound."""
    born = number.born_on if number else said
    if born is None:
        raise FamilyUnsound(
            gettext_noop("The birth date is missing."),
            gettext_noop("Enter it, or the identity number it follows from."),
            at="born_on",
        )
    if said is not None and said != born:
        raise FamilyUnsound(
            gettext_noop("The birth date is not that of the identity number."),
            gettext_noop("Compare both with the card or the household register."),
            at="born_on",
        )
    if born > today:
        raise FamilyUnsound(
            gettext_noop("The birth date lies in the future."),
            gettext_noop("Correct it."),
            at="born_on",
        )
    return born


def require_guardian(born_on: date, guardian: str, *, today: date) -> None:
    """A child has a guardian. Errors: FamilyUnsound if none is named."""
    if is_child(born_on, today=today) and not guardian.strip():
        raise FamilyUnsound(
            gettext_noop("For a child under 14 the guardian has to be named."),
            gettext_noop("Enter the name of the father, the mother or another guardian."),
            at="guardian",
        )
