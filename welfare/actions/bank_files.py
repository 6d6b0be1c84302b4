"""Bank files by hand: fetched by finance once they count as sent, each time logged."""

from django.db import transaction
from django.utils.translation import gettext_noop

from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account
from welfare.disbursement import delivery
from welfare.disbursement.models import PayoutBatch
from welfare.disbursement.refusals import PayoutRefused
from welfare.disbursement.states import BatchState

SENT = (BatchState.DELIVERED, BatchState.RECONCILED, BatchState.CLOSED)


@transaction.atomic
def fetch(*, batch: PayoutBatch, by: Account, reason: str) -> tuple[str, bytes]:
    """Name and bytes of the file that was handed over; before that there is none to fetch.

    A file in hand could be uploaded by hand, so it counts as sent from the first: only a
    batch in the sent register gives its file out.
    """
    access.require(by, Permission.BATCH_SETTLE, batch.organization)
    if batch.state not in SENT:
        raise PayoutRefused(
            gettext_noop("The bank file has not been handed over yet."),
            gettext_noop("Wait until the worker has delivered it."),
        )
    file = batch.bank_file
    audit.record("bankfile.fetch", batch, by=by, reason=reason, sha256=file.sha256)
    return file.name, delivery.content_of(file)
