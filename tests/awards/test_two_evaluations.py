"""A rule lives in one place: Python for one person and SQL for a set say the same."""

from datetime import date
from typing import Any

import pytest

from awards.models import HardshipYear, Honour, ModelWorker, YearlyVerification
from awards.queries import candidates, person_facts
from awards.queries.compiled import Sql, verdicts
from awards.rules import SCHEMES, assess, prepare
from members.models import Person
from tests.awards.roster import Combination, every_combination, rule_set, title
from tests.cast import TODAY, Cast

YEAR = TODAY.year


def _people(cast: Cast, combinations: list[Combination]) -> list[Person]:
    return Person.objects.bulk_create(
        Person(
            name="测试",
            sex="male" if one.is_male else "female",
            born_on=one.born_on,
            national_id=f"{number:018d}",
            organization=cast.tree.unions[number % 3],
            died_on=date(2025, 1, 1) if one.is_dead else None,
        )
        for number, one in enumerate(combinations)
    )


def _roster(cast: Cast, combinations: list[Combination]) -> dict[int, Combination]:
    people = _people(cast, combinations)
    workers = ModelWorker.objects.bulk_create(
        ModelWorker(
            person=person,
            kind="rural",
            is_farmer=one.is_farmer,
            lost_work_capacity_on=TODAY if one.lost else None,
        )
        for person, one in zip(people, combinations, strict=True)
    )
    both = list(zip(workers, combinations, strict=True))
    Honour.objects.bulk_create(
        Honour(
            person=worker.person,
            title=title("national" if one.honour == "national" else "municipal"),
            conferred_on=date(2000, 5, 1),
        )
        for worker, one in both
    )
    revoked = [worker.person_id for worker, one in both if one.honour == "revoked"]
    Honour.objects.filter(person__in=revoked).update(
        state="revoked", revoked_on=TODAY, revoked_reason="test"
    )
    YearlyVerification.objects.bulk_create(
        YearlyVerification(
            model_worker=worker,
            year=YEAR,
            is_alive=one.verified != "dead",
            honour_retained=one.verified != "dishonoured",
            evidence="test",
            verified_by=cast.qiao,
            verified_on=TODAY,
        )
        for worker, one in both
        if one.verified != "no"
    )
    HardshipYear.objects.bulk_create(
        HardshipYear(model_worker=worker, year=YEAR, evidence="test", recorded_by=cast.officer)
        for worker, one in both
        if one.in_hardship
    )
    return {worker.person_id: one for worker, one in both}


@pytest.mark.parametrize("scheme", ["festival_gift", "living_allowance"])
def test_every_combination_of_facts_gets_one_answer_from_both(cast: Cast, scheme: str):
    by_person = _roster(cast, every_combination())
    for changes in (
        {},
        {"requires_verification": False},
        {"hardship_standard_fen": {}}
        if scheme == "festival_gift"
        else {"age_reference": "decision_day"},
    ):
        rules = rule_set(cast, scheme, **changes)
        givens = prepare(scheme, rules.parameters, period=str(YEAR), on=TODAY)
        age_on = date.fromisoformat(givens.get("age_on", TODAY.isoformat()))
        asked = candidates(scheme, str(YEAR), rules, TODAY, within=cast.tree.city)
        seen = 0
        for row in asked.rows():
            told = assess(SCHEMES[scheme], by_person[row.person_id].facts(age_on), givens)
            assert (row.is_entitled, row.amount_fen) == (told.is_entitled, told.amount_fen)
            assert row.steps == list(told.steps)
            assert row.missing == told.missing
            assert row.refusal_clause == (told.refusal["clause"] if told.refusal else "")
            seen += 1
        assert seen == len(by_person)


def _hardship_facts(**changes: Any) -> dict[str, Any]:
    return {
        "is_municipal": True,
        "is_alive": True,
        "retains_honour": True,
        "is_verified": True,
        "ground": "illness",
        "patient": "self",
        "cause": "",
        "is_serious": True,
        "are_reliefs_stated": True,
        "remaining_fen": 500_000,
        "is_school_in_china": False,
        "has_other_case": False,
        "is_visited": True,
        "is_reviewed": True,
        "amount_fen": 300_000,
        **changes,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        *({"patient": who} for who in ("parent", "spouse", "child", "uncle")),
        {"is_serious": False},
        {"are_reliefs_stated": False},
        {"remaining_fen": 499_999},
        *({"ground": "livelihood", "cause": cause} for cause in ("lay_off", "schooling", "debt")),
        {"ground": "livelihood", "cause": "schooling", "is_school_in_china": True},
        *({"ground": "disaster", "cause": cause} for cause in ("natural_disaster", "debt")),
        {"ground": "wish"},
        {"has_other_case": True},
        {"is_visited": False},
        {"is_reviewed": False},
        *({"amount_fen": fen} for fen in (99_999, 100_000, 500_000, 500_001)),
        {"is_alive": False, "amount_fen": 1},
    ],
)
def test_the_hardship_clauses_read_the_same_in_sql(cast: Cast, changes: dict[str, Any]):
    from django.db import connection

    rules = rule_set(cast, "special_hardship")
    givens = prepare("special_hardship", rules.parameters, period=str(YEAR), on=TODAY)
    facts = _hardship_facts(**changes)
    told = assess(SCHEMES["special_hardship"], facts, givens)
    columns = ", ".join(f"%s AS {name}" for name in facts)
    asked = verdicts(
        Sql(f"SELECT {columns}", list(facts.values())), SCHEMES["special_hardship"], givens
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT is_entitled, awarded_fen, refusal_clause, steps FROM ({asked.text}) q",
            asked.params,
        )
        entitled, amount, clause, steps = cursor.fetchone()
    assert (entitled, amount) == (told.is_entitled, told.amount_fen)
    assert clause == (told.refusal["clause"] if told.refusal else "")
    import json

    assert json.loads(steps) == list(told.steps)


def test_facts_of_one_person_are_those_of_the_set(cast: Cast):
    by_person = _roster(cast, every_combination()[::97])
    rules = rule_set(cast, "living_allowance")
    givens = prepare("living_allowance", rules.parameters, period=str(YEAR), on=TODAY)
    for person in Person.objects.filter(pk__in=by_person):
        facts = person_facts(person, "living_allowance", givens, TODAY)
        expected = by_person[person.pk].facts(date(YEAR, 12, 31))
        assert {name: facts[name] for name in expected} == expected


def test_somebody_off_the_roll_has_no_title(cast: Cast):
    rules = rule_set(cast, "festival_gift")
    givens = prepare("festival_gift", rules.parameters, period=str(YEAR), on=TODAY)
    facts = person_facts(cast.lin_person, "festival_gift", givens, TODAY)
    told = assess(SCHEMES["festival_gift"], facts, givens)
    assert told.refusal is not None and told.refusal["clause"] == "X3"


def test_a_leap_day_birthday_counts_from_the_first_of_march(cast: Cast):
    from tests.awards.roster import model_worker

    worker = model_worker(cast, born_on=date(1964, 2, 29))
    rules = rule_set(cast, "living_allowance", age_reference="02-28")
    for reference, age in (("02-28", 61), ("03-01", 62)):
        rules.parameters = {**rules.parameters, "age_reference": reference}
        givens = prepare("living_allowance", rules.parameters, period="2026", on=TODAY)
        assert person_facts(worker.person, "living_allowance", givens, TODAY)["age"] == age
