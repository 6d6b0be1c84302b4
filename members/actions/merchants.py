"""Merchants: they apply or are invited, are reviewed by one and approved by another."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions.refusals import BenefitRefused
from members.models import BenefitCategory, BenefitOffer, Merchant, MerchantLogin
from members.rules.rows import read_line
from members.states import AgreementState, MerchantState, OfferState
from union_portal import access, accounts, audit, files, lifecycle, readers, turns
from union_portal.access import Permission
from union_portal.fields import fingerprint
from union_portal.kit import masks, names
from union_portal.kit.credit_code import read_credit_code
from union_portal.kit.phone import read_mobile
from union_portal.kit.refusals import Refused, require_text
from union_portal.models import Account, Organization, OrganizationLevel, StoredFile
from union_portal.readers import Door

LICENCE: Final = "merchant_licence"
# A shopping centre's shops may share one address; a machine that writes rubbish does not stop.
APPLICATIONS_A_DAY: Final = 10
# Read aloud and typed: no letters or digits that are mistaken for one another. 60 bits.
_RECEIPT: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_RECEIPT_LENGTH: Final = 12
_NAME_LONGEST, _CONTACT_LONGEST, _TEXT_LONGEST = 120, 60, 1000
APPLICANT: Final = audit.Machine("public")
TILL: Final = audit.Machine("merchant log-in")
_BEFORE_REVIEW: Final = (MerchantState.APPLIED, MerchantState.INVITED)


@dataclass(frozen=True)
class Upload:
    """A file as it came."""

    name: str
    content: Any


def may_see_paper(account: Account, file: StoredFile) -> bool:
    """Whoever sees the merchants of the union."""
    return access.may(account, Permission.BENEFIT_VIEW, file.organization)


files.purpose(LICENCE, label=_("business licence of a merchant"), may=may_see_paper)


@readers.seeing(Door.MERCHANT_APPLYING)
@transaction.atomic
def apply(
    *,
    name: str,
    uscc: str,
    category: BenefitCategory,
    contact: str,
    contact_phone: str,
    licence: Upload,
    address: str,
    now: datetime,
    introduction: str = "",
) -> Merchant:
    """Apply on the public page; the receipt number shows where the application stands.

    The federation is the union in charge until staff say otherwise. Errors: kit refusals;
    BenefitRefused for a code that is registered, and for too many from one address.
    """
    applied_from = fingerprint("address", address)
    _require_patience(applied_from, now)
    federation = Organization.objects.get(level=OrganizationLevel.FEDERATION)
    made = _made(
        state=MerchantState.APPLIED,
        organization=federation,
        category=category,
        applied_from=applied_from,
        uscc=uscc,
        **_read(name=name, contact=contact, contact_phone=contact_phone, introduction=introduction),
    )
    _keep_licence(made, licence, by=APPLICANT)
    audit.record("merchant.apply", made, by=APPLICANT)
    return made


@transaction.atomic
def invite(
    *,
    name: str,
    uscc: str,
    category: BenefitCategory,
    organization: Organization,
    contact: str,
    contact_phone: str,
    by: Account,
    introduction: str = "",
    licence: Upload | None = None,
) -> Merchant:
    """Enter a merchant that was invited. Errors: as for `apply`, and PermissionDenied."""
    access.require(by, Permission.MERCHANT_EDIT, organization)
    made = _made(
        state=MerchantState.INVITED,
        organization=organization,
        category=category,
        entered_by=by,
        uscc=uscc,
        **_read(name=name, contact=contact, contact_phone=contact_phone, introduction=introduction),
    )
    if licence is not None:
        _keep_licence(made, licence, by=by)
    audit.record("merchant.invite", made, by=by)
    return made


@transaction.atomic
def describe(
    *, merchant: Merchant, by: Account, licence: Upload | None = None, **changes: Any
) -> list[str]:
    """Correct what is known of a merchant; return the columns that changed.

    The name stays once it was reviewed: what was judged is what is approved.
    """
    held = _held(merchant, by, Permission.MERCHANT_EDIT)
    category = changes.pop("category", held.category)
    wanted = {"category": category, **_read(**changes)}
    columns = sorted(column for column, value in wanted.items() if getattr(held, column) != value)
    if "name" in columns and held.state not in _BEFORE_REVIEW:
        raise BenefitRefused(
            gettext_noop("The name was reviewed with the licence and stays."),
            gettext_noop("End this merchant and let the business apply under its new name."),
        )
    if licence is not None:
        _keep_licence(held, licence, by=by)
    for column in columns:
        setattr(held, column, wanted[column])
    if columns:
        held.save(update_fields=columns)
        told = [column for column in columns if column not in _DERIVED]
        audit.record("merchant.describe", held, by=by, columns=told)
    merchant.refresh_from_db()
    return columns


@transaction.atomic
def review(*, merchant: Merchant, by: Account, now: datetime) -> None:
    """Say that licence, code and name fit. Errors: BenefitRefused without a licence."""
    held = _held(merchant, by, Permission.MERCHANT_EDIT)
    if held.licence_id is None:
        raise BenefitRefused(
            gettext_noop("The business licence is missing."),
            gettext_noop("Upload a photo or a PDF of it first."),
        )
    _advance(merchant, MerchantState.REVIEWED, by, reviewed_by=by, reviewed_at=now)


@transaction.atomic
def approve(*, merchant: Merchant, by: Account, now: datetime) -> None:
    """Take a reviewed merchant in. Whoever reviewed it does not approve it."""
    held = _held(merchant, by, Permission.MERCHANT_APPROVE)
    if held.reviewed_by_id == by.pk:
        raise BenefitRefused(
            gettext_noop("You reviewed this merchant yourself."),
            gettext_noop("Somebody else approves it."),
        )
    _advance(merchant, MerchantState.APPROVED, by, approved_by=by, approved_at=now)


@transaction.atomic
def send_back(*, merchant: Merchant, by: Account, reason: str) -> None:
    """Give a reviewed merchant back to be completed."""
    held = _held(merchant, by, Permission.MERCHANT_APPROVE)
    before = MerchantState.INVITED if held.entered_by_id else MerchantState.APPLIED
    why = require_why(reason)
    _advance(merchant, before, by, why, reviewed_by=None, reviewed_at=None)


@transaction.atomic
def refuse(*, merchant: Merchant, by: Account, reason: str) -> None:
    """Turn a merchant down; whoever follows the application reads the reason."""
    reviewed = merchant.state == MerchantState.REVIEWED
    _held(merchant, by, Permission.MERCHANT_APPROVE if reviewed else Permission.MERCHANT_EDIT)
    _advance(merchant, MerchantState.REFUSED, by, require_why(reason))


@transaction.atomic
def suspend(*, merchant: Merchant, by: Account, reason: str) -> None:
    """Stop a merchant at once: from this moment nothing of it is honoured or shown."""
    _held(merchant, by, Permission.MERCHANT_EDIT)
    _advance(merchant, MerchantState.SUSPENDED, by, require_why(reason))


@transaction.atomic
def lift(*, merchant: Merchant, by: Account, reason: str) -> None:
    """Let a suspended merchant go on. Somebody who may approve says so."""
    _held(merchant, by, Permission.MERCHANT_APPROVE)
    why = require_why(reason)
    _advance(merchant, MerchantState.APPROVED, by, why)


@transaction.atomic
def end(*, merchant: Merchant, by: Account, reason: str, now: datetime) -> None:
    """Part for good: its offers end, its agreements are terminated, its log-ins are closed.

    What was used stays, and is settled.
    """
    held = _held(merchant, by, Permission.MERCHANT_APPROVE)
    why = require_why(reason)
    offers = BenefitOffer.objects.filter(merchant=held)
    lifecycle.advance_set(offers, to=OfferState.ENDED, by=by, reason=why)
    lifecycle.advance_set(
        held.agreements.filter(state=AgreementState.CONFIRMED),
        to=AgreementState.TERMINATED,
        by=by,
        reason=why,
        terminated_on=timezone.localdate(now),
    )
    for login in MerchantLogin.objects.filter(merchant=held, ended_at__isnull=True):
        close_login(login, by=by, reason=why, now=now)
    _advance(merchant, MerchantState.ENDED, by, why)


def close_login(login: MerchantLogin, *, by: Account, reason: str, now: datetime) -> None:
    """Shut a log-in; the caller has asked who may."""
    login.ended_at = now
    login.save(update_fields=["ended_at"])
    accounts.lock(account=login.account, by=TILL, reason=reason)
    audit.record(
        "merchantlogin.end", login, by=by, reason=reason, organization=login.merchant.organization
    )


def unmask_phone(*, merchant: Merchant, by: Account, reason: str) -> str:
    """Show the contact's whole number, to call; who looked and why stays in the log."""
    access.require(by, Permission.MERCHANT_EDIT, merchant.organization)
    audit.record("merchant.unmask", merchant, by=by, reason=require_why(reason))
    return str(merchant.contact_phone)


