"""What accounts of people and of merchants have in common: read, entered once, replaced."""

from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from members.actions.refusals import PeopleRefused
from members.models import BankAccount
from members.rules.rows import read_bank
from members.states import BankAccountState
from union_portal import lifecycle
from union_portal.fields import fingerprint
from union_portal.kit.bank_card import AccountKind, read_account
from union_portal.models import Account, StoredFile

LIVE: Final = (BankAccountState.PROPOSED, BankAccountState.CONFIRMED)


def particulars(
    *,
    number: str,
    kind: AccountKind,
    bank_name: str,
    bank_code: str,
    evidence: StoredFile | None,
    reason: str,
    by: Account,
) -> dict[str, Any]:
    """The columns of a proposed account but for whose it is. Errors: kit refusals."""
    digits = read_account(number, kind=kind)
    return {
        "number": digits,
        "last_four": digits[-4:],
        "bank_name": read_bank(bank_name),
        "bank_code": bank_code.strip(),
        "evidence": evidence,
        "reason": reason.strip(),
        "entered_by": by,
    }


def is_entered(held: QuerySet[Any], account: BankAccount) -> bool:
    """Whether the owner has this account already, waiting or in use."""
    return held.filter(
        fingerprint=fingerprint("bank_account", str(account.number)),
        holder=account.holder,
        state__in=LIVE,
    ).exists()


def require_another(account: BankAccount, by: Account) -> None:
    """Whoever entered an account does not confirm it. Errors: PeopleRefused."""
    if account.entered_by_id == by.pk:
        raise PeopleRefused(
            gettext_noop("You entered this account yourself."),
            gettext_noop("Ask a colleague who may confirm accounts."),
        )


def replace(
    account: BankAccount, *, before: BankAccount | None, by: Account, now: datetime
) -> None:
    """Confirm a proposed account in the place of the one before. Errors: Stale."""
    if before is not None:
        lifecycle.advance(before, to=BankAccountState.RETIRED, by=by)
    lifecycle.advance(
        account, to=BankAccountState.CONFIRMED, by=by, confirmed_by=by, confirmed_at=now
    )
