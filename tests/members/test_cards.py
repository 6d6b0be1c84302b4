"""A service card from the application to its end: who may take which step, and what it leaves."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members.actions import card_life, cards
from members.actions.refusals import CardRefused, PeopleRefused
from members.models import CardChange, Consent, Person, ServiceCard
from members.queries import cards as queries_cards
from members.queries.card_history import history
from members.states import CardState
from tests.cast import NOW, TODAY, Cast, make_account, make_person
from tests.kernel.attacks import refused_by
from tests.members.card_office import CardOffice, make_card_office, written
from union_portal import lifecycle, notifications
from union_portal.kit.refusals import Refused
from union_portal.lifecycle import Stale
from union_portal.models import AuditEntry, Message, Organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(cast: Cast) -> CardOffice:
    return make_card_office(cast)


def lin(office: CardOffice, **more: Any) -> Person:
    return office.member(person=office.cast.lin_person, **more)


# -- applying -----------------------------------------------------------------------------------
def test_a_member_applies_in_the_portal_and_agrees_with_it(office: CardOffice):
    person = lin(office, consents=False)
    card = cards.apply(
        person=person, bank=office.bank, by=office.cast.lin, today=TODAY, agrees_to=1
    )
    assert (card.state, card.channel) == (CardState.UNION_REVIEW, "portal")
    assert card.organization == office.cast.tree.union
    assert len(card.handle) == 32
    assert Consent.objects.get(person=person).given_by == office.cast.lin


def test_a_text_that_changed_while_it_was_read_is_agreed_to_by_nobody(office: CardOffice):
    person = lin(office, consents=False)
    with pytest.raises(PeopleRefused, match="has changed"):
        cards.apply(person=person, bank=office.bank, by=office.cast.lin, today=TODAY, agrees_to=2)
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"consents": False}, "consent"),
        ({"state": "retained"}, "no active membership"),
        ({"phone": False}, "No phone"),
        ({"died_on": TODAY}, "used no more"),
    ],
)
def test_who_may_have_no_card_is_told_why_and_what_to_do(
    office: CardOffice, more: dict[str, Any], told: str
):
    person = office.member(**more)
    with pytest.raises(CardRefused, match=told) as caught:
        office.applied(person)
    assert caught.value.remedy
    assert not ServiceCard.objects.exists()


def test_a_withdrawn_consent_is_none(office: CardOffice):
    person = office.member()
    Consent.objects.filter(person=person).update(withdrawn_at=timezone.now())
    with pytest.raises(CardRefused, match="consent"):
        office.applied(person)


def test_one_live_card_a_member_whatever_the_office_forgets(office: CardOffice):
    card = office.applied()
    with pytest.raises(CardRefused, match="already"):
        office.applied(card.person)
    refused_by(
        "card_one_live",
        "INSERT INTO members_servicecard (person_id, organization_id, bank_id, handle, channel,"
        " applied_at, last_four, reason, state) SELECT person_id, organization_id, bank_id, 'x',"
        " channel, applied_at, '', '', 'union_review' FROM members_servicecard",
    )


def test_a_clerk_applies_for_nobody_of_another_union(office: CardOffice):
    person = office.member(office.cast.tree.other_union)
    with pytest.raises(PermissionDenied):
        office.applied(person)


def test_a_stranger_applies_for_nobody(office: CardOffice):
    person = lin(office)
    for who in (office.cast.wei, office.cast.gao, office.cast.officer):
        with pytest.raises(PermissionDenied):
            cards.apply(person=person, bank=office.bank, by=who, today=TODAY)


def test_a_bank_that_is_no_longer_used_takes_no_application(cast: Cast):
    office = make_card_office(cast, is_active=False)
    with pytest.raises(CardRefused, match="no more applications"):
        office.applied()


def test_tianjins_rule_holds_where_a_bank_names_it(cast: Cast):
    office = make_card_office(cast, conditions={"oldest": {"male": 60}})
    old = office.member(born_on=TODAY - timedelta(days=61 * 366))
    with pytest.raises(CardRefused, match="past retirement"):
        office.applied(old)


def test_a_union_applies_for_all_who_may_and_counts_the_others_by_reason(office: CardOffice):
    union = office.cast.tree.union
    people = [office.member() for _each in range(3)]
    office.applied(people[0])
    office.member(phone=False)
    office.member(consents=False)
    elsewhere = office.member(office.cast.tree.other_union)
    everybody = Person.objects.all()
    done = cards.apply_many(people=everybody, bank=office.bank, by=office.cast.qiao, today=TODAY)
    assert done.count == 2
    # Lin and the cast's own people have no membership.
    of_union = Person.objects.filter(organization=union).count()
    assert done.left_out == {
        "has_card": 1, "no_phone": 1, "no_consent": 1, "no_member": of_union - 5,
    }  # fmt: skip
    assert not ServiceCard.objects.filter(person=elsewhere).exists()
    assert ServiceCard.objects.values("handle").distinct().count() == 3


def test_applying_for_many_asks_no_more_for_more(office: CardOffice):
    def counted(count: int) -> int:
        chosen = [office.member().pk for _each in range(count)]
        with CaptureQueriesContext(connection) as asked:
            cards.apply_many(
                people=Person.objects.filter(pk__in=chosen), bank=office.bank,
                by=office.cast.qiao, today=TODAY,
            )  # fmt: skip
        return len(asked)

    few = counted(2)
    assert counted(20) <= few


# -- checking -------------------------------------------------------------------------------------
def test_two_others_check_what_a_clerk_applied_for(office: CardOffice):
    card = office.applied()
    with pytest.raises(CardRefused, match="yourself"):
        cards.check(card=card, by=office.cast.qiao, now=NOW)
    cards.check(card=card, by=office.cast.shi, now=NOW)
    cards.approve(card=card, by=office.cast.officer, now=NOW)
    card.refresh_from_db()
    assert (card.state, card.checked_by, card.approved_by) == (
        CardState.READY, office.cast.shi, office.cast.officer,
    )  # fmt: skip


def test_the_database_knows_that_checker_and_approver_are_two(office: CardOffice):
    office.ready()
    refused_by(
        "card_checked_by_not_approved_by",
        "UPDATE members_servicecard SET approved_by_id = checked_by_id",
    )


@pytest.mark.parametrize("who", ["wei", "gao", "decider", "feng", "lin"])
def test_nobody_without_the_duty_checks_or_approves(office: CardOffice, who: str):
    card, by = office.applied(), getattr(office.cast, who)
    with pytest.raises(PermissionDenied):
        cards.check(card=card, by=by, now=NOW)
    cards.check(card=card, by=office.cast.shi, now=NOW)
    with pytest.raises(PermissionDenied):
        cards.approve(card=card, by=by, now=NOW)


def test_all_that_wait_are_checked_and_approved_at_once_but_ones_own(office: CardOffice):
    mine, others = office.applied(), [office.applied(by=None) for _each in range(2)]
    ServiceCard.objects.filter(pk=mine.pk).update(applied_by=office.cast.shi)
    union, city = office.cast.tree.union, office.cast.tree.city
    assert cards.check_all(organization=union, by=office.cast.shi, now=NOW) == 2
    assert cards.approve_all(organization=city, by=office.cast.officer, now=NOW) == 2
    states = ServiceCard.objects.filter(pk__in=[one.pk for one in others])
    assert set(states.values_list("state", flat=True)) == {CardState.READY}
    mine.refresh_from_db()
    assert mine.state == CardState.UNION_REVIEW


def test_a_returned_application_says_what_is_missing_and_begins_anew(office: CardOffice):
    card = office.applied(lin(office))
    cards.check(card=card, by=office.cast.shi, now=NOW)
    with pytest.raises(Refused, match="reason"):
        cards.send_back(card=card, by=office.cast.officer, reason=" ", now=NOW)
    cards.send_back(card=card, by=office.cast.officer, reason="The phone is wrong.", now=NOW)
    card.refresh_from_db()
    assert (card.state, card.reason, card.checked_by) == (
        CardState.DRAFT, "The phone is wrong.", None,
    )  # fmt: skip
    cards.send_again(card=card, by=office.cast.lin, now=NOW)
    card.refresh_from_db()
    assert (card.state, card.reason) == (CardState.UNION_REVIEW, "")
    assert Message.objects.filter(topic="card", template="card_returned").count() == 1


def test_a_member_calls_off_their_application_and_no_more_than_that(office: CardOffice):
    card = office.applied(lin(office))
    cards.cancel(card=card, by=office.cast.lin, now=NOW)
    assert card.state == CardState.CANCELLED
    issued = office.issued(office.cast.lin_person)
    with pytest.raises(PermissionDenied):
        cards.cancel(card=issued, by=office.cast.lin, now=NOW)
    with pytest.raises(PermissionDenied):
        cards.cancel(card=issued, by=office.cast.qiao, now=NOW, reason="left the union")
    cards.cancel(card=issued, by=office.cast.officer, now=NOW, reason="left the union")
    assert issued.state == CardState.CANCELLED


def test_another_members_card_is_nobodys_to_touch(office: CardOffice):
    card = office.active(lin(office))
    neighbour = make_account("neighbour")
    make_person(office.cast.tree.union, account=neighbour)
    number = str(card.number)
    for act in (
        lambda: card_life.report_lost(card=card, by=neighbour, now=NOW),
        lambda: card_life.find_again(card=card, by=neighbour, now=NOW),
        lambda: card_life.activate(card=card, number=number, by=neighbour, today=TODAY, now=NOW),
        lambda: cards.cancel(card=card, by=neighbour, now=NOW),
        lambda: cards.send_again(card=card, by=neighbour, now=NOW),
        lambda: cards.replace(card=card, by=neighbour, today=TODAY),
        lambda: card_life.suspend(card=card, by=neighbour, now=NOW, reason="because"),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_who_leaves_calls_off_what_is_not_with_the_bank_yet(office: CardOffice):
    active, card = office.active(), office.ready()
    for one in (card, active):
        cards.call_off([one.person_id], by=office.cast.qiao, reason="membership ended")
        one.refresh_from_db()
    assert (card.state, active.state) == (CardState.CANCELLED, CardState.ACTIVE)


# -- in the member's hand ------------------------------------------------------------------------
def test_a_card_is_signed_for_then_bound_by_its_whole_number(office: CardOffice):
    card = office.collected(lin(office))
    assert (card.handed_out_by, card.collected_at) == (office.cast.qiao, NOW)
    with pytest.raises(CardRefused, match="not the number"):
        card_life.activate(
            card=card, number=card.last_four, by=office.cast.lin, today=TODAY, now=NOW
        )
    spaced = f" {str(card.number)[:4]} {str(card.number)[4:]} "
    card_life.activate(card=card, number=spaced, by=office.cast.lin, today=TODAY, now=NOW)
    card.refresh_from_db()
    assert (card.state, card.activated_on, card.bound_at) == (CardState.ACTIVE, TODAY, NOW)


def test_numbers_are_not_guessed(office: CardOffice):
    card, now = office.collected(lin(office)), timezone.now()
    for _each in range(card_life.MOST_TRIES):
        with pytest.raises(CardRefused, match="not the number"):
            card_life.activate(card=card, number="1", by=office.cast.lin, today=TODAY, now=now)
    number = str(card.number)
    with pytest.raises(CardRefused, match="too often"):
        card_life.activate(card=card, number=number, by=office.cast.lin, today=TODAY, now=now)
    later = now + timedelta(hours=2)
    card_life.activate(card=card, number=number, by=office.cast.lin, today=TODAY, now=later)
    assert card.state == CardState.ACTIVE


def test_a_signed_list_hands_out_a_unions_cards_but_the_unsigned(office: CardOffice):
    first, second, third = (office.issued() for _each in range(3))
    union = office.cast.tree.union
    receipt = office.sent(1).file
    count = card_life.hand_out_all(
        organization=union, receipt=receipt, by=office.cast.qiao, now=NOW, but=[second.pk]
    )
    assert count == 2
    for card in (first, second, third):
        card.refresh_from_db()
    assert [one.state for one in (first, second, third)] == [
        CardState.COLLECTED, CardState.ISSUED, CardState.COLLECTED,
    ]  # fmt: skip
    assert first.receipt == receipt


def test_a_banks_list_activates_what_was_signed_for(office: CardOffice):
    collected, issued, active = office.collected(), office.issued(), office.active()
    numbers = [str(one.number) for one in (collected, issued, active)] + ["6299990000000000012"]
    done = card_life.activate_listed(numbers=numbers, by=office.cast.officer, today=TODAY)
    assert (done.count, done.known_already, done.not_collected, done.unknown) == (1, 1, 1, 1)
    with pytest.raises(PermissionDenied):
        card_life.activate_listed(numbers=numbers, by=office.cast.qiao, today=TODAY)


# -- lost, found, replaced, suspended ------------------------------------------------------------
def test_a_loss_stops_the_card_at_once_and_tells_how_to_reach_the_bank(office: CardOffice):
    card = office.active(lin(office))
    card_life.report_lost(card=card, by=office.cast.lin, now=NOW)
    assert card.state == CardState.LOST
    message = Message.objects.get(template="card_lost")
    assert office.bank.hotline in notifications.text_of(message)
    assert message.created_at == NOW
    card_life.find_again(card=card, by=office.cast.lin, now=NOW)
    assert card.state == CardState.ACTIVE


def test_a_lost_card_is_replaced_when_the_bank_issues_another(office: CardOffice):
    old = office.active(lin(office))
    card_life.report_lost(card=old, by=office.cast.lin, now=NOW)
    with pytest.raises(CardRefused, match="already"):
        office.applied(old.person)
    new = office.ready_instead_of(old)
    with pytest.raises(CardRefused, match="on its way"):
        card_life.find_again(card=old, by=office.cast.lin, now=NOW)
    batch = office.sent()
    old.refresh_from_db()
    assert old.state == CardState.LOST
    office.take(batch, office.says(batch))
    for card in (old, new):
        card.refresh_from_db()
    assert (old.state, new.state, new.replaces) == (CardState.REPLACED, CardState.ISSUED, old)


def test_a_replacement_that_came_to_nothing_leaves_room_for_another(office: CardOffice):
    old = office.active(lin(office))
    card_life.report_lost(card=old, by=office.cast.lin, now=NOW)
    first = cards.replace(card=old, by=office.cast.lin, today=TODAY)
    cards.cancel(card=first, by=office.cast.lin, now=NOW)
    second = cards.replace(card=old, by=office.cast.lin, today=TODAY)
    assert second.replaces == old
    refused_by(
        "card_replaced_once",
        "INSERT INTO members_servicecard (person_id, organization_id, bank_id, handle, channel,"
        " applied_at, last_four, reason, replaces_id, state) SELECT %s, organization_id, bank_id,"
        " 'x', channel, applied_at, '', '', replaces_id, 'union_review' FROM members_servicecard"
        " WHERE id = %s",
        [office.member().pk, second.pk],
    )


def test_only_a_lost_card_of_ones_own_is_replaced(office: CardOffice):
    card, other = office.active(lin(office)), office.active()
    with pytest.raises(CardRefused, match="reported lost"):
        cards.replace(card=card, by=office.cast.lin, today=TODAY)
    card_life.report_lost(card=other, by=office.cast.qiao, reason="lost at work", now=NOW)
    with pytest.raises(CardRefused, match="reported lost"):
        cards.apply(
            person=card.person, bank=office.bank, by=office.cast.lin, today=TODAY, replaces=other
        )


def test_a_suspension_outlives_a_loss(office: CardOffice):
    card = office.active(lin(office))
    card_life.suspend(card=card, by=office.cast.shi, now=NOW, reason="misuse at a shop")
    card_life.report_lost(card=card, by=office.cast.lin, now=NOW)
    with pytest.raises(CardRefused, match="suspended before"):
        cards.replace(card=card, by=office.cast.lin, today=TODAY)
    card_life.find_again(card=card, by=office.cast.lin, now=NOW)
    assert card.state == CardState.SUSPENDED
    card_life.lift(card=card, by=office.cast.officer, now=NOW, reason="cleared up")
    card.refresh_from_db()
    assert (card.state, card.suspended_at) == (CardState.ACTIVE, None)


def test_nothing_else_than_a_suspension_is_lifted(office: CardOffice):
    card = office.collected(lin(office))
    with pytest.raises(CardRefused, match="not suspended"):
        card_life.lift(card=card, by=office.cast.officer, now=NOW, reason="why not")


def test_a_card_that_was_never_active_is_found_at_the_desk(office: CardOffice):
    card = office.collected(lin(office))
    card_life.report_lost(card=card, by=office.cast.lin, now=NOW)
    with pytest.raises(CardRefused, match="never activated"):
        card_life.find_again(card=card, by=office.cast.lin, now=NOW)
    card_life.find_again(card=card, by=office.cast.qiao, now=NOW)
    assert (card.state, card.activated_on) == (CardState.ACTIVE, TODAY)


def test_no_step_is_skipped_even_by_direct_sql(office: CardOffice):
    card = office.applied()
    with pytest.raises(Stale):
        lifecycle.advance(card, to=CardState.ACTIVE, by=office.cast.qiao)
    refused_by("service_card_steps", "UPDATE members_servicecard SET state = 'active'")
    issued = office.issued()
    refused_by(
        "card_number_kept",
        "UPDATE members_servicecard SET last_four = '0000' WHERE id = %s",
        [issued.pk],
    )
    refused_by("service_card_no_delete", "DELETE FROM members_servicecard")


# -- counting and looking up ---------------------------------------------------------------------
def test_cards_are_counted_by_county_and_month_in_two_questions(office: CardOffice):
    tree = office.cast.tree
    for union in (tree.union, tree.union, tree.other_union):
        person = office.member(union)
        card = cards.apply(person=person, bank=office.bank, by=clerk_of(office, union), today=TODAY)
        cards.check(card=card, by=checker_of(office, union), now=NOW)
        cards.approve(card=card, by=office.cast.officer, now=NOW)
    batch = office.sent()
    office.take(batch, office.says(batch))
    with CaptureQueriesContext(connection) as asked:
        counts = queries_cards.issued_by_county_and_month(ServiceCard.objects.all(), "city")
    assert len(asked) == 2
    assert counts.by_county == [("榆阳区总工会", 2), ("神木市总工会", 1)]
    assert counts.by_month == [(TODAY.replace(day=1), 3)]
    assert (counts.total, queries_cards.issued().count()) == (3, 3)


def clerk_of(office: CardOffice, union: Organization):
    from union_portal.access import Role

    return make_account(f"clerk{ServiceCard.objects.count()}", role=Role.GRASSROOTS_CLERK, at=union)


def checker_of(office: CardOffice, union: Organization):
    from union_portal.access import Role

    return make_account(f"checker{ServiceCard.objects.count()}", role=Role.COUNTY_CHECKER, at=union)


def test_cards_are_found_by_number_last_four_application_and_person(office: CardOffice):
    card, _other = office.issued(lin(office)), office.issued()
    number = str(card.number)
    for text in (
        number, f"{number[:4]} {number[4:]}", card.last_four, f"C{card.pk:08d}", f"c{card.pk}",
        str(card.person.national_id), queries_cards.in_an_address(number),
    ):  # fmt: skip
        assert list(ServiceCard.objects.filter(queries_cards.matches(text))) == [card], text
    assert number not in queries_cards.in_an_address(number)
    assert str(card.person.national_id) not in queries_cards.in_an_address(
        str(card.person.national_id)
    )


def test_no_number_stands_in_the_log(office: CardOffice):
    card = office.active(lin(office))
    told = str(list(AuditEntry.objects.values_list("detail", "reason", "subject_id")))
    assert str(card.number) not in told
    assert str(card.person.national_id) not in told


# -- what happened -----------------------------------------------------------------------------
def at(hour: int) -> datetime:
    return NOW.replace(hour=hour)


def told(card: ServiceCard) -> list[tuple[str, str]]:
    """The history in words, as if applied for at the beginning of the tests' day."""
    ServiceCard.objects.filter(pk=card.pk).update(applied_at=NOW.replace(hour=0))
    card.refresh_from_db()
    return [(str(one.text), one.reason) for one in history(card)]


