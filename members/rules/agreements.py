"""What the days of a merchant's agreement may be: signed, not over, and in order."""

from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import ManyRefused, Refused


class AgreementUnsound(ManyRefused):
    """An agreement whose days can't be true."""


def require_days(
    signed_on: date | None, valid_from: date | None, valid_to: date | None, *, today: date
) -> None:
    """Signed before it is entered, not over yet, its last day not before its first.

    A day is None only while its form can't read it. Errors: AgreementUnsound with every fault.
    """
    found = list(_faults(signed_on, valid_from, valid_to, today))
    if found:
        raise AgreementUnsound(found)


def _faults(
    signed_on: date | None, valid_from: date | None, valid_to: date | None, today: date
) -> Iterator[Refused]:
    if signed_on and signed_on > today:
        yield Refused(
            gettext_noop("The day of signing lies in the future."),
            gettext_noop("An agreement is entered once it is signed."),
            at="signed_on",
        )
    if valid_from and valid_to and valid_to < valid_from:
        yield Refused(
            gettext_noop("The last day lies before the first."),
            gettext_noop("Check both days."),
            at="valid_to",
        )
    elif valid_to and valid_to < today:
        yield Refused(
            gettext_noop("The agreement has ended already."),
            gettext_noop("Check its last day."),
            at="valid_to",
        )
