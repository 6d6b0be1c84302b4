"""What the bank answered, row by row, and what does not agree."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.fields import FenField, SealedTextField, StateField
from union_portal.models import Account
from union_portal.models.audit import append_only
from union_portal.row_guards import frozen, guard, kept, refusal
from union_portal.triggers import Trigger
from welfare.disbursement.models.batches import BankFormat, PayoutBatch
from welfare.disbursement.models.lines import PayoutLine
from welfare.disbursement.states import DISCREPANCY, DiscrepancyState


class ReturnFile(models.Model):
    """One file of the bank's, known by its digest: the same bytes land once."""

    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=120)
    sha256 = models.CharField(_("SHA-256 digest"), max_length=64, unique=True)
    size = models.PositiveBigIntegerField(_("bytes"))
    bank_format = models.ForeignKey(
        BankFormat, models.PROTECT, verbose_name=_("bank format"), related_name="+"
    )
    batch = models.ForeignKey(
        PayoutBatch, models.PROTECT, verbose_name=_("batch"), null=True, related_name="return_files"
    )
    rows_count = models.PositiveIntegerField(_("rows"))
    total_fen = FenField(_("total"))
    body = SealedTextField(_("content of the file"), kind="bank_file", null=False)
    imported_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("imported by"), null=True, related_name="+"
    )
    imported_at = models.DateTimeField(_("imported at"), db_default=Now())

    class Meta:
        verbose_name = _("return file")
        verbose_name_plural = _("return files")
        ordering = ["-id"]
        triggers = append_only("return_file", sealed="body")

    def __str__(self) -> str:
        return self.name


class Result(models.TextChoices):
    """What a row says about its line; the words equal the line's states."""

    PAID = "paid", _("paid")
    FAILED = "failed", _("failed")
    RETURNED = "returned", _("returned")
    UNKNOWN = "unknown", _("being processed")


class Verdict(models.TextChoices):
    APPLIED = "applied", pgettext_lazy("of a bank's answer", "applied")
    REPEAT = "repeat", _("a repetition")
    EARLY = "early", _("early: kept until its time")
    NO_MATCH = "no_match", _("no such line: kept")
    AMOUNT = "amount", _("another amount")
    CONFLICT = "conflict", _("contradicts what is known")


class ReturnRow(models.Model):
    """One row of a return file. Early and unmatched rows are kept and judged again."""

    file = models.ForeignKey(
        ReturnFile,
        models.PROTECT,
        verbose_name=_("return file"),
        related_name="rows",
        db_index=False,
    )
    number = models.PositiveIntegerField(_("row"))
    e2e = models.CharField(_("end-to-end id"), max_length=35)
    amount_fen = FenField(_("amount"))
    account_fingerprint = models.CharField(_("fingerprint of the account"), max_length=64)
    result = models.CharField(_("result"), max_length=8, choices=Result.choices)
    bank_ref = models.CharField(_("bank's reference"), max_length=64, blank=True)
    reason_code = models.CharField(_("code"), max_length=20, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    line = models.ForeignKey(
        PayoutLine,
        models.PROTECT,
        verbose_name=_("payment line"),
        null=True,
        related_name="answers",
        db_constraint=False,
    )
    verdict = models.CharField(
        _("verdict"), max_length=8, choices=Verdict.choices, default=Verdict.NO_MATCH
    )
    judged_at = models.DateTimeField(_("judged at"), db_default=Now())

    class Meta:
        verbose_name = _("row of a return file")
        verbose_name_plural = _("rows of return files")
        ordering = ["-file_id", "number"]
        indexes = [
            models.Index(
                fields=["e2e"],
                name="return_row_kept",
                condition=models.Q(verdict__in=["early", "no_match"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="return_row_number_once"),
            models.UniqueConstraint(
                fields=["e2e", "result", "bank_ref"],
                condition=models.Q(verdict="applied"),
                name="return_row_applied_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(verdict="applied") | models.Q(line__isnull=False),
                name="return_row_applied_to_a_line",
            ),
        ]
        triggers = [
            frozen(
                "return_row_frozen",
                "file_id, number, e2e, amount_fen, account_fingerprint, result, bank_ref,"
                " reason_code, reason",
                "return_row: what the bank said is never edited",
            ),
            Trigger(
                name="return_row_verdict_final",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.verdict NOT IN ('early', 'no_match')"
                    " AND (NEW.verdict, NEW.line_id) IS DISTINCT FROM (OLD.verdict, OLD.line_id)"
                ),
                func=refusal("return_row_verdict_final", "return_row: this verdict is final"),
            ),
            Trigger(
                name="return_row_matches",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(new="judged"),
                declare=[("wrong", "boolean")],
                # EXECUTEd, so that it is planned for the rows it gets.
                func="""
                    EXECUTE $q$
                        SELECT EXISTS (
                            SELECT 1 FROM judged r
                            LEFT JOIN disbursement_payoutline l ON l.id = r.line_id
                            WHERE r.verdict = 'applied'
                              AND (l.e2e, l.amount_fen, l.account_fingerprint) IS DISTINCT FROM
                                  (r.e2e, r.amount_fen, r.account_fingerprint))
                    $q$ INTO wrong;
                """
                + guard(
                    "wrong",
                    "return_row_matches",
                    "return_row: id, amount and account must all match",
                )
                + "RETURN NULL;",
            ),
            Trigger(
                name="return_row_born_unmatched",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="born"),
                func=guard(
                    "EXISTS (SELECT 1 FROM born WHERE verdict <> 'no_match'"
                    " OR line_id IS NOT NULL)",
                    "return_row_born_unmatched",
                    "return_row: a row is judged after it is written",
                )
                + "RETURN NULL;",
            ),
            *kept("return_row"),
        ]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.number}"


class DiscrepancyKind(models.TextChoices):
    NO_MATCH = "no_match", _("the bank names a line we do not know")
    AMOUNT = "amount", _("the bank names another amount")
    CONFLICT = "conflict", _("the bank contradicts itself")
    LATE_RETURN = "late_return", _("money came back after the batch was closed")


class Discrepancy(models.Model):
    """Something a person has to look at before the batch is closed, or after."""

    kind = models.CharField(_("kind"), max_length=12, choices=DiscrepancyKind.choices)
    row = models.OneToOneField(
        ReturnRow,
        models.PROTECT,
        verbose_name=_("return row"),
        null=True,
        related_name="discrepancy",
    )
    batch = models.ForeignKey(
        PayoutBatch,
        models.PROTECT,
        verbose_name=_("batch"),
        null=True,
        related_name="discrepancies",
    )
    line = models.ForeignKey(
        PayoutLine,
        models.PROTECT,
        verbose_name=_("payment line"),
        null=True,
        related_name="discrepancies",
    )
    opened_at = models.DateTimeField(_("opened at"), db_default=Now())
    resolved_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("resolved by"), null=True, related_name="+"
    )
    resolved_at = models.DateTimeField(_("resolved at"), null=True, editable=False)
    finding = models.CharField(_("what was found"), max_length=300, blank=True)
    state = StateField(choices=DiscrepancyState.choices, default=DiscrepancyState.OPEN)

    class Meta:
        verbose_name = _("discrepancy")
        verbose_name_plural = _("discrepancies")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="open") | ~models.Q(finding=""),
                name="discrepancy_resolved_with_finding",
            ),
        ]
        triggers = [
            DISCREPANCY.trigger(),
            frozen("discrepancy_frozen", "kind, row_id, batch_id, line_id", "discrepancy: frozen"),
            *kept("discrepancy"),
        ]

    def __str__(self) -> str:
        return f"X{self.pk:06d}"
