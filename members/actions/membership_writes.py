"""What a checked file does to memberships: moved, turned, ended or begun, each with its change.

People are written by then. Whoever's union changed is transferred: the membership there ends and
the next begins on the day of the import, whether or not the sheet has membership columns, so that
a person's union and their live membership never differ.
"""

# The SQL below is made of words of our own.
# ruff: noqa: S608

from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from members.models import ImportRun, Membership, Person, StagedPerson
from members.states import LIVE_MEMBERSHIPS, MembershipState
from union_portal import lifecycle
from union_portal.models import Account

_LIVE: Final = "('active', 'retained', 'retired')"
# The rows of a file whose person is now as the row says, and that person.
_TOLD: Final = """
    members_stagedperson s
    JOIN members_person p ON p.national_id_index = s.national_id_index AND p.name = s.name
     AND p.organization_id = s.organization_id AND p.merged_into_id IS NULL
"""
# Told before the step is taken, while the state before it can still be read.
_TURNS: Final = f"""
WITH noted AS (
    INSERT INTO members_membershipchange
        (membership_id, old_state, new_state, "on", reason, noted_by_id, noted_at)
    SELECT m.id, m.state, t.becomes,
           CASE t.becomes WHEN 'deceased' THEN GREATEST(m.joined_on, p.died_on)
                          ELSE %(today)s END, '', %(by)s, %(now)s
    FROM {_TOLD}
    JOIN members_membership m ON m.person_id = p.id AND m.state IN {_LIVE}
    CROSS JOIN LATERAL (SELECT CASE
        WHEN s.died_on IS NOT NULL THEN 'deceased'
        WHEN m.organization_id <> p.organization_id THEN 'transferred'
        WHEN m.state = 'retired' AND s.membership_state = 'retained' THEN m.state
        ELSE COALESCE(NULLIF(s.membership_state, ''), m.state) END AS becomes) t
    WHERE s.run_id = %(run)s AND s.is_sound AND t.becomes <> m.state
    RETURNING new_state
)
SELECT new_state, count(*) FROM noted GROUP BY new_state
"""

# A transfer goes on as what the membership before it was, unless the row says otherwise.
_SUCCESSORS: Final = f"""
WITH begun AS (
    INSERT INTO members_membership
        (person_id, organization_id, joined_on, first_joined_on, previous_id, channel,
         created_at, state)
    SELECT p.id, p.organization_id, o.ended_on, o.first_joined_on, o.id, 'import', %(now)s,
           COALESCE(NULLIF(s.membership_state, ''), c.old_state)
    FROM {_TOLD}
    JOIN members_membership o ON o.person_id = p.id AND o.state = 'transferred'
     AND o.ended_on = %(today)s
    CROSS JOIN LATERAL (
        SELECT h.old_state FROM members_membershipchange h
        WHERE h.membership_id = o.id ORDER BY h.id DESC LIMIT 1) c
    WHERE s.run_id = %(run)s AND s.is_sound
      AND NOT EXISTS (SELECT 1 FROM members_membership n WHERE n.previous_id = o.id)
      AND NOT EXISTS (SELECT 1 FROM members_membership n
                      WHERE n.person_id = p.id AND n.state IN {_LIVE})
    RETURNING id, joined_on, state
)
INSERT INTO members_membershipchange
    (membership_id, old_state, new_state, "on", reason, noted_by_id, noted_at)
SELECT id, '', state, joined_on, '', %(by)s, %(now)s FROM begun
"""

# Days of first joining that a sheet corrects; what is frozen is the day in this union.
_CORRECTED: Final = f"""
UPDATE members_membership m SET first_joined_on = s.joined_on
FROM {_TOLD}
WHERE m.person_id = p.id AND m.state IN {_LIVE} AND s.run_id = %(run)s AND s.is_sound
  AND s.joined_on <= m.joined_on AND s.joined_on <> m.first_joined_on
"""

