"""Lists of cards that leave the portal: masked, within reach, and every one logged."""

from django.db import transaction
from django.db.models import Q, QuerySet

from members.models import ServiceCard
from members.queries.cards import PLACE
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account

# Who sees cards at all: whoever has a duty in their life, and whoever watches.
VIEWERS = (
    Permission.CARD_APPLY,
    Permission.CARD_CHECK,
    Permission.CARD_APPROVE,
    Permission.CARD_BATCH,
    Permission.TRAIL_VIEW,
)


def seen_by(account: Account) -> Q:
    """The cards that an account may look at; none by default."""
    reach = Q(pk__in=[])
    for permission in VIEWERS:
        reach |= access.scope(account, permission, PLACE)
    return reach


@transaction.atomic
def begin(*, by: Account, kind: str) -> QuerySet[ServiceCard]:
    """Log an export and return the cards that its reader may both see and take out."""
    access.require(by, Permission.EXPORT)
    if not any(access.may(by, permission) for permission in VIEWERS):
        access.require(by, VIEWERS[0])
    cards = ServiceCard.objects.filter(
        seen_by(by), access.scope(by, Permission.EXPORT, PLACE)
    ).order_by("pk")
    audit.record_ref(
        "servicecard.export",
        ServiceCard._meta.label_lower,
        "set",
        by=by,
        kind=kind,
        count=cards.count(),
    )
    return cards


@transaction.atomic
def begin_hand_out(*, cards: QuerySet[ServiceCard], by: Account) -> None:
    """Log a list of cards to be signed for; it names people within the clerk's reach."""
    access.require(by, Permission.CARD_APPLY)
    audit.record_ref(
        "servicecard.hand_out_list",
        ServiceCard._meta.label_lower,
        "set",
        by=by,
        count=cards.count(),
    )
