"""The only writer of a state: compare-and-swap, one row or a set, one audit entry."""

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from tests.cast import make_cast, make_decision, make_rule_set, make_tree
from tests.kernel.attacks import refused_by
from tests.kernel.races import at_once, waits_for_lock
from union_portal import audit, lifecycle
from union_portal.models import AuditEntry, Decision, Job, Message
from union_portal.states import DECISION, DecisionState, JobState, MessageState

pytestmark = pytest.mark.django_db
S = DecisionState


@pytest.fixture
def decision(cast):
    return make_decision(cast, make_rule_set(cast))


def test_a_step_writes_the_state_and_who_took_it(cast, decision):
    lifecycle.advance(decision, to=S.CLEAR, by=cast.decider, reason="no notice needed")
    entry = AuditEntry.objects.get(action="decision.clear")
    assert Decision.objects.get().state == decision.state == S.CLEAR
    assert (entry.actor, entry.reason, entry.detail) == (
        "Meng",
        "no notice needed",
        {"old": "made", "new": "clear"},
    )


def test_a_step_outside_the_table_is_refused_with_both_states_named(cast, decision):
    with pytest.raises(lifecycle.Stale, match=r"“made”.*“contested”"):
        lifecycle.advance(decision, to=S.CONTESTED, by=cast.decider)
    assert decision.state == S.MADE


def test_a_stale_object_moves_nothing_and_stays_as_it_was(cast, decision):
    stale = Decision.objects.get(pk=decision.pk)
    lifecycle.advance(decision, to=S.WITHDRAWN, by=cast.decider)
    with pytest.raises(lifecycle.Stale, match="somebody else"):
        lifecycle.advance(stale, to=S.CLEAR, by=cast.decider)
    assert stale.state == S.MADE
    assert AuditEntry.objects.filter(action="decision.clear").count() == 0


def test_a_guard_that_does_not_hold_moves_nothing(cast):
    job = Job.objects.create(name="x", fence=3)
    with pytest.raises(lifecycle.Stale):
        lifecycle.advance(job, to=JobState.RUNNING, by=audit.WORKER, guard={"fence": 2})
    lifecycle.advance(job, to=JobState.RUNNING, by=audit.WORKER, guard={"fence": 3}, owner="me")
    assert (job.owner, Job.objects.get().state) == ("me", JobState.RUNNING)
    assert not AuditEntry.objects.filter(subject_type="union_portal.job").exists()


def test_a_set_moves_in_one_statement_with_one_entry(cast, django_assert_num_queries):
    rules = make_rule_set(cast)
    for _ in range(3):
        make_decision(cast, rules)
    withdrawn = make_decision(cast, rules)
    lifecycle.advance(withdrawn, to=S.WITHDRAWN, by=cast.decider)
    with django_assert_num_queries(4):  # savepoint, update, audit, release
        moved = lifecycle.advance_set(Decision.objects.all(), to=S.CLEAR, by=cast.decider)
    assert moved == 3
    entry = AuditEntry.objects.get(action="decision.clear")
    assert (entry.subject_id, entry.detail["count"]) == ("set", 3)
    assert len(entry.detail["ids_sha256"]) == 64
    assert lifecycle.advance_set(Decision.objects.all(), to=S.CLEAR, by=cast.decider) == 0
    assert AuditEntry.objects.filter(action="decision.clear").count() == 1


@pytest.mark.parametrize(
    "rows",
    [
        Decision.objects.none,
        lambda: Decision.objects.filter(pk__in=[]),
        lambda: Decision.objects.filter(period="1999"),
    ],
)
def test_an_empty_set_moves_nothing(cast, decision, rows):
    assert lifecycle.advance_set(rows(), to=S.CLEAR, by=cast.decider) == 0


