"""Ceilings: what may be granted to one person for one purpose, over all schemes.

The database counts and refuses (`models/caps.py`); here ceilings are set, and asked who
would pass one. Amounts are fen. Source: 总工发〔2015〕20号, art. 5.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from members.models import Person
from union_portal import audit, sets
from union_portal.access import Permission
from union_portal.kit.money import yuan
from union_portal.models import Organization
from welfare.disbursement import acting, locks
from welfare.disbursement.acting import Actor
from welfare.disbursement.models import Cap
from welfare.disbursement.models.caps import COUNTED
from welfare.disbursement.refusals import PayoutRefused, explained

_SET: Final = """
    INSERT INTO disbursement_cap (person_id, purpose, period, schemes, clause, ceiling_fen,
        used_fen)
    SELECT r.person_id, %s, %s, %s::jsonb, %s, r.ceiling_fen, 0 FROM {rows}
    JOIN members_person p ON p.id = r.person_id
    JOIN union_portal_organization o ON o.id = p.organization_id
    WHERE starts_with(o.path, %s)
    ORDER BY r.person_id
    ON CONFLICT (person_id, purpose, period)
        DO UPDATE SET ceiling_fen = EXCLUDED.ceiling_fen, clause = EXCLUDED.clause
        WHERE (disbursement_cap.ceiling_fen, disbursement_cap.clause)
              IS DISTINCT FROM (EXCLUDED.ceiling_fen, EXCLUDED.clause)
"""

# `asked (decision_id)` against the ceilings: in the order of the decisions, what would go
# past one, counting those before it.
_OVER: Final = f"""
    SELECT DISTINCT ON (e.id) e.id AS decision_id, e.person_id, e.amount_fen, c.clause,
           c.ceiling_fen, c.ceiling_fen - c.used_fen AS left_fen
    FROM (SELECT e.*, c.id AS cap_id, sum(e.amount_fen)
                     OVER (PARTITION BY c.id ORDER BY e.id) AS running_fen
          FROM (SELECT d.id, a.person_id, d.scheme, d.period, d.amount_fen
                FROM {{asked}} a (decision_id, person_id)
                JOIN union_portal_decision d ON d.id = a.decision_id
                WHERE NOT EXISTS (SELECT 1 FROM disbursement_entitlement o
                                  WHERE o.decision_id = d.id)) e
          JOIN disbursement_cap c ON {COUNTED}) e
    JOIN disbursement_cap c ON c.id = e.cap_id
    WHERE c.used_fen + e.running_fen > c.ceiling_fen
    ORDER BY e.id, c.id
"""  # noqa: S608


@dataclass(frozen=True)
class OverCap:
    """A decision that is not granted now, and the ceiling that keeps it out."""

    decision_id: int
    person_id: int
    amount_fen: int
    clause: str
    ceiling_fen: int
    left_fen: int


class CapReached(PayoutRefused):
    """The ceiling of a person leaves less than is asked."""

    def __init__(self, cap: Cap, needed_fen: int) -> None:
        super().__init__(
            _(
                "The ceiling of %(ceiling)s yuan for this person (%(clause)s) leaves %(left)s"
                " yuan; %(needed)s yuan are needed."
            ),
            _("Decide a lower amount, or have the ceiling set anew if it is wrong."),
            {
                "ceiling": yuan(cap.ceiling_fen),
                "clause": cap.clause,
                "left": yuan(cap.ceiling_fen - cap.used_fen),
                "needed": yuan(needed_fen),
            },
        )


@transaction.atomic
def put(
    *,
    rows: QuerySet[Any, Any],
    purpose: str,
    period: str,
    schemes: Iterable[str],
    clause: str,
    organization: Organization,
    by: Actor,
) -> int:
    """Set the ceilings of many people; one that stands gets the new amount and clause.

    `rows` has `values()` named person_id and ceiling_fen. What was granted before is counted.
    Returns how many were set or changed; people outside the union are passed over. Refuses a
    ceiling below what is granted already.
    """
    acting.require(by, Permission.FUND_APPROPRIATE, organization)
    names = ("person_id", "ceiling_fen")
    table = sets.source(rows, *names)
    if table is None:
        return 0
    locks.caps(alone=True)
    covered = sorted(schemes)
    with explained():
        made = sets.insert(
            _SET,
            table,
            names,
            before=[purpose, period, json.dumps(covered), clause],
            after=[organization.path],
        )
    if made.count:
        audit.record_ref(
            "cap.put",
            Cap._meta.label_lower,
            "set",
            by=by,
            organization=organization,
            purpose=purpose,
            period=period,
            schemes=covered,
            clause=clause,
            count=made.count,
            ids_sha256=made.ids_sha256,
        )
    return made.count


def hold(people: QuerySet[Any, Any] | Iterable[int]) -> None:
    """Lock every ceiling of the people (ids), lowest id first, until the transaction ends.

    Before anything is granted or ended: what ends gives room back under the same rows, and
    two grants that took them in another order would wait for each other for ever.
    """
    held = Cap.objects.filter(person__in=people).order_by("pk").select_for_update()
    len(held.values_list("pk"))


def over(rows: QuerySet[Any, Any]) -> list[OverCap]:
    """Which decisions of `rows` (values decision_id, person_id) go past a ceiling.

    Granted ones are no longer asked. Whoever writes what is left holds the ceilings first
    (`hold`), so that what is found here is still true then.
    """
    if not Cap.objects.exists():
        return []
    asked = sets.source(rows.order_by(), "decision_id", "person_id")
    if asked is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_OVER.format(asked=f"({asked.sql})"), asked.parameters)
        return [OverCap(*row) for row in cursor.fetchall()]


def require_room(*, person: Person, scheme: str, period: str, amount_fen: int) -> None:
    """Raise CapReached if a ceiling of the person leaves less; the caller holds them."""
    for cap in Cap.objects.filter(person=person, schemes__contains=scheme).order_by("pk"):
        covers = period == cap.period or period.startswith(f"{cap.period}-")
        if covers and cap.used_fen + amount_fen > cap.ceiling_fen:
            raise CapReached(cap, amount_fen)
