"""Payout lines: one attempt to pay one entitlement. A sent line is never edited."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from members.models import BankAccount
from union_portal.fields import FenField, SealedTextField, StateField
from union_portal.row_guards import frozen, guard, kept, pairs
from union_portal.triggers import Trigger
from welfare.disbursement.models.batches import PayoutBatch
from welfare.disbursement.models.entitlements import Entitlement
from welfare.disbursement.states import IN_TRANSIT, LINE, LIVE_OR_PAID, LineState


class PayoutLineQuerySet(models.QuerySet["PayoutLine"]):
    def counted(self) -> "PayoutLineQuerySet":
        """The lines a batch's control totals cover."""
        return self.exclude(state=LineState.VOID)

    def in_transit(self) -> "PayoutLineQuerySet":
        return self.filter(state__in=IN_TRANSIT)


# Queries over transition tables are EXECUTEd, so that each is planned for the rows it gets: a
# plan cached for three lines takes hours for a hundred thousand.
# Decisions are locked in one order (by id), so that two assemblies can't deadlock, and
# FOR SHARE, so that an objection and a line's birth wait for each other.
# What the register knows of a claim is placed in its order: a payment sent earlier holds up a
# later one and everything new; one sent later holds up nothing that went before it.
_BORN = (
    """
    EXECUTE $q$
        SELECT 1 FROM disbursement_payoutbatch
        WHERE id IN (SELECT batch_id FROM born) ORDER BY id FOR SHARE
    $q$;
    EXECUTE $q$
        SELECT 1 FROM union_portal_decision
        WHERE id IN (SELECT e.decision_id FROM born n
                     JOIN disbursement_entitlement e ON e.id = n.entitlement_id)
        ORDER BY id FOR SHARE
    $q$;
    EXECUTE $q$
        SELECT bool_or(n.state <> 'ready') AS state,
               bool_or(b.state IS DISTINCT FROM 'draft') AS draft,
               bool_or(d.state IS DISTINCT FROM 'clear') AS decision,
               bool_or(e.state IS DISTINCT FROM 'granted') AS entitlement,
               bool_or(NOT (b.pay_on >= r.valid_from AND today.day >= r.valid_from
                       AND (r.valid_to IS NULL
                            OR (b.pay_on <= r.valid_to AND today.day <= r.valid_to)))) AS rule_set,
               bool_or((e.fund_id, e.scheme, e.period)
                       IS DISTINCT FROM (b.fund_id, b.scheme, b.period)) AS other,
               bool_or((a.state, a.payee, a.fingerprint, a.holder)
                       IS DISTINCT FROM ('confirmed'::varchar, e.payee,
                                         n.account_fingerprint, n.payee_name)) AS account,
               bool_or(EXISTS (SELECT 1 FROM disbursement_straypayment s
                               WHERE s.claim_key = e.claim_key AND s.placed_at IS NULL
                                 AND s.batch_number <> b.number
                                 AND NOT EXISTS (
                                     SELECT 1 FROM disbursement_straypayment own
                                     WHERE own.e2e = n.e2e AND own.id < s.id
                                       AND own.placed_at IS NULL))) AS stray,
               bool_or(n.attempt > 1) AS again
        FROM born n
        CROSS JOIN (SELECT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date AS day) today
        LEFT JOIN disbursement_payoutbatch b ON b.id = n.batch_id
        LEFT JOIN disbursement_entitlement e ON e.id = n.entitlement_id
        LEFT JOIN union_portal_decision d ON d.id = e.decision_id
        LEFT JOIN union_portal_ruleset r ON r.id = d.rule_set_id
        LEFT JOIN members_bankaccount a ON a.id = n.bank_account_id
    $q$ INTO bad;
    """
    + guard("bad.state", "payout_line_steps", "payout_line: every one is born ready")
    + guard("bad.draft", "payout_line_of_draft", "payout_line: the batch is no draft")
    + guard("bad.decision", "payout_line_decision_clear", "payout_line: a decision is not clear")
    + guard(
        "bad.entitlement",
        "payout_line_entitlement_granted",
        "payout_line: an entitlement has ended",
    )
    + guard(
        "bad.rule_set",
        "payout_line_rule_in_force",
        "payout_line: the payment lies outside the dates of its rule set",
    )
    + guard(
        "bad.other",
        "payout_line_of_its_batch",
        "payout_line: of another fund, scheme or period",
    )
    + guard(
        "bad.account",
        "payout_line_account_confirmed",
        "payout_line: not a confirmed account of the payee",
    )
    + guard(
        "bad.stray",
        "payout_line_not_sent_before",
        "payout_line: the sent register knows a payment of it",
    )
    + """
    IF bad.again THEN
        EXECUTE $q$
            SELECT EXISTS (
                SELECT 1 FROM born n
                LEFT JOIN disbursement_payoutline p
                       ON p.entitlement_id = n.entitlement_id AND p.attempt = n.attempt - 1
                WHERE n.attempt > 1
                  AND (p.id IS NULL OR p.state NOT IN ('failed', 'returned', 'void')
                       OR (p.state <> 'void' AND p.bank_account_id = n.bank_account_id
                           AND NOT EXISTS (SELECT 1 FROM disbursement_motion m
                                           WHERE m.line_id = p.id AND m.kind = 'retry'
                                             AND m.state = 'seconded')))) AS barred
        $q$ INTO bad;
    """
    + guard(
        "bad.barred",
        "payout_line_retry_permitted",
        "payout_line: a new attempt needs another account or a retry approved by two",
    )
    + "END IF; RETURN NULL;"
)

