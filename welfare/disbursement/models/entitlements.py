"""What is owed to whom: one person, one scheme, one period."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models import Merchant, Person
from members.models.payees import one_payee, payee_field
from union_portal.fields import FenField, StateField
from union_portal.models import Decision, Organization
from union_portal.row_guards import frozen, guard, kept, pairs
from union_portal.triggers import Trigger
from welfare.disbursement.models.caps import (
    CAPS_LOCK,
    COUNTED_WHEN_BORN,
    GIVEN_BACK_WHEN_ENDED,
)
from welfare.disbursement.models.ledger import Fund
from welfare.disbursement.states import (
    ENTITLEMENT,
    LIVE_OR_PAID,
    EntitlementState,
    LineState,
)


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    def unpaid(self) -> "EntitlementQuerySet":
        """Granted, without a line that is live or paid."""
        from welfare.disbursement.models.lines import PayoutLine

        live = PayoutLine.objects.filter(entitlement=OuterRef("pk"), state__in=LIVE_OR_PAID)
        return self.filter(~Exists(live), state=EntitlementState.GRANTED)

    def paid(self) -> "EntitlementQuerySet":
        from welfare.disbursement.models.lines import PayoutLine

        paid = PayoutLine.objects.filter(entitlement=OuterRef("pk"), state=LineState.PAID)
        return self.filter(Exists(paid))

    def with_last_line(self) -> "EntitlementQuerySet":
        """Annotate `line_state`: the state of the newest attempt that was not voided, or None."""
        from welfare.disbursement.models.lines import PayoutLine

        last = PayoutLine.objects.filter(entitlement=OuterRef("pk")).counted().order_by("-attempt")
        return self.annotate(line_state=Subquery(last.values("state")[:1]))


# EXECUTEd, so that it is planned for the rows it gets.
_BORN = (
    """
    EXECUTE $q$
        SELECT bool_or(e.state <> 'granted') AS state,
               bool_or(d.outcome IS DISTINCT FROM 'granted' OR d.state = 'withdrawn') AS decision,
               bool_or(e.amount_fen IS DISTINCT FROM d.amount_fen - COALESCE(od.amount_fen, 0)
                       OR e.scheme IS DISTINCT FROM d.scheme
                       OR e.period IS DISTINCT FROM d.period
                       OR e.organization_id IS DISTINCT FROM d.organization_id) AS content,
               bool_or(e.claim_key IS DISTINCT FROM d.scheme || ':'
                       || COALESCE(p.national_id_index, 'uscc-' || m.uscc) || ':' || d.period
                       || CASE WHEN e.adjusts_id IS NULL THEN '' ELSE ':+' || d.id END) AS claim,
               bool_or(f.code IS DISTINCT FROM r.fund_code
                       OR NOT f.schemes @> to_jsonb(d.scheme)) AS fund
        FROM born e
        LEFT JOIN union_portal_decision d ON d.id = e.decision_id
        LEFT JOIN union_portal_ruleset r ON r.id = d.rule_set_id
        LEFT JOIN members_person p ON p.id = e.person_id
        LEFT JOIN members_merchant m ON m.id = e.merchant_id
        LEFT JOIN disbursement_fund f ON f.id = e.fund_id
        LEFT JOIN disbursement_entitlement o ON o.id = e.adjusts_id
        LEFT JOIN union_portal_decision od ON od.id = o.decision_id
    $q$ INTO bad;
    """
    # No merge is half done meanwhile (locks.py).
    + f"PERFORM pg_advisory_xact_lock_shared({CAPS_LOCK}, 0);"
    # Asked from the few who were merged: nothing is owed to a row that went, nor once more to
    # the human for whom it held the claim. An addition to what was paid has a key of its own.
    + """
    EXECUTE $q$
        SELECT EXISTS (
            SELECT 1 FROM members_person m JOIN born e ON e.person_id = m.id
            WHERE m.merged_into_id IS NOT NULL) AS away,
        EXISTS (
            SELECT 1 FROM members_person m
            JOIN disbursement_entitlement o ON o.person_id = m.id AND o.state = 'granted'
            JOIN born e ON e.person_id = m.merged_into_id AND e.scheme = o.scheme
             AND e.period = o.period AND e.adjusts_id IS NULL
            WHERE m.merged_into_id IS NOT NULL) AS twice
    $q$ INTO merged;
    """
    + guard(
        "merged.away",
        "entitlement_of_whole_person",
        "entitlement: this row was merged into another person's",
    )
    + guard(
        "merged.twice",
        "entitlement_claim_of_merged",
        "entitlement: the person has it under a number that was merged into theirs",
    )
    + guard("bad.state", "entitlement_steps", "entitlement: every one is born granted")
    + guard(
        "bad.decision",
        "entitlement_decision_granted",
        "entitlement: no standing decision grants it",
    )
    + guard(
        "bad.content",
        "entitlement_as_decided",
        "entitlement: amount, scheme, period or union was not so decided",
    )
    + guard(
        "bad.claim",
        "entitlement_claim_key_true",
        "entitlement: the claim key is not that of the person",
    )
    + guard(
        "bad.fund",
        "entitlement_fund_of_rule",
        "entitlement: the rule set names another fund or use",
    )
    + "RETURN NULL;"
)

# Two people's motion, or the decision's own end: withdrawn, or replaced by another.
_ENDED_BY_TWO = """
    EXISTS (SELECT 1 FROM disbursement_motion m
            WHERE m.entitlement_id = OLD.id AND m.state = 'seconded'
              AND (m.kind, NEW.state) IN
                  (('withdraw', 'withdrawn'), ('write_off', 'written_off')))
    OR (NEW.state = 'withdrawn' AND EXISTS (
        SELECT 1 FROM union_portal_decision d
        WHERE d.id = OLD.decision_id
          AND (d.state = 'withdrawn' OR EXISTS (
               SELECT 1 FROM union_portal_decision n
               WHERE n.replaces_id = d.id AND n.state <> 'withdrawn'))))
