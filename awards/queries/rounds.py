"""A round in figures: by county, by clause, by state; and the preview of one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from awards.models import CountyCheck, SubsidyCase, SubsidyRound
from awards.queries.candidates import Candidates
from awards.rules import render
from awards.states import CaseState
from union_portal.models import Organization

# Facts of one person: a sentence about many people leaves them open.
_PERSONAL = frozenset({"age"})
_OPEN = "…"


@dataclass(frozen=True)
class Refusals:
    """How many are refused under a clause, with the clause's own sentence."""

    clause: str
    text: str
    count: int


@dataclass(frozen=True)
class CountyPart:
    """A county's part of what is proposed."""

    county: str
    entitled: int
    amount_fen: int


def refusals_of(asked: Candidates) -> list[Refusals]:
    """Who would be refused, counted by clause and sentence; one query."""
    return _refusals(
        "SELECT refusal_clause, steps::jsonb -> -1 AS step, count(*)"  # noqa: S608
        f" FROM ({asked.sql.text}) q WHERE refusal_clause <> ''",
        asked.sql.params,
    )


def refusals_in(round: SubsidyRound) -> list[Refusals]:
    """Who is refused or excluded in a round, counted the same way."""
    return _refusals(
        "SELECT refusal_clause, steps -> -1 AS step, count(*)"
        " FROM awards_subsidycase WHERE round_id = %s AND refusal_clause <> ''",
        [round.pk],
    )


def _refusals(counted: str, params: Any) -> list[Refusals]:
    """Sentences that differ only in one person's facts are one row."""
    with connection.cursor() as cursor:
        cursor.execute(f"{counted} GROUP BY 1, 2", params)
        rows = cursor.fetchall()
    totals: dict[tuple[str, str], int] = {}
    for clause, step, count in rows:
        told = json.loads(step) if isinstance(step, str) else step
        key = (clause, _for_many(told))
        totals[key] = totals.get(key, 0) + count
    found = [Refusals(clause, text, count) for (clause, text), count in totals.items()]
    return sorted(found, key=lambda one: (-one.count, one.clause))


def _for_many(step: dict[str, Any]) -> str:
    """The sentence about everybody it concerns: one person's age is left open."""
    values = dict(step.get("values", {}))
    values |= {name: _OPEN for name in _PERSONAL if name in values}
    return render({**step, "values": values})


def counties_of(asked: Candidates) -> list[CountyPart]:
    """Entitled people and their sum by county, largest first; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.name, count(*), sum(q.awarded_fen)::bigint"  # noqa: S608
            f" FROM ({asked.sql.text}) q JOIN union_portal_organization o ON o.id = q.county_id"
            " WHERE q.is_entitled GROUP BY o.id, o.name ORDER BY 3 DESC, o.name",
            asked.sql.params,
        )
        return [CountyPart(*row) for row in cursor.fetchall()]


def counties_in(round: SubsidyRound) -> QuerySet[Any, Any]:
    """The counties of a round: people in favour, people out, and the sum."""
    return (
        round.cases.order_by()
        .values("county", "county__name")
        .annotate(
            in_favour=Count("pk", filter=Q(refusal_clause="")),
            out=Count("pk", filter=~Q(refusal_clause="")),
            sum_fen=Sum("amount_fen", default=0),
        )
        .order_by("-sum_fen", "county__name")
    )


def states_in(round: SubsidyRound) -> list[tuple[str, int]]:
    """How many cases of a round stand in which state."""
    counted = round.cases.order_by().values_list("state").annotate(people=Count("pk"))
    return sorted((str(state), int(people)) for state, people in counted)


def to_check(check: CountyCheck) -> QuerySet[SubsidyCase]:
    """The proposed cases of one county's part, by union and name."""
    return (
        SubsidyCase.objects.filter(round=check.round, county=check.county, state=CaseState.PROPOSED)
        .select_related("person", "organization")
        .order_by("organization__path", "person__pinyin", "pk")
    )


def part_of(round: SubsidyRound, county: Organization) -> dict[str, int]:
    """A county's part in figures."""
    counted = round.cases.filter(county=county, refusal_clause="").aggregate(
        people=Count("pk"), sum_fen=Sum("amount_fen", default=0)
    )
    return {"people": counted["people"], "sum_fen": counted["sum_fen"]}