_MOVED = (
    f"""
    EXECUTE $q$
        SELECT bool_or(o.state || '>' || n.state NOT IN ({pairs(LINE)})) AS step,
               bool_or(n.state = 'sent' AND b.state <> 'approved') AS sent,
               bool_or(n.state = 'void' AND b.state NOT IN ('draft', 'void')) AS void,
               bool_or(n.state IN ('unknown', 'paid', 'failed', 'returned') AND b.state NOT IN
                       ('generated', 'delivering', 'delivered', 'reconciled', 'closed')) AS early,
               bool_or(n.state IN ('paid', 'failed', 'returned')) AS answered
        FROM was o JOIN becomes n ON n.id = o.id AND n.state <> o.state
        JOIN disbursement_payoutbatch b ON b.id = n.batch_id
    $q$ INTO bad;
    """
    + guard("bad.step", "payout_line_steps", "payout_line: this is not a step")
    + guard(
        "bad.sent",
        "payout_line_sent_with_batch",
        "payout_line: sent only with a released batch",
    )
    + guard("bad.void", "payout_line_void_with_batch", "payout_line: sealed content is frozen")
    + guard("bad.early", "payout_line_answered_after_file", "payout_line: its file is not written")
    + """
    IF bad.answered THEN
        EXECUTE $q$
            SELECT EXISTS (
                SELECT 1 FROM was o JOIN becomes n ON n.id = o.id AND n.state <> o.state
                WHERE n.state IN ('paid', 'failed', 'returned')
                  AND NOT EXISTS (SELECT 1 FROM disbursement_returnrow r
                                  WHERE r.line_id = n.id AND r.result = n.state
                                    AND r.verdict = 'applied' AND r.amount_fen = n.amount_fen)
                  AND NOT EXISTS (SELECT 1 FROM disbursement_motion m
                                  WHERE m.line_id = n.id AND m.kind = 'certificate'
                                    AND m.state = 'seconded' AND o.state = 'unknown'
                                    AND m.detail ->> 'result' = n.state)) AS unsaid
        $q$ INTO bad;
    """
    + guard(
        "bad.unsaid",
        "payout_line_bank_said_so",
        "payout_line: no return row or certificate says so",
    )
    + "END IF; RETURN NULL;"
)


class PayoutLine(models.Model):
    """One attempt. The payee is copied onto the row when the line is born, and frozen.

    `e2e` is the end-to-end id the bank repeats; ambiguity never gets a new one.
    """

    # The trigger asks once a set whether the batch is a draft, and no batch is ever deleted:
    # a foreign key would ask again for every line.
    batch = models.ForeignKey(
        PayoutBatch,
        models.PROTECT,
        verbose_name=_("batch"),
        related_name="lines",
        db_constraint=False,
    )
    # Its foreign key is composite, (entitlement, amount): see migration 0002.
    entitlement = models.ForeignKey(
        Entitlement,
        models.PROTECT,
        verbose_name=_("entitlement"),
        related_name="lines",
        db_index=False,
        db_constraint=False,
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    position = models.PositiveIntegerField(_("line"))
    e2e = models.CharField(_("end-to-end id"), max_length=35)
    amount_fen = FenField(_("amount"))
    bank_account = models.ForeignKey(
        BankAccount,
        models.PROTECT,
        verbose_name=_("bank account"),
        related_name="+",
        db_index=False,
    )
    payee_name = models.CharField(_("payee"), max_length=60)
    account_number = SealedTextField(_("account number"), kind="bank_account", null=False)
    account_fingerprint = models.CharField(
        _("fingerprint of the account"), max_length=64, editable=False
    )
    account_last_four = models.CharField(_("last four digits"), max_length=4)
    bank_name = models.CharField(_("bank"), max_length=80)
    bank_code = models.CharField(_("bank code (CNAPS)"), max_length=14, blank=True)
    state = StateField(choices=LineState.choices, default=LineState.READY)

    objects = PayoutLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("payout line")
        verbose_name_plural = _("payout lines")
        ordering = ["e2e"]
        constraints = [
            models.UniqueConstraint(fields=["e2e"], name="payout_line_e2e_once"),
            models.UniqueConstraint(
                fields=["entitlement", "attempt"], name="payout_line_attempt_once"
            ),
            models.UniqueConstraint(
                fields=["entitlement"],
                condition=models.Q(state__in=[str(state) for state in LIVE_OR_PAID]),
                name="payout_line_one_live_or_paid",
            ),
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="payout_line_amount_positive"
            ),
        ]
        triggers = [
            Trigger(
                name="payout_line_born",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="born"),
                declare=[("bad", "record")],
                func=_BORN,
            ),
            Trigger(
                name="payout_line_moved",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="was", new="becomes"),
                declare=[("bad", "record")],
                func=_MOVED,
            ),
            frozen(
                "payout_line_frozen",
                "id, batch_id, entitlement_id, attempt, position, e2e, amount_fen, bank_account_id,"
                " payee_name, account_fingerprint, account_last_four, bank_name, bank_code",
                "payout_line: a line is never edited",
            ),
            *kept("payout_line"),
        ]

    def __str__(self) -> str:
        return self.e2e
