"""The account that a merchant's statements are settled to: entered by one, confirmed by another."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import payable_accounts
from members.actions.merchants import Upload, require_why
from members.actions.refusals import BenefitRefused
from members.models import Merchant, MerchantAccount
from members.rules.rows import read_holder
from members.states import BankAccountState, MerchantState
from union_portal import access, audit, files, lifecycle
from union_portal.access import Permission
from union_portal.models import Account, StoredFile

EVIDENCE: Final = "merchant_account_evidence"


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """Whoever enters or confirms accounts of merchants."""
    duties = (Permission.MERCHANT_EDIT, Permission.ACCOUNT_NUMBER_CONFIRM)
    return any(access.may(account, duty, file.organization) for duty in duties)


files.purpose(
    EVIDENCE, label=_("evidence of a merchant’s account"), may=_may_fetch, is_sensitive=True
)


@transaction.atomic
def enter(
    *,
    merchant: Merchant,
    number: str,
    bank_name: str,
    by: Account,
    holder: str = "",
    bank_code: str = "",
    evidence: Upload | None = None,
    reason: str = "",
) -> MerchantAccount:
    """Propose the merchant's account; nothing is settled to it before another confirms it.

    The holder is the business; another holder needs a reason. Errors: kit refusals,
    BenefitRefused for a merchant that is not taken in, and for an account that is entered already.
    """
    held = Merchant.objects.select_for_update().get(pk=merchant.pk)
    access.require(by, Permission.MERCHANT_EDIT, held.organization)
    if held.state not in (MerchantState.APPROVED, MerchantState.SUSPENDED):
        raise BenefitRefused(
            gettext_noop("An account is entered once the merchant is approved."),
            gettext_noop("Have the merchant approved first."),
        )
    holder = read_holder(holder, held.name, reason)
    columns = payable_accounts.particulars(
        number=number,
        kind="enterprise",
        bank_name=bank_name,
        bank_code=bank_code,
        evidence=_stored(evidence, held, by),
        reason=reason,
        by=by,
    )
    made = MerchantAccount(merchant=held, holder=holder, **columns)
    if payable_accounts.is_entered(MerchantAccount.objects.filter(merchant=held), made):
        raise BenefitRefused(
            gettext_noop("The merchant has this account already."),
            gettext_noop("If it waits for confirmation, ask a colleague to confirm it."),
            at="number",
        )
    made.save()
    audit.record(
        "merchantaccount.enter", made, by=by, reason=reason, organization=held.organization
    )
    return made


@transaction.atomic
def confirm(*, account: MerchantAccount, by: Account, now: datetime) -> None:
    """Confirm a proposed account; the one confirmed before it retires."""
    # Whoever confirms accounts writes no merchants: the merchant's accounts are what is locked.
    of_merchant = MerchantAccount.objects.filter(merchant=account.merchant_id).order_by("pk")
    held = list(of_merchant.select_for_update())
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM, account.owner.organization)
    payable_accounts.require_another(account, by)
    before = next((one for one in held if one.state == BankAccountState.CONFIRMED), None)
    payable_accounts.replace(account, before=before, by=by, now=now)


@transaction.atomic
def reject(*, account: MerchantAccount, by: Account, reason: str) -> None:
    """Turn a proposed account down, with the reason."""
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM, account.owner.organization)
    lifecycle.advance(account, to=BankAccountState.REJECTED, by=by, reason=require_why(reason))


@transaction.atomic
def retire(*, account: MerchantAccount, by: Account, reason: str) -> None:
    """Stop settling to a confirmed account, for instance because the bank closed it."""
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM, account.owner.organization)
    lifecycle.advance(account, to=BankAccountState.RETIRED, by=by, reason=require_why(reason))


def unmask(*, account: MerchantAccount, by: Account, reason: str) -> str:
    """Show the whole number to whoever confirms it; that they looked stays in the log."""
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM, account.owner.organization)
    audit.record(
        "merchantaccount.unmask",
        account,
        by=by,
        reason=require_why(reason),
        organization=account.owner.organization,
    )
    return str(account.number)


def _stored(evidence: Upload | None, merchant: Merchant, by: Account) -> StoredFile | None:
    if evidence is None:
        return None
    return files.store(
        purpose=EVIDENCE,
        name=evidence.name,
        content=evidence.content,
        subject=merchant,
        organization=merchant.organization,
        by=by,
    )
