"""Rows that may be one human under two numbers: within reach, by what they share.

A number with one mistyped digit can't be found by its keyed hash; a phone, an account, or a name
with its day of birth can. What many share (a clerk's phone, a family's account) tells nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members.models import BankAccount, Person
from members.queries import LIVE_ACCOUNTS, people_for
from union_portal import access
from union_portal.access import Permission
from union_portal.models import Account

SHARED: Final[dict[str, str | Promise]] = {
    "account": _("bank account"),
    "name": _("name and day of birth"),
    "phone": _("phone"),
}
MOST: Final = 5

_PAIRS: Final = f"""
WITH mine AS (
    SELECT p.id, p.name, p.born_on, p.phone_index
    FROM members_person p JOIN union_portal_organization o ON o.id = p.organization_id
    WHERE p.merged_into_id IS NULL AND o.path LIKE ANY(%(paths)s)
), alike (why, ids) AS (
    SELECT 'phone', array_agg(id) FROM mine WHERE phone_index IS NOT NULL
    GROUP BY phone_index HAVING count(*) BETWEEN 2 AND {MOST}
    UNION ALL
    SELECT 'name', array_agg(id) FROM mine
    GROUP BY name, born_on HAVING count(*) BETWEEN 2 AND {MOST}
    UNION ALL
    SELECT 'account', array_agg(DISTINCT mine.id)
    FROM members_bankaccount b JOIN mine ON mine.id = b.person_id
    WHERE b.state IN ('proposed', 'confirmed')
    GROUP BY b.fingerprint HAVING count(DISTINCT mine.id) BETWEEN 2 AND {MOST}
), pairs AS (
    SELECT one, other, array_agg(DISTINCT why ORDER BY why) AS why
    FROM alike, unnest(ids) AS one, unnest(ids) AS other
    WHERE one < other GROUP BY one, other
)
SELECT one, other, why, count(*) OVER ()
FROM pairs
WHERE (%(why)s = '' OR %(why)s = ANY(why))
  AND NOT EXISTS (SELECT 1 FROM members_personmerge g
                  WHERE (g.kept_id, g.merged_id) IN ((one, other), (other, one)))
ORDER BY cardinality(why) DESC, one, other
LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608


@dataclass(frozen=True)
class Pair:
    """Two rows that share something; `why` names it."""

    one: Person
    other: Person
    why: Sequence[str]

    @property
    def both(self) -> tuple[Person, Person]:
        return self.one, self.other

    @property
    def shared(self) -> list[str]:
        return [str(SHARED[code]) for code in self.why]


def pairs(
    account: Account, *, why: str = "", limit: int, offset: int = 0
) -> tuple[list[Pair], int]:
    """One page of pairs that nobody has judged yet, and how many there are in all.

    Those that share most come first. `why` narrows to what is shared.
    """
    paths = [f"{path}%" for path in access.reach(account, Permission.PERSON_MERGE)]
    if not paths:
        return [], 0
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"paths": paths, "why": why, "limit": limit, "offset": offset})
        found = cursor.fetchall()
    ids = {pk for one, other, *_rest in found for pk in (one, other)}
    people = people_for(account).select_related("organization").in_bulk(ids)
    shown = [
        Pair(people[one], people[other], shared)
        for one, other, shared, _total in found
        if one in people and other in people
    ]
    return shown, found[0][3] if found else 0


def alike(person: Person, account: Account) -> QuerySet[Person]:
    """People within reach who share something with this one, whether judged already or not."""
    own = BankAccount.objects.filter(person=person, state__in=LIVE_ACCOUNTS)
    same = Q(name=person.name, born_on=person.born_on) | Q(
        bank_accounts__fingerprint__in=own.values("fingerprint"),
        bank_accounts__state__in=LIVE_ACCOUNTS,
    )
    if person.phone_index:
        same |= Q(phone_index=person.phone_index)
    found = people_for(account, Permission.PERSON_MERGE).filter(same).exclude(pk=person.pk)
    return Person.objects.filter(pk__in=found.values("pk")).select_related("organization")
