"""Everything that happened to one decision's money stands on one timeline."""

from datetime import UTC, datetime, timedelta

from tests.disbursement.conftest import office  # noqa: F401  (a fixture)
from union_portal import notifications
from union_portal.models import Message
from welfare import queries
from welfare.disbursement import batches, motions
from welfare.disbursement.models import Entitlement

BUDGET = 9


def titles(decision) -> list[str]:
    return [event.title for event in queries.timeline(decision)]


def test_a_payment_is_told_from_decision_to_the_banks_word(office):  # noqa: F811
    batch = office.settled("paid")
    told = titles(Entitlement.objects.get().decision)
    assert told == [
        "Granted: 300.00 yuan",
        "Money set aside: 300.00 yuan",
        f"Put into payout batch {batch.number}",
        f"Batch {batch.number} sealed",
        f"Batch {batch.number} checked and released",
        f"Bank file of batch {batch.number} written",
        f"Handed to the bank in batch {batch.number}",
        "The bank says: paid",
    ]


def test_what_two_people_did_is_told_with_the_reason(office):  # noqa: F811
    batch = office.settled("failed")
    motion = batches.retry(line=office.line(batch), by=office.cast.feng, reason="was frozen")
    motions.second(motion=motion, by=office.cast.feng_checker)
    events = queries.timeline(Entitlement.objects.get().decision)[-2:]
    assert [event.title for event in events] == [
        "Proposed: try the same account again",
        "carried out: try the same account again",
    ]
    assert (events[0].text, events[0].who) == ("was frozen", "Feng")


def test_staff_read_who_made_checked_and_released_the_batch(office):  # noqa: F811
    batch = office.settled("paid")
    told = {
        event.title: event.who for event in queries.timeline(Entitlement.objects.get().decision)
    }
    assert told[f"Batch {batch.number} sealed"] == str(batch.made_by)
    names = [str(office.cast.feng_checker), str(office.cast.feng_releaser)]
    assert told[f"Batch {batch.number} checked and released"] == ", ".join(names)


def test_money_that_failed_or_came_back_is_told_to_be_in_the_fund(office):  # noqa: F811
    office.settled("failed")
    told = queries.timeline(Entitlement.objects.get().decision)[-1]
    assert told.text.endswith("The money is back in the fund, set aside for another payment.")


def test_what_was_told_stands_where_it_was_said_though_it_was_sent_later(office):  # noqa: F811
    said = datetime(2026, 3, 2, 9, tzinfo=UTC)
    notifications.template("scene", text="Hello")
    message = Message.objects.create(
        topic="scene", key="scene", channel="sms", template="scene", values={},
        subject_type="awards.subsidycase", subject_id="7", sent_at=said + timedelta(days=3),
    )  # fmt: skip
    Message.objects.filter(pk=message.pk).update(created_at=said)
    assert [event.at for event in queries.messages("awards.subsidycase", 7)] == [said]


def test_the_approvers_cost_no_query_each(office, django_assert_max_num_queries):  # noqa: F811
    batch = office.settled("paid")
    assert batch.approvals.count() > 1
    decision = Entitlement.objects.get().decision
    with django_assert_max_num_queries(BUDGET):
        queries.timeline(decision)