# Whatever still changes by now: further fields, and memberships that begin.
_BEGINNINGS: Final = """
WITH told AS MATERIALIZED (
    SELECT r.person_id, r.changed, s.organization_id, s.ethnicity, s.education,
           s.political_status, s.hukou_type, s.employment, s.technical_grade,
           s.is_farmer_worker, s.joined_on, s.membership_state
    FROM members_stagedrow r JOIN members_stagedperson s ON s.id = r.id
    WHERE r.run_id = %(run)s AND r.kind = 'changed' AND r.changed && '{profile,membership}'
), described AS (
    INSERT INTO members_memberprofile AS f (
        person_id, ethnicity, education, political_status, hukou_type, employment,
        technical_grade, is_farmer_worker, updated_at)
    SELECT t.person_id, t.ethnicity, t.education, t.political_status, t.hukou_type,
           t.employment, t.technical_grade,
           COALESCE(t.is_farmer_worker, k.is_farmer_worker, false), %(now)s
    FROM told t LEFT JOIN members_memberprofile k ON k.person_id = t.person_id
    WHERE 'profile' = ANY(t.changed)
    ON CONFLICT (person_id) DO UPDATE SET
        ethnicity = COALESCE(NULLIF(EXCLUDED.ethnicity, ''), f.ethnicity),
        education = COALESCE(NULLIF(EXCLUDED.education, ''), f.education),
        political_status = COALESCE(NULLIF(EXCLUDED.political_status, ''), f.political_status),
        hukou_type = COALESCE(NULLIF(EXCLUDED.hukou_type, ''), f.hukou_type),
        employment = COALESCE(NULLIF(EXCLUDED.employment, ''), f.employment),
        technical_grade = COALESCE(NULLIF(EXCLUDED.technical_grade, ''), f.technical_grade),
        is_farmer_worker = EXCLUDED.is_farmer_worker,
        updated_at = EXCLUDED.updated_at
    RETURNING 1
), begun AS (
    INSERT INTO members_membership
        (person_id, organization_id, joined_on, first_joined_on, channel, created_at, state)
    SELECT t.person_id, t.organization_id, COALESCE(t.joined_on, %(today)s),
           COALESCE(t.joined_on, %(today)s), 'import', %(now)s,
           COALESCE(NULLIF(t.membership_state, ''), 'active')
    FROM told t WHERE 'membership' = ANY(t.changed)
    RETURNING id, joined_on, state
), noted AS (
    INSERT INTO members_membershipchange
        (membership_id, old_state, new_state, "on", reason, noted_by_id, noted_at)
    SELECT id, '', state, joined_on, '', %(by)s, %(now)s FROM begun
)
SELECT (SELECT count(*) FROM described), (SELECT count(*) FROM begun)
"""


def write(*, run: ImportRun, by: Account, today: date, now: datetime) -> dict[str, int]:
    """Write the run's memberships inside the caller's transaction; what was done, counted."""
    values: dict[str, Any] = {"run": run.pk, "by": by.pk, "today": today, "now": now}
    turned = _turn(run, by, today, values)
    done = {
        "transferred": turned.pop(MembershipState.TRANSFERRED, 0),
        "turned": sum(turned.values()),
    }
    if not StagedPerson.objects.filter(run=run, is_sound=True, is_member=True).exists():
        return done
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTED, values)
        done["corrected"] = cursor.rowcount
        cursor.execute(_BEGINNINGS, values)
        done["profiles"], done["memberships"] = cursor.fetchone()
    return done


def _turn(run: ImportRun, by: Account, today: date, values: dict[str, Any]) -> dict[str, int]:
    """End and turn what the rows end and turn; how many, by the state they came to."""
    with connection.cursor() as cursor:
        cursor.execute(_TURNS, values)
        turned = dict(cursor.fetchall())
    live = Membership.objects.filter(state__in=LIVE_MEMBERSHIPS)
    if turned.pop(MembershipState.DECEASED, 0):
        died_on = Subquery(Person.objects.filter(pk=OuterRef("person_id")).values("died_on")[:1])
        turned[MembershipState.DECEASED] = lifecycle.advance_set(
            live.filter(_told(run, died_on__isnull=False)),
            to=MembershipState.DECEASED,
            by=by,
            ended_on=Greatest(F("joined_on"), died_on),
        )
    if MembershipState.TRANSFERRED in turned:
        elsewhere = live.exclude(organization=F("person__organization"))
        lifecycle.advance_set(
            elsewhere.filter(_told(run)), to=MembershipState.TRANSFERRED, by=by, ended_on=today
        )
        with connection.cursor() as cursor:
            cursor.execute(_SUCCESSORS, values)
    for state in set(turned) & set(LIVE_MEMBERSHIPS):
        lifecycle.advance_set(_turning(live, run, state), to=state, by=by)
    return turned


def _turning(live: QuerySet[Membership], run: ImportRun, state: str) -> QuerySet[Membership]:
    """Live memberships whose row says another state than theirs."""
    return live.exclude(state=state).filter(_told(run, membership_state=state))


def _told(run: ImportRun, **said: Any) -> Exists:
    """Whether a sound row of the file is of this membership's person."""
    return Exists(
        StagedPerson.objects.filter(
            run=run,
            is_sound=True,
            national_id_index=OuterRef("person__national_id_index"),
            name=OuterRef("person__name"),
            organization=OuterRef("person__organization"),
            **said,
        )
    )