"""

# The decision row is locked first, as a line's birth does: one of them waits.
_STEPS = (
    guard(
        f"OLD.state || '>' || NEW.state NOT IN ({pairs(ENTITLEMENT)})",
        "entitlement_steps",
        "entitlement: this is not a step",
    )
    + "PERFORM 1 FROM union_portal_decision WHERE id = OLD.decision_id FOR UPDATE;"
    + guard(
        "EXISTS (SELECT 1 FROM disbursement_payoutline l WHERE l.entitlement_id = OLD.id"
        " AND l.state IN ('ready', 'sent', 'unknown', 'paid'))",
        "entitlement_not_on_its_way",
        "entitlement: a payment is live or done",
    )
    + guard(
        f"NOT ({_ENDED_BY_TWO})",
        "entitlement_ended_by_two",
        "entitlement: two people or the decision itself end it",
    )
    + "RETURN NEW;"
)


class Entitlement(models.Model):
    """One obligation to one human, or to one merchant for the month's uses.

    `claim_key` is scheme, keyed hash of the identity number (of a merchant: its credit code),
    and period (for a claim: its settlement number). It is unique among granted entitlements
    over all batches and funds. An entitlement that `adjusts` a paid one holds the difference
    a later decision added.
    """

    # The trigger compares decision, fund and union once a set, and none of them is ever
    # deleted: foreign keys would ask again for every row.
    decision = models.OneToOneField(
        Decision,
        models.PROTECT,
        verbose_name=_("decision"),
        related_name="entitlement",
        db_constraint=False,
    )
    person = models.ForeignKey(
        Person,
        models.PROTECT,
        verbose_name=_("person"),
        null=True,
        blank=True,
        related_name="entitlements",
    )
    merchant = models.ForeignKey(
        Merchant,
        models.PROTECT,
        verbose_name=_("merchant"),
        null=True,
        blank=True,
        related_name="entitlements",
        db_index=False,  # entitlement_of_merchant below
    )
    payee = payee_field()
    fund = models.ForeignKey(
        Fund,
        models.PROTECT,
        verbose_name=_("fund"),
        related_name="entitlements",
        db_index=False,
        db_constraint=False,
    )
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        verbose_name=_("union"),
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    scheme = models.CharField(_("scheme"), max_length=40)
    period = models.CharField(_("period"), max_length=20)
    amount_fen = FenField(_("amount"))
    claim_key = models.CharField(_("claim key"), max_length=160, editable=False)
    adjusts = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("adjusts"),
        null=True,
        blank=True,
        related_name="adjusted_by",
        db_index=False,
    )
    granted_at = models.DateTimeField(_("granted at"), db_default=Now())
    state = StateField(choices=EntitlementState.choices, default=EntitlementState.GRANTED)

    objects = EntitlementQuerySet.as_manager()

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["fund", "scheme", "period", "id"], name="entitlement_of_period"),
            models.Index(
                fields=["merchant"],
                name="entitlement_of_merchant",
                condition=models.Q(merchant__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="entitlement_amount_positive"
            ),
            models.UniqueConstraint(
                fields=["claim_key"],
                condition=models.Q(state="granted"),
                name="entitlement_claim_once",
            ),
            models.UniqueConstraint(
                fields=["adjusts"],
                condition=models.Q(adjusts__isnull=False),
                name="entitlement_adjusted_once",
            ),
            one_payee("entitlement"),
            # What a line's composite foreign key points to.
            models.UniqueConstraint(fields=["id", "amount_fen"], name="entitlement_amount_key"),
        ]
        triggers = [
            Trigger(
                name="entitlement_born",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="born"),
                declare=[("bad", "record"), ("merged", "record")],
                func=_BORN,
            ),
            # Named to fire after the one above: triggers fire in the order of their names.
            Trigger(
                name="entitlement_capped",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="born"),
                func=COUNTED_WHEN_BORN,
            ),
            Trigger(
                name="entitlement_given_back",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="was", new="becomes"),
                func=GIVEN_BACK_WHEN_ENDED,
            ),
            frozen(
                "entitlement_frozen",
                "decision_id, person_id, merchant_id, fund_id, organization_id, scheme, period,"
                " amount_fen, claim_key, adjusts_id, granted_at",
                "entitlement: what is owed is never edited",
            ),
            Trigger(
                name="entitlement_steps",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state <> OLD.state"),
                func=_STEPS,
            ),
            *kept("entitlement"),
        ]

    def __str__(self) -> str:
        return f"E{self.pk:08d}"

    @property
    def payee_row(self) -> Person | Merchant:
        """The person or the merchant: one of the two, by a constraint."""
        owner = self.person or self.merchant
        assert owner is not None
        return owner
