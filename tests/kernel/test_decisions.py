"""Decisions: under dated rules, explained to the fen, one per case, never edited."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.db.models import F, JSONField, Value
from django.db.models.functions import JSONArray, JSONObject

from members.models import Person
from tests.cast import NOW, TODAY, explained, make_decision, make_person, make_rule_set
from tests.kernel.attacks import refused_by
from union_portal import decisions, lifecycle, withdrawals
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry, Decision, DecisionOutcome, RuleSet
from union_portal.states import DecisionState

pytestmark = pytest.mark.django_db


def record(cast, rule_set, **more):
    given = {
        "scheme": rule_set.scheme,
        "period": "2026",
        "rule_set": rule_set,
        "outcome": DecisionOutcome.GRANTED,
        "amount_fen": 30_000,
        "steps": [explained(30_000)],
        "subject": cast.lin_person,
        "organization": cast.tree.union,
        "by": cast.decider,
        "today": TODAY,
    }
    return decisions.record(**(given | more))


def test_a_decision_is_recorded_with_its_rules_and_an_audit_entry(cast):
    decision = record(cast, make_rule_set(cast))
    assert decision.state == DecisionState.MADE
    entry = AuditEntry.objects.get(action="decision.made", subject_id=str(decision.pk))
    assert entry.detail["amount_fen"] == 30_000
    assert entry.organization_path == cast.tree.union.path


@pytest.mark.parametrize(
    "dates", [{"valid_to": date(2026, 3, 1)}, {"valid_from": date(2026, 3, 3)}]
)
def test_nothing_is_decided_outside_the_dates_of_the_rules(cast, dates):
    with pytest.raises(decisions.RuleSetExpired, match="not in force on 2026-03-02"):
        record(cast, make_rule_set(cast, **dates))


def test_a_rule_set_nobody_adopted_decides_nothing(cast):
    with pytest.raises(decisions.RuleSetExpired):
        record(cast, make_rule_set(cast, adopted_at=None, adopted_by=None))


def test_the_steps_add_up_to_the_amount(cast):
    with pytest.raises(decisions.StepsDisagree, match="29999"):
        record(cast, make_rule_set(cast), steps=[explained(29_999)])


def test_a_case_has_one_standing_decision_and_may_be_adjusted_once(cast):
    rules = make_rule_set(cast)
    first = record(cast, rules)
    with pytest.raises(Refused, match="decided already"):
        record(cast, rules)
    adjustment = record(cast, rules, replaces=first)
    with pytest.raises(Refused, match="adjusted already"):
        record(cast, rules, replaces=first)
    assert adjustment.replaces == first


def test_after_a_withdrawal_the_case_may_be_decided_again(cast):
    rules = make_rule_set(cast)
    first = record(cast, rules)
    with pytest.raises(Refused, match="without a reason"):
        withdrawals.withdraw(decision=first, by=cast.decider, reason=" ")
    withdrawals.withdraw(decision=first, by=cast.decider, reason="Wrong person")
    assert record(cast, rules).pk != first.pk


def everybody(*, explained_fen):
    """300 yuan for everybody, explained by one step of so many fen."""
    step = JSONObject(clause=Value("4"), message=Value("m"), amount_fen=Value(explained_fen))
    return Person.objects.values(
        "organization_id",
        subject_id=F("id"),
        amount_fen=Value(30_000),
        steps=JSONArray(step, output_field=JSONField()),
    )


def record_set(cast, rules, rows):
    return decisions.record_set(
        scheme=rules.scheme,
        period="2026",
        rule_set=rules,
        rows=rows,
        subject_type="members.person",
        by=cast.decider,
        today=TODAY,
    )


def test_a_set_is_decided_in_one_statement_and_a_second_time_not_at_all(
    cast, django_assert_num_queries
):
    rules = make_rule_set(cast)
    for _ in range(3):
        make_person(cast.tree.union)
    rows = everybody(explained_fen=30_000)
    with django_assert_num_queries(4):  # savepoint, insert, audit, release
        assert record_set(cast, rules, rows) == 4
    assert record_set(cast, rules, rows) == 0
    decision = Decision.objects.filter(subject_id=cast.lin_person.pk).get()
    assert decision.steps[0]["amount_fen"] == 30_000
    assert AuditEntry.objects.get(action="decision.made_set").detail["count"] == 4
    withdrawals.withdraw(decision=decision, by=cast.decider, reason="Objection upheld")
    assert record_set(cast, rules, rows) == 0, "a withdrawn decision does not come back"
    assert record_set(cast, rules, rows.none()) == 0


def test_a_set_is_decided_in_the_order_asked_for(cast):
    for n in range(20):
        make_person(cast.tree.union, employer=f"Works {n * 7 % 20:02d}")
    rows = everybody(explained_fen=30_000).order_by("-employer")
    record_set(cast, make_rule_set(cast), rows)
    asked = [row["subject_id"] for row in rows]
    decided = Decision.objects.order_by("pk").values_list("subject_id", flat=True)
    assert list(decided) == asked


def test_a_set_whose_steps_do_not_add_up_is_refused_as_a_whole(cast):
    rows = everybody(explained_fen=1)
    with pytest.raises(IntegrityError, match="do not add up"), transaction.atomic():
        record_set(cast, make_rule_set(cast), rows)
    assert not Decision.objects.exists()


# -- rule sets --------------------------------------------------------------------------


def test_the_day_chooses_the_rule_set_and_a_missing_one_is_named(cast):
    old = make_rule_set(cast, valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31))
    new = make_rule_set(cast, valid_from=date(2026, 1, 1), valid_to=None)
    assert decisions.rule_set_in_force("festival_gift", date(2025, 12, 31)) == old
    assert decisions.rule_set_in_force("festival_gift", date(2026, 1, 1)) == new
    with pytest.raises(decisions.NoRuleInForce, match="in force on 2024-12-31"):
        decisions.rule_set_in_force("festival_gift", date(2024, 12, 31))


def test_a_successor_takes_over_from_its_first_day(cast):
    old = make_rule_set(cast, "winter_gift", valid_to=None)
    new = decisions.draft_successor(
        rule_set=old,
        by=cast.rules_clerk,
        parameters={"amount_fen": 40_000},
        valid_from=date(2026, 7, 1),
        title="Festival gift 2026",
    )
    assert (new.version, new.fund_code, new.replaces) == (2, old.fund_code, old)
    assert decisions.rule_set_in_force("winter_gift", date(2026, 8, 1)) == old
    decisions.adopt(rule_set=new, by=cast.decider, now=NOW)
    assert decisions.rule_set_in_force("winter_gift", date(2026, 6, 30)) == old
    assert decisions.rule_set_in_force("winter_gift", date(2026, 7, 1)) == new
    old.refresh_from_db()
    assert old.valid_to == date(2026, 6, 30)


def test_whoever_wrote_the_rules_does_not_adopt_them(cast, monkeypatch):
    rules = decisions.draft(
        scheme="gift",
        by=cast.rules_clerk,
        title="t",
        issuer="i",
        source_clause="c",
        place="p",
        valid_from=TODAY,
        fund_code="f",
    )
    with pytest.raises(PermissionDenied):
        decisions.adopt(rule_set=rules, by=cast.rules_clerk, now=NOW)
    with pytest.raises(PermissionDenied):
        decisions.edit_draft(rule_set=rules, by=cast.decider, title="mine")
    with pytest.raises(TypeError):
        decisions.edit_draft(rule_set=rules, by=cast.rules_clerk, adopted_at=NOW)
    RuleSet.objects.filter(pk=rules.pk).update(written_by=cast.decider)
    with pytest.raises(PermissionDenied, match="wrote"):
        decisions.adopt(rule_set=rules, by=cast.decider, now=NOW)


def test_an_adopted_rule_set_is_not_edited(cast):
    rules = make_rule_set(cast)
    with pytest.raises(decisions.RuleSetFrozen):
        decisions.edit_draft(rule_set=rules, by=cast.rules_clerk, title="other")
    with pytest.raises(decisions.RuleSetFrozen):
        decisions.adopt(rule_set=rules, by=cast.decider, now=NOW)


# -- against raw SQL ---------------------------------------------------------------------


def test_the_database_keeps_adopted_rules_as_they_are(cast):
    rules = make_rule_set(cast)
    table = "union_portal_ruleset"
    for change in (
        "parameters = '{}'",
        "valid_to = NULL",
        "valid_to = '2027-01-01'",
        "valid_from = '2020-01-01'",
        "adopted_at = NULL",
    ):
        refused_by("rule_set_frozen", f"UPDATE {table} SET {change} WHERE id = %s", [rules.pk])
    refused_by("rule_set_frozen", f"DELETE FROM {table} WHERE id = %s", [rules.pk])
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET valid_to = '2026-06-30' WHERE id = %s", [rules.pk])


def test_the_database_keeps_a_decision_as_it_was_taken(cast):
    decision = make_decision(cast, make_rule_set(cast))
    for change in ("amount_fen = 1", "decided_by_id = NULL", "steps = '[]'", "period = '2027'"):
        refused_by(
            "decision_frozen",
            f"UPDATE union_portal_decision SET {change} WHERE id = %s",
            [decision.pk],
        )
    refused_by("decision_frozen", "DELETE FROM union_portal_decision")
    refused_by("decision_steps", "UPDATE union_portal_decision SET state = 'contested'")


def test_the_database_refuses_a_decision_without_rules_or_explanation(cast):
    lapsed = make_rule_set(cast, "lapsed", valid_to=TODAY - timedelta(days=1))
    with pytest.raises(IntegrityError, match="not in force"), transaction.atomic():
        make_decision(cast, lapsed)
    draft = make_rule_set(cast, "draft", adopted_at=None, adopted_by=None)
    with pytest.raises(IntegrityError, match="not in force"), transaction.atomic():
        make_decision(cast, draft)
    rules = make_rule_set(cast)
    with pytest.raises(IntegrityError, match="do not add up"), transaction.atomic():
        make_decision(cast, rules, steps=[])
    with pytest.raises(IntegrityError, match="decision_amount_fits_outcome"), transaction.atomic():
        make_decision(cast, rules, outcome=DecisionOutcome.GRANTED, amount_fen=0)


def test_the_database_clears_nothing_that_needs_a_notice_or_was_refused(cast):
    listed = make_decision(cast, make_rule_set(cast, "listed", notice_days=5))
    refusal = make_decision(
        cast, make_rule_set(cast), outcome=DecisionOutcome.REFUSED, amount_fen=0
    )
    for decision in (listed, refusal):
        refused_by(
            "decision_clear",
            "UPDATE union_portal_decision SET state = 'clear' WHERE id = %s",
            [decision.pk],
        )
    free = make_decision(cast, make_rule_set(cast))
    lifecycle.advance(free, to=DecisionState.CLEAR, by=cast.decider)


def test_history_is_not_truncated(cast):
    refused_by("decision_no_truncate", "TRUNCATE union_portal_decision CASCADE")
    refused_by("rule_set_no_truncate|decision_no_truncate", "TRUNCATE union_portal_ruleset CASCADE")


def test_no_session_setting_silences_a_guard(cast):
    decision = make_decision(cast, make_rule_set(cast))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'union_portal_decision'::regclass"
        )
        names = ",".join(row[0] for row in cursor.fetchall() if row[0].startswith("pgtrigger"))
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", [f"{{{names}}}"])
    refused_by(
        "decision_frozen",
        "UPDATE union_portal_decision SET amount_fen = 1 WHERE id = %s",
        [decision.pk],
    )
