"""Log-ins for tills: an account without any role, which acts for one merchant alone."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from members.actions.merchants import TILL, close_login, require_why
from members.actions.refusals import BenefitRefused
from members.models import Merchant, MerchantLogin, MerchantPlace
from members.states import MerchantState
from union_portal import access, accounts, audit
from union_portal.access import Permission
from union_portal.kit.names import read_label
from union_portal.models import Account


@transaction.atomic
def give(
    *,
    merchant: Merchant,
    username: str,
    name: str,
    password: str,
    by: Account,
    place: MerchantPlace | None = None,
) -> MerchantLogin:
    """Make a log-in for a till; its owner changes the first password at the first log-in.

    Errors: PermissionDenied; BenefitRefused for a merchant that is not taken in or a place of
    another; Refused for a name that is taken; ValidationError for the password.
    """
    held = Merchant.objects.select_for_update().get(pk=merchant.pk)
    access.require(by, Permission.MERCHANT_EDIT, held.organization)
    if held.state != MerchantState.APPROVED:
        raise BenefitRefused(
            gettext_noop("A log-in is given once the merchant is approved."),
            gettext_noop("Have the merchant approved first."),
        )
    if place is not None and place.merchant_id != held.pk:
        raise BenefitRefused(
            gettext_noop("This place is another merchant's."), gettext_noop("Choose its own.")
        )
    account = accounts.create(
        username=username, name=name, by=TILL, password=password, is_staff=False, reader=read_label
    )
    made = MerchantLogin.objects.create(merchant=held, account=account, place=place, given_by=by)
    audit.record(
        "merchantlogin.give", made, by=by, organization=held.organization, account=account.pk
    )
    return made


@transaction.atomic
def renew(*, login: MerchantLogin, password: str, by: Account) -> None:
    """Give a new first password, to be handed over; sessions end with the old one."""
    held = _live(login, by)
    accounts.set_password(account=held.account, password=password, by=TILL)
    audit.record(
        "merchantlogin.renew", held, by=by, organization=held.merchant.organization,
        account=held.account_id,
    )  # fmt: skip


@transaction.atomic
def end(*, login: MerchantLogin, by: Account, reason: str, now: datetime) -> None:
    """Close a log-in at once, for instance because somebody left the shop."""
    close_login(_live(login, by), by=by, reason=require_why(reason), now=now)


def _live(login: MerchantLogin, by: Account) -> MerchantLogin:
    held = (
        MerchantLogin.objects.select_for_update(of=("self",))
        .select_related("merchant__organization", "account")
        .get(pk=login.pk)
    )
    access.require(by, Permission.MERCHANT_EDIT, held.merchant.organization)
    if held.ended_at is not None:
        raise BenefitRefused(
            gettext_noop("This log-in has ended."), gettext_noop("Give a new one.")
        )
    return held