def require_why(reason: str) -> str:
    """A reason that the merchant would understand. Errors: Refused without any."""
    return require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Say why; the merchant may read it."),
        shortest=2,
    )


_DERIVED: Final = frozenset({"pinyin", "initials", "contact_phone_shown"})


def _read(**values: str) -> dict[str, Any]:
    """The columns that the given texts become. Errors: kit refusals."""
    read: dict[str, Any] = {}
    if "name" in values:
        name = _required(
            read_line(values["name"], _NAME_LONGEST), gettext_noop("The name is missing.")
        )
        read |= {
            "name": name,
            "pinyin": names.pinyin(name).replace(" ", ""),
            "initials": names.initials(name),
        }
    if "contact" in values:
        read["contact"] = _required(
            read_line(values["contact"], _CONTACT_LONGEST),
            gettext_noop("The contact person is missing."),
        )
    if values.get("contact_phone"):
        phone = read_mobile(values["contact_phone"])
        read |= {"contact_phone": phone, "contact_phone_shown": masks.mask_phone(phone)}
    if "introduction" in values:
        read["introduction"] = values["introduction"].strip()[:_TEXT_LONGEST]
    return read


def _required(text: str, message: str) -> str:
    return require_text(text, message, gettext_noop("Fill it in."))


def _made(*, uscc: str, **columns: Any) -> Merchant:
    """A new row; the code is the business's own and live once. Errors: BenefitRefused."""
    receipt = "".join(secrets.choice(_RECEIPT) for _sign in range(_RECEIPT_LENGTH))
    made = Merchant(uscc=read_credit_code(uscc).code, receipt=receipt, **columns)
    if not made.contact_phone:
        raise Refused(
            gettext_noop("The phone of the contact is missing."), gettext_noop("Fill it in.")
        )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "merchant_one_live_per_code" not in str(error):
            raise
        raise BenefitRefused(
            gettext_noop("A merchant of this credit code is registered or has applied already."),
            gettext_noop("Follow the application by its receipt number, or ask the office."),
            at="uscc",
        ) from None
    return made


