"""Steps of cards written down where the card's own columns don't tell them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import F, QuerySet

from members.models import CardChange, ServiceCard
from members.states import SERVICE_CARD, CardState
from union_portal import audit, lifecycle, sets
from union_portal.models import Account

Actor = Account | audit.Machine
LONGEST_REASON: Final = 200
_MOVED: Final = """
INSERT INTO members_cardchange (card_id, old_state, new_state, at, reason, noted_by_id)
SELECT r.key, r.old, %s, %s, %s, %s FROM {rows}
"""
# What the columns of a card still say of its checks, unless that was put down before.
_CHECKS: Final = """
INSERT INTO members_cardchange (card_id, old_state, new_state, at, reason, noted_by_id)
SELECT c.id, s.old, s.new, s.at, '', s.account
FROM members_servicecard c CROSS JOIN LATERAL (VALUES
    ('union_review', 'city_review', c.checked_at, c.checked_by_id),
    ('city_review', 'ready', c.approved_at, c.approved_by_id)) s (old, new, at, account)
WHERE c.id = ANY(%s) AND s.at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM members_cardchange h
    WHERE h.card_id = c.id AND h.new_state = s.new AND h.at = s.at)
ORDER BY c.id, s.at
"""


def note(card: ServiceCard, *, old: str, at: datetime, by: Account, reason: str) -> None:
    """Write down the step that has led the card to where it is now."""
    CardChange.objects.create(
        card=card,
        old_state=old,
        new_state=card.state,
        at=at,
        reason=reason,
        noted_by=by,
    )


def move_set(
    cards: QuerySet[ServiceCard], *, to: CardState, at: datetime, by: Actor, reason: str = ""
) -> int:
    """Move every card of a set that stands where the step starts, each with its change.

    The cards are locked first, so that both statements are of the same ones. Returns how many.
    """
    held: list[Any] = list(
        cards.filter(state__in=SERVICE_CARD.sources(to))
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
        .values_list("pk", flat=True)
    )
    moving = ServiceCard.objects.filter(pk__in=held)
    table = sets.source(moving.values(key=F("pk"), old=F("state")), "key", "old")
    if table is None:
        return 0
    sets.insert(_MOVED, table, ("key", "old"), before=[str(to), at, reason[:LONGEST_REASON], by.pk])
    return lifecycle.advance_set(moving, to=to, by=by, reason=reason)


def keep_checks(cards: Iterable[int]) -> None:
    """Put down who checked and approved: the columns are about to forget it, or to say it anew."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECKS, [list(cards)])
