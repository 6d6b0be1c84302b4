"""Payout batches, their approvals, and the file the bank gets."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.fields import FenField, SealedTextField, StateField
from union_portal.models import Account, Organization
from union_portal.models.audit import append_only
from union_portal.row_guards import frozen, guard, kept, refusal
from union_portal.triggers import Trigger
from welfare.disbursement.models.ledger import Fund
from welfare.disbursement.states import BATCH, BatchState


class BankFormat(models.Model):
    """How one bank wants its file and writes its answer. `definition`: see `bankfile`."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=120)
    definition = models.JSONField(_("definition"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("bank format")
        verbose_name_plural = _("bank formats")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class BatchStep(models.TextChoices):
    MAKER = "maker", _("maker")
    CHECKER = "checker", _("checker")
    RELEASER = "releaser", _("releaser")
    SECOND_CHECKER = "second_checker", _("second checker")
    SECOND_RELEASER = "second_releaser", _("second releaser")


_CONTENT_TRUE = """
    SELECT * INTO content FROM disbursement_batch_content(NEW.id);
    IF content.digest IS DISTINCT FROM NEW.digest
       OR content.lines_count IS DISTINCT FROM NEW.lines_count
       OR content.total_fen IS DISTINCT FROM NEW.total_fen THEN
        RAISE EXCEPTION 'payout_batch: count, sum or digest differs from the lines'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_batch_content_true';
    END IF;
"""


# Named to sort after `payout_batch_steps`: triggers fire in the order of their names.
def _on_step(name: str, condition: str, func: str) -> Trigger:
    return Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(f"NEW.state <> OLD.state AND {condition}"),
        declare=[("content", "record"), ("fault", "text")],
        func=func + " RETURN NEW;",
    )


def _unless(condition: str, constraint: str, message: str) -> str:
    return guard(f"NOT ({condition})", constraint, message)


_PAYABLE = """
    fault := disbursement_batch_fault(NEW.id, NEW.pay_on);
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'payout_batch: %', fault
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_batch_' || fault;
    END IF;
"""


class PayoutBatch(models.Model):
    """Lines that travel together: made, checked and released by three people.

    `lines_count`, `total_fen`, `digest` are the control totals frozen at sealing, and so are
    `required_steps`. `fence`, `owner` and `lease_until` belong to the worker that holds it.
    """

    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    fund = models.ForeignKey(Fund, models.PROTECT, verbose_name=_("fund"), related_name="batches")
    scheme = models.CharField(_("scheme"), max_length=40)
    period = models.CharField(_("period"), max_length=20)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    bank_format = models.ForeignKey(
        BankFormat, models.PROTECT, verbose_name=_("bank format"), related_name="+"
    )
    pay_on = models.DateField(_("payment date"))
    corrects = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("corrects"),
        null=True,
        blank=True,
        related_name="corrected_by",
    )
    made_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("made by"), related_name="+"
    )
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    round = models.PositiveSmallIntegerField(_("round of approvals"), default=0, editable=False)
    required_steps = models.JSONField(_("required approvals"), default=list, editable=False)
    lines_count = models.PositiveIntegerField(_("lines"), default=0, editable=False)
    total_fen = FenField(_("total"), default=0, editable=False)
    digest = models.CharField(_("digest"), max_length=64, blank=True, editable=False)
    sealed_at = models.DateTimeField(_("sealed at"), null=True, editable=False)
    approved_at = models.DateTimeField(_("approved at"), null=True, editable=False)
    generated_at = models.DateTimeField(_("generated at"), null=True, editable=False)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, editable=False)
    reconciled_at = models.DateTimeField(_("reconciled at"), null=True, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    statement_debit_fen = FenField(_("debit on the bank statement"), null=True, editable=False)
    fence = models.PositiveBigIntegerField(_("fence"), default=0, editable=False)
    owner = models.CharField(_("worker"), max_length=80, blank=True, editable=False)
    lease_until = models.DateTimeField(_("leased until"), null=True, editable=False)
    held_since = models.DateTimeField(_("held since"), null=True, editable=False)
    held_reason = models.CharField(_("why it is held"), max_length=300, blank=True)
    state = StateField(choices=BatchState.choices, default=BatchState.DRAFT)

    class Meta:
        verbose_name = _("payout batch")
        verbose_name_plural = _("payout batches")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"],
                name="payout_batch_claimable",
                condition=models.Q(state__in=["approved", "generated", "delivering"]),
            ),
        ]
        triggers = [
            BATCH.trigger(),
            frozen(
                "payout_batch_frozen",
                "round, required_steps, lines_count, total_fen, digest, bank_format_id, pay_on",
                "payout_batch: sealed content is frozen",
                when="OLD.state <> 'draft'",
            ),
            frozen(
                "payout_batch_identity_frozen",
                "number, fund_id, scheme, period, organization_id, corrects_id, made_by_id",
                "payout_batch: a batch stays what it is",
            ),
            Trigger(
                name="payout_batch_fence_rises",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "NEW.fence < OLD.fence OR (NEW.owner <> OLD.owner AND NEW.fence = OLD.fence)"
                    " OR (NEW.state = 'void' AND OLD.state <> 'void' AND NEW.fence = OLD.fence)"
                ),
                func=refusal(
                    "payout_batch_fence_rises", "payout_batch: the fence rises with each claim"
                ),
            ),
            _on_step(
                "payout_batch_to_sealed",
                "NEW.state = 'sealed'",
                _CONTENT_TRUE
                + _unless(
                    "NEW.round = OLD.round + 1 AND NEW.lines_count > 0 AND"
                    ' NEW.required_steps @> \'["maker", "checker", "releaser"]\'',
                    "payout_batch_sealed_whole",
                    "payout_batch: sealing needs lines, a new round and three steps",
                )
                + _PAYABLE,
            ),
            _on_step(
                "payout_batch_to_approved",
                "NEW.state = 'approved'",
                _CONTENT_TRUE
                + _unless(
                    "NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text(NEW.required_steps) s"
                    " WHERE NOT EXISTS (SELECT 1 FROM disbursement_batchapproval a"
                    "  WHERE a.batch_id = NEW.id AND a.round = NEW.round AND a.step = s.value"
                    "  AND a.digest = content.digest))",
                    "payout_batch_approved_by_all",
                    "payout_batch: an approval of exactly this content is missing",
                )
                + _PAYABLE,
            ),
            _on_step(
                "payout_batch_to_generated",
                "NEW.state = 'generated'",
                _CONTENT_TRUE
                + _unless(
                    "EXISTS (SELECT 1 FROM disbursement_bankfile f WHERE f.batch_id = NEW.id"
                    " AND f.digest = NEW.digest AND f.lines_count = NEW.lines_count"
                    " AND f.total_fen = NEW.total_fen)",
                    "payout_batch_has_its_file",
                    "payout_batch: the bank file of exactly this content is missing",
                )
                + _unless(
                    "NOT EXISTS (SELECT 1 FROM disbursement_payoutline l"
                    " WHERE l.batch_id = NEW.id AND l.state NOT IN ('sent', 'void'))",
                    "payout_batch_lines_sent",
                    "payout_batch: a line was not sent with it",
                )
                + _unless(
                    "EXISTS (SELECT 1 FROM disbursement_entry e WHERE e.batch_id = NEW.id"
                    " AND e.key = 'send:' || NEW.number)",
                    "payout_batch_booked",
                    "payout_batch: the money was not booked into transit",
                )
                + _PAYABLE,
            ),
            _on_step(
                "payout_batch_through_gate",
                "NEW.state IN ('generated', 'delivering', 'delivered', 'reconciled', 'closed')",
                _unless(
                    "NOT EXISTS (SELECT 1 FROM disbursement_gate WHERE state = 'safe')"
                    " OR EXISTS (SELECT 1 FROM disbursement_sentmark m"
                    "  WHERE m.batch_number = NEW.number)",
                    "payout_batch_gate",
                    "payout_batch: safe mode, nothing is sent",
                ),
            ),
            _on_step(
                "payout_batch_to_delivered",
                "NEW.state = 'delivered'",
                _unless(
                    "EXISTS (SELECT 1 FROM disbursement_sentmark m"
                    " JOIN disbursement_bankfile f ON f.batch_id = NEW.id AND f.sha256 = m.sha256"
                    " WHERE m.batch_number = NEW.number)",
                    "payout_batch_registered",
                    "payout_batch: the sent register does not hold this file",
                ),
            ),
            _on_step(
                "payout_batch_to_settled",
                "NEW.state IN ('reconciled', 'closed')",
                _unless(
                    "NOT EXISTS (SELECT 1 FROM disbursement_payoutline l"
                    " WHERE l.batch_id = NEW.id AND l.state IN ('ready', 'sent', 'unknown'))",
                    "payout_batch_lines_terminal",
                    "payout_batch: a line still waits for the bank",
                ),
            ),
            _on_step(
                "payout_batch_to_closed",
                "NEW.state = 'closed'",
                _unless(
                    "NEW.statement_debit_fen IS NOT DISTINCT FROM (SELECT"
                    " COALESCE(sum(l.amount_fen), 0) FROM disbursement_payoutline l"
                    " WHERE l.batch_id = NEW.id AND l.state IN ('paid', 'returned'))",
                    "payout_batch_statement_agrees",
                    "payout_batch: the bank statement differs from the paid lines",
                )
                + _unless(
                    "(SELECT COALESCE(sum(p.amount_fen), 0) FROM disbursement_entry e"
                    " JOIN disbursement_posting p ON p.entry_id = e.id"
                    " JOIN disbursement_ledgeraccount a ON a.id = p.account_id"
                    " WHERE e.batch_id = NEW.id AND a.kind = 'transit') = 0",
                    "payout_batch_transit_empty",
                    "payout_batch: money is still in transit",
                )
                + _unless(
                    "NOT EXISTS (SELECT 1 FROM disbursement_discrepancy x"
                    " WHERE x.batch_id = NEW.id AND x.state = 'open')"
                    " AND NOT EXISTS (SELECT 1 FROM disbursement_returnrow r"
                    " JOIN disbursement_payoutline l ON l.id = r.line_id"
                    " WHERE l.batch_id = NEW.id AND r.verdict = 'early')",
                    "payout_batch_no_open_row",
                    "payout_batch: a row of a return file is open",
                ),
            ),
            _on_step(
                "payout_batch_to_void",
                "NEW.state = 'void'",
                _unless(
                    "EXISTS (SELECT 1 FROM disbursement_motion m WHERE m.batch_id = NEW.id"
                    " AND m.kind = 'void_batch' AND m.state = 'seconded')",
                    "payout_batch_void_by_two",
                    "payout_batch: two people void a batch",
                ),
            ),
            *kept("payout_batch"),
        ]

    def __str__(self) -> str:
        return self.number