def _keep_licence(merchant: Merchant, licence: Upload, *, by: Account | audit.Machine) -> None:
    merchant.licence = files.store(
        purpose=LICENCE,
        name=licence.name,
        content=licence.content,
        subject=merchant,
        organization=merchant.organization,
        by=by,
    )
    merchant.save(update_fields=["licence"])


def _require_patience(applied_from: str, now: datetime) -> None:
    # Two applications at once count each other.
    turns.take(applied_from)
    since = now - timedelta(days=1)
    today = Merchant.objects.filter(applied_from=applied_from, entered_at__gt=since)
    if today.count() >= APPLICATIONS_A_DAY:
        raise BenefitRefused(
            gettext_noop("Too many applications came from this address today."),
            gettext_noop("Try again tomorrow, or call the office."),
        )


def _held(merchant: Merchant, by: Account, permission: Permission) -> Merchant:
    """The merchant, locked, for somebody who may."""
    held = Merchant.objects.select_for_update().get(pk=merchant.pk)
    access.require(by, permission, held.organization)
    return held


def _advance(
    merchant: Merchant, to: MerchantState, by: Account, reason: str = "", **changes: Any
) -> None:
    """Move the merchant; the row keeps the last reason, the log every one."""
    lifecycle.advance(merchant, to=to, by=by, reason=reason, **changes)
    merchant.reason = reason[:200]
    merchant.save(update_fields=["reason"])
