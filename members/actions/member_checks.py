"""Membership cells against the register: what a file says and does not get. One statement each."""

from collections.abc import Mapping
from typing import Final

from django.db import connection
from django.utils.translation import gettext_noop

from members.models import ImportRun, Severity

# Rows of people who are known, with their live membership and the last one that ended.
_FOUND: Final = """
INSERT INTO members_importfinding (run_id, row, "column", shown, severity,
                                   message_id, remedy_id, params)
SELECT s.run_id, s.row, %(header)s, {shown}, %(severity)s, %(message)s, %(remedy)s,
       jsonb_build_object('day', {day})
FROM members_stagedperson s
JOIN members_person p ON p.national_id_index = s.national_id_index AND p.name = s.name
{joined}
WHERE s.run_id = %(run)s AND s.is_sound AND s.is_member AND {condition}
"""
_LIVE: Final = (
    "JOIN members_membership m ON m.person_id = p.id"
    " AND m.state IN ('active', 'retained', 'retired')"
)
_ENDED: Final = """
CROSS JOIN LATERAL (
    SELECT max(e.ended_on) AS ended_on FROM members_membership e WHERE e.person_id = p.id
    HAVING bool_and(e.state NOT IN ('active', 'retained', 'retired'))) e
"""

_LATER: Final = _FOUND.format(
    shown="s.joined_on::text",
    day="m.joined_on",
    joined=_LIVE,
    condition="s.joined_on > m.joined_on",
)
_AGAIN: Final = _FOUND.format(
    shown="COALESCE(s.joined_on::text, '')",
    day="e.ended_on",
    joined=_ENDED,
    condition="e.ended_on IS NOT NULL AND (s.joined_on IS NULL OR s.joined_on < e.ended_on)",
)
_BACK: Final = _FOUND.format(
    shown="''",
    day="m.joined_on",
    joined=_LIVE,
    condition="m.state = 'retired' AND s.membership_state = 'retained'",
)


def check(run: ImportRun, headers: Mapping[str, str]) -> None:
    """Warn of rows whose membership stays as it is, whatever they say."""
    told = (
        (
            _LATER,
            "joined_on",
            gettext_noop("In this union since %(day)s according to the register; that stays."),
            gettext_noop("If the register is wrong, have it corrected at the person."),
        ),
        (
            _AGAIN,
            "joined_on",
            gettext_noop("The membership ended on %(day)s; the row does not renew it."),
            gettext_noop("If the person has joined again, enter the new day of joining."),
        ),
        (
            _BACK,
            "membership_state",
            gettext_noop("The membership is that of somebody retired; it stays so."),
            gettext_noop("Make it active first, at the person."),
        ),
    )
    with connection.cursor() as cursor:
        for statement, key, message, remedy in told:
            cursor.execute(
                statement,
                {
                    "run": run.pk,
                    "header": headers[key],
                    "severity": Severity.WARNING,
                    "message": message,
                    "remedy": remedy,
                },
            )
