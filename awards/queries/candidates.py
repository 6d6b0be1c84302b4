"""Who is entitled to scheme S for period P: one query over the whole roster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from django.db import connection, transaction

from awards.queries.compiled import Sql, joined, verdicts
from awards.rules import SCHEMES, Step, prepare
from awards.rules.expressions import Givens
from awards.states import LIVE_CASES
from members.models import Person
from union_portal.models import Organization, RuleSet

# One row per model worker; each looked up by index, whatever the planner knows of tables
# that were filled a moment ago. The county is the organization right below the federation.
_FACTS = """
    SELECT w.person_id, p.organization_id,
        COALESCE(NULLIF(split_part(o.path, '/', 2), ''), split_part(o.path, '/', 1))::bigint
            AS county_id,
        h.is_held IS NOT NULL AS is_municipal,
        p.died_on IS NULL AND COALESCE(v.is_alive, true) AS is_alive,
        COALESCE(h.is_held, false) AND COALESCE(v.honour_retained, true) AS retains_honour,
        COALESCE(v.is_alive AND v.honour_retained, false) AS is_verified,
        EXISTS (SELECT 1 FROM awards_hardshipyear y WHERE y.model_worker_id = w.id
                AND y.year = %(year)s AND NOT y.is_withdrawn) AS in_hardship,
        w.is_farmer, p.sex = 'male' AS is_male,
        (extract(year FROM %(age_on)s::date) - extract(year FROM p.born_on)
            - (to_char(%(age_on)s::date, 'MMDD') < to_char(p.born_on, 'MMDD'))::int)::int AS age,
        COALESCE(w.lost_work_capacity_on <= %(age_on)s::date, false) AS has_lost_work_capacity,
        EXISTS (SELECT 1 FROM awards_subsidycase c WHERE c.person_id = w.person_id
                AND c.scheme = %(scheme)s AND c.period = %(period)s
                AND c.state = ANY (%(live)s) AND c.id IS DISTINCT FROM %(except)s)
            AS has_other_case
    FROM awards_modelworker w
    JOIN members_person p ON p.id = w.person_id
    JOIN union_portal_organization o ON o.id = p.organization_id
    CROSS JOIN LATERAL (
        SELECT bool_or(r.state = 'held') AS is_held
        FROM awards_honour r JOIN awards_honourtitle t ON t.id = r.title_id
        WHERE r.person_id = w.person_id AND t.level = 'municipal' AND t.is_model_worker
    ) h
    LEFT JOIN LATERAL (
        SELECT y.is_alive, y.honour_retained FROM awards_yearlyverification y
        WHERE y.model_worker_id = w.id AND y.year = %(year)s ORDER BY y.id DESC LIMIT 1
    ) v ON true
    WHERE o.path LIKE %(path)s AND p.merged_into_id IS NULL
"""


_COLUMNS = {"amount_fen": "awarded_fen", "steps": "steps::text"}


@dataclass(frozen=True)
class Candidate:
    """One person of the roster, measured."""

    person_id: int
    organization_id: int
    county_id: int
    is_entitled: bool
    amount_fen: int
    steps: list[Step]
    refusal_clause: str
    missing: str


@dataclass(frozen=True)
class Summary:
    """The whole roster in figures. `missing` names parameters that block `blocked` people."""

    entitled: int
    refused: int
    blocked: int
    amount_fen: int
    missing: list[str]


@dataclass(frozen=True)
class Candidates:
    """The query itself: read it, count it, or insert from it."""

    sql: Sql

    def rows(self) -> Iterator[Candidate]:
        """Everybody, measured, by person."""
        names = [one.name for one in fields(Candidate)]
        columns = ", ".join(_COLUMNS.get(name, name) for name in names)
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(
                f"SELECT {columns} FROM ({self.sql.text}) q ORDER BY person_id",  # noqa: S608
                self.sql.params,
            )
            for row in cursor:
                told = dict(zip(names, row, strict=True))
                yield Candidate(**{**told, "steps": json.loads(told["steps"])})

    def summary(self) -> Summary:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE is_entitled),"  # noqa: S608
                " count(*) FILTER (WHERE refusal_clause <> ''),"
                " count(*) FILTER (WHERE missing <> ''),"
                " COALESCE(sum(awarded_fen) FILTER (WHERE is_entitled), 0)::bigint,"
                " COALESCE(array_agg(DISTINCT missing) FILTER (WHERE missing <> ''), '{}')"
                f" FROM ({self.sql.text}) q",
                self.sql.params,
            )
            return Summary(*cursor.fetchone())


def candidates(
    scheme: str, period: str, rule_set: RuleSet, on: date, *, within: Organization
) -> Candidates:
    """Every model worker below `within` who has no live case, with the outcome and why.

    Raises rules.ParameterMissing where the rule set is incomplete.
    """
    givens = prepare(scheme, rule_set.parameters, period=period, on=on)
    facts = _facts(scheme, givens, on, path=within.path)
    open_only = joined("", [facts, Sql(" AND NOT "), _has_live_case(scheme, period)])
    return Candidates(verdicts(open_only, SCHEMES[scheme], givens))


def measured_again(
    scheme: str, period: str, rule_set: RuleSet, on: date, *, within: Organization
) -> Candidates:
    """The same for everybody, whether or not a case is under way (the check at decision)."""
    givens = prepare(scheme, rule_set.parameters, period=period, on=on)
    return Candidates(
        verdicts(_facts(scheme, givens, on, path=within.path), SCHEMES[scheme], givens)
    )


def person_facts(
    person: Person, scheme: str, givens: Givens, on: date, *, except_case: int | None = None
) -> dict[str, Any]:
    """The same facts of one person; of somebody off the roll, those of a stranger."""
    facts = _facts(scheme, givens, on, path="", except_case=except_case)
    one = joined("", [facts, Sql(" AND w.person_id = %s", [person.pk])])
    with connection.cursor() as cursor:
        cursor.execute(one.text, one.params)
        row = cursor.fetchone()
        names = [column.name for column in cursor.description]
    if row is None:
        return {**dict.fromkeys(names, False), "age": 0, "is_alive": person.died_on is None}
    return dict(zip(names, row, strict=True))


def _facts(
    scheme: str, givens: Givens, on: date, *, path: str, except_case: int | None = None
) -> Sql:
    values = {
        "year": int(givens["period"]),
        "age_on": givens.get("age_on", on.isoformat()),
        "scheme": scheme,
        "period": givens["period"],
        "live": [state.value for state in LIVE_CASES],
        "except": except_case,
        "path": f"{path}%",
    }
    return _positional(_FACTS, values)


def _has_live_case(scheme: str, period: str) -> Sql:
    return Sql(
        "EXISTS (SELECT 1 FROM awards_subsidycase c WHERE c.person_id = w.person_id"
        " AND c.scheme = %s AND c.period = %s AND c.state = ANY (%s))",
        [scheme, period, [state.value for state in LIVE_CASES]],
    )


def _positional(text: str, values: dict[str, Any]) -> Sql:
    """Named marks to positional ones, so that pieces can be joined."""
    pieces = text.split("%(")
    made, params = [pieces[0]], []
    for piece in pieces[1:]:
        name, rest = piece.split(")s", 1)
        made.append("%s" + rest)
        params.append(values[name])
    return Sql("".join(made), params)
