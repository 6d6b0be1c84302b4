"""A copy of one's own data: asked for by the person, made by a worker, fetched by them alone.

Source: Personal Information Protection Law, art. 45.
"""

from datetime import date, timedelta
from typing import Final

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.models import Person
from members.queries.privacy import COPY_DAYS, COPY_KINDS, copies_of
from union_portal import files, turns
from union_portal.models import Account, ReportRun, StoredFile
from union_portal.states import ReportState

PURPOSE: Final = "my_data"


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """The person who asked for it and nobody else, while it is kept."""
    if timezone.localdate() > last_day(file):
        return False
    run = ReportRun.objects.filter(file=file, requested_by=account, kind__in=COPY_KINDS).first()
    return (
        run is not None
        and run.subject_type == Person._meta.label_lower
        and Person.objects.filter(account=account, pk=run.subject_id).exists()
    )


files.purpose(
    PURPOSE,
    label=gettext_lazy("copy of one’s own data"),
    may=_may_fetch,
    is_issued=True,
    is_sensitive=True,
)


def last_day(file: StoredFile) -> date:
    """The last day on which a copy can be fetched."""
    return timezone.localdate(file.created_at) + timedelta(days=COPY_DAYS)


def being_made(*, person: Person, kind: str, by: Account) -> ReportRun | None:
    """The copy of this kind that is being made now; to be asked in the transaction that asks.

    Errors: PermissionDenied for anybody but the person.
    """
    if person.account_id != by.pk or kind not in COPY_KINDS:
        raise PermissionDenied(_("People ask for a copy of their own data."))
    turns.take(f"copy:{kind}:{person.pk}")
    return copies_of(person, by).filter(kind=kind, state=ReportState.REQUESTED).first()
