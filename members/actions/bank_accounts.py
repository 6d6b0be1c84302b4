"""Bank accounts: entered by one, confirmed by another, replaced and never edited."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import payable_accounts
from members.actions.people import require_reason
from members.actions.refusals import PeopleRefused
from members.models import BankAccount, Person
from members.queries import caution_codes, with_cautions
from members.rules.rows import require_own_account
from members.states import BankAccountState
from union_portal import access, audit, files, lifecycle
from union_portal.access import Permission
from union_portal.kit.names import read_name
from union_portal.models import Account, StoredFile

EVIDENCE: Final = "bank_account_evidence"


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """Whoever enters or confirms accounts of the union."""
    duties = (Permission.ACCOUNT_NUMBER_EDIT, Permission.ACCOUNT_NUMBER_CONFIRM)
    return any(access.may(account, duty, file.organization) for duty in duties)


files.purpose(EVIDENCE, label=_("evidence of a bank account"), may=_may_fetch, is_sensitive=True)


@transaction.atomic
def enter(
    *,
    person: Person,
    number: str,
    bank_name: str,
    by: Account,
    holder: str = "",
    bank_code: str = "",
    evidence: StoredFile | None = None,
    reason: str = "",
) -> BankAccount:
    """Propose an account for a person; nothing is paid to it before another confirms it.

    The holder is the person (X12); another holder needs a reason. Errors: kit refusals,
    PeopleRefused when the same account waits or is in use already.
    """
    held = Person.objects.select_for_update().select_related("organization").get(pk=person.pk)
    access.require(by, Permission.ACCOUNT_NUMBER_EDIT, held.organization)
    holder = read_name(holder) if holder else held.name
    if not reason.strip():
        require_own_account(holder, held.name)
    columns = payable_accounts.particulars(
        number=number,
        kind="personal",
        bank_name=bank_name,
        bank_code=bank_code,
        evidence=evidence,
        reason=reason,
        by=by,
    )
    made = BankAccount(person=held, holder=holder, **columns)
    _require_new(made)
    made.save()
    audit.record("bankaccount.enter", made, by=by, reason=reason, organization=held.organization)
    return made


@transaction.atomic
def confirm(*, account: BankAccount, by: Account, now: datetime) -> None:
    """Confirm a proposed account; the one confirmed before it retires.

    Whoever entered it can't confirm it. That others use the same account is no obstacle:
    the checker is shown it (`queries.with_cautions`) and it is logged.
    """
    if account.person_id is None:
        raise TypeError("accounts of merchants are confirmed in merchant_accounts")
    held = Person.objects.select_for_update().get(pk=account.person_id)
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM, held.organization)
    payable_accounts.require_another(account, by)
    if account.holder != held.name and not account.reason:
        raise PeopleRefused(
            gettext_noop("The account holder is not the person's name any more."),
            gettext_noop("Reject it and have the account entered again."),
        )
    before = BankAccount.objects.filter(person=held, state=BankAccountState.CONFIRMED).first()
    judged = with_cautions(BankAccount.objects.filter(pk=account.pk)).get()
    payable_accounts.replace(account, before=before, by=by, now=now)
    if found := caution_codes(judged):
        audit.record(
            "bankaccount.cautioned",
            account,
            by=by,
            organization=held.organization,
            cautions=found,
        )


@transaction.atomic
def reject(*, account: BankAccount, by: Account, reason: str) -> None:
    """Turn a proposed account down, with the reason."""
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM, account.owner.organization)
    why = require_reason(reason)
    lifecycle.advance(account, to=BankAccountState.REJECTED, by=by, reason=why)


@transaction.atomic
def retire(*, account: BankAccount, by: Account, reason: str) -> None:
    """Stop paying to a confirmed account, for instance because the bank closed it."""
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM, account.owner.organization)
    why = require_reason(reason)
    lifecycle.advance(account, to=BankAccountState.RETIRED, by=by, reason=why)


def unmask(*, account: BankAccount, by: Account, reason: str) -> str:
    """Show the whole number; the person sees who looked and why."""
    access.require(by, Permission.PERSON_UNMASK, account.owner.organization)
    why = require_reason(reason)
    audit.record(
        "person.unmask",
        account.owner,
        by=by,
        reason=why,
        field="bank_account",
        account=account.pk,
    )
    return str(account.number)


@dataclass(frozen=True)
class SetConfirmed:
    """How many of a set were confirmed and retired, and how many were left out and why."""

    confirmed: int
    retired: int
    left_own: int
    left_rivals: int
    left_cautioned: int


@transaction.atomic
def confirm_set(
    *,
    accounts: QuerySet[BankAccount],
    by: Account,
    now: datetime,
    with_cautioned: bool = False,
) -> SetConfirmed:
    """Confirm every proposed account of a set within the checker's reach, set-based.

    Left out are those the checker entered, those of people with more than one proposal,
    and, unless `with_cautioned` says that the list of warnings was read, those with one.
    """
    access.require(by, Permission.ACCOUNT_NUMBER_CONFIRM)
    reach = access.scope(by, Permission.ACCOUNT_NUMBER_CONFIRM, "person__organization__path")
    waiting = BankAccount.objects.filter(
        reach, pk__in=accounts.values("pk"), state=BankAccountState.PROPOSED
    )
    # Lock the people in one order, as every single step does, before judging.
    people = Person.objects.filter(pk__in=waiting.values("person")).order_by("pk")
    len(people.select_for_update().values_list("pk"))
    judged = with_cautions(waiting)
    rivals, own = Q(rivals__gt=0), Q(entered_by=by)
    odd = Q(sharers__gt=0) | Q(is_other_holder=True)
    may = judged.exclude(own).exclude(rivals)
    chosen = may if with_cautioned else may.exclude(odd)
    counts = {
        "left_own": judged.filter(own).count(),
        "left_rivals": judged.filter(rivals).exclude(own).count(),
        "left_cautioned": 0 if with_cautioned else may.filter(odd).count(),
    }
    picked = BankAccount.objects.filter(pk__in=list(chosen.values_list("pk", flat=True)))
    retired = lifecycle.advance_set(
        BankAccount.objects.filter(
            person__in=picked.values("person"), state=BankAccountState.CONFIRMED
        ),
        to=BankAccountState.RETIRED,
        by=by,
    )
    confirmed = lifecycle.advance_set(
        picked, to=BankAccountState.CONFIRMED, by=by, confirmed_by=by.pk, confirmed_at=now
    )
    return SetConfirmed(confirmed=confirmed, retired=retired, **counts)


def _require_new(account: BankAccount) -> None:
    if payable_accounts.is_entered(BankAccount.objects.filter(person=account.person), account):
        raise PeopleRefused(
            gettext_noop("The person has this account already."),
            gettext_noop("If it waits for confirmation, ask a colleague to confirm it."),
        )
