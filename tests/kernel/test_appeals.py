"""Appeals: in time, once, reviewed by somebody else, settled by a new decision (X16)."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from tests.cast import TODAY, explained, give_role, make_account, make_decision, make_rule_set
from tests.kernel.attacks import refused_by
from union_portal import appeals, decisions, lifecycle
from union_portal.access import Role
from union_portal.kit.refusals import Refused
from union_portal.models import DecisionOutcome
from union_portal.states import AppealState

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusal(cast):
    rules = make_rule_set(cast, appeal_days=60)
    return make_decision(
        cast,
        rules,
        outcome=DecisionOutcome.REFUSED,
        amount_fen=0,
        subject_type="members.person",
        subject_id=cast.lin_person.pk,
    )


def file(cast, decision, **more):
    given = {"text": "My honour was never revoked", "asked_fen": 30_000, "by": cast.lin}
    return appeals.file(decision=decision, today=TODAY, **(given | more))


def outcome(cast, old, by):
    return decisions.record(
        scheme=old.scheme,
        period=old.period,
        rule_set=old.rule_set,
        outcome=DecisionOutcome.GRANTED,
        amount_fen=30_000,
        steps=[explained(30_000)],
        subject=cast.lin_person,
        organization=old.organization,
        by=by,
        today=TODAY,
        replaces=old,
    )


def test_an_appeal_is_upheld_by_a_new_decision_and_the_old_one_stays(cast, refusal):
    appeal = file(cast, refusal)
    appeals.take(appeal=appeal, by=cast.reviewer)
    new = outcome(cast, refusal, by=cast.reviewer)
    appeals.uphold(appeal=appeal, outcome=new, answer="You were right", by=cast.reviewer)
    appeal.refresh_from_db()
    assert (appeal.state, appeal.outcome) == (AppealState.UPHELD, new)
    refusal.refresh_from_db()
    assert (refusal.amount_fen, refusal.replaced_by) == (0, new)


def test_the_time_to_appeal_ends(cast, refusal):
    last = TODAY + timedelta(days=60)
    assert appeals.last_day(refusal) == last
    with pytest.raises(appeals.AppealTooLate, match=str(last)):
        appeals.file(
            decision=refusal,
            text="late",
            asked_fen=None,
            by=cast.lin,
            today=last + timedelta(days=1),
        )
    appeals.file(decision=refusal, text="in time", asked_fen=None, by=cast.lin, today=last)


def test_one_appeal_at_a_time_with_grounds_and_a_higher_amount(cast, refusal):
    with pytest.raises(Refused, match="text is missing"):
        file(cast, refusal, text=" ")
    with pytest.raises(Refused, match="not more"):
        file(cast, refusal, asked_fen=0)
    appeal = file(cast, refusal)
    with pytest.raises(Refused, match="open already"):
        file(cast, refusal)
    with pytest.raises(PermissionDenied):
        appeals.take_back(appeal=appeal, by=cast.wei)
    appeals.take_back(appeal=appeal, by=cast.lin)
    file(cast, refusal)


def test_whoever_decided_does_not_review(cast, refusal):
    appeal = file(cast, refusal)
    with pytest.raises(PermissionDenied):
        appeals.take(appeal=appeal, by=cast.decider)
    both = make_account("both", role=Role.APPEAL_REVIEWER, at=cast.tree.city)
    own = make_decision(cast, refusal.rule_set, decided_by=both)
    with pytest.raises(PermissionDenied, match="decided or appeals"):
        appeals.take(appeal=file(cast, own, asked_fen=None), by=both)
    refused_by(
        "appeal_second_reviewer",
        "UPDATE union_portal_appeal SET reviewer_id = %s WHERE id = %s",
        [refusal.decided_by_id, appeal.pk],
    )
    refused_by(
        "appeal_second_reviewer",
        "UPDATE union_portal_appeal SET reviewer_id = appellant_id WHERE id = %s",
        [appeal.pk],
    )


def test_only_who_took_it_answers_and_with_words(cast, refusal):
    appeal = file(cast, refusal)
    second = make_account("second")
    give_role(second, Role.APPEAL_REVIEWER, cast.tree.city)
    with pytest.raises(lifecycle.Stale), transaction.atomic():
        appeals.dismiss(appeal=appeal, answer="No", by=cast.reviewer)
    appeals.take(appeal=appeal, by=cast.reviewer)
    with pytest.raises(PermissionDenied, match="took the appeal"):
        appeals.dismiss(appeal=appeal, answer="No", by=second)
    with pytest.raises(Refused, match="text is missing"):
        appeals.dismiss(appeal=appeal, answer="", by=cast.reviewer)
    appeals.dismiss(appeal=appeal, answer="The honour was revoked in 2024", by=cast.reviewer)
    with pytest.raises(lifecycle.Stale):
        appeals.take_back(appeal=appeal, by=cast.lin)


def test_the_outcome_is_a_decision_on_the_same_case_by_somebody_else(cast, refusal):
    appeal = file(cast, refusal)
    appeals.take(appeal=appeal, by=cast.reviewer)
    stranger = make_decision(cast, refusal.rule_set, decided_by=cast.reviewer)
    with pytest.raises(ValueError, match="replaces"):
        appeals.uphold(appeal=appeal, outcome=stranger, answer="Yes", by=cast.reviewer)
    again = outcome(cast, refusal, by=cast.decider)
    with pytest.raises(PermissionDenied, match="Somebody else"):
        appeals.uphold(appeal=appeal, outcome=again, answer="Yes", by=cast.reviewer)
