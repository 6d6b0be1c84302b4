"""Joining: whatever is known, the public door answers alike; two people make a member."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from members import queries
from members.actions import join_applications, joining
from members.actions.refusals import PeopleRefused
from members.models import JoinApplication, MemberProfile, Membership, Person
from members.queries import memberships as reads
from members.rules.memberships import MembershipRefused
from members.states import JoinState
from tests.cast import NOW, TODAY, Cast, make_account, make_person
from tests.members.joining import (
    PROFILE,
    applicant,
    apply,
    approved,
    as_typed,
    checked,
    clerk,
    member,
)
from tests.members.test_merges import merge
from union_portal import lifecycle, notifications
from union_portal.access import Role
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry, Message

pytestmark = pytest.mark.django_db


def test_check_and_approval_make_person_profile_membership_and_change(cast: Cast):
    new = applicant(cast)
    made = approved(cast)
    person = Person.objects.get(pk=made.person_id)
    assert (person.name, person.national_id) == (new.name, new.national_id)
    assert (person.organization, person.phone) == (cast.tree.union, new.phone)
    assert (made.joined_on, made.first_joined_on, made.channel) == (TODAY, TODAY, "portal")
    [change] = made.changes.all()
    assert (change.old_state, change.new_state, change.on) == ("", "active", TODAY)
    profile = MemberProfile.objects.get(person=person)
    assert {name: getattr(profile, name) for name in PROFILE} == PROFILE
    application = JoinApplication.objects.get()
    assert application.state == JoinState.APPROVED
    assert (application.checked_by, application.decided_by) == (cast.qiao, cast.shi)


def test_before_the_approval_the_register_holds_nobody(cast: Cast):
    before = Person.objects.count()
    checked(cast)
    assert (Person.objects.count(), Membership.objects.count()) == (before, 0)


@pytest.mark.parametrize("who", ["nobody known", "a person", "a member", "one who died"])
def test_every_application_is_taken_whoever_the_number_is(cast: Cast, who: str):
    person = make_person(cast.tree.other_union)
    if who == "a member":
        member(cast, person)
    if who == "one who died":
        Person.objects.filter(pk=person.pk).update(died_on=TODAY)
    typed = applicant(cast).typed if who == "nobody known" else as_typed(person)
    taken = apply(cast, typed)
    assert (taken.state, len(taken.receipt)) == (JoinState.APPLIED, 11)
    again = apply(cast, typed)
    assert again.receipt != taken.receipt
    assert reads.application_by(taken.receipt, typed["phone"]) == taken


def test_a_receipt_is_of_use_with_its_phone_alone(cast: Cast):
    taken = apply(cast)
    assert reads.application_by(taken.receipt.lower(), f"+86 {taken.phone}") == taken
    assert reads.application_by(taken.receipt, "13800138000") is None
    assert reads.application_by(taken.receipt, "no phone") is None
    assert reads.application_by("23456789ABC", str(taken.phone)) is None


def test_who_applies_too_often_waits_and_the_count_knows_no_register(cast: Cast):
    person = make_person(cast.tree.union)
    for typed in (applicant(cast).typed, as_typed(person)):
        for _time in range(join_applications.PER_NUMBER_A_DAY):
            apply(cast, typed)
        with pytest.raises(join_applications.TooManyApplications):
            apply(cast, typed)
        apply(cast, typed, now=NOW + timedelta(days=1, seconds=1))


def test_an_address_asks_so_often_and_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(join_applications, "PER_ADDRESS_AN_HOUR", 2)
    for seed in (1, 2):
        apply(cast, applicant(cast, seed).typed)
    with pytest.raises(join_applications.TooManyApplications):
        apply(cast, applicant(cast, 3).typed)
    apply(cast, applicant(cast, 3).typed, address="192.0.2.8")


def test_no_address_is_kept(cast: Cast):
    assert apply(cast).asked_from not in ("", "192.0.2.7")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"national_id": "610802196001010000"}, Refused),
        ({"phone": "123"}, Refused),
        ({"name": "1"}, Refused),
        ({"profile": {"education": "none"}}, PeopleRefused),
        ({"profile": {"ethnicity": "无"}}, Refused),
        ({"profile": {**PROFILE, "hukou_type": "local_urban"}}, MembershipRefused),
    ],
)
def test_what_is_typed_wrong_is_told(cast: Cast, wrong, error):
    with pytest.raises(error):
        apply(cast, {**applicant(cast).typed, **wrong})


def test_the_federation_takes_no_members(cast: Cast):
    with pytest.raises(PeopleRefused, match="takes no members"):
        apply(cast, organization=cast.tree.city)


def test_whoever_checked_does_not_approve(cast: Cast):
    both = make_account("both", role=Role.GRASSROOTS_CLERK, at=cast.tree.county)
    from tests.cast import give_role

    give_role(both, Role.COUNTY_CHECKER, cast.tree.county)
    application = apply(cast)
    joining.check(application=application, by=both, now=NOW)
    with pytest.raises(PeopleRefused, match="does not decide"):
        joining.approve(application=application, by=both, today=TODAY, now=NOW)
    assert not Membership.objects.exists()


def test_the_database_wants_two_as_well(cast: Cast):
    application = checked(cast)
    made = member(cast)
    two = pytest.raises(IntegrityError, match="join_checked_by_not_decided_by")
    with two, transaction.atomic():
        lifecycle.advance(
            application,
            to=JoinState.APPROVED,
            by=cast.qiao,
            decided_by=cast.qiao,
            membership=made,
        )


def test_an_unchecked_application_is_not_approved(cast: Cast):
    with pytest.raises(lifecycle.Stale):
        joining.approve(application=apply(cast), by=cast.shi, today=TODAY, now=NOW)
    assert not Membership.objects.exists()


@pytest.mark.parametrize(
    ("step", "who"),
    [
        ("check", "shi"), ("check", "wei"), ("check", "lin"), ("check", "officer"),
        ("approve", "qiao"), ("approve", "officer"), ("approve", "wei"),
    ],
)  # fmt: skip
def test_nobody_else_takes_a_step(cast: Cast, step: str, who: str):
    by = getattr(cast, who)
    with pytest.raises(PermissionDenied):
        if step == "check":
            joining.check(application=apply(cast), by=by, now=NOW)
        else:
            joining.approve(application=checked(cast), by=by, today=TODAY, now=NOW)


def test_a_clerk_of_another_union_checks_nothing(cast: Cast):
    with pytest.raises(PermissionDenied):
        joining.check(application=apply(cast), by=clerk(cast.tree.sibling_union), now=NOW)


def test_a_known_person_is_used_and_keeps_name_and_phone(cast: Cast):
    """Else a stranger who knows a number could have the code for its log-in sent to himself."""
    person = make_person(cast.tree.other_union)
    phone, people = str(person.phone), Person.objects.count()
    made = approved(cast, {**as_typed(person), "phone": applicant(cast).phone})
    person.refresh_from_db()
    assert (made.person, Person.objects.count()) == (person, people)
    assert (person.phone, person.organization) == (phone, cast.tree.union)
    assert person.employer == "驼城运输有限公司"


def test_a_person_merged_away_joins_as_the_one_kept(cast: Cast):
    kept, gone = make_person(cast.tree.union), make_person(cast.tree.union, name="王小明")
    merge(cast, kept, gone)
    Person.objects.filter(pk=kept.pk).update(name="王小明")
    assert approved(cast, as_typed(gone)).person == kept


@pytest.mark.parametrize("amiss", ["name", "died", "member"])
def test_what_does_not_fit_the_register_is_found_at_the_desk(cast: Cast, amiss: str):
    person = make_person(cast.tree.other_union)
    typed = as_typed(person)
    if amiss == "name":
        typed["name"] = "王另名"
    if amiss == "died":
        Person.objects.filter(pk=person.pk).update(died_on=TODAY)
    if amiss == "member":
        member(cast, person)
    told = "a member already" if amiss == "member" else "another name, or as deceased"
    with pytest.raises(PeopleRefused, match=told):
        joining.check(application=apply(cast, typed), by=cast.qiao, now=NOW)


def test_whoever_became_a_member_since_the_check_does_not_become_one_twice(cast: Cast):
    person = make_person(cast.tree.union)
    application = checked(cast, as_typed(person))
    member(cast, person)
    with pytest.raises(PeopleRefused, match="a member already"):
        joining.approve(application=application, by=cast.shi, today=TODAY, now=NOW)
    assert Membership.objects.count() == 1


def test_two_applications_of_one_number_make_one_member(cast: Cast):
    new = applicant(cast).typed
    first, second = checked(cast, new), checked(cast, new)
    joining.approve(application=first, by=cast.shi, today=TODAY, now=NOW)
    with pytest.raises(PeopleRefused, match="a member already"):
        joining.approve(application=second, by=cast.shi, today=TODAY, now=NOW)
    assert Membership.objects.count() == 1


def test_it_is_returned_completed_and_approved(cast: Cast):
    application = checked(cast)
    joining.give_back(application=application, message="Which shift?", by=cast.shi, now=NOW)
    assert (application.state, application.reason) == (JoinState.RETURNED, "Which shift?")
    assert application.checked_by is None
    new = applicant(cast, seed=8)
    joining.complete(
        application=application, by=join_applications.PUBLIC, today=TODAY,
        profile={"education": "senior"}, name=new.name, phone=new.phone, employer="新单位",
    )  # fmt: skip
    assert (application.state, application.reason) == (JoinState.APPLIED, "")
    assert reads.application_by(application.receipt, new.phone) == application
    joining.check(application=application, by=cast.qiao, now=NOW)
    made = joining.approve(application=application, by=cast.shi, today=TODAY, now=NOW)
    assert made.person.employer == "新单位"
    assert made.person.national_id == applicant(cast).national_id


@pytest.mark.parametrize("who", ["shi", "wei", "officer"])
def test_before_the_check_it_is_the_unions_turn(cast: Cast, who: str):
    with pytest.raises(PermissionDenied):
        joining.refuse(
            application=apply(cast), reason="not employed here", by=getattr(cast, who), now=NOW
        )


def test_after_the_check_it_is_the_countys_turn(cast: Cast):
    with pytest.raises(PermissionDenied):
        joining.refuse(application=checked(cast), reason="not here", by=cast.qiao, now=NOW)


def test_a_refusal_needs_a_reason_that_the_applicant_reads(cast: Cast):
    application = apply(cast)
    with pytest.raises(Refused, match="reason is missing"):
        joining.refuse(application=application, reason=" ", by=cast.qiao, now=NOW)
    joining.refuse(application=application, reason="Not employed here.", by=cast.qiao, now=NOW)
    assert application.reason == "Not employed here."
    message = Message.objects.get(topic="joining")
    assert message.address == application.phone
    assert application.receipt in notifications.text_of(message)


def test_it_is_taken_back_and_asked_again(cast: Cast):
    application = apply(cast, by=cast.wei)
    with pytest.raises(PermissionDenied):
        joining.take_back(application=application, by=cast.lin)
    joining.take_back(application=application, by=cast.wei)
    assert application.state == JoinState.TAKEN_BACK
    with pytest.raises(lifecycle.Stale):
        joining.check(application=application, by=cast.qiao, now=NOW)
    apply(cast)


def test_whoever_read_an_older_page_is_told(cast: Cast):
    application = apply(cast)
    old = JoinApplication.objects.get(pk=application.pk)
    joining.check(application=application, by=cast.qiao, now=NOW)
    with pytest.raises(lifecycle.Stale):
        joining.refuse(application=old, reason="not here", by=cast.qiao, now=NOW)


def test_what_a_clerk_fills_in_is_flagged(cast: Cast):
    entered = join_applications.apply_at_desk(
        organization=cast.tree.union, profile={}, by=cast.qiao, today=TODAY, now=NOW,
        employer="", **applicant(cast).typed,
    )  # fmt: skip
    assert (entered.is_by_other, entered.channel) == (True, "desk")
    with pytest.raises(PermissionDenied):
        join_applications.apply_at_desk(
            organization=cast.tree.sibling_union, profile={}, by=cast.qiao, today=TODAY, now=NOW,
            employer="", **applicant(cast).typed,
        )  # fmt: skip


def test_somebody_known_applies_as_themselves_and_only_so(cast: Cast):
    values = {
        "person": cast.lin_person, "employer": "驼城", "organization": cast.tree.union,
        "profile": PROFILE, "address": "192.0.2.7", "today": TODAY, "now": NOW,
    }  # fmt: skip
    with pytest.raises(PermissionDenied):
        join_applications.apply_as(by=cast.wei, **values)
    application = join_applications.apply_as(by=cast.lin, **values)
    assert application.national_id == cast.lin_person.national_id
    member(cast)
    with pytest.raises(PeopleRefused, match="a member already"):
        join_applications.apply_as(by=cast.lin, **values)


def test_consents_are_handed_on_with_the_approval(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    handed: list[object] = []
    monkeypatch.setattr(joining, "_joined", [lambda *given: handed.append(given)])
    application = checked(cast, consents=[3, 5])
    made = joining.approve(application=application, by=cast.shi, today=TODAY, now=NOW)
    [(told, person, consents)] = handed
    assert (told.pk, person, consents) == (application.pk, made.person, [3, 5])


def test_log_and_messages_hold_no_personal_data(cast: Cast):
    new = applicant(cast)
    approved(cast)
    kept = repr(list(AuditEntry.objects.values())) + repr(
        list(Message.objects.values_list("values", flat=True))
    )
    assert not [value for value in (new.national_id, new.phone, new.name) if value in kept]


def test_a_member_sees_the_new_state_under_the_own_number(cast: Cast):
    made = approved(cast)
    assert list(queries.search(made.person.name, cast.qiao)) == [made.person]
