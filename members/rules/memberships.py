"""Who may join, which steps a membership may take and when: values in, a refusal or nothing out."""

from datetime import date
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused

# Labour law, art. 15: nobody below sixteen is employed.
YOUNGEST: Final = 16
RURAL: Final = ("local_rural", "other_rural")


class MembershipRefused(Refused):
    """A step of a membership that the rules don't allow; the text names which and why."""


def require_working_age(born_on: date, today: date) -> None:
    """Members are workers: from their sixteenth birthday on. Errors: MembershipRefused."""
    if _years(born_on, today) < YOUNGEST:
        raise MembershipRefused(
            gettext_noop("Nobody joins a union before the age of %(years)s."),
            gettext_noop("Check the identity number."),
            {"years": YOUNGEST},
            at="national_id",
        )


def require_day(on: date, *, since: date, today: date) -> None:
    """A change lies between the one before and today. Errors: MembershipRefused."""
    if on > today:
        raise MembershipRefused(
            gettext_noop("The day of the change lies in the future."),
            gettext_noop("Enter the change on that day, or check the date."),
            at="on",
        )
    if on < since:
        raise MembershipRefused(
            gettext_noop("The day of the change lies before the last change, of %(day)s."),
            gettext_noop("Check the date."),
            {"day": since.isoformat()},
            at="on",
        )


def require_rural_hukou(hukou_type: str, *, is_farmer_worker: bool) -> None:
    """A farmer worker (农民工) has an agricultural hukou, if any is known."""
    if is_farmer_worker and hukou_type and hukou_type not in RURAL:
        raise MembershipRefused(
            gettext_noop("A farmer worker has an agricultural hukou."),
            gettext_noop("Correct the hukou, or take the mark of a farmer worker off."),
        )


def last_day(died_on: date, joined_on: date) -> date:
    """The day on which a membership ends by death: never before it began."""
    return max(died_on, joined_on)


def _years(born_on: date, on: date) -> int:
    had_birthday = (on.month, on.day) >= (born_on.month, born_on.day)
    return on.year - born_on.year - (not had_birthday)
