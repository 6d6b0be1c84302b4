"""Memberships change by somebody, on a day, for a reason; a death ends them and nothing else."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied

from members.actions import memberships, people, profiles, transfers
from members.actions.refusals import PeopleRefused
from members.models import BankAccount, Membership, MembershipChange, MembershipTransfer
from members.rules.memberships import MembershipRefused
from members.states import MembershipState, TransferState
from tests.cast import TODAY, Cast, make_bank_account, make_person
from tests.members.joining import clerk, member
from union_portal import audit, lifecycle
from union_portal.kit.refusals import Refused
from union_portal.models import AuditEntry, Message

pytestmark = pytest.mark.django_db
JOINED = date(2024, 5, 1)


def change(cast: Cast, membership: Membership, to: MembershipState, **more):
    values = {"on": TODAY, "reason": "as asked", "by": cast.qiao, "today": TODAY, **more}
    memberships.change(membership=membership, to=to, **values)


def test_every_change_leaves_a_row_a_message_and_an_entry(cast: Cast):
    held = member(cast, on=JOINED)
    change(cast, held, MembershipState.RETAINED, on=date(2025, 1, 1))
    change(cast, held, MembershipState.ACTIVE, on=date(2025, 7, 1))
    change(cast, held, MembershipState.WITHDRAWN)
    rows = held.changes.order_by("id").values_list("old_state", "new_state", "on", "reason")
    assert list(rows) == [
        ("", "active", JOINED, ""),
        ("active", "retained", date(2025, 1, 1), "as asked"),
        ("retained", "active", date(2025, 7, 1), "as asked"),
        ("active", "withdrawn", TODAY, "as asked"),
    ]
    assert (held.state, held.ended_on) == (MembershipState.WITHDRAWN, TODAY)
    assert Message.objects.filter(template__startswith="membership_", channel="portal").count() == 3
    assert AuditEntry.objects.filter(action="membership.withdrawn").exists()


@pytest.mark.parametrize(
    ("more", "error", "told"),
    [
        ({"reason": " "}, Refused, "reason is missing"),
        ({"on": TODAY + timedelta(days=1)}, MembershipRefused, "in the future"),
        ({"on": JOINED - timedelta(days=1)}, MembershipRefused, "before the last change"),
    ],
)
def test_a_change_without_reason_or_out_of_order_is_refused(cast: Cast, more, error, told):
    with pytest.raises(error, match=told):
        change(cast, member(cast, on=JOINED), MembershipState.RETAINED, **more)


@pytest.mark.parametrize("to", [MembershipState.TRANSFERRED, MembershipState.DECEASED])
def test_transfers_and_deaths_have_their_own_ways(cast: Cast, to: MembershipState):
    with pytest.raises(ValueError, match=to):
        change(cast, member(cast), to)


@pytest.mark.parametrize("who", ["shi", "officer", "feng", "gao", "wei", "lin"])
def test_nobody_but_the_clerk_changes_a_membership(cast: Cast, who: str):
    with pytest.raises(PermissionDenied):
        change(cast, member(cast), MembershipState.RETIRED, by=getattr(cast, who))


def test_a_clerk_changes_none_of_another_union(cast: Cast):
    held = member(cast, make_person(cast.tree.sibling_union))
    with pytest.raises(PermissionDenied):
        change(cast, held, MembershipState.RETIRED)


def test_what_has_ended_changes_no_more(cast: Cast):
    held = member(cast)
    change(cast, held, MembershipState.WITHDRAWN)
    with pytest.raises(lifecycle.Stale):
        change(cast, held, MembershipState.ACTIVE)


def test_whoever_left_may_begin_again(cast: Cast):
    change(cast, member(cast, on=JOINED), MembershipState.WITHDRAWN)
    again = member(cast)
    assert (again.first_joined_on, again.previous) == (TODAY, None)


def die(cast: Cast, died_on: date = date(2026, 1, 5)) -> None:
    people.record_death(
        person=cast.lin_person, died_on=died_on, by=cast.qiao, today=TODAY, reason="certificate"
    )


def test_a_death_ends_the_membership_and_nothing_else(cast: Cast):
    held = member(cast, on=JOINED)
    account = make_bank_account(cast.lin_person, entered_by=cast.qiao, confirmed_by=cast.shi)
    die(cast)
    held.refresh_from_db()
    assert (held.state, held.ended_on) == (MembershipState.DECEASED, date(2026, 1, 5))
    assert MembershipChange.objects.filter(membership=held, new_state="deceased").count() == 1
    assert BankAccount.objects.get(pk=account.pk).state == "confirmed"
    assert cast.lin_person.account.is_active


def test_a_death_before_the_joining_ends_it_on_the_day_it_began(cast: Cast):
    """However wrong the day of joining is, a death is noted: nothing is paid from then on."""
    held = member(cast)
    die(cast)
    held.refresh_from_db()
    assert (held.state, held.ended_on) == (MembershipState.DECEASED, TODAY)


def test_a_death_without_a_membership_is_noted_too(cast: Cast):
    die(cast)
    cast.lin_person.refresh_from_db()
    assert cast.lin_person.died_on == date(2026, 1, 5)


def test_deaths_that_a_file_brought_end_memberships_as_a_set(cast: Cast):
    """The import writes past the actions: the hourly sweep ends what it left open."""
    people_ = [make_person(cast.tree.union) for _ in range(3)]
    held = [member(cast, one, on=JOINED) for one in people_]
    for one, died_on in zip(people_, (date(2026, 1, 5), date(2020, 1, 1)), strict=False):
        type(one).objects.filter(pk=one.pk).update(died_on=died_on)
    asked = transfers.request(
        membership=held[0], target=cast.tree.sibling_union, employer="", reason="new work",
        by=clerk(cast.tree.sibling_union),
    )  # fmt: skip
    assert memberships.end_of_the_dead(by=audit.WORKER) == 2
    assert memberships.end_of_the_dead(by=audit.WORKER) == 0
    for one in held:
        one.refresh_from_db()
    assert [one.ended_on for one in held] == [date(2026, 1, 5), JOINED, None]
    assert MembershipChange.objects.filter(new_state="deceased").count() == 2
    assert MembershipTransfer.objects.get(pk=asked.pk).state == TransferState.REFUSED


def test_a_member_changes_unions_by_a_transfer_alone(cast: Cast):
    member(cast)
    with pytest.raises(PeopleRefused, match="by a transfer"):
        people.update(person=cast.lin_person, by=cast.officer, organization=cast.tree.sibling_union)
    assert people.update(person=cast.lin_person, by=cast.officer, employer="新单位") == ["employer"]


def test_nobody_is_transferred_whose_membership_has_ended(cast: Cast):
    held = member(cast)
    asked = transfers.request(
        membership=held, target=cast.tree.sibling_union, employer="", reason="new work",
        by=clerk(cast.tree.sibling_union),
    )  # fmt: skip
    change(cast, held, MembershipState.WITHDRAWN)
    assert MembershipTransfer.objects.get(pk=asked.pk).state == TransferState.REFUSED


def test_further_fields_are_logged_by_name_alone(cast: Cast):
    changed = profiles.write(
        person=cast.lin_person, by=cast.qiao, ethnicity="回", education="master"
    )
    assert changed == ["education", "ethnicity"]
    cast.lin_person.refresh_from_db()
    assert cast.lin_person.profile.ethnicity == "回族"
    entry = AuditEntry.objects.get(action="person.profile")
    assert entry.detail == {"columns": ["education", "ethnicity"]}
    assert profiles.write(person=cast.lin_person, by=cast.qiao, education="master") == []


def test_what_is_known_already_is_asked_too(cast: Cast):
    profiles.write(person=cast.lin_person, by=cast.qiao, hukou_type="local_urban")
    with pytest.raises(MembershipRefused, match="agricultural"):
        profiles.write(person=cast.lin_person, by=cast.qiao, is_farmer_worker=True)


@pytest.mark.parametrize("who", ["shi", "gao", "lin", "wei"])
def test_whoever_may_not_edit_people_edits_no_profile(cast: Cast, who: str):
    with pytest.raises(PermissionDenied):
        profiles.write(person=cast.lin_person, by=getattr(cast, who), education="master")
