"""Two people in the same second, on two connections: one membership, without a gap."""

from collections.abc import Callable

import pytest
from django.db import transaction

from members.actions import joining, memberships, people
from members.models import JoinApplication, Membership, MembershipTransfer
from members.states import LIVE_MEMBERSHIPS, MembershipState
from tests.cast import NOW, TODAY, Cast, make_account
from tests.kernel.races import Other, at_once, waits_for_lock
from tests.members.joining import applicant, checked, clerk
from tests.members.test_transfers import Move
from union_portal import lifecycle
from union_portal.access import Role
from union_portal.kit.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)


def race(first: Callable[[], object], second: Callable[[], object]) -> Other:
    """The second begins before the first commits, and waits for it; how the second ended."""
    with at_once(second) as other, transaction.atomic():
        first()
        other.start()
        waits_for_lock(other)
    return other


def live() -> int:
    return Membership.objects.filter(state__in=LIVE_MEMBERSHIPS).count()


def accepting(move: Move, transfer: MembershipTransfer, by=None) -> Callable[[], object]:
    mine = MembershipTransfer.objects.select_related("membership", "source", "target").get(
        pk=transfer.pk
    )
    return lambda: move.accept(mine, by)


def withdrawing(move: Move) -> Callable[[], object]:
    mine = Membership.objects.get(pk=move.membership.pk)
    return lambda: memberships.change(
        membership=mine, to=MembershipState.WITHDRAWN, on=TODAY, reason="asked to leave",
        by=move.cast.qiao, today=TODAY,
    )  # fmt: skip


def test_two_acceptances_make_one_membership(cast: Cast):
    move = Move(cast)
    transfer = move.released()
    late = race(accepting(move, transfer), accepting(move, transfer, clerk(move.target, "yi")))
    assert isinstance(late.error, lifecycle.Stale)
    assert (live(), Membership.objects.count()) == (1, 2)


def test_an_acceptance_before_a_withdrawal_wins(cast: Cast):
    move = Move(cast)
    late = race(accepting(move, move.released()), withdrawing(move))
    assert isinstance(late.error, lifecycle.Stale)
    assert live() == 1


def test_a_withdrawal_before_an_acceptance_wins(cast: Cast):
    move = Move(cast)
    late = race(withdrawing(move), accepting(move, move.released()))
    assert isinstance(late.error, lifecycle.Stale)
    assert (live(), Membership.objects.count()) == (0, 1)


def test_a_death_and_an_acceptance_never_leave_a_dead_member(cast: Cast):
    move = Move(cast)
    transfer = move.released()

    def die() -> None:
        people.record_death(person=cast.lin_person, died_on=TODAY, by=cast.qiao, today=TODAY)

    late = race(die, accepting(move, transfer))
    assert isinstance(late.error, lifecycle.Stale)
    assert live() == 0


def test_two_approvals_of_one_application_make_one_member(cast: Cast):
    application = checked(cast)
    other = make_account("nie", role=Role.COUNTY_CHECKER, at=cast.tree.county)

    def approving(by) -> Callable[[], object]:
        mine = JoinApplication.objects.get(pk=application.pk)
        return lambda: joining.approve(application=mine, by=by, today=TODAY, now=NOW)

    late = race(approving(cast.shi), approving(other))
    assert isinstance(late.error, lifecycle.Stale)
    assert live() == 1


def test_two_applications_of_one_new_number_make_one_member(cast: Cast):
    new = applicant(cast).typed
    first, second = checked(cast, new), checked(cast, new)

    def approving(application: JoinApplication) -> Callable[[], object]:
        return lambda: joining.approve(application=application, by=cast.shi, today=TODAY, now=NOW)

    late = race(approving(first), approving(second))
    assert isinstance(late.error, Refused)
    assert live() == 1
