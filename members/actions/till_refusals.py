"""Why a till is refused: a word for programs, and what the cashier reads."""

from enum import StrEnum
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit.refusals import Refused


class Why(StrEnum):
    """Why a code or a use is refused; for programs that ask."""

    MALFORMED = "malformed"
    FORGED = "forged"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    AHEAD = "ahead"
    REPLAYED = "replayed"
    FOREIGN = "foreign"
    CHANGED = "changed"
    CLOSED = "closed"
    WAITING = "waiting"
    CARD = "card"
    AGREEMENT = "agreement"
    QUOTA = "quota"
    MEMBER_QUOTA = "member_quota"
    BUDGET = "budget"
    UNDONE = "undone"
    TOO_LATE = "too_late"


_SHOW_ANEW: Final = gettext_noop("Ask the member to show a new code.")
_WORDS: Final = {
    Why.UNKNOWN: (
        gettext_noop("No card has this code."),
        gettext_noop("Compare the digits; a code on a phone changes every minute."),
    ),
    Why.EXPIRED: (
        gettext_noop("This code is too old, or was replaced by a newer one."),
        _SHOW_ANEW,
    ),
    Why.REPLAYED: (
        gettext_noop("This code was used already. Each code counts once."),
        _SHOW_ANEW,
    ),
    Why.FOREIGN: (
        gettext_noop("This code was made for an offer of another merchant."),
        gettext_noop("Ask the member to choose one of your offers, or none."),
    ),
    Why.CHANGED: (
        gettext_noop("The offer has changed since it was shown. Nothing was used."),
        gettext_noop("Look at the offer as it is now with the member, and scan again."),
    ),
    Why.CLOSED: (
        gettext_noop("This offer does not count today, or not at this shop."),
        gettext_noop("Choose another one."),
    ),
    Why.WAITING: (
        gettext_noop("Too many codes were wrong. This till waits a while."),
        gettext_noop("Try again in ten minutes. The union sees this."),
    ),
    Why.CARD: (
        gettext_noop("This card does not count now."),
        gettext_noop("The member sees on the card's page how it stands and what to do."),
    ),
    Why.AGREEMENT: (
        gettext_noop("No agreement with the union is in force for this shop today."),
        gettext_noop("Ask the union that looks after you."),
    ),
    Why.QUOTA: (
        gettext_noop("This offer is used up."),
        gettext_noop("Choose another one."),
    ),
    Why.MEMBER_QUOTA: (
        gettext_noop("The member has used this offer as often as allowed."),
        gettext_noop("Choose another one."),
    ),
    Why.BUDGET: (
        gettext_noop("The year's subsidies for offers are used up."),
        gettext_noop("The union decides whether there will be more."),
    ),
    Why.UNDONE: (gettext_noop("This use was taken back already."), ""),
    Why.TOO_LATE: (
        gettext_noop("A use is taken back within five minutes, at the till that confirmed it."),
        gettext_noop("Ask the union that looks after you."),
    ),
}


class TillRefused(Refused):
    """Nothing was used; `why` tells programs the reason."""

    def __init__(self, why: Why, message: str = "", remedy: str = "") -> None:
        super().__init__(*((message, remedy) if message else _WORDS[why]))
        self.why = why