def through_thick_and_thin(office: CardOffice) -> ServiceCard:
    """A card lost and found twice, suspended and resumed, and cancelled."""
    card, member, shi = office.active(lin(office)), office.cast.lin, office.cast.shi
    card_life.report_lost(card=card, by=member, now=at(12))
    card_life.find_again(card=card, by=member, now=at(13))
    card_life.suspend(card=card, by=shi, now=at(14), reason="misuse at a shop")
    card_life.report_lost(card=card, by=member, now=at(15))
    card_life.find_again(card=card, by=member, now=at(16))
    card_life.lift(card=card, by=shi, now=at(17), reason="cleared up")
    cards.cancel(card=card, by=office.cast.officer, now=at(18), reason="wishes so")
    return card


def test_the_history_of_a_card_tells_every_loss_and_suspension(office: CardOffice):
    card = through_thick_and_thin(office)
    assert told(card)[-9:] == [
        ("Collected", ""),
        ("Activated", ""),
        ("Reported lost", ""),
        ("Found again", ""),
        ("Suspended: its benefits stop", "misuse at a shop"),
        ("Reported lost", ""),
        ("Found again, still suspended", ""),
        ("Suspension lifted", "cleared up"),
        ("Cancelled", "wishes so"),
    ]
    assert [one.at for one in history(card)][-7:] == [at(hour) for hour in range(12, 19)]


