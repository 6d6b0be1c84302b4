"""The tree of unions: founded, described, moved, closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit.refusals import Refused
from union_portal.models import Organization, OrganizationLevel

if TYPE_CHECKING:
    from union_portal.models import Account

    Actor = Account | audit.Machine

DESCRIPTIVE = frozenset(
    {
        "name",
        "short_name",
        "division_code",
        "uscc",
        "phone",
        "address",
        "witness_email",
        "founded_on",
    }
)


@transaction.atomic
def create(
    *, parent: Organization | None, name: str, level: str, by: Actor, **description: Any
) -> Organization:
    """Add a union below another; only the federation stands alone.

    Errors: PermissionDenied, Refused for a name or credit code that is taken.
    """
    _require(by, parent, description)
    made = Organization(parent=parent, name=name.strip(), level=level, **description)
    _save(made)
    audit.record("organization.create", made, by=by, organization=made, level=str(level))
    return made


@transaction.atomic
def describe(*, organization: Organization, by: Actor, **description: Any) -> None:
    """Correct what is known of a union. Errors as for `create`."""
    _require(by, organization, description)
    for name, value in description.items():
        setattr(organization, name, value)
    _save(organization)
    audit.record(
        "organization.describe",
        organization,
        by=by,
        organization=organization,
        columns=sorted(description),
    )


@transaction.atomic
def move(*, organization: Organization, parent: Organization, by: Actor, reason: str) -> None:
    """Put a union, with everything below it, under another one.

    The database rewrites the paths and refuses a union below itself.
    """
    _require(by, organization, {})
    _require(by, parent, {})
    if organization.level == OrganizationLevel.FEDERATION or organization.contains(parent):
        raise Refused(
            gettext_noop("A union can't be moved below itself."),
            gettext_noop("Choose a union outside its own branch."),
        )
    before = organization.path
    organization.parent = parent
    _save(organization)
    organization.refresh_from_db(fields=["path"])
    audit.record(
        "organization.move",
        organization,
        by=by,
        reason=reason,
        organization=organization,
        old=before,
        new=organization.path,
    )


@transaction.atomic
def close(*, organization: Organization, by: Actor, reason: str) -> None:
    """Note that a union no longer exists; its rows and its people stay where they are."""
    _require(by, organization, {})
    organization.is_active = False
    organization.save(update_fields=["is_active"])
    audit.record(
        "organization.close", organization, by=by, reason=reason, organization=organization
    )


def _require(by: Actor, organization: Organization | None, description: dict[str, Any]) -> None:
    unknown = sorted(set(description) - DESCRIPTIVE)
    if unknown:
        raise TypeError(f"not a description: {', '.join(unknown)}")
    if not isinstance(by, audit.Machine):
        access.require(by, Permission.ACCOUNT_MANAGE, organization)


def _save(organization: Organization) -> None:
    try:
        with transaction.atomic():
            organization.save()
    except IntegrityError as error:
        if "name" not in str(error) and "uscc" not in str(error):
            raise
        raise Refused(
            gettext_noop("There is a union of this name or credit code already."),
            gettext_noop("Look it up, or correct the name."),
        ) from error
