"""Rights come from roles, reach downwards, end on their day, and some exclude each other."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from members.models import Person
from tests.cast import give_role, make_account, make_cast, make_tree
from tests.kernel.attacks import refused_by
from tests.kernel.races import at_once, waits_for_lock
from union_portal import access, audit, roles
from union_portal.access import Permission, Role
from union_portal.models import Account, AuditEntry, RoleAssignment

pytestmark = pytest.mark.django_db
P = Permission
DAY = timedelta(days=1)


def test_a_role_reaches_its_organization_and_everything_below(cast):
    tree = cast.tree
    assert access.may(cast.shi, P.SUBSIDY_REVIEW, tree.county)
    assert access.may(cast.shi, P.SUBSIDY_REVIEW, tree.union)
    assert not access.may(cast.shi, P.SUBSIDY_REVIEW, tree.city)
    assert not access.may(cast.shi, P.SUBSIDY_REVIEW, tree.other_county)
    assert not access.may(cast.qiao, P.PERSON_EDIT, tree.sibling_union)
    assert access.may(cast.shi, P.SUBSIDY_REVIEW)
    assert not access.may(cast.shi, P.BATCH_RELEASE)


def test_nobody_without_a_role_may_anything_not_even_a_superuser(cast):
    root = Account.objects.create_superuser("root", "x" * 20, name="Root")
    for account in (cast.wei, cast.lin, root):
        assert not any(access.may(account, permission) for permission in P)
        assert not account.has_perm("portal.person_view")
        with pytest.raises(PermissionDenied):
            access.require(account, P.PERSON_VIEW)


def test_a_locked_account_may_nothing(cast):
    cast.shi.is_active = False
    assert not access.may(cast.shi, P.SUBSIDY_REVIEW, cast.tree.county)


def test_a_role_counts_from_its_first_to_its_last_day(cast):
    today = timezone.localdate()
    at = cast.tree.county
    for name, start, end, counts in [
        ("past", today - 9 * DAY, today - DAY, False),
        ("ends today", today - 9 * DAY, today, True),
        ("starts today", today, None, True),
        ("future", today + DAY, None, False),
    ]:
        account = make_account(name)
        give_role(account, Role.COUNTY_CHECKER, at, valid_from=start, valid_to=end)
        assert access.may(account, P.SUBSIDY_REVIEW, at) is counts, name
        assert bool(access.scope(account, P.PERSON_VIEW, "path").children[1:]) is counts, name


def test_what_one_may_is_answered_for_the_day_that_is_asked_about(cast):
    today = timezone.localdate()
    account = make_account("brief")
    give_role(account, Role.COUNTY_CHECKER, cast.tree.county, valid_from=today, valid_to=today)
    days = (today - DAY, today, today + DAY, today)
    held = [access.reach(account, P.SUBSIDY_REVIEW, on=day) for day in days]
    path = cast.tree.county.path
    assert held == [[], [path], [], [path]]
    held[1].clear()
    assert access.reach(account, P.SUBSIDY_REVIEW) == [path], "an answer belongs to who asked"


def test_lists_show_what_lies_in_reach_and_nothing_by_default(cast):
    def seen(account):
        return Person.objects.filter(access.scope(account, P.PERSON_VIEW)).count()

    assert [seen(a) for a in (cast.qiao, cast.shi, cast.gao)] == [1, 1, 1]
    assert [seen(a) for a in (cast.wei, cast.lin, cast.account_admin)] == [0, 0, 0]
    elsewhere = make_account("else", role=Role.COUNTY_CHECKER, at=cast.tree.other_county)
    assert seen(elsewhere) == 0


@pytest.mark.parametrize(
    "question", ["portal.nonsense", "auth.add_user", "portal", "", "portal.batch_release"]
)
def test_django_asks_about_rights_and_anything_unknown_is_no(cast, question):
    assert cast.qiao.has_perm(question) is False
    assert cast.feng_releaser.has_perm("portal.batch_release")


def test_second_factor_is_asked_of_whoever_moves_money_or_unmasks(cast):
    asked = {name for name, who in cast.staff.items() if access.needs_second_factor(who)}
    assert {"feng", "feng_checker", "feng_releaser", "shi", "decider", "reviewer", "gao"} <= asked
    # What docs/safeguards.md says of staff: these two alone log in by password.
    assert set(cast.staff) - asked == {"qiao", "rules_clerk"}


# -- granting ----------------------------------------------------------------------------


def grant(cast, account, role, **more):
    given = {
        "organization": cast.tree.city,
        "by": cast.security_admin,
        "valid_from": date(2026, 1, 1),
    }
    return roles.grant(account=account, role=role, **(given | more))


@pytest.mark.parametrize("pair", sorted(map(sorted, access.INCOMPATIBLE)), ids="+".join)
def test_no_account_holds_both_of(cast, pair):
    one, other = pair
    grant(cast, cast.wei, one)
    elsewhere = cast.tree.city if access.is_of_federation(other) else cast.tree.county
    with pytest.raises(roles.RolesClash, match="can't be both"):
        grant(cast, cast.wei, other, organization=elsewhere)
    refused_by(
        "role_incompatible",
        "INSERT INTO union_portal_roleassignment (account_id, role, organization_id, valid_from)"
        " VALUES (%s, %s, %s, '2026-01-01')",
        [cast.wei.pk, str(other), cast.tree.union.pk],
    )


def test_roles_that_exclude_each_other_may_follow_one_another(cast):
    grant(cast, cast.wei, Role.FINANCE_MAKER, valid_to=date(2026, 6, 30))
    with pytest.raises(roles.RolesClash):
        grant(cast, cast.wei, Role.FINANCE_CHECKER, valid_from=date(2026, 6, 30))
    grant(cast, cast.wei, Role.FINANCE_CHECKER, valid_from=date(2026, 7, 1))
    with pytest.raises(roles.RolesClash):
        grant(cast, cast.wei, Role.FINANCE_MAKER)


def test_only_the_security_administrator_grants_and_never_to_themselves(cast):
    for by in (cast.account_admin, cast.decider, cast.wei):
        with pytest.raises(PermissionDenied):
            grant(cast, cast.wei, Role.AUDITOR, by=by)
    with pytest.raises(PermissionDenied, match="their own"):
        grant(cast, cast.security_admin, Role.CITY_DECIDER)


def test_a_role_ends_at_once_and_may_be_granted_again(cast):
    today = timezone.localdate()
    assignment = cast.shi.roles.get()
    roles.end(assignment=assignment, by=cast.security_admin, today=today, reason="left")
    assert not access.may(Account.objects.get(pk=cast.shi.pk), P.SUBSIDY_REVIEW)
    grant(cast, cast.shi, Role.COUNTY_CHECKER, organization=cast.tree.county, valid_from=today)
    assert access.may(Account.objects.get(pk=cast.shi.pk), P.SUBSIDY_REVIEW, cast.tree.county)
    assert cast.shi.roles.count() == 1
    roles.end(assignment=cast.shi.roles.get(), by=cast.security_admin, today=today, reason="no")
    assert not cast.shi.roles.exists()
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["role.end", "role.grant", "role.end"]


@pytest.mark.django_db(transaction=True)
def test_of_two_grants_at_once_that_exclude_each_other_one_is_refused():
    cast = make_cast(make_tree())

    def second():
        return grant(cast, cast.wei, Role.FINANCE_CHECKER, by=audit.WORKER)

    with at_once(second) as other, transaction.atomic():
        grant(cast, cast.wei, Role.FINANCE_MAKER)
        other.start()
        waits_for_lock(other)
    assert isinstance(other.error, roles.RolesClash)
    assert RoleAssignment.objects.filter(account=cast.wei).count() == 1
