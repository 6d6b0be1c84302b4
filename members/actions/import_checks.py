"""What only the whole file shows: doubles, conflicts, shared accounts. One statement each."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from django.db import connection
from django.db.models import F, Func, Value
from django.utils.translation import gettext_noop

from members.actions import member_checks, staging
from members.models import ImportRun, RowKind, Severity, StagedPerson, StagedRow
from members.rules.columns import Fault, Layout, groups
from union_portal import sets
from union_portal.kit.refusals import Refused

_WRITE: Final = (
    'INSERT INTO members_importfinding (run_id, row, "column", shown, severity,'
    " message_id, remedy_id, params)"
)

_DOUBLES: Final = f"""
WITH doubled AS (
    SELECT national_id_index, min(name) = max(name) AS is_same,
           array_agg(row ORDER BY row) AS rows
    FROM members_stagedperson
    WHERE run_id = %(run)s AND national_id_index IS NOT NULL
    GROUP BY national_id_index HAVING count(*) > 1
), marked AS (
    UPDATE members_stagedperson s SET is_sound = false FROM doubled d
    WHERE s.run_id = %(run)s AND s.national_id_index = d.national_id_index
)
{_WRITE}
SELECT s.run_id, s.row, %(header)s, s.national_id_shown, %(severity)s,
       CASE WHEN d.is_same THEN %(same)s ELSE %(two)s END,
       CASE WHEN d.is_same THEN %(same_remedy)s ELSE %(two_remedy)s END,
       jsonb_build_object('rows', array_to_string((array_remove(d.rows, s.row))[1:5], ', '))
FROM members_stagedperson s JOIN doubled d USING (national_id_index)
WHERE s.run_id = %(run)s
"""  # noqa: S608

_CONFLICTS: Final = f"""
{_WRITE}
SELECT run_id, row, %(header)s, national_id_shown, %(severity)s,
       %(texts)s::jsonb -> conflict ->> 0, %(texts)s::jsonb -> conflict ->> 1, '{{}}'
FROM members_stagedrow WHERE run_id = %(run)s AND kind = %(kind)s
"""  # noqa: S608

_CONFLICT_TEXTS: Final = {
    "name": (
        gettext_noop("Somebody of another name is registered with this number."),
        gettext_noop(
            "Compare with the card. If the name has changed, change it at the person first."
        ),
    ),
    "union": (
        gettext_noop("The person is registered outside your area."),
        gettext_noop("Ask the superior union to transfer the person."),
    ),
    "transfer": (
        gettext_noop("A transfer of this person to another union is under way."),
        gettext_noop("Have the two unions end it first, or leave the row out."),
    ),
    "merged": (
        gettext_noop("This number was found to be a second one of somebody registered."),
        gettext_noop("Use the number of the person's card, which the register keeps."),
    ),
}

_SHARED: Final = f"""
WITH holders AS (
    SELECT account_index AS fingerprint, national_id_index
    FROM members_stagedperson WHERE run_id = %(run)s AND account_index IS NOT NULL
    UNION
    SELECT b.fingerprint, p.national_id_index
    FROM members_bankaccount b JOIN members_person p ON p.id = b.person_id
    WHERE b.state IN ('proposed', 'confirmed') AND b.fingerprint IN (
        SELECT account_index FROM members_stagedperson
        WHERE run_id = %(run)s AND account_index IS NOT NULL)
), shared AS (
    SELECT fingerprint, count(*) AS people FROM holders GROUP BY fingerprint HAVING count(*) > 1
)
{_WRITE}
SELECT s.run_id, s.row, %(header)s, '************' || s.account_last_four, %(severity)s,
       %(message)s, %(remedy)s, jsonb_build_object('people', h.people)
FROM members_stagedperson s JOIN shared h ON h.fingerprint = s.account_index
WHERE s.run_id = %(run)s
"""  # noqa: S608

_GIVEN_UP: Final = f"""
{_WRITE}
SELECT s.run_id, s.row, %(header)s, '************' || s.account_last_four, %(severity)s,
       %(message)s, %(remedy)s, '{{}}'
