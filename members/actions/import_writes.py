"""Writing a checked file: one upsert, accounts, memberships, then every column group."""

from datetime import date, datetime
from typing import Any, Final

from django.db import connection

from members.actions import import_checks, membership_writes
from members.models import ImportRun, Person, RowKind
from members.rules.columns import groups
from union_portal import audit, turns

# Empty cells never erase: what a row does not say stays as it is. The comparison keeps
# rows that are the same from being written at all.
_UPSERT: Final = """
WITH chosen AS MATERIALIZED (
    SELECT id FROM members_stagedrow WHERE run_id = %(run)s AND kind IN ('new', 'changed')
), written AS (
    INSERT INTO members_person AS person (
        name, pinyin, initials, sex, born_on, national_id, national_id_index,
        national_id_shown, phone, phone_index, phone_shown, employer, organization_id,
        died_on, created_at, updated_at)
    SELECT s.name, s.pinyin, s.initials, s.sex, s.born_on,
           COALESCE(s.national_id, p.national_id), s.national_id_index, s.national_id_shown,
           s.phone, s.phone_index, s.phone_shown, s.employer, s.organization_id,
           s.died_on, %(now)s, %(now)s
    FROM members_stagedperson s
    JOIN chosen ON chosen.id = s.id
    LEFT JOIN members_person p ON p.national_id_index = s.national_id_index
    ON CONFLICT (national_id_index) DO UPDATE SET
        phone = COALESCE(EXCLUDED.phone, person.phone),
        phone_index = COALESCE(EXCLUDED.phone_index, person.phone_index),
        phone_shown = COALESCE(NULLIF(EXCLUDED.phone_shown, ''), person.phone_shown),
        employer = COALESCE(NULLIF(EXCLUDED.employer, ''), person.employer),
        organization_id = EXCLUDED.organization_id,
        died_on = COALESCE(EXCLUDED.died_on, person.died_on),
        updated_at = EXCLUDED.updated_at
    WHERE person.name = EXCLUDED.name
      AND (COALESCE(EXCLUDED.phone_index, person.phone_index),
           COALESCE(NULLIF(EXCLUDED.employer, ''), person.employer),
           EXCLUDED.organization_id, COALESCE(EXCLUDED.died_on, person.died_on))
          IS DISTINCT FROM
          (person.phone_index, person.employer, person.organization_id, person.died_on)
    RETURNING id, (xmax = 0) AS is_born
)
SELECT count(*) FILTER (WHERE is_born), count(*) FILTER (WHERE NOT is_born),
       encode(sha256(convert_to(COALESCE(string_agg(id::text, ',' ORDER BY id), ''), 'UTF8')),
              'hex')
FROM written
"""

# Once the people are written, a row that still changes `bank_account` has a new account.
_ACCOUNTS: Final = """
INSERT INTO members_bankaccount (
    person_id, holder, number, fingerprint, last_four, bank_name, bank_code, evidence_id,
    reason, entered_by_id, entered_at, state)
SELECT r.person_id, s.account_holder, s.account_number, s.account_index,
       s.account_last_four, s.bank_name, '', %(file)s, '', %(by)s, %(now)s, 'proposed'
FROM members_stagedperson s
JOIN members_stagedrow r ON r.id = s.id AND r.run_id = s.run_id
WHERE s.run_id = %(run)s AND r.kind = 'changed' AND 'bank_account' = ANY(r.changed)
"""


class PeopleMoved(Exception):
    """People changed between preview and confirmation: what would be written is not
    what was shown."""


def write(*, run: ImportRun, today: date, now: datetime) -> dict[str, Any]:
    """Write the run's rows inside the caller's transaction; return what was done.

    Errors: PeopleMoved, before or after the upsert, when people are not as they were shown.
    """
    # One import writes at a time; single edits of people wait for the row locks.
    turns.take("members_import")
    held = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    counts, digest = import_checks.summarise(held)
    if digest != held.digest:
        raise PeopleMoved
    values: dict[str, Any] = {
        "run": run.pk,
        "now": now,
        "by": run.uploaded_by_id,
        "file": run.file_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, values)
        born, updated, ids = cursor.fetchone()
        if born != counts[RowKind.NEW] or updated > counts[RowKind.CHANGED]:
            raise PeopleMoved
        cursor.execute(_ACCOUNTS, values)
        accounts = cursor.rowcount
    result: dict[str, Any] = {"new": born, "updated": updated, "accounts": accounts}
    result |= membership_writes.write(run=held, by=run.uploaded_by, today=today, now=now)
    for group in groups():
        rows = import_checks.sound_rows(held, group.name)
        if rows.exists():  # a sheet without these columns asks for none of their rights
            result[group.name] = group.write(rows=rows, by=run.uploaded_by, today=today)
    audit.record_ref(
        "person.import",
        Person._meta.label_lower,
        "set",
        by=run.uploaded_by,
        organization=run.organization,
        run=run.pk,
        ids_sha256=ids,
        **result,
    )
    return result
