"""Lists of payments and entitlements that leave the portal: masked, and every export logged."""

from django.db import transaction
from django.db.models import Model, QuerySet

from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account


@transaction.atomic
def begin(*, rows: QuerySet, by: Account, path: str) -> QuerySet:
    """Log an export and return those of the rows that lie within the account's reach."""
    access.require(by, Permission.EXPORT)
    within = rows.filter(access.scope(by, Permission.EXPORT, path))
    model: type[Model] = rows.model
    audit.record_ref(
        f"{model._meta.model_name}.export",
        model._meta.label_lower,
        "set",
        by=by,
        masked=True,
        count=within.count(),
    )
    return within
