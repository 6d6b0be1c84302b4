"""Merges that meet each other, a grant or an import on a second connection."""

import itertools

import pytest

from members import invariants
from members.actions import merges
from members.models import Membership, Person, PersonMerge
from tests.cast import NOW, TODAY, Cast, make_account, make_cast, make_person, make_tree
from tests.disbursement.conftest import make_office
from tests.disbursement.race import meanwhile, together
from tests.members.sheets import bring_in, members_csv
from tests.members.test_member_columns import member_rows
from tests.members.test_merges import member, paid
from union_portal.access import Role
from union_portal.kit.refusals import Refused
from union_portal.lifecycle import Stale
from union_portal.models import Account
from welfare.disbursement.models import Entitlement

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast() -> Cast:
    return make_cast(make_tree())


def proposed(cast: Cast, kept: Person, merged: Person) -> PersonMerge:
    return merges.propose(kept=kept, merged=merged, reason="one card", by=cast.officer)


def confirm(merge: PersonMerge, by: Account) -> None:
    held = PersonMerge.objects.get(pk=merge.pk)
    merges.confirm(merge=held, by=Account.objects.get(pk=by.pk), now=NOW, today=TODAY)


def test_two_who_judge_one_merge_in_the_same_second_judge_it_once(cast: Cast):
    second = make_account("shi2", role=Role.COUNTY_CHECKER, at=cast.tree.county)
    kept, merged = make_person(cast.tree.union), make_person(cast.tree.union)
    member(merged)
    made = proposed(cast, kept, merged)
    runners = together(
        lambda: confirm(made, cast.shi),
        lambda: merges.refuse(
            merge=PersonMerge.objects.get(pk=made.pk),
            by=Account.objects.get(pk=second.pk),
            reason="two people",
            now=NOW,
        ),
    )
    errors = [runner.error for runner in runners]
    assert sum(error is None for error in errors) == 1
    assert all(error is None or isinstance(error, Stale) for error in errors)
    made.refresh_from_db()
    merged.refresh_from_db()
    assert (made.state == "confirmed") == (merged.merged_into_id == kept.pk)
    assert Membership.objects.filter(person=kept).exists() == (made.state == "confirmed")


def test_two_merges_that_would_make_a_ring_make_none(cast: Cast):
    one, other = make_person(cast.tree.union), make_person(cast.tree.union)
    there, back = proposed(cast, one, other), proposed(cast, other, one)
    runners = together(lambda: confirm(there, cast.shi), lambda: confirm(back, cast.shi))
    errors = [runner.error for runner in runners]
    assert sum(error is None for error in errors) == 1
    assert [type(error) for error in errors if error] == [merges.PeopleRefused]
    assert Person.objects.filter(merged_into__isnull=False).count() == 1


@pytest.mark.parametrize("first", ["grant", "merge"])
def test_a_grant_and_a_merge_in_one_second_never_grant_twice(cast: Cast, first: str):
    office = make_office(cast)
    kept, merged = make_person(cast.tree.union), make_person(cast.tree.union)
    paid(office, merged)
    made = proposed(cast, kept, merged)
    acts = [lambda: office.owe_one(kept), lambda: confirm(made, cast.shi)]
    runner = meanwhile(*(acts if first == "grant" else acts[::-1]))
    merged.refresh_from_db()
    # Whoever comes second waited, then saw what the first had done.
    assert isinstance(runner.error, Refused)
    granted = Entitlement.objects.filter(person=kept).count()
    was_granted = first == "grant"
    assert (granted, merged.merged_into_id) == (was_granted, None if was_granted else kept.pk)


def test_an_import_and_a_merge_leave_nobody_between_two_unions(cast: Cast):
    rows = member_rows(cast.tree.union, 2)
    bring_in(members_csv(rows), by=cast.officer, organization=cast.tree.city)
    kept, merged = Person.objects.filter(memberships__isnull=False).order_by("pk")
    made = proposed(cast, kept, merged)
    for row in rows:
        row["工会名称"] = cast.tree.sibling_union.name
    content = members_csv(rows)
    runners = together(
        lambda: confirm(made, cast.shi),
        lambda: bring_in(
            content, by=Account.objects.get(pk=cast.officer.pk), organization=cast.tree.city,
            without_conflicts=True,
        ),
    )  # fmt: skip
    for runner in runners:
        assert runner.error is None or isinstance(runner.error, (Refused, AssertionError))
    assert invariants.members_of_other_unions() == invariants.merged_at_work() == []


def test_two_files_that_move_one_member_in_the_same_second_move_them_one_after_the_other(
    cast: Cast,
):
    [row] = member_rows(cast.tree.union, 1)
    bring_in(members_csv([row]), by=cast.officer, organization=cast.tree.city)
    targets = [cast.tree.sibling_union, cast.tree.other_union]
    files = [members_csv([{**row, "工会名称": union.name}]) for union in targets]

    def moved(content: bytes):
        by = Account.objects.get(pk=cast.officer.pk)
        return lambda: bring_in(content, by=by, organization=cast.tree.city)

    together(*map(moved, files))
    person = Person.objects.get(name=row["姓名"])
    live = Membership.objects.filter(person=person, ended_on__isnull=True)
    assert live.get().organization == person.organization
    assert person.organization in targets
    chain = list(Membership.objects.filter(person=person).order_by("id"))
    assert all(one.ended_on == next_.joined_on for one, next_ in itertools.pairwise(chain))
    assert invariants.members_of_other_unions() == []
