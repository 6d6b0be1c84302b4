"""Double entry over five accounts a fund: source, available, reserved, transit, spent.

appropriate: source → available; grant: available → reserved; send: reserved → transit;
paid: transit → spent; failed: transit → reserved; returned: spent → reserved; withdrawal
and write-off: reserved → available. What was appropriated is always the sum of the other
four. Amounts are fen. Source: disbursement protocol, 1 and 5.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_noop as _

from union_portal import audit
from union_portal.access import Permission
from union_portal.models import Account, Organization
from welfare.disbursement import acting, locks
from welfare.disbursement.acting import Actor
from welfare.disbursement.models import (
    Entry,
    EntryKind,
    Fund,
    LedgerAccount,
    LedgerKind,
    PayoutBatch,
    Posting,
)
from welfare.disbursement.refusals import PayoutRefused

# From which account to which each kind of entry moves its amount.
WAYS: Final[Mapping[EntryKind, tuple[LedgerKind, LedgerKind]]] = {
    EntryKind.APPROPRIATE: (LedgerKind.SOURCE, LedgerKind.AVAILABLE),
    EntryKind.GRANT: (LedgerKind.AVAILABLE, LedgerKind.RESERVED),
    EntryKind.SEND: (LedgerKind.RESERVED, LedgerKind.TRANSIT),
    EntryKind.PAID: (LedgerKind.TRANSIT, LedgerKind.SPENT),
    EntryKind.FAILED: (LedgerKind.TRANSIT, LedgerKind.RESERVED),
    EntryKind.RETURNED: (LedgerKind.SPENT, LedgerKind.RESERVED),
    EntryKind.WITHDRAW: (LedgerKind.RESERVED, LedgerKind.AVAILABLE),
    EntryKind.WRITE_OFF: (LedgerKind.RESERVED, LedgerKind.AVAILABLE),
}


@dataclass(frozen=True)
class Figures:
    """Where the money of a fund stands, in fen. The last four add up to the first."""

    appropriated_fen: int
    reserved_fen: int
    in_transit_fen: int
    spent_fen: int
    available_fen: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@transaction.atomic
def open_fund(
    *,
    code: str,
    name: str,
    year: int,
    organization: Organization,
    schemes: Iterable[str],
    payer_name: str,
    payer_account: str,
    by: Actor,
    source: str = "",
    bank_format: str = "generic-utf8",
    approval_tiers: list[dict[str, object]] | None = None,
) -> Fund:
    """Open a fund with its five empty accounts (X2: earmarked, `schemes` are its only uses)."""
    acting.require(by, Permission.FUND_APPROPRIATE, organization)
    fund = Fund.objects.create(
        code=code,
        name=name,
        year=year,
        organization=organization,
        source=source,
        schemes=sorted(schemes),
        bank_format=bank_format,
        payer_name=payer_name,
        payer_account=payer_account,
        approval_tiers=approval_tiers or [],
    )
    LedgerAccount.objects.bulk_create(
        LedgerAccount(fund=fund, kind=kind, floor_fen=None if kind == LedgerKind.SOURCE else 0)
        for kind in LedgerKind
    )
    audit.record("fund.open", fund, by=by, schemes=fund.schemes)
    return fund


@transaction.atomic
def appropriate(*, fund: Fund, amount_fen: int, by: Actor, reason: str, key: str) -> Entry:
    """Record money the budget gave to the fund. The same `key` again changes nothing.

    Refuses an amount below one fen, and a key that stands for another amount or fund.
    """
    acting.require(by, Permission.FUND_APPROPRIATE, fund.organization)
    if amount_fen <= 0:
        raise PayoutRefused(
            _("An appropriation is more than nothing."), _("Check the sign of the amount.")
        )
    locks.funds([fund.pk])
    known = Entry.objects.filter(key=f"appropriate:{key}").first()
    if known is None:
        entry = book(
            fund=fund,
            kind=EntryKind.APPROPRIATE,
            key=f"appropriate:{key}",
            amount_fen=amount_fen,
            by=by,
            reason=reason,
        )
        audit.record("fund.appropriate", fund, by=by, reason=reason, fen=amount_fen, key=key)
        return entry
    booked = known.postings.filter(amount_fen__gt=0).values_list("amount_fen", flat=True)
    if known.fund_id != fund.pk or list(booked) != [amount_fen]:
        raise PayoutRefused(
            _("The document “%(key)s” was booked with another amount or for another fund."),
            _("Use a new document number, or reverse the old entry first."),
            {"key": key},
        )
    return known


def book(
    *,
    fund: Fund,
    kind: EntryKind,
    key: str,
    amount_fen: int,
    by: Actor,
    batch: PayoutBatch | None = None,
    reason: str = "",
) -> Entry:
    """Move an amount along the way of its kind. The caller holds the fund's lock."""
    source, target = WAYS[kind]
    entry = Entry.objects.create(
        fund=fund, kind=kind, key=key, batch=batch, reason=reason[:300], recorded_by_id=by.pk
    )
    _post(entry, source, target, amount_fen)
    return entry


@transaction.atomic
def reverse(*, entry: Entry, by: Account, reason: str) -> Entry:
    """Book an appropriation back by a reversing entry; nothing is ever edited.

    Only appropriations are reversed by hand: every other entry follows a line or an
    entitlement, and is corrected by what happens to those.
    """
    acting.require(by, Permission.FUND_APPROPRIATE, entry.fund.organization)
    if entry.kind != EntryKind.APPROPRIATE:
        raise PayoutRefused(
            _("Only an appropriation is reversed by hand."),
            _("Correct the payment instead: its entries follow."),
        )
    locks.funds([entry.fund_id])
    made = Entry.objects.create(
        fund=entry.fund,
        kind=EntryKind.REVERSE,
        key=f"reverse:{entry.pk}",
        reason=reason[:300],
        recorded_by=by,
    )
    amount = sum(entry.postings.filter(amount_fen__gt=0).values_list("amount_fen", flat=True))
    _post(made, LedgerKind.AVAILABLE, LedgerKind.SOURCE, amount)
    audit.record("fund.reverse", entry.fund, by=by, reason=reason, fen=amount, entry=entry.pk)
    return made


def figures(fund: Fund) -> Figures:
    """Where the fund's money stands now."""
    balances = dict(
        LedgerAccount.objects.filter(fund=fund).values_list("kind", "balance_fen").order_by()
    )
    return Figures(
        appropriated_fen=-balances.get(LedgerKind.SOURCE, 0),
        reserved_fen=balances.get(LedgerKind.RESERVED, 0),
        in_transit_fen=balances.get(LedgerKind.TRANSIT, 0),
        spent_fen=balances.get(LedgerKind.SPENT, 0),
        available_fen=balances.get(LedgerKind.AVAILABLE, 0),
    )


def _post(entry: Entry, source: LedgerKind, target: LedgerKind, amount_fen: int) -> None:
    accounts = dict(
        LedgerAccount.objects.filter(fund=entry.fund_id).values_list("kind", "id").order_by()
    )
    Posting.objects.bulk_create(
        [
            Posting(entry=entry, position=1, account_id=accounts[source], amount_fen=-amount_fen),
            Posting(entry=entry, position=2, account_id=accounts[target], amount_fen=amount_fen),
        ]
    )
