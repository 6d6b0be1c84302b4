"""What happened to a service card, in one list for its member and for staff.

The way to the card stands in its own columns; what may come again, in its changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import CardChange, ServiceCard
from members.states import CardState

_APPLIED: Final = _("Applied for")
_ANOTHER: Final = _("Applied for in the place of another card")
_CHECKED: Final = _("Checked by the union")
_APPROVED: Final = _("Approved by the city union")
_ENDED: Final = _("Application ended")
# A change in words: by where it led, and where from if that makes a difference.
_FROM_TO: Final[dict[tuple[str, str], Promise]] = {
    (CardState.SENT_TO_BANK, CardState.CITY_REVIEW): _("Refused by the bank"),
    (CardState.SUSPENDED, CardState.ACTIVE): _("Suspension lifted"),
    (CardState.LOST, CardState.ACTIVE): _("Found again"),
    (CardState.LOST, CardState.SUSPENDED): _("Found again, still suspended"),
    (CardState.DRAFT, CardState.CANCELLED): _ENDED,
    (CardState.UNION_REVIEW, CardState.CANCELLED): _ENDED,
    (CardState.CITY_REVIEW, CardState.CANCELLED): _ENDED,
    (CardState.READY, CardState.CANCELLED): _ENDED,
}
_TO: Final[dict[str, Promise]] = {
    CardState.DRAFT: _("Returned to be completed"),
    CardState.UNION_REVIEW: _("Sent again"),
    CardState.CITY_REVIEW: _CHECKED,
    CardState.READY: _APPROVED,
    CardState.LOST: _("Reported lost"),
    CardState.SUSPENDED: _("Suspended: its benefits stop"),
    CardState.REPLACED: _("Replaced by a new card"),
    CardState.CANCELLED: _("Cancelled"),
}


@dataclass(frozen=True)
class Happening:
    """One step. `at` orders it; of some steps only the day is known (`is_day`).

    `by` is the number of an account: members are not told who their clerks are.
    """

    at: datetime
    text: Promise
    by: int | None = None
    reason: str = ""
    is_day: bool = False

    @property
    def day(self) -> date:
        return timezone.localdate(self.at)


def history(card: ServiceCard) -> list[Happening]:
    """All that happened to a card, the oldest first."""
    changes = list(card.changes.all())
    # An approval may stand in both, until the next one takes its place in the column.
    noted = {(_told(change), change.at) for change in changes}
    of_columns = [one for one in _of_columns(card) if (one.text, one.at) not in noted]
    of_changes = [
        Happening(change.at, _told(change), change.noted_by_id, change.reason) for change in changes
    ]
    return sorted([*of_columns, *of_changes], key=lambda one: one.at)


def _told(change: CardChange) -> Promise:
    return _FROM_TO.get((change.old_state, change.new_state)) or _TO[change.new_state]


def _of_columns(card: ServiceCard) -> Iterator[Happening]:
    """The way to the card."""
    steps: tuple[tuple[date | datetime | None, Promise, int | None], ...] = (
        (card.applied_at, _ANOTHER if card.replaces_id else _APPLIED, card.applied_by_id),
        (card.checked_at, _CHECKED, card.checked_by_id),
        (card.approved_at, _APPROVED, card.approved_by_id),
        (card.issued_on, _("Issued by the bank"), None),
        (card.collected_at, _("Collected"), card.handed_out_by_id),
        (card.activated_on, _("Activated"), None),
    )
    before = card.applied_at
    for on, text, by in steps:
        if on is None:
            continue
        at = on if isinstance(on, datetime) else _within(on, before)
        yield Happening(at, text, by, is_day=at is not on)
        before = at


def _within(day: date, before: datetime) -> datetime:
    """A moment of a day: after the step before it, if that was on the same day."""
    return before if timezone.localdate(before) == day else _morning(day)


def _morning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
