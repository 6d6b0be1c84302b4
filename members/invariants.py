"""What must always be true of members, each as a question that finds the exceptions.

Asked every night beside the engine's own (`welfare/disbursement/invariants.py`).
"""

from collections.abc import Sequence
from typing import Final

from django.db import connection

# A membership that begins or ends does so together with the person's union.
_UNIONS: Final = """
SELECT 'person ' || p.id FROM members_membership m
JOIN members_person p ON p.id = m.person_id
WHERE m.state IN ('active', 'retained', 'retired') AND m.organization_id <> p.organization_id
ORDER BY p.id
"""

_MERGED: Final = """
SELECT 'person ' || p.id FROM members_person p
LEFT JOIN union_portal_account a ON a.id = p.account_id
WHERE p.merged_into_id IS NOT NULL AND (
    a.is_active
    OR EXISTS (SELECT 1 FROM members_person k
               WHERE k.id = p.merged_into_id AND k.merged_into_id IS NOT NULL)
    OR EXISTS (SELECT 1 FROM members_membership m WHERE m.person_id = p.id
               AND m.state IN ('active', 'retained', 'retired'))
    OR EXISTS (SELECT 1 FROM members_servicecard c WHERE c.person_id = p.id
               AND c.state NOT IN ('replaced', 'cancelled', 'lost'))
    OR NOT EXISTS (SELECT 1 FROM members_personmerge g WHERE g.merged_id = p.id
                   AND g.state = 'confirmed'))
ORDER BY p.id
"""


def members_of_other_unions() -> Sequence[str]:
    """People whose live membership is in another union than they are."""
    return _found(_UNIONS)


def merged_at_work() -> Sequence[str]:
    """Rows that were merged and still take part in something."""
    return _found(_MERGED)


def _found(statement: str) -> Sequence[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [str(row[0]) for row in cursor.fetchall()]
