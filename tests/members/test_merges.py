"""Two rows of one human: found, proposed by one, confirmed by another, everything alive moved."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InternalError, transaction
from django.db.models import Case, F, IntegerField, Value, When

from awards.models import Honour, ModelWorker, SubsidyCase
from awards.queries import candidates
from members import duplicates, invariants, queries
from members.actions import first_login, merges
from members.actions.refusals import PeopleRefused
from members.models import (
    BankAccount,
    Consent,
    ConsentText,
    FamilyMember,
    LoginCode,
    MemberProfile,
    Membership,
    MembershipChange,
    Person,
    PersonMerge,
    ServiceCard,
)
from members.models.memberships import Channel
from members.states import BankAccountState, CardState
from tests.awards.roster import model_worker, rule_set
from tests.awards.test_subsidies import propose
from tests.cast import NOW, TODAY, Cast, make_account, make_bank_account, make_person
from tests.disbursement.conftest import Office, make_office
from tests.members.cards import make_bank
from tests.members.sheets import as_csv, make_rows, told, upload
from tests.roles import the_superuser
from union_portal import lifecycle
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry, Decision
from welfare.disbursement import batches, claims, entitlements
from welfare.disbursement.models import Cap, Entitlement

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(cast: Cast) -> tuple[Person, Person]:
    """Who stays and who goes: one union, one name, one day of birth."""
    kept = make_person(cast.tree.union, name="高一鸣", born_on=date(1970, 1, 2))
    return kept, make_person(cast.tree.union, name="高一鸣", born_on=date(1970, 1, 2))


def merge(cast: Cast, kept: Person, merged: Person) -> PersonMerge:
    """Proposed by Tang of the city, confirmed by Shi of the county."""
    made = merges.propose(kept=kept, merged=merged, reason="one card, old number", by=cast.officer)
    merges.confirm(merge=made, by=cast.shi, now=NOW, today=TODAY)
    made.refresh_from_db()
    kept.refresh_from_db()
    merged.refresh_from_db()
    return made


def member(person: Person, *, since: date = date(2019, 3, 1), first: date | None = None):
    return Membership.objects.create(
        person=person, organization=person.organization, joined_on=since,
        first_joined_on=first or since, channel=Channel.DESK,
    )  # fmt: skip


def card(person: Person) -> ServiceCard:
    return ServiceCard.objects.create(
        person=person, organization=person.organization, bank=make_bank(), channel=Channel.DESK,
        handle=f"h{person.pk}",
    )  # fmt: skip


def test_a_merge_takes_two_people(cast: Cast, two):
    kept, merged = two
    made = merges.propose(kept=kept, merged=merged, reason="one card", by=cast.shi)
    with pytest.raises(PeopleRefused, match="You proposed this merge yourself"):
        merges.confirm(merge=made, by=cast.shi, now=NOW, today=TODAY)
    with (
        pytest.raises(IntegrityError, match="merge_proposed_by_not_decided_by"),
        transaction.atomic(),
    ):
        lifecycle.advance(made, to="confirmed", by=cast.shi, decided_by=cast.shi, decided_at=NOW)
    for stranger in (cast.wei, cast.lin, cast.qiao, cast.gao, cast.feng):
        with pytest.raises(PermissionDenied):
            merges.confirm(merge=made, by=stranger, now=NOW, today=TODAY)
        with pytest.raises(PermissionDenied):
            merges.propose(kept=kept, merged=merged, reason="one card", by=stranger)
    made.refresh_from_db()
    merges.confirm(merge=made, by=cast.officer, now=NOW, today=TODAY)
    merged.refresh_from_db()
    assert (made.state, merged.merged_into) == ("confirmed", kept)


def test_a_pair_is_proposed_once_and_a_refused_one_is_two_people(cast: Cast, two):
    kept, merged = two
    made = merges.propose(kept=kept, merged=merged, reason="one card", by=cast.shi)
    with pytest.raises(PeopleRefused, match="waits for a second person"):
        merges.propose(kept=kept, merged=merged, reason="again", by=cast.officer)
    assert duplicates.pairs(cast.shi, limit=10) == ([], 0)
    merges.refuse(merge=made, by=cast.officer, reason="brothers", now=NOW)
    assert duplicates.pairs(cast.shi, limit=10) == ([], 0)
    merged.refresh_from_db()
    assert merged.merged_into is None


def test_rows_of_two_counties_are_judged_by_the_city_alone(cast: Cast):
    kept, merged = make_person(cast.tree.union), make_person(cast.tree.other_union)
    assert merges.union_above(kept, merged) == cast.tree.city
    with pytest.raises(PermissionDenied):
        merges.propose(kept=kept, merged=merged, reason="one card", by=cast.shi)
    made = merges.propose(kept=kept, merged=merged, reason="one card", by=cast.officer)
    assert made.organization == cast.tree.city
    with pytest.raises(PermissionDenied):
        merges.confirm(merge=made, by=cast.shi, now=NOW, today=TODAY)


def test_everything_alive_is_hung_onto_the_person_who_stays(cast: Cast, two):
    kept, merged = two
    MemberProfile.objects.create(person=merged, ethnicity="汉族")
    member(merged)
    card(merged)
    make_bank_account(merged, entered_by=cast.qiao)
    text = ConsentText.objects.create(
        purpose="membership", version=1, text="同意", text_en="I agree", valid_from=TODAY
    )
    Consent.objects.create(person=merged, text=text, channel=Channel.DESK)
    FamilyMember.objects.create(
        person=merged, name="高小明", relation="child", born_on=date(2009, 1, 1)
    )
    worker = model_worker(cast, merged)
    merged.account = make_account("gao-yiming")
    merged.save()
    made = merge(cast, kept, merged)
    assert made.moved == {
        "members.membership": 1,
        "members.servicecard": 1,
        "members.bankaccount": 1,
        "members.memberprofile": 1,
        "members.consent": 1,
        "members.familymember": 1,
        "awards.honour": 1,
        "awards.modelworker": 1,
    }
    assert (kept.account.username, merged.account) == ("gao-yiming", None)
    assert kept.account.is_active
    assert (kept.profile.ethnicity, kept.memberships.get().state) == ("汉族", "active")
    assert kept.cards.get().handle == f"h{merged.pk}"
    assert ModelWorker.objects.get(person=kept) == worker
    assert not Honour.objects.filter(person=merged).exists()
    assert invariants.members_of_other_unions() == invariants.merged_at_work() == []


def test_of_two_memberships_one_stays_with_the_earlier_day(cast: Cast, two):
    kept, merged = two
    staying = member(kept, since=date(2020, 1, 1))
    going = member(merged, since=date(2012, 5, 1))
    made = merge(cast, kept, merged)
    for one in (staying, going):
        one.refresh_from_db()
    assert (staying.state, staying.first_joined_on) == ("active", date(2012, 5, 1))
    assert (going.state, going.ended_on, going.person) == ("withdrawn", TODAY, kept)
    change = MembershipChange.objects.get(membership=going)
    assert (change.old_state, change.new_state) == ("active", "withdrawn")
    assert change.reason == f"{made}: one card, old number"


def test_of_two_accounts_one_is_shut(cast: Cast, two):
    kept, merged = two
    for person, name in ((kept, "one"), (merged, "two")):
        person.account = make_account(name)
        person.save()
    merge(cast, kept, merged)
    assert (kept.account.is_active, merged.account.is_active) == (True, False)
    assert AuditEntry.objects.filter(action="account.lock", subject_id=merged.account_id).exists()


def test_nothing_is_paid_to_an_account_of_the_row_that_went(cast: Cast, two):
    kept, merged = two
    number = make_bank_account(kept, entered_by=cast.qiao).number
    same = make_bank_account(merged, entered_by=cast.qiao, number=number)
    confirmed = make_bank_account(merged, entered_by=cast.qiao, confirmed_by=cast.shi)
    merge(cast, kept, merged)
    left = BankAccount.objects.filter(person=merged).order_by("id").values_list("pk", "state")
    assert list(left) == [
        (same.pk, BankAccountState.REJECTED), (confirmed.pk, BankAccountState.RETIRED),
    ]  # fmt: skip


class TestWhatStandsAgainstIt:
    def refused(self, cast: Cast, kept: Person, merged: Person) -> str:
        with pytest.raises(Refused) as refusal:
            merge(cast, kept, merged)
        merged.refresh_from_db()
        assert merged.merged_into is None
        assert refusal.value.remedy
        return refusal.value.message

    def test_two_live_cards(self, cast: Cast, two):
        first, second = map(card, two)
        assert self.refused(cast, *two) == "Both have a service card that is in use."
        lifecycle.advance(second, to=CardState.CANCELLED, by=cast.shi)
        merge(cast, *two)
        assert set(two[0].cards.values_list("pk", flat=True)) == {first.pk, second.pk}

    def test_a_member_of_another_union(self, cast: Cast):
        kept = make_person(cast.tree.union)
        merged = make_person(cast.tree.sibling_union)
        member(merged)
        assert "in another union" in self.refused(cast, kept, merged)
        merge(cast, merged, kept)

    def test_an_account_of_staff(self, cast: Cast, two):
        two[1].account = cast.gao
        two[1].save()
        assert "account of staff" in self.refused(cast, *two)

    def test_two_subsidy_cases_of_one_year(self, cast: Cast, two):
        for person in two:
            SubsidyCase.objects.create(
                person=person, scheme="special_hardship", period="2026", ground="illness",
                organization=cast.tree.union, county=cast.tree.county, created_by=cast.officer,
            )  # fmt: skip
        assert self.refused(cast, *two) == "Both have a subsidy case of 2026 under way."

    def test_money_that_is_not_paid_yet(self, cast: Cast, two):
        office = make_office(cast)
        make_bank_account(two[1], entered_by=cast.qiao, confirmed_by=cast.shi)
        office.owe_one(two[1])
        assert "is not paid yet (1)" in self.refused(cast, *two)

    def test_the_same_granted_to_both_and_not_paid_to_one(self, cast: Cast, two):
        office = make_office(cast)
        paid(office, two[1])
        make_bank_account(two[0], entered_by=cast.qiao, confirmed_by=cast.shi)
        office.owe_one(two[0])
        assert "Both were granted the same of 2026" in self.refused(cast, *two)

    def test_a_ceiling_that_was_used(self, cast: Cast, two):
        office = make_office(cast)
        paid(office, two[1])
        Cap.objects.create(
            person=two[1], purpose="living", period="2026", schemes=["winter_gift"],
            clause="art. 5", ceiling_fen=90_000,
        )  # fmt: skip
        assert "Ceilings of the row that goes are used" in self.refused(cast, *two)

    def test_a_row_that_was_merged_meanwhile(self, cast: Cast, two):
        third = make_person(cast.tree.union)
        made = merges.propose(kept=two[1], merged=third, reason="one card", by=cast.officer)
        merge(cast, *two)
        with pytest.raises(PeopleRefused, match="merged into another row meanwhile"):
            merges.confirm(merge=made, by=cast.shi, now=NOW, today=TODAY)


def paid(office: Office, person: Person) -> Entitlement:
    """An entitlement of the person that the bank has paid."""
    make_bank_account(person, entered_by=office.cast.qiao, confirmed_by=office.cast.shi)
    owed = office.owe_one(person)
    batch = office.release(batches.seal(batch=office.assemble(), by=office.cast.feng))
    claims.wake()
    batch.refresh_from_db()
    office.answer(batch, *office.says(batch, "paid"))
    return owed


class TestMoney:
    def test_what_either_was_granted_is_not_granted_again(self, cast: Cast, two):
        kept, merged = two
        office = make_office(cast)
        owed = paid(office, merged)
        merge(cast, kept, merged)
        decision = office.clear_decision(kept)
        with pytest.raises(Refused, match="under an earlier number"), transaction.atomic():
            entitlements.grant(decision=decision, person=kept, by=cast.officer)
        assert Entitlement.objects.get() == owed
        # Of a set, the others are granted.
        other = make_person(cast.tree.union)
        rows = [office.clear_decision(other), decision]
        assert grant_set(office, rows, [other, kept]) == 1
        assert not Entitlement.objects.filter(person=kept).exists()
        # Another period is another claim.
        office.owe_one(kept, period="2027")

    def test_nothing_is_granted_to_the_row_that_went(self, cast: Cast, two):
        kept, merged = two
        office = make_office(cast)
        merge(cast, kept, merged)
        decision = office.clear_decision(merged)
        with (
            pytest.raises(Refused, match="was merged into that of the same person"),
            transaction.atomic(),
        ):
            entitlements.grant(decision=decision, person=merged, by=cast.officer)
        assert grant_set(office, [decision], [merged]) == 0

    def test_a_merge_of_merges_keeps_every_claim(self, cast: Cast, two):
        kept, merged = two
        office = make_office(cast)
        paid(office, merged)
        merge(cast, kept, merged)
        last = make_person(cast.tree.union)
        merge(cast, last, kept)
        merged.refresh_from_db()
        assert merged.merged_into == last
        with pytest.raises(Refused, match="under an earlier number"), transaction.atomic():
            office.owe_one(last)


def grant_set(office: Office, decisions, people) -> int:
    whose = Case(
        *(
            When(pk=decision.pk, then=Value(person.pk))
            for decision, person in zip(decisions, people, strict=True)
        ),
        output_field=IntegerField(),
    )
    rows = Decision.objects.filter(pk__in=[one.pk for one in decisions])
    return entitlements.grant_set(
        rows=rows.annotate(decision_id=F("pk"), person_id=whose).values("decision_id", "person_id"),
        fund=office.fund,
        by=office.cast.officer,
    )


def test_cases_follow_and_the_year_is_not_proposed_again(cast: Cast, two):
    kept, merged = two
    rules = rule_set(cast, "festival_gift")
    model_worker(cast, merged, born_on=date(1970, 1, 2))
    propose(cast)
    case = SubsidyCase.objects.get()
    merge(cast, kept, merged)
    case.refresh_from_db()
    assert case.person == kept
    asked = candidates("festival_gift", "2026", rules, TODAY, within=cast.tree.city)
    assert kept.pk not in {row.person_id for row in asked.rows()}


def test_a_merged_row_is_in_no_list_and_no_search(cast: Cast, two):
    kept, merged = two
    merge(cast, kept, merged)
    assert merged not in queries.people_for(cast.shi)
    assert list(queries.search("高一鸣", cast.shi)) == [kept]
    assert list(queries.search(merged.national_id, cast.shi)) == []
    assert list(duplicates.alike(kept, cast.shi)) == []


def test_a_sheet_that_names_a_merged_number_is_told_to_use_the_other(cast: Cast, two):
    kept, merged = two
    merge(cast, kept, merged)
    row = {**make_rows(cast.tree.union, 1)[0], "姓名": merged.name, "证件号码": merged.national_id}
    run = upload(as_csv([row]), by=cast.qiao, organization=cast.tree.union)
    assert told(run) == [
        (2, "证件号码", "conflict",
         "This number was found to be a second one of somebody registered."),
    ]  # fmt: skip


def test_the_database_keeps_rows_with_their_person(cast: Cast, two):
    kept, merged = two
    held = member(merged)
    account = make_bank_account(merged, entered_by=cast.qiao)
    for row in (held, account):
        with (
            pytest.raises((IntegrityError, InternalError), match="stays with its person"),
            transaction.atomic(),
        ):
            type(row).objects.filter(pk=row.pk).update(person=kept)
    with (
        pytest.raises((IntegrityError, InternalError), match="two people merge a row"),
        transaction.atomic(),
    ):
        Person.objects.filter(pk=merged.pk).update(merged_into=kept)
    merge(cast, kept, merged)
    with (
        pytest.raises((IntegrityError, InternalError), match="nobody takes that back"),
        transaction.atomic(),
    ):
        Person.objects.filter(pk=merged.pk).update(merged_into=None)


class TestWhatLooksAlike:
    def test_shared_things_are_found_within_reach_the_likeliest_first(self, cast: Cast, two):
        kept, merged = two
        number = make_bank_account(kept, entered_by=cast.qiao).number
        make_bank_account(merged, entered_by=cast.qiao, number=number)
        one, other = make_person(cast.tree.union), make_person(cast.tree.other_union)
        Person.objects.filter(pk=other.pk).update(phone_index=one.phone_index)
        found, total = duplicates.pairs(cast.officer, limit=10)
        assert [(pair.both, pair.why) for pair in found] == [
            (two, ["account", "name"]), ((one, other), ["phone"]),
        ]  # fmt: skip
        assert total == 2
        assert duplicates.pairs(cast.officer, why="phone", limit=10)[1] == 1
        assert duplicates.pairs(cast.officer, limit=1, offset=1)[0][0].both == (one, other)
        # Shi does not reach the other county, Qiao may not merge, Wei is nobody.
        assert duplicates.pairs(cast.shi, limit=10)[1] == 1
        for account in (cast.qiao, cast.wei, cast.gao):
            assert duplicates.pairs(account, limit=10) == ([], 0)
        assert list(duplicates.alike(one, cast.officer)) == [other]
        assert list(duplicates.alike(one, cast.shi)) == []

    def test_what_many_share_tells_nothing(self, cast: Cast):
        clerk = make_person(cast.tree.union)
        crowd = [make_person(cast.tree.union).pk for _ in range(duplicates.MOST)]
        Person.objects.filter(pk__in=crowd).update(phone_index=clerk.phone_index)
        assert duplicates.pairs(cast.officer, limit=10) == ([], 0)


def test_the_invariants_notice_a_merged_row_at_work_and_a_member_elsewhere(cast: Cast, two):
    kept, merged = two
    merge(cast, kept, merged)
    member(kept)
    assert invariants.members_of_other_unions() == invariants.merged_at_work() == []
    with the_superuser():
        Membership.objects.filter(person=kept).update(person=merged)
    assert invariants.merged_at_work() == [f"person {merged.pk}"]
    Person.objects.filter(pk=merged.pk).update(organization=cast.tree.other_union)
    assert invariants.members_of_other_unions() == [f"person {merged.pk}"]


def test_a_first_log_in_with_the_number_that_went_leads_nowhere(cast: Cast, two):
    kept, merged = two
    asked = first_login.ask_code(
        name=merged.name, national_id=str(merged.national_id), address="1.2.3.4", now=NOW
    )
    assert LoginCode.objects.get(pk=asked.token).person == merged
    merge(cast, kept, merged)
    with pytest.raises(first_login.WrongCode), transaction.atomic():
        first_login._require_member(merged)
    again = first_login.ask_code(
        name=merged.name, national_id=str(merged.national_id), address="1.2.3.4",
        now=NOW + timedelta(minutes=1),
    )  # fmt: skip
    assert LoginCode.objects.get(pk=again.token).person is None