@pytest.mark.parametrize(
    "rows",
    [
        Decision.objects.distinct,
        lambda: Decision.objects.order_by("-id")[:5],
        lambda: (
            Decision.objects.filter(rule_set__scheme="festival_gift", organization__level="x")
            | Decision.objects.filter(rule_set__decisions__period="2026")
        ),
        lambda: Decision.objects.values("period"),
    ],
)
def test_any_queryset_may_name_the_set(cast, decision, rows):
    make_decision(cast, decision.rule_set)
    assert lifecycle.advance_set(rows(), to=S.CLEAR, by=cast.decider) == 2


def test_a_set_takes_other_columns_and_expressions_along(cast):
    messages = [
        Message.objects.create(
            topic="t", key=str(n), channel="sms", recipient=n, template="x", attempts=n
        )
        for n in range(2)
    ]
    moved = lifecycle.advance_set(
        Message.objects.all(),
        to=MessageState.SENT,
        by=audit.WORKER,
        sent_at=Now(),
        attempts=F("attempts") + 1,
        gateway="test",
    )
    assert moved == 2
    sent = Message.objects.get(pk=messages[1].pk)
    assert (sent.attempts, sent.gateway) == (2, "test")
    assert sent.sent_at is not None


def test_no_step_leads_to_a_first_state(cast, decision):
    with pytest.raises(ValueError, match="no step"):
        lifecycle.advance_set(Decision.objects.all(), to=S.MADE, by=cast.decider)


def test_the_database_knows_the_same_table(cast, decision):
    for state in S.values:
        if state not in DECISION.steps["made"] | {"made"}:
            refused_by("decision_steps", f"UPDATE union_portal_decision SET state = '{state}'")
    refused_by(
        "job_steps",
        "INSERT INTO union_portal_job (id, name, title, arguments, done_count, total_count, note,"
        " result, error, attempts, fence, owner, is_cancel_asked, state) VALUES"
        " (gen_random_uuid(), 'x', '', '{}', 0, 0, '', '{}', '', 0, 0, '', false, 'done')",
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_clerks_in_one_second_exactly_one_moves_the_row():
    cast = make_cast(make_tree())
    decision = make_decision(cast, make_rule_set(cast))
    same = Decision.objects.get(pk=decision.pk)

    def withdraw():
        lifecycle.advance(same, to=S.WITHDRAWN, by=cast.decider)

    with at_once(withdraw) as other, transaction.atomic():
        lifecycle.advance(decision, to=S.CLEAR, by=cast.officer)
        other.start()
        waits_for_lock(other)
    assert isinstance(other.error, lifecycle.Stale)
    assert Decision.objects.get().state == S.CLEAR
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["decision.clear"]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_leaves_the_set_while_we_wait_stays_where_it_is():
    """The set was "made ones": one is published meanwhile, from where the step is allowed."""
    cast = make_cast(make_tree())
    rules = make_rule_set(cast)
    leaving, staying = make_decision(cast, rules), make_decision(cast, rules)

    def clear():
        made = Decision.objects.filter(state=S.MADE)
        return lifecycle.advance_set(made, to=S.CLEAR, by=cast.decider)

    with at_once(clear) as other, transaction.atomic():
        lifecycle.advance(leaving, to=S.PUBLISHED, by=cast.officer)
        other.start()
        waits_for_lock(other)
    assert (other.error, other.result) == (None, 1)
    assert Decision.objects.get(pk=leaving.pk).state == S.PUBLISHED
    assert Decision.objects.get(pk=staying.pk).state == S.CLEAR


@pytest.mark.django_db(transaction=True)
def test_two_sets_in_opposite_order_do_not_deadlock():
    cast = make_cast(make_tree())
    rules = make_rule_set(cast)
    for _ in range(20):
        make_decision(cast, rules)

    def backwards():
        rows = Decision.objects.order_by("-id")
        return lifecycle.advance_set(rows, to=S.WITHDRAWN, by=cast.decider)

    with at_once(backwards) as other, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM union_portal_decision ORDER BY id LIMIT 1 FOR UPDATE")
        other.start()
        waits_for_lock(other)
        lifecycle.advance_set(Decision.objects.all(), to=S.CLEAR, by=cast.decider)
    assert (other.error, other.result) == (None, 20)