def test_the_history_tells_checks_that_were_undone_and_the_bank_s_refusal(office: CardOffice):
    card, cast = office.applied(lin(office)), office.cast
    cards.check(card=card, by=cast.shi, now=at(9))
    cards.send_back(card=card, by=cast.officer, reason="The phone is wrong.", now=at(10))
    cards.send_again(card=card, by=cast.lin, now=at(11))
    cards.check(card=card, by=cast.shi, now=at(12))
    cards.approve(card=card, by=cast.officer, now=at(13))
    batch = office.sent()
    refusal = written([[*row[:3], "", "失败", "手机号有误"] for row in office.rows(batch)])
    office.take(batch, refusal, now=at(14))
    story = ["Applied for", "Checked by the union", "Returned to be completed", "Sent again"]
    story += ["Checked by the union", "Approved by the city union", "Refused by the bank"]
    assert [text for text, _reason in told(card)] == story
    card.refresh_from_db()
    cards.approve(card=card, by=cast.officer, now=at(15))
    assert [text for text, _reason in told(card)] == [*story, "Approved by the city union"]


def test_the_history_of_a_replaced_card_ends_with_the_new_one(office: CardOffice):
    old = office.active(lin(office))
    card_life.report_lost(card=old, by=office.cast.lin, now=NOW)
    new = office.ready_instead_of(old)
    batch = office.sent()
    office.take(batch, office.says(batch))
    assert told(old)[-1] == ("Replaced by a new card", "")
    assert told(new)[0] == ("Applied for in the place of another card", "")


def test_applications_that_end_as_a_set_are_told_one_by_one(office: CardOffice):
    card = office.ready()
    cards.call_off([card.person_id], by=office.cast.qiao, reason="membership ended")
    assert told(card)[-1] == ("Application ended", "membership ended")


def test_what_the_log_kept_of_earlier_changes_is_taken_over(office: CardOffice):
    through_thick_and_thin(office)
    other = office.active()
    card_life.report_lost(card=other, by=office.cast.qiao, reason="lost at work", now=NOW)
    office.ready_instead_of(other)
    batch = office.sent()
    office.take(batch, office.says(batch))
    columns = ("card", "old_state", "new_state", "reason", "noted_by")
    noted = list(CardChange.objects.values_list(*columns))
    with connection.cursor() as cursor:
        cursor.execute(import_module("members.migrations.0015_earlier_card_changes").EARLIER)
    taken_over = list(CardChange.objects.values_list(*columns))[len(noted) :]
    assert sorted(taken_over) == sorted(noted)
