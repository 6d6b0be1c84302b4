"""Agreements with merchants: entered by one, confirmed by another, ended before their time."""

from datetime import date, datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions.merchants import Upload, may_see_paper, require_why
from members.actions.refusals import BenefitRefused
from members.models import Merchant, MerchantAgreement
from members.rules.agreements import require_days
from members.rules.rows import read_line
from members.states import AgreementState, MerchantState
from union_portal import access, audit, files, lifecycle
from union_portal.access import Permission
from union_portal.kit.refusals import require_text
from union_portal.models import Account

DOCUMENT: Final = "merchant_agreement"
_NUMBER_LONGEST, _TENDER_LONGEST = 40, 120
_OPEN: Final = (MerchantState.REVIEWED, MerchantState.APPROVED, MerchantState.SUSPENDED)

files.purpose(DOCUMENT, label=_("agreement with a merchant"), may=may_see_paper)


@transaction.atomic
def enter(
    *,
    merchant: Merchant,
    number: str,
    signed_on: date,
    valid_from: date,
    valid_to: date,
    by: Account,
    today: date,
    tender: str = "",
    document: Upload | None = None,
) -> MerchantAgreement:
    """Enter what was signed; nothing is honoured under it before another confirms it.

    Errors: AgreementUnsound for impossible days; BenefitRefused for a number that is taken, or a
    merchant that is not reviewed yet.
    """
    held = Merchant.objects.select_for_update().get(pk=merchant.pk)
    access.require(by, Permission.MERCHANT_EDIT, held.organization)
    if held.state not in _OPEN:
        raise BenefitRefused(
            gettext_noop("An agreement is entered once the merchant was reviewed."),
            gettext_noop("Review the merchant first."),
        )
    require_days(signed_on, valid_from, valid_to, today=today)
    made = MerchantAgreement(
        merchant=held,
        number=_numbered(number),
        signed_on=signed_on,
        valid_from=valid_from,
        valid_to=valid_to,
        tender=read_line(tender, _TENDER_LONGEST),
        entered_by=by,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "number" not in str(error):
            raise
        raise BenefitRefused(
            gettext_noop("An agreement of this number is entered already."),
            gettext_noop("Check the number on the first page."),
            at="number",
        ) from None
    if document is not None:
        made.document = files.store(
            purpose=DOCUMENT,
            name=document.name,
            content=document.content,
            subject=made,
            organization=held.organization,
            by=by,
        )
        made.save(update_fields=["document"])
    audit.record("merchantagreement.enter", made, by=by, organization=held.organization)
    return made


@transaction.atomic
def confirm(*, agreement: MerchantAgreement, by: Account, now: datetime) -> None:
    """Confirm what another entered. Errors: BenefitRefused if days overlap another agreement's."""
    held = _held(agreement, by)
    if agreement.entered_by_id == by.pk:
        raise BenefitRefused(
            gettext_noop("You entered this agreement yourself."),
            gettext_noop("A colleague compares it with the paper and confirms it."),
        )
    overlapping = MerchantAgreement.objects.filter(
        merchant=held,
        state=AgreementState.CONFIRMED,
        valid_from__lte=agreement.valid_to,
        valid_to__gte=agreement.valid_from,
    )
    if overlapping.exists():
        raise BenefitRefused(
            gettext_noop("Another agreement holds on some of these days."),
            gettext_noop("Terminate it first, or have this one entered with other days."),
        )
    lifecycle.advance(
        agreement, to=AgreementState.CONFIRMED, by=by, confirmed_by=by, confirmed_at=now
    )


@transaction.atomic
def reject(*, agreement: MerchantAgreement, by: Account, reason: str) -> None:
    """Turn down what was entered; it is entered anew."""
    _held(agreement, by)
    why = require_why(reason)
    lifecycle.advance(agreement, to=AgreementState.REJECTED, by=by, reason=why)
    _keep_reason(agreement, why)


@transaction.atomic
def terminate(*, agreement: MerchantAgreement, by: Account, reason: str, today: date) -> None:
    """End an agreement before its last day: nothing is honoured under it from today on."""
    _held(agreement, by)
    why = require_why(reason)
    lifecycle.advance(
        agreement, to=AgreementState.TERMINATED, by=by, reason=why, terminated_on=today
    )
    _keep_reason(agreement, why)


def _held(agreement: MerchantAgreement, by: Account) -> Merchant:
    """Its merchant, locked: two agreements of one merchant are judged one after the other."""
    held = Merchant.objects.select_for_update().get(pk=agreement.merchant_id)
    access.require(by, Permission.MERCHANT_APPROVE, held.organization)
    return held


def _keep_reason(agreement: MerchantAgreement, reason: str) -> None:
    agreement.reason = reason[:200]
    agreement.save(update_fields=["reason"])


def _numbered(number: str) -> str:
    return require_text(
        read_line(number, _NUMBER_LONGEST),
        gettext_noop("The number of the agreement is missing."),
        gettext_noop("Copy it from the first page."),
    )
