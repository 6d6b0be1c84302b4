"""The clause tables as SQL over columns named like the facts.

`awards.rules.assess` asks one person, this asks a set; both read the same table, and a test
goes through the product of the facts to see that they agree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from awards.rules.clauses import Award, Clause, SchemeRules
from awards.rules.expressions import (
    AllOf,
    AnyOf,
    AtLeast,
    AtMost,
    Condition,
    Fact,
    Given,
    Givens,
    Not,
    OneOf,
)
from awards.rules.steps import step


@dataclass(frozen=True)
class Sql:
    """A piece of SQL with its parameters."""

    text: str
    params: list[Any] = field(default_factory=list)


def joined(separator: str, parts: Iterable[Sql]) -> Sql:
    held = list(parts)
    return Sql(
        separator.join(part.text for part in held),
        [value for part in held for value in part.params],
    )


def condition(asked: Condition, givens: Givens) -> Sql:
    """A condition over the columns of `f`; facts are never null, so neither is the answer."""
    match asked:
        case Fact(name):
            made = Sql(f"f.{name}")
        case Given(name):
            made = Sql("%s::boolean", [bool(givens[name])])
        case Not(of):
            inner = condition(of, givens)
            made = Sql(f"(NOT {inner.text})", inner.params)
        case AllOf(parts):
            made = _bracketed(" AND ", parts, givens)
        case AnyOf(parts):
            made = _bracketed(" OR ", parts, givens)
        case AtLeast(left, right):
            made = Sql(f"(f.{left.name} >= %s)", [givens[right.name]])
        case AtMost(left, right):
            made = Sql(f"(f.{left.name} <= %s)", [givens[right.name]])
        case OneOf(fact, texts):
            made = Sql(f"(f.{fact.name} = ANY (%s))", [list(texts)])
    return made


def verdicts(facts: Sql, rules: SchemeRules, givens: Givens) -> Sql:
    """Every row of `facts` with its outcome.

    Adds is_entitled, awarded_fen, steps, refusal_clause and missing to the columns.
    """
    refused_at = _first(
        [condition(Not(clause.needs), givens) for clause in rules.clauses], otherwise=-1
    )
    award_at = _first(
        [
            Sql("true") if award.when is None else condition(award.when, givens)
            for award in rules.awards
        ],
        otherwise=-1,
    )
    missing = _by_award(rules, [_missing(award, givens) for award in rules.awards], "''")
    amount = _by_award(rules, [_amount(award, givens) for award in rules.awards], "0")
    return joined(
        "",
        [
            Sql("WITH facts AS MATERIALIZED ("),
            facts,
            Sql("), refused AS (SELECT f.*, "),
            refused_at,
            Sql(" AS refused_at FROM facts f), awarded AS (SELECT f.*, "),
            Sql("CASE WHEN f.refused_at >= 0 THEN -1 ELSE "),
            award_at,
            Sql(" END AS award_at FROM refused f), priced AS (SELECT f.*, "),
            missing,
            Sql(" AS missing, "),
            amount,
            Sql("::bigint AS awarded_fen FROM awarded f) SELECT f.*,"),
            Sql(" (f.refused_at < 0 AND f.missing = '') AS is_entitled, "),
            _refusal_clause(rules),
            Sql(" AS refusal_clause, "),
            _steps(rules, givens),
            Sql(" AS steps FROM priced f"),
        ],
    )


def _bracketed(word: str, parts: tuple[Condition, ...], givens: Givens) -> Sql:
    inner = joined(word, [condition(part, givens) for part in parts])
    return Sql(f"({inner.text})", inner.params)


def _first(conditions: list[Sql], otherwise: int) -> Sql:
    """The number of the first condition that holds."""
    if not conditions:
        return Sql(str(otherwise))
    whens = [
        Sql(f" WHEN {one.text} THEN {number}", one.params) for number, one in enumerate(conditions)
    ]
    return joined("", [Sql("CASE"), *whens, Sql(f" ELSE {otherwise} END")])


def _choice(column: str, answers: list[Sql], otherwise: Sql) -> Sql:
    """What stands at the number in a column."""
    if not answers:
        return otherwise
    whens = [
        Sql(f" WHEN {number} THEN {one.text}", one.params) for number, one in enumerate(answers)
    ]
    return joined("", [Sql(f"CASE f.{column}"), *whens, Sql(" ELSE "), otherwise, Sql(" END")])


def _by_award(rules: SchemeRules, answers: list[Sql], otherwise: str) -> Sql:
    return _choice("award_at", answers, Sql(otherwise))


def _missing(award: Award, givens: Givens) -> Sql:
    is_missing = isinstance(award.amount, Given) and givens[award.amount.name] is None
    return Sql("%s::text", [award.amount.name if is_missing else ""])


def _amount(award: Award, givens: Givens) -> Sql:
    if isinstance(award.amount, Fact):
        return Sql(f"f.{award.amount.name}")
    return Sql("%s::bigint", [givens[award.amount.name] or 0])


def _refusal_clause(rules: SchemeRules) -> Sql:
    names = [Sql("%s::text", [clause.clause]) for clause in rules.clauses]
    return _choice("refused_at", names, Sql("''"))


def _steps(rules: SchemeRules, givens: Givens) -> Sql:
    refused = []
    met: list[Sql] = []
    for clause in rules.clauses:
        refused.append(_array([*met, _said(clause, clause.refusal, givens)]))
        if clause.holds:
            met.append(_said(clause, clause.holds, givens))
    awarded = [
        _array(met if _missing(award, givens).params[0] else [*met, _award_step(award, givens)])
        for award in rules.awards
    ]
    return _choice("refused_at", refused, _choice("award_at", awarded, _array(met)))


def _array(steps: list[Sql]) -> Sql:
    inner = joined(", ", steps)
    return Sql(f"jsonb_build_array({inner.text})", inner.params)


def _said(clause: Clause, message: str, givens: Givens) -> Sql:
    quoted = {name: givens[name] for name in clause.names if name in givens}
    facts = [name for name in clause.names if name not in givens]
    return _with_facts(step(clause.clause, message, quoted), facts)


def _award_step(award: Award, givens: Givens) -> Sql:
    values: dict[str, Any] = {"period": givens["period"]}
    if isinstance(award.amount, Given):
        amount = givens[award.amount.name]
        made = step(award.clause, award.message, {**values, "amount_fen": amount}, amount)
        return _with_facts(made, [])
    plain = _with_facts(step(award.clause, award.message, values), [award.amount.name])
    return Sql(
        f"({plain.text} || jsonb_build_object('amount_fen', f.{award.amount.name}))", plain.params
    )


def _with_facts(made: Any, facts: list[str]) -> Sql:
    """A step whose sentence also quotes columns."""
    plain = Sql("%s::jsonb", [json.dumps(made, ensure_ascii=False)])
    if not facts:
        return plain
    quoted = ", ".join(f"'{name}', f.{name}" for name in facts)
    return Sql(
        f"jsonb_set({plain.text}, '{{values}}',"
        f" {plain.text}->'values' || jsonb_build_object({quoted}))",
        plain.params * 2,
    )
