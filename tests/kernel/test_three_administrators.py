"""三员分立: who makes accounts, who grants roles and who watches are three, and nothing else."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from tests.cast import TODAY, Cast, give_role
from tests.kernel.attacks import refused_by
from tests.web.awards_play import browser
from union_portal import access, accounts, audit, factors, roles, sessions
from union_portal.access import GRANTS, Permission, Role
from union_portal.models import Account

pytestmark = pytest.mark.django_db
P = Permission
THREE = (Role.ACCOUNT_ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR)
# Looking at the staff site, at jobs and at the log is no act.
LOOKING = {P.STAFF_SITE, P.JOB_VIEW, P.AUDIT_VIEW}
INSERT = (
    "INSERT INTO union_portal_roleassignment (account_id, role, organization_id, valid_from)"
    " VALUES (%s, %s, %s, '2026-01-01')"
)


@pytest.mark.parametrize(("one", "other"), list(permutations(THREE, 2)))
def test_nobody_holds_two_of_the_three_not_even_by_raw_sql(cast: Cast, one: Role, other: Role):
    held = give_role(cast.wei, one, cast.tree.city)
    with pytest.raises(roles.RolesClash):
        roles.grant(
            account=cast.wei, role=other, organization=cast.tree.city, by=audit.WORKER,
            valid_from=TODAY,
        )  # fmt: skip
    refused_by("role_incompatible", INSERT, [cast.wei.pk, str(other), cast.tree.city.pk])
    held.valid_to = TODAY
    held.save(update_fields=["valid_to"])
    later = give_role(cast.wei, other, cast.tree.city, valid_from=TODAY + timedelta(days=1))
    refused_by(
        "role_incompatible",
        "UPDATE union_portal_roleassignment SET valid_from = '2020-01-01' WHERE id = %s",
        [later.pk],
    )


@pytest.mark.parametrize("role", THREE)
def test_none_of_the_three_holds_anything_beside_watching_or_administering(role: Role):
    """No case, no money, no person's data is theirs to change."""
    others = [one for one in Role if one not in THREE]
    assert all(frozenset({role, one}) in access.INCOMPATIBLE for one in others)
    acts = GRANTS[role] - LOOKING
    changing = {
        permission
        for one in others
        for permission in GRANTS[one]
        if permission not in LOOKING and not permission.endswith("_view")
    }
    assert acts & changing <= {P.REPORT_DISBURSEMENT}


def test_no_act_belongs_to_two_of_the_three():
    for one, other in permutations(THREE, 2):
        assert (GRANTS[one] & GRANTS[other]) - LOOKING == set()


def account_acts(cast: Cast, by: Account) -> dict[str, Any]:
    return {
        "create": lambda: accounts.create(username="mine", name="Mine", by=by),
        "rename": lambda: accounts.rename(account=cast.wei, name="W", by=by),
        "password": lambda: accounts.set_password(
            account=cast.wei, password="seventeen grey camels", by=by
        ),
        "close": lambda: accounts.lock(account=cast.wei, by=by, reason="so"),
        "open": lambda: accounts.unlock(account=cast.wei, by=by, reason="so"),
        "sessions": lambda: sessions.end_all(account=cast.wei, by=by, reason="so"),
        "factor": lambda: factors.ask_reset(account=cast.shi, by=by, reason="so"),
    }


def role_acts(cast: Cast, by: Account) -> dict[str, Any]:
    given = {"role": Role.COUNTY_CHECKER, "organization": cast.tree.county, "valid_from": TODAY}
    return {
        "grant": lambda: roles.grant(account=cast.wei, by=by, **given),
        "grant to oneself": lambda: roles.grant(account=by, by=by, **given),
        "end": lambda: roles.end(
            assignment=cast.shi.roles.get(), by=by, today=timezone.localdate(), reason="so"
        ),
    }


@pytest.mark.parametrize("who", ["security_admin", "gao", "decider", "feng", "wei", "root"])
def test_nobody_but_the_account_administrator_touches_accounts(cast: Cast, who: str):
    by = _who(cast, who)
    for act in account_acts(cast, by).values():
        with pytest.raises(PermissionDenied):
            act()


@pytest.mark.parametrize("who", ["account_admin", "gao", "decider", "feng", "wei", "root"])
def test_nobody_but_the_security_administrator_touches_roles(cast: Cast, who: str):
    by = _who(cast, who)
    for act in role_acts(cast, by).values():
        with pytest.raises(PermissionDenied):
            act()


def _who(cast: Cast, who: str) -> Account:
    if who == "root":
        return Account.objects.create_superuser("root", "x" * 20, name="Root")
    account: Account = getattr(cast, who)
    return account


def test_none_of_the_three_acts_upon_their_own_account(cast: Cast):
    admin = cast.account_admin
    with pytest.raises(PermissionDenied):
        accounts.lock(account=admin, by=admin, reason="so")
    with pytest.raises(PermissionDenied):
        factors.ask_reset(account=admin, by=admin, reason="so")
    with pytest.raises(PermissionDenied):
        role_acts(cast, cast.security_admin)["grant to oneself"]()


def test_on_the_pages_each_sees_the_buttons_of_their_own_duty(cast: Cast):
    from django.contrib import admin as site

    page = site.site._registry[Account]
    seen = {}
    for who in ("account_admin", "security_admin", "gao"):
        client = browser(getattr(cast, who))
        opened = {
            button.permission
            for button in page.buttons  # type: ignore[attr-defined]
            if client.get(reverse(page.url_name("do"), args=[cast.wei.pk, button.name])).status_code  # type: ignore[attr-defined]
            == 200
        }
        seen[who] = opened
    assert seen == {
        "account_admin": {P.ACCOUNT_MANAGE},
        "security_admin": {P.ROLE_GRANT},
        "gao": set(),
    }


def test_a_superuser_opens_nothing_of_the_staff_site(cast: Cast):
    client = browser(_who(cast, "root"))
    for page in ("admin:index", "admin:union_portal_account_changelist"):
        assert client.get(reverse(page)).status_code in (302, 403)