class BatchApproval(models.Model):
    """One of the required people approved exactly this digest."""

    batch = models.ForeignKey(
        PayoutBatch,
        models.PROTECT,
        verbose_name=_("batch"),
        related_name="approvals",
        db_index=False,
    )
    round = models.PositiveSmallIntegerField(_("round of approvals"))
    step = models.CharField(_("step"), max_length=16, choices=BatchStep.choices)
    account = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("approved by"), related_name="+"
    )
    digest = models.CharField(_("digest"), max_length=64)
    approved_at = models.DateTimeField(_("approved at"), db_default=Now())

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-batch_id", "round", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "round", "step"], name="batch_approval_step_once"
            ),
            models.UniqueConstraint(
                fields=["batch", "round", "account"], name="batch_approval_person_once"
            ),
        ]
        triggers = [
            Trigger(
                name="batch_approval_of_content",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("content", "record"), ("batch", "record")],
                func="""
                    SELECT * INTO batch FROM disbursement_payoutbatch
                    WHERE id = NEW.batch_id FOR SHARE;
                """
                + guard(
                    "batch.state <> 'sealed' OR batch.round <> NEW.round"
                    " OR NOT batch.required_steps @> to_jsonb(NEW.step::text)",
                    "batch_approval_of_sealed",
                    "batch_approval: this round does not await this step",
                )
                + guard(
                    "NEW.step = 'maker' AND NEW.account_id <> batch.made_by_id",
                    "batch_approval_maker_made_it",
                    "batch_approval: the maker is whoever made the batch",
                )
                + "SELECT * INTO content FROM disbursement_batch_content(NEW.batch_id);"
                + guard(
                    "NEW.digest IS DISTINCT FROM content.digest"
                    " OR NEW.digest IS DISTINCT FROM batch.digest",
                    "batch_approval_digest",
                    "batch_approval: the digest is not that of the content",
                )
                + "RETURN NEW;",
            ),
            *append_only("batch_approval"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.step}"


class BankFile(models.Model):
    """The exact bytes of a batch, written before anything leaves, and never again."""

    batch = models.OneToOneField(
        PayoutBatch,
        models.PROTECT,
        verbose_name=_("batch"),
        primary_key=True,
        related_name="bank_file",
    )
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=80, unique=True)
    sha256 = models.CharField(_("SHA-256 digest"), max_length=64)
    size = models.PositiveBigIntegerField(_("bytes"))
    lines_count = models.PositiveIntegerField(_("lines"))
    total_fen = FenField(_("total"))
    digest = models.CharField(_("digest"), max_length=64)
    # Base64, so that any encoding survives the sealed text column.
    body = SealedTextField(_("content of the file"), kind="bank_file", null=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now())

    class Meta:
        verbose_name = _("bank file")
        verbose_name_plural = _("bank files")
        triggers = append_only("bank_file", sealed="body", key="batch_id")

    def __str__(self) -> str:
        return self.name
