"""Funds and their double entry. What was posted stays; a correction is a reversing entry."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.fields import FenField
from union_portal.models import Account, Organization
from union_portal.models.audit import append_only
from union_portal.row_guards import frozen, guard, kept, refusal
from union_portal.triggers import Trigger
from welfare.disbursement.models.guards import TransactionIdField


class Fund(models.Model):
    """Earmarked money of one year. `schemes` lists the only uses it has (X2).

    `approval_tiers` is a list of {"from_fen": n, "steps": [...]}: a batch whose total
    reaches `from_fen` needs those further steps beside maker, checker and releaser.
    """

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=120)
    year = models.PositiveSmallIntegerField(_("year"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    source = models.CharField(_("source of the money"), max_length=200, blank=True)
    schemes = models.JSONField(_("uses"), default=list)
    bank_format = models.CharField(_("bank format"), max_length=40, default="generic-utf8")
    payer_name = models.CharField(_("payer"), max_length=120)
    payer_account = models.CharField(_("payer's account"), max_length=34)
    approval_tiers = models.JSONField(_("approval tiers"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("fund")
        verbose_name_plural = _("funds")
        ordering = ["-year", "code"]
        triggers = kept("fund")

    def __str__(self) -> str:
        return self.name


class LedgerKind(models.TextChoices):
    SOURCE = "source", _("appropriated")
    AVAILABLE = "available", _("available")
    RESERVED = "reserved", _("reserved")
    TRANSIT = "transit", _("in transit")
    SPENT = "spent", _("spent")


class LedgerAccount(models.Model):
    """One side of the double entry. Its balance is written by the posting trigger alone."""

    fund = models.ForeignKey(
        Fund, models.PROTECT, verbose_name=_("fund"), related_name="ledger_accounts"
    )
    kind = models.CharField(_("account"), max_length=12, choices=LedgerKind.choices)
    balance_fen = FenField(_("balance"), default=0, editable=False)
    floor_fen = FenField(_("floor"), null=True, default=0, editable=False)

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints = [
            models.UniqueConstraint(fields=["fund", "kind"], name="ledger_account_once"),
            models.CheckConstraint(
                condition=models.Q(floor_fen__isnull=True)
                | models.Q(balance_fen__gte=models.F("floor_fen")),
                name="ledger_account_floor",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="source", floor_fen__isnull=True)
                | models.Q(
                    kind__in=["available", "reserved", "transit", "spent"],
                    floor_fen__isnull=False,
                    floor_fen=0,
                ),
                name="ledger_account_only_source_has_no_floor",
            ),
        ]
        triggers = [
            Trigger(
                name="ledger_account_born_empty",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.balance_fen <> 0"),
                func=refusal(
                    "ledger_account_born_empty", "ledger_account: money comes by postings only"
                ),
            ),
            Trigger(
                name="ledger_account_balance_posted",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "NEW.balance_fen <> OLD.balance_fen AND pg_trigger_depth() < 1"
                ),
                func=refusal(
                    "ledger_account_balance_posted",
                    "ledger_account: a balance is written by postings only",
                ),
            ),
            frozen(
                "ledger_account_frozen",
                "fund_id, kind, floor_fen",
                "ledger_account: an account stays what it is",
            ),
            *kept("ledger_account"),
        ]

    def __str__(self) -> str:
        return f"{self.fund_id} {self.get_kind_display()}"


class EntryKind(models.TextChoices):
    APPROPRIATE = "appropriate", _("appropriation")
    GRANT = "grant", _("grant")
    SEND = "send", _("sent to the bank")
    PAID = "paid", _("paid")
    FAILED = "failed", _("failed")
    RETURNED = "returned", _("returned by the bank")
    WITHDRAW = "withdraw", _("withdrawal")
    WRITE_OFF = "write_off", _("write-off")
    REVERSE = "reverse", _("reversal")


_BALANCED = """
    SELECT count(*), COALESCE(sum(amount_fen), 0) INTO legs, total
    FROM disbursement_posting WHERE entry_id = {entry};
    IF legs < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'entry: % postings sum to % fen', legs, total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balanced';
    END IF;
    RETURN NULL;
"""


class Entry(models.Model):
    """One movement of money. `key` makes the same event land once; `tx` binds its postings."""

    fund = models.ForeignKey(Fund, models.PROTECT, verbose_name=_("fund"), related_name="entries")
    kind = models.CharField(_("kind"), max_length=12, choices=EntryKind.choices)
    key = models.CharField(_("key of the entry"), max_length=160, unique=True)
    batch = models.ForeignKey(
        "disbursement.PayoutBatch",
        models.PROTECT,
        verbose_name=_("batch"),
        null=True,
        related_name="entries",
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    recorded_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("recorded by"), null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now())
    tx = TransactionIdField(
        _("database transaction"),
        db_default=models.Func(function="pg_current_xact_id"),
        editable=False,
    )

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-id"]
        triggers = [
            Trigger(
                name="entry_stamped",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW.tx := pg_current_xact_id(); RETURN NEW;",
            ),
            Trigger(
                name="entry_balanced",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("legs", "bigint"), ("total", "numeric")],
                func=_BALANCED.format(entry="NEW.id"),
            ),
            *append_only("entry"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Posting(models.Model):
    """One leg of an entry: a plus raises its account, a minus lowers it."""

    entry = models.ForeignKey(
        Entry,
        models.PROTECT,
        verbose_name=_("ledger entry"),
        related_name="postings",
        db_index=False,
    )
    position = models.PositiveSmallIntegerField(_("line of the entry"))
    account = models.ForeignKey(
        LedgerAccount, models.PROTECT, verbose_name=_("ledger account"), related_name="postings"
    )
    amount_fen = FenField(_("amount"))

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        ordering = ["-entry_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "position"], name="posting_position_once"),
            models.CheckConstraint(
                condition=~models.Q(amount_fen=0), name="posting_amount_not_zero"
            ),
        ]
        triggers = [
            Trigger(
                name="posting_booked",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="born"),
                func=guard(
                    "EXISTS (SELECT 1 FROM born p JOIN disbursement_entry e ON e.id = p.entry_id"
                    " WHERE e.tx <> pg_current_xact_id())",
                    "posting_in_its_transaction",
                    "posting: an entry takes postings in its own transaction only",
                )
                + guard(
                    "EXISTS (SELECT 1 FROM born p JOIN disbursement_entry e ON e.id = p.entry_id"
                    " JOIN disbursement_ledgeraccount a ON a.id = p.account_id"
                    " WHERE a.fund_id <> e.fund_id)",
                    "posting_same_fund",
                    "posting: an entry stays within its fund",
                )
                + """
                    PERFORM 1 FROM disbursement_ledgeraccount
                    WHERE id IN (SELECT account_id FROM born) ORDER BY id FOR UPDATE;
                    UPDATE disbursement_ledgeraccount a SET balance_fen = a.balance_fen + s.fen
                    FROM (SELECT account_id, sum(amount_fen) AS fen FROM born GROUP BY 1) s
                    WHERE a.id = s.account_id AND s.fen <> 0;
                    RETURN NULL;
                """,
            ),
            Trigger(
                name="posting_balanced",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("legs", "bigint"), ("total", "numeric")],
                func=_BALANCED.format(entry="NEW.entry_id"),
            ),
            *append_only("posting"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}/{self.position}"
