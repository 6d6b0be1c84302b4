"""接转: both unions act, the member sees it; on one day, without a gap, without a double."""

import pytest
from django.core.exceptions import PermissionDenied

from members.actions import memberships, transfers
from members.actions.refusals import PeopleRefused
from members.models import Membership, MembershipTransfer, Person
from members.states import LIVE_MEMBERSHIPS, MembershipState, TransferState
from tests.cast import NOW, TODAY, Cast, make_person
from tests.members.joining import clerk, member
from union_portal import lifecycle, notifications
from union_portal.kit.refusals import Refused
from union_portal.models import Account, Message

pytestmark = pytest.mark.django_db


class Move:
    """Lin on the way to the sibling union."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.target = cast.tree.sibling_union
        self.jia = clerk(self.target)
        self.membership = member(cast)

    def ask(self, by: Account | None = None, **more) -> MembershipTransfer:
        values = {"target": self.target, "employer": "红石峡水务", "reason": "new work", **more}
        return transfers.request(membership=self.membership, by=by or self.cast.lin, **values)

    def released(self) -> MembershipTransfer:
        asked = self.ask()
        transfers.release(transfer=asked, by=self.cast.qiao, now=NOW)
        return asked

    def accept(self, transfer: MembershipTransfer, by: Account | None = None) -> Membership:
        return transfers.accept(transfer=transfer, by=by or self.jia, today=TODAY, now=NOW)


@pytest.fixture
def move(cast: Cast) -> Move:
    return Move(cast)


def test_both_unions_act_and_everything_follows_on_one_day(move: Move):
    transfer = move.released()
    made = move.accept(transfer)
    move.membership.refresh_from_db()
    assert (move.membership.state, move.membership.ended_on) == (
        MembershipState.TRANSFERRED,
        TODAY,
    )
    assert (made.previous, made.joined_on, made.organization) == (
        move.membership,
        TODAY,
        move.target,
    )
    assert made.first_joined_on == move.membership.first_joined_on
    person = Person.objects.get(pk=made.person_id)
    assert (person.organization, person.employer) == (move.target, "红石峡水务")
    assert (transfer.state, transfer.made) == (TransferState.ACCEPTED, made)
    assert [(c.old_state, c.new_state) for c in move.membership.changes.order_by("id")] == [
        ("", "active"),
        ("active", "transferred"),
    ]
    assert Membership.objects.filter(person=person, state__in=LIVE_MEMBERSHIPS).count() == 1


def test_the_member_is_told_of_each_step(move: Move):
    move.accept(move.released())
    told = Message.objects.filter(recipient=move.membership.person_id, channel="portal")
    assert [message.template for message in told.order_by("id")] == [
        "transfer_requested",
        "transfer_released",
        "transfer_accepted",
    ]
    assert all(move.target.name in notifications.text_of(message) for message in told)
    assert Message.objects.filter(channel="sms").count() == 3


@pytest.mark.parametrize("was", [MembershipState.RETIRED, MembershipState.RETAINED])
def test_the_retired_stay_retired_and_the_retained_become_active(move: Move, was):
    memberships.change(
        membership=move.membership, to=was, on=TODAY, reason="r e", by=move.cast.qiao, today=TODAY
    )
    made = move.accept(move.released())
    assert made.state == (was if was == MembershipState.RETIRED else MembershipState.ACTIVE)


def test_the_clerk_of_the_new_union_asks_by_name_and_number(move: Move):
    person = move.cast.lin_person
    values = {"target": move.target, "employer": "", "reason": "new work", "by": move.jia}
    asked = transfers.request_by_number(
        name=person.name, national_id=f" {person.national_id.lower()}", **values
    )
    assert asked.membership == move.membership
    told = set()
    for name, number in (
        ("王另名", str(person.national_id)),
        (person.name, str(make_person(move.target).national_id)),
        ("1", "nothing"),
    ):
        with pytest.raises(PeopleRefused) as refusal:
            transfers.request_by_number(name=name, national_id=number, **values)
        told.add(str(refusal.value))
    assert len(told) == 1


@pytest.mark.parametrize("who", ["wei", "shi", "officer", "qiao"])
def test_nobody_else_asks(move: Move, who: str):
    with pytest.raises(PermissionDenied):
        move.ask(by=getattr(move.cast, who))


def test_the_same_union_the_federation_and_a_second_transfer_are_refused(move: Move):
    for target, told in (
        (move.cast.tree.union, "in this union already"),
        (move.cast.tree.city, "takes no members"),
    ):
        with pytest.raises(PeopleRefused, match=told):
            move.ask(target=target)
    move.ask()
    with pytest.raises(PeopleRefused, match="on its way already"):
        move.ask()


@pytest.mark.parametrize("who", ["jia", "lin", "shi", "wei", "officer"])
def test_the_old_union_alone_releases(move: Move, who: str):
    asked = move.ask()
    by = move.jia if who == "jia" else getattr(move.cast, who)
    with pytest.raises(PermissionDenied):
        transfers.release(transfer=asked, by=by, now=NOW)


@pytest.mark.parametrize("who", ["qiao", "lin", "shi", "wei", "officer"])
def test_the_new_union_alone_accepts(move: Move, who: str):
    with pytest.raises(PermissionDenied):
        move.accept(move.released(), by=getattr(move.cast, who))


def test_nobody_accepts_whom_the_old_union_has_not_released(move: Move):
    asked = move.ask()
    with pytest.raises(lifecycle.Stale):
        move.accept(asked)
    move.membership.refresh_from_db()
    assert move.membership.state == MembershipState.ACTIVE
    assert Membership.objects.count() == 1


@pytest.mark.parametrize("who", ["qiao", "jia"])
def test_either_union_refuses_with_a_reason_and_the_member_stays(move: Move, who: str):
    asked = move.ask()
    by = move.jia if who == "jia" else move.cast.qiao
    with pytest.raises(Refused, match="reason is missing"):
        transfers.refuse(transfer=asked, reason="", by=by, now=NOW)
    transfers.refuse(transfer=asked, reason="not employed there", by=by, now=NOW)
    assert (asked.state, asked.answer) == (TransferState.REFUSED, "not employed there")
    move.membership.refresh_from_db()
    assert move.membership.state == MembershipState.ACTIVE
    move.ask()


def test_whoever_has_released_refuses_no_more(move: Move):
    with pytest.raises(PermissionDenied):
        transfers.refuse(transfer=move.released(), reason="after all", by=move.cast.qiao, now=NOW)


def test_the_member_takes_back_whoever_asked(move: Move):
    asked = move.ask(by=move.jia)
    transfers.take_back(transfer=asked, by=move.cast.lin)
    assert asked.state == TransferState.TAKEN_BACK


def test_a_clerk_takes_back_what_the_clerks_asked_and_not_what_the_member_did(move: Move):
    own = move.ask()
    with pytest.raises(PermissionDenied):
        transfers.take_back(transfer=own, by=move.jia)
    transfers.take_back(transfer=own, by=move.cast.lin)
    transfers.take_back(transfer=move.ask(by=move.jia), by=move.jia)
    assert not MembershipTransfer.objects.filter(state="requested").exists()


def test_a_transfer_that_was_accepted_is_not_taken_back(move: Move):
    transfer = move.released()
    move.accept(transfer)
    with pytest.raises(lifecycle.Stale):
        transfers.take_back(transfer=transfer, by=move.cast.lin)


def test_an_empty_employer_leaves_the_one_that_is_known(move: Move):
    Person.objects.filter(pk=move.membership.person_id).update(employer="驼城运输")
    asked = move.ask(employer="")
    transfers.release(transfer=asked, by=move.cast.qiao, now=NOW)
    move.accept(asked)
    assert Person.objects.get(pk=move.membership.person_id).employer == "驼城运输"
