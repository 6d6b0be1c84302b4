"""What becomes of money when a person turns out to be another one's second row: it stays.

What is owed and paid is frozen. It counts for the human from then on: the birth of an
entitlement asks for those of the rows that were merged (models/entitlements.py).
"""

from functools import partial

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_noop

from members import merging
from members.models import Person
from union_portal.kit.refusals import Refused
from welfare.disbursement import locks
from welfare.disbursement.models import Cap, Entitlement, PayoutLine
from welfare.disbursement.states import EntitlementState, LineState


def register() -> None:
    """Say that nothing moves, and what has to be settled before."""
    merging.stays("disbursement.entitlement.person", why="what is owed is never edited")
    merging.stays("disbursement.cap.person", why="a ceiling stays its own")
    merging.hold(partial(locks.caps, alone=True))
    merging.obstacle(_money_on_its_way)
    merging.obstacle(_granted_twice)
    merging.obstacle(_ceilings_used)


def _unpaid(person: Person) -> QuerySet[Entitlement]:
    paid = PayoutLine.objects.filter(entitlement=OuterRef("pk"), state=LineState.PAID)
    return Entitlement.objects.filter(~Exists(paid), person=person, state=EntitlementState.GRANTED)


def _money_on_its_way(kept: Person, merged: Person) -> Refused | None:
    """Nobody loses money on the way: what is granted to the row that goes is paid before."""
    if count := _unpaid(merged).count():
        return Refused(
            gettext_noop("Money granted to the row that goes is not paid yet (%(count)s)."),
            gettext_noop("Wait until it is paid, or propose it the other way round."),
            {"count": count},
        )
    return None


def _granted_twice(kept: Person, merged: Person) -> Refused | None:
    """What both were granted is paid once: the second one ends before they become one human."""
    same = Entitlement.objects.filter(
        person=merged,
        state=EntitlementState.GRANTED,
        scheme=OuterRef("scheme"),
        period=OuterRef("period"),
    )
    twice = _unpaid(kept).filter(Exists(same), adjusts__isnull=True).first()
    if twice is not None:
        return Refused(
            gettext_noop("Both were granted the same of %(period)s, and one is not paid yet."),
            gettext_noop("Have finance withdraw that entitlement, then merge."),
            {"period": twice.period},
        )
    return None


def _ceilings_used(kept: Person, merged: Person) -> Refused | None:
    """What was granted under a ceiling is counted by person: it would be forgotten."""
    if Cap.objects.filter(person=merged, used_fen__gt=0).exists():
        return Refused(
            gettext_noop("Ceilings of the row that goes are used: they would be forgotten."),
            gettext_noop("Propose it the other way round."),
        )
    return None
