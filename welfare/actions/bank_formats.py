"""Bank formats as data: described and changed by finance, checked before they are kept."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from union_portal import access, audit
from union_portal.access import Permission
from union_portal.models import Account
from welfare.disbursement.bankfile import Format
from welfare.disbursement.models import BankFormat, PayoutBatch
from welfare.disbursement.refusals import PayoutRefused
from welfare.disbursement.states import BatchState

# From sealing to the bank's last answer a batch relies on its format.
RELYING = (
    BatchState.SEALED,
    BatchState.APPROVED,
    BatchState.GENERATED,
    BatchState.DELIVERING,
    BatchState.DELIVERED,
)


@transaction.atomic
def describe(
    *, code: str, name: str, definition: dict[str, Any], is_active: bool, by: Account
) -> BankFormat:
    """Write down how a bank wants its file; the same code again changes the description.

    Errors: Refused naming what is unknown or missing in the definition; PayoutRefused while
    a batch that relies on the format is on its way.
    """
    access.require(by, Permission.BATCH_SETTLE)
    try:
        Format.from_config(code, definition)
    except (TypeError, AttributeError) as fault:
        raise PayoutRefused(
            gettext_noop("The definition holds a value of the wrong kind."),
            gettext_noop("Compare it with one of the shipped formats."),
        ) from fault
    known = BankFormat.objects.select_for_update().filter(code=code).first()
    if known is not None and known.definition != definition:
        _refuse_while_relied_on(known)
    made, is_new = BankFormat.objects.update_or_create(
        code=code, defaults={"name": name, "definition": definition, "is_active": is_active}
    )
    audit.record("bankformat.describe", made, by=by, definition=definition, is_new=is_new)
    return made


def _refuse_while_relied_on(bank_format: BankFormat) -> None:
    relying = PayoutBatch.objects.filter(bank_format=bank_format, state__in=RELYING)
    if relying.exists():
        raise PayoutRefused(
            gettext_noop("%(count)s batches of this format are on their way."),
            gettext_noop("Wait for the bank's answers, or describe a new format."),
            {"count": relying.count()},
        )
