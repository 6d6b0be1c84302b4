"""Accounts and their roles: one administrator makes accounts, another grants roles."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from union_portal import access, audit
from union_portal.access import Permission, Role
from union_portal.kit.refusals import Refused
from union_portal.models import Account, RoleAssignment

if TYPE_CHECKING:
    from union_portal.models import Organization

# No letters or digits that are mistaken for one another when read aloud.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 4


class AccountRefused(Refused):
    """The account or role can't be made so."""


@transaction.atomic
def create(*, username: str, name: str, by: Account) -> tuple[Account, str]:
    """Make a staff account without a role; return it with its first password, shown once.

    Errors: AccountRefused when the log-in name is taken or unusable.
    """
    access.require(by, Permission.ACCOUNT_MANAGE)
    password = first_password()
    account = Account(username=username.strip().lower(), name=name.strip(), is_staff=True)
    account.set_password(password)
    try:
        account.full_clean()
    except ValidationError as error:
        raise AccountRefused(
            gettext_noop("The log-in name is taken or can't be used."),
            gettext_noop("Choose another: letters, digits, at most 60 characters."),
        ) from error
    account.save()
    audit.record("account.create", account, by=by)
    return account, password


@transaction.atomic
def reset_password(*, account: Account, by: Account, reason: str) -> str:
    """Give the account a new first password, shown once; its second factor stays."""
    access.require(by, Permission.ACCOUNT_MANAGE)
    _require_other(account, by)
    password = first_password()
    account.set_password(password)
    account.save(update_fields=["password"])
    audit.record("account.reset_password", account, by=by, reason=reason)
    return password


@transaction.atomic
def set_active(*, account: Account, is_active: bool, by: Account, reason: str) -> None:
    """Close an account, or open it again. Its roles stay as they are."""
    access.require(by, Permission.ACCOUNT_MANAGE)
    _require_other(account, by)
    account.is_active = is_active
    account.save(update_fields=["is_active"])
    action = "account.open" if is_active else "account.close"
    audit.record(action, account, by=by, reason=reason)


@transaction.atomic
def grant(
    *,
    account: Account,
    role: Role,
    organization: Organization,
    valid_from: date,
    by: Account,
    valid_to: date | None = None,
) -> RoleAssignment:
    """Give a role for an organization and a time.

    Errors: AccountRefused for oneself, for an incompatible pair of duties (all roles that
    have not ended count, wherever they are held), for a role held already.
    """
    access.require(by, Permission.ROLE_GRANT, organization)
    Account.objects.select_for_update().get(pk=account.pk)
    _require_other(account, by)
    standing = RoleAssignment.objects.filter(account=account).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=valid_from)
    )
    held = {Role(value) for value in standing.values_list("role", flat=True)}
    pair = access.clash(held | {role})
    if pair is not None:
        one, other = sorted(pair, key=lambda member: member != role)
        raise AccountRefused(
            gettext_noop("“%(one)s” and “%(other)s” are not held by one person."),
            gettext_noop("End the other role first, or give this one to somebody else."),
            {"one": Role(one).label, "other": Role(other).label},
        )
    if standing.filter(role=role, organization=organization).exists():
        raise AccountRefused(
            gettext_noop("The account holds this role for this union already."),
            gettext_noop("End the one it holds first."),
        )
    RoleAssignment.objects.filter(account=account, role=role, organization=organization).delete()
    granted = RoleAssignment.objects.create(
        account=account,
        role=role,
        organization=organization,
        valid_from=valid_from,
        valid_to=valid_to,
        granted_by=by,
    )
    audit.record("role.grant", account, by=by, organization=organization, role=str(role))
    return granted


@transaction.atomic
def end_role(*, assignment: RoleAssignment, by: Account, today: date, reason: str) -> None:
    """Let a role end with yesterday; one that has not begun is taken back."""
    access.require(by, Permission.ROLE_GRANT, assignment.organization)
    audit.record(
        "role.end",
        assignment.account,
        by=by,
        organization=assignment.organization,
        reason=reason,
        role=assignment.role,
    )
    eve = today - timedelta(days=1)
    if assignment.valid_from > eve:
        assignment.delete()
        return
    assignment.valid_to = eve
    assignment.save(update_fields=["valid_to"])


def first_password() -> str:
    """A password to read out once, such as `kd3p-9fwa-…`."""
    groups = ("".join(secrets.choice(_ALPHABET) for _n in range(4)) for _m in range(_GROUPS))
    return "-".join(groups)


def _require_other(account: Account, by: Account) -> None:
    if account.pk == by.pk:
        raise AccountRefused(
            gettext_noop("Nobody administers their own account."),
            gettext_noop("Ask a colleague who may."),
        )
