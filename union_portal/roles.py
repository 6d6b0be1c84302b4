"""Who is what for whom: roles granted and ended, never two that exclude each other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from union_portal import access, audit, sessions
from union_portal.access import Permission, Role
from union_portal.kit.refusals import Refused
from union_portal.models import Account, OrganizationLevel, RoleAssignment

if TYPE_CHECKING:
    from union_portal.models import Organization

# Roles that end within this time are shown to whoever grants them, and to their holders.
SOON: Final = timedelta(days=30)


class RolesClash(Refused):
    """One account can't hold both roles."""


class RoleTooLong(Refused):
    """A role is held for a time; whoever still needs it then is granted it again."""


class RoleMisplaced(Refused):
    """The role's rights know no union: it is held for the federation or not at all."""


@transaction.atomic
def grant(
    *,
    account: Account,
    role: Role,
    organization: Organization,
    by: Account | audit.Machine,
    valid_from: date,
    valid_to: date | None = None,
) -> RoleAssignment:
    """Give an account a role for an organization and everything below it.

    Nobody grants to themselves. Roles that exclude each other may follow one another in
    time but never overlap; the account's row is locked while they are compared. A person
    grants for `ROLE_DAYS` at most, and for so long if no end is told.
    Errors: PermissionDenied, RolesClash, RoleMisplaced, RoleTooLong.
    """
    granter = _require_granter(by, account, organization)
    if granter is not None:
        valid_to = _bounded(valid_from, valid_to)
    if access.is_of_federation(role) and organization.level != OrganizationLevel.FEDERATION:
        raise RoleMisplaced(
            gettext_noop("“%(role)s” acts for the whole federation, not for a part of it."),
            gettext_noop("Choose the federation, or another role."),
            {"role": role.label},
        )
    Account.objects.select_for_update().get(pk=account.pk)
    overlapping = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=valid_from), account=account
    )
    if valid_to is not None:
        overlapping = overlapping.filter(valid_from__lte=valid_to)
    pair = access.clash(
        {Role(held) for held in overlapping.values_list("role", flat=True)} | {role}
    )
    if pair is not None:
        one, other = sorted(pair)
        raise RolesClash(
            gettext_noop("One account can't be both %(one)s and %(other)s."),
            gettext_noop("End the one role first, or choose another account."),
            {"one": one.label, "other": other.label},
        )
    assignment, _created = RoleAssignment.objects.update_or_create(
        account=account,
        role=role,
        organization=organization,
        defaults={"valid_from": valid_from, "valid_to": valid_to, "granted_by": granter},
    )
    audit.record(
        "role.grant",
        assignment,
        by=by,
        account=account.pk,
        role=str(role),
        valid_from=str(valid_from),
        valid_to=str(valid_to or ""),
    )
    access.forget(account)
    return assignment


@transaction.atomic
def end(
    *, assignment: RoleAssignment, by: Account | audit.Machine, today: date, reason: str
) -> None:
    """End a role at once: yesterday was its last day. Errors: PermissionDenied."""
    _require_granter(by, assignment.account, assignment.organization)
    audit.record(
        "role.end",
        assignment,
        by=by,
        reason=reason,
        account=assignment.account_id,
        role=assignment.role,
    )
    yesterday = today - timedelta(days=1)
    if assignment.valid_from > yesterday:
        assignment.delete()
    elif assignment.valid_to is None or assignment.valid_to > yesterday:
        assignment.valid_to = yesterday
        assignment.save(update_fields=["valid_to"])
    access.forget(assignment.account)
    sessions.end_with(account=assignment.account, by=by)


def longest_end(valid_from: date) -> date | None:
    """The last day of the longest grant that begins then; None where roles need no end."""
    return valid_from + timedelta(days=settings.ROLE_DAYS) if settings.ROLE_DAYS else None


def ending(*, today: date, within: timedelta = SOON) -> QuerySet[RoleAssignment]:
    """Roles that are held today and end soon, the next ones first."""
    return RoleAssignment.objects.filter(
        valid_from__lte=today, valid_to__gte=today, valid_to__lte=today + within
    ).order_by("valid_to", "pk")


def held(*, today: date) -> QuerySet[RoleAssignment]:
    """Roles that count on a day."""
    return RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=today), valid_from__lte=today
    )


def _bounded(valid_from: date, valid_to: date | None) -> date | None:
    last = longest_end(valid_from)
    if last is None or valid_to is None:
        return valid_to or last
    if valid_to > last:
        raise RoleTooLong(
            gettext_noop("A role is granted for %(days)s days at most."),
            gettext_noop("Choose an earlier end; the role can be granted again then."),
            {"days": settings.ROLE_DAYS},
            at="valid_to",
        )
    return valid_to


def _require_granter(
    by: Account | audit.Machine, account: Account, organization: Organization
) -> Account | None:
    if isinstance(by, audit.Machine):
        return None
    access.require(by, Permission.ROLE_GRANT, organization)
    if by.pk == account.pk:
        raise PermissionDenied(_("Nobody changes their own roles."))
    return by