FROM members_stagedperson s
JOIN members_person p ON p.national_id_index = s.national_id_index
WHERE s.run_id = %(run)s AND s.account_index IS NOT NULL
  AND EXISTS (SELECT 1 FROM members_bankaccount b
              WHERE b.person_id = p.id AND b.fingerprint = s.account_index)
  AND NOT EXISTS (SELECT 1 FROM members_bankaccount b
                  WHERE b.person_id = p.id AND b.fingerprint = s.account_index
                    AND b.state IN ('proposed', 'confirmed'))
"""  # noqa: S608


def check_whole(run: ImportRun, layout: Layout) -> None:
    """Find what a row alone can't show, and which rows would change something of a group."""
    headers = {key: layout.headers.get(key, layout.shown[key].header) for key in layout.shown}
    # The planner knows nothing of rows that were copied a moment ago.
    sets.analyse("members_stagedperson", "run_id", "national_id_index", "account_index", "is_sound")
    _run(
        _DOUBLES,
        {
            "run": run.pk,
            "header": headers["national_id"],
            "severity": Severity.ERROR,
            "same": gettext_noop("The same person stands in row %(rows)s too."),
            "same_remedy": gettext_noop("Keep one row for each person."),
            "two": gettext_noop("Row %(rows)s holds another name with the same identity number."),
            "two_remedy": gettext_noop("One of the two is wrong: compare both with their cards."),
        },
    )
    member_checks.check(run, headers)
    for group in groups():
        _check_group(run, group.name)
    _run(
        _CONFLICTS,
        {
            "run": run.pk,
            "header": headers["national_id"],
            "severity": Severity.CONFLICT,
            "kind": RowKind.CONFLICT,
            "texts": json.dumps(_CONFLICT_TEXTS),
        },
    )
    _run(
        _SHARED,
        {
            "run": run.pk,
            "header": headers["account_number"],
            "severity": Severity.WARNING,
            "message": gettext_noop("%(people)s people have this account."),
            "remedy": gettext_noop("It is allowed; whoever confirms the account is told."),
        },
    )
    _run(
        _GIVEN_UP,
        {
            "run": run.pk,
            "header": headers["account_number"],
            "severity": Severity.WARNING,
            "message": gettext_noop("This account was rejected or retired; it stays so."),
            "remedy": gettext_noop("To use it again, enter it by hand at the person."),
        },
    )


def summarise(run: ImportRun) -> tuple[dict[str, int], str]:
    """How many rows of each kind, and a digest of every row and what it would change."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, count(*), bit_xor(hashtextextended("
            " row || kind || array_to_string(changed, ','), 0))"
            " FROM members_stagedrow WHERE run_id = %s GROUP BY kind ORDER BY kind",
            [run.pk],
        )
        rows = cursor.fetchall()
    counts = {kind.value: 0 for kind in RowKind} | {kind: count for kind, count, _ in rows}
    return counts, sha256(repr(rows).encode()).hexdigest()


def sound_rows(run: ImportRun, group: str) -> Any:
    """The rows a column group may work on: sound, free of conflict, with its values."""
    return StagedRow.objects.filter(run=run, extra__has_key=group).exclude(
        kind__in=[RowKind.ERROR, RowKind.CONFLICT]
    )


def _check_group(run: ImportRun, name: str) -> None:
    group = next(group for group in groups() if group.name == name)
    rows = sound_rows(run, name)
    faults: Iterator[tuple[int, Fault]] = (
        (found.row, Fault(found.column, found.shown, found.refusal, found.is_warning))
        for found in group.check(rows)
    )
    noted = list(faults)
    staging.add_findings(run, noted)
    broken = [row for row, fault in noted if not fault.is_warning]
    StagedPerson.objects.filter(run=run, row__in=broken).update(is_sound=False)
    known = rows.filter(person_id__isnull=False)
    StagedPerson.objects.filter(pk__in=group.differing(known).values("pk")).update(
        changed_groups=Func(F("changed_groups"), Value(name), function="array_append")
    )


def refusal_fields(refusal: Refused) -> dict[str, Any]:
    """The columns of a run that keep why its file is refused."""
    return {
        "fault_message": refusal.message_id,
        "fault_remedy": refusal.remedy_id,
        "fault_params": refusal.params,
    }


def _run(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
