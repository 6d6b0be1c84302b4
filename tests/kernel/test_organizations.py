"""The tree of unions keeps its own paths; accounts are tended by their administrator."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from tests.kernel.attacks import refused_by
from union_portal import accounts, audit, organizations
from union_portal.kit.refusals import Refused
from union_portal.models import Account, AuditEntry, Organization, OrganizationLevel

pytestmark = pytest.mark.django_db


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_everybody_in_the_cast_has_the_place_the_name_promises(cast):
    tree = cast.tree
    assert len(tree.counties) == 12
    assert tree.city.contains(tree.other_union)
    assert tree.county.contains(tree.union)
    assert not tree.other_county.contains(tree.union)
    assert cast.lin_person.organization == tree.union
    assert "wei" not in cast.staff


def test_a_path_follows_from_the_parent(tree):
    assert tree.city.path == f"{tree.city.pk}/"
    assert tree.union.path == f"{tree.city.pk}/{tree.county.pk}/{tree.union.pk}/"
    sql("UPDATE union_portal_organization SET path = 'x/' WHERE id = %s", tree.county.pk)
    tree.county.refresh_from_db()
    assert tree.county.path == f"{tree.city.pk}/{tree.county.pk}/"


def test_within_is_the_union_and_everything_below_it(tree):
    inside = Organization.objects.within(tree.county)
    assert {union.pk for union in inside} == {
        tree.county.pk,
        tree.union.pk,
        tree.sibling_union.pk,
    }


def test_a_union_moves_with_everything_below_it(cast):
    tree = cast.tree
    below = organizations.create(
        parent=tree.union, name="车队工会", level=OrganizationLevel.GRASSROOTS, by=audit.WORKER
    )
    organizations.move(
        organization=tree.union,
        parent=tree.other_county,
        by=cast.account_admin,
        reason="Merged",
    )
    below.refresh_from_db()
    assert below.path == f"{tree.city.pk}/{tree.other_county.pk}/{tree.union.pk}/{below.pk}/"
    entry = AuditEntry.objects.get(action="organization.move")
    assert entry.detail["new"] == tree.union.path


def test_a_union_never_comes_below_itself(cast):
    tree = cast.tree
    with pytest.raises(Refused, match="below itself"):
        organizations.move(
            organization=tree.county, parent=tree.union, by=cast.account_admin, reason="x"
        )
    refused_by(
        "organization_path",
        "UPDATE union_portal_organization SET parent_id = %s WHERE id = %s",
        [tree.union.pk, tree.county.pk],
    )


def test_there_is_one_federation_and_it_stands_alone(tree):
    insert = (
        "INSERT INTO union_portal_organization (name, short_name, level, parent_id, path,"
        " division_code, phone, address, is_active) VALUES ('x', '', %s, %s, '', '', '', '', true)"
    )
    refused_by("organization_one_federation", insert, ["federation", None])
    refused_by("organization_only_federation_is_root", insert, ["county", None])


def test_a_name_is_taken_once_below_one_parent(cast):
    tree = cast.tree
    with pytest.raises(Refused, match="already"):
        organizations.create(
            parent=tree.county,
            name=tree.union.name,
            level=OrganizationLevel.GRASSROOTS,
            by=cast.account_admin,
        )
    with pytest.raises(PermissionDenied):
        organizations.describe(organization=tree.union, by=cast.qiao, phone="1")
    with pytest.raises(TypeError):
        organizations.describe(organization=tree.union, by=cast.account_admin, path="1/")
    organizations.describe(organization=tree.union, by=cast.account_admin, phone="0912-1")
    organizations.close(organization=tree.union, by=cast.account_admin, reason="Dissolved")
    assert not Organization.objects.get(pk=tree.union.pk).is_active


# -- accounts ----------------------------------------------------------------------------


def test_a_new_account_may_nothing_and_has_a_name_of_its_own(cast):
    made = accounts.create(
        username="new",
        name="New",
        by=cast.account_admin,
        password="a-long-unusual-phrase",
    )
    assert made.check_password("a-long-unusual-phrase")
    assert not made.roles.exists()
    with pytest.raises(Refused, match="taken"):
        accounts.create(username="new", name="Again", by=cast.account_admin)
    with pytest.raises(ValidationError):
        accounts.create(username="weak", name="Weak", by=cast.account_admin, password="12345678")
    with pytest.raises(PermissionDenied):
        accounts.create(username="other", name="x", by=cast.security_admin)


def test_a_locked_account_is_shut_out_and_let_in_again(cast):
    accounts.lock(account=cast.qiao, by=cast.account_admin, reason="lost phone")
    assert not Account.objects.get(pk=cast.qiao.pk).is_active
    accounts.unlock(account=cast.qiao, by=cast.account_admin, reason="found")
    assert Account.objects.get(pk=cast.qiao.pk).is_active
    with pytest.raises(PermissionDenied, match="own account"):
        accounts.lock(account=cast.account_admin, by=cast.account_admin, reason="x")
    accounts.rename(account=cast.qiao, name="Qiao Li", by=cast.account_admin)
    accounts.set_password(
        account=cast.qiao,
        password="another-unusual-phrase",
        by=cast.account_admin,
    )
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"account.lock", "account.unlock", "account.rename", "account.set_password"} <= actions
    assert "another" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
