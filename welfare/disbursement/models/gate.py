"""Acts of two people, the mirror of the sent register, and the restore gate."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.fields import FenField, StateField
from union_portal.models import Account
from union_portal.models.audit import append_only
from union_portal.row_guards import frozen, guard, kept
from union_portal.triggers import Trigger
from welfare.disbursement.models.batches import PayoutBatch
from welfare.disbursement.models.entitlements import Entitlement
from welfare.disbursement.models.lines import PayoutLine
from welfare.disbursement.states import GATE, MOTION, GateState, MotionState


class MotionKind(models.TextChoices):
    VOID_BATCH = "void_batch", _("void a batch")
    WITHDRAW = "withdraw", _("withdraw an entitlement")
    WRITE_OFF = "write_off", _("write an entitlement off")
    RETRY = "retry", _("try the same account again")
    CERTIFICATE = "certificate", _("enter the bank's certificate")
    LIFT_GATE = "lift_gate", _("leave safe mode")


def _one_open(field: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=["kind", field],
        condition=models.Q(state="moved"),
        name=f"motion_one_open_per_{field}",
    )


class Motion(models.Model):
    """An act that takes two: one moves it with a reason, another carries it out."""

    kind = models.CharField(_("kind"), max_length=12, choices=MotionKind.choices)
    batch = models.ForeignKey(
        PayoutBatch, models.PROTECT, verbose_name=_("batch"), null=True, related_name="motions"
    )
    line = models.ForeignKey(
        PayoutLine,
        models.PROTECT,
        verbose_name=_("payment line"),
        null=True,
        related_name="motions",
    )
    entitlement = models.ForeignKey(
        Entitlement,
        models.PROTECT,
        verbose_name=_("entitlement"),
        null=True,
        related_name="motions",
    )
    detail = models.JSONField(_("details"), default=dict)
    reason = models.CharField(_("reason"), max_length=300)
    moved_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("moved by"), related_name="+"
    )
    moved_at = models.DateTimeField(_("moved at"), db_default=Now())
    seconded_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("seconded by"), null=True, related_name="+"
    )
    seconded_at = models.DateTimeField(_("seconded at"), null=True, editable=False)
    state = StateField(choices=MotionState.choices, default=MotionState.MOVED)

    class Meta:
        verbose_name = _("act of two people")
        verbose_name_plural = _("acts of two people")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(seconded_by__isnull=True)
                | ~models.Q(seconded_by=models.F("moved_by")),
                name="motion_seconded_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(state="moved") | models.Q(seconded_by__isnull=False),
                name="motion_ended_by_someone",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="motion_has_reason"),
            models.CheckConstraint(
                condition=models.Q(kind="void_batch", batch__isnull=False)
                | models.Q(kind__in=["withdraw", "write_off"], entitlement__isnull=False)
                | models.Q(kind__in=["retry", "certificate"], line__isnull=False)
                | models.Q(kind="lift_gate"),
                name="motion_has_subject",
            ),
            _one_open("batch"),
            _one_open("line"),
            _one_open("entitlement"),
        ]
        triggers = [
            MOTION.trigger(),
            frozen(
                "motion_frozen",
                "kind, batch_id, line_id, entitlement_id, detail, reason, moved_by_id, moved_at",
                "motion: what was moved is never edited",
            ),
            frozen(
                "motion_end_frozen",
                "seconded_by_id, seconded_at",
                "motion: it has ended",
                when="OLD.state <> 'moved'",
            ),
            *kept("motion"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} M{self.pk:06d}"


class SentMark(models.Model):
    """What this database knows of the sent register, which lies elsewhere."""

    sequence = models.PositiveBigIntegerField(_("sequence number"), primary_key=True)
    batch_number = models.CharField(_("batch"), max_length=20, unique=True)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=80)
    sha256 = models.CharField(_("SHA-256 digest"), max_length=64)
    lines_count = models.PositiveIntegerField(_("lines"))
    total_fen = FenField(_("total"))
    chain = models.CharField(_("chained digest"), max_length=64)
    marked_at = models.DateTimeField(_("marked at"), db_default=Now())

    class Meta:
        verbose_name = _("entry of the sent register")
        verbose_name_plural = _("entries of the sent register")
        ordering = ["-sequence"]
        triggers = append_only("sent_mark")

    def __str__(self) -> str:
        return f"{self.sequence}: {self.batch_number}"


class StrayPayment(models.Model):
    """A payment the register knows and this (restored) database does not. It blocks its claim."""

    e2e = models.CharField(_("end-to-end id"), max_length=35, unique=True)
    claim_key = models.CharField(_("claim key"), max_length=160, db_index=True)
    amount_fen = FenField(_("amount"))
    batch_number = models.CharField(_("batch"), max_length=20)
    found_at = models.DateTimeField(_("found at"), db_default=Now())
    placed_at = models.DateTimeField(_("placed at"), null=True, editable=False)

    class Meta:
        verbose_name = _("payment unknown to the database")
        verbose_name_plural = _("payments unknown to the database")
        ordering = ["e2e"]
        triggers = [
            Trigger(
                name="stray_payment_placed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.placed_at IS NOT NULL"),
                func=guard(
                    "NOT EXISTS (SELECT 1 FROM disbursement_payoutline l WHERE l.e2e = NEW.e2e"
                    " AND l.amount_fen = NEW.amount_fen AND l.state NOT IN ('ready', 'void'))",
                    "stray_payment_placed",
                    "stray_payment: no sent line stands for it",
                )
                + "RETURN NEW;",
            ),
            *kept("stray_payment"),
        ]

    def __str__(self) -> str:
        return self.e2e


class Gate(models.Model):
    """The restore gate: one row. In safe mode triggers refuse every step towards the bank.

    It remembers which server and timeline the database last ran on: a restored or promoted
    database is another one.
    """

    id = models.PositiveSmallIntegerField(_("number"), primary_key=True, default=1)
    system_identifier = models.CharField(_("identity of the database"), max_length=24, blank=True)
    timeline = models.PositiveIntegerField(_("timeline"), default=0)
    cause = models.TextField(_("why it is shut"), blank=True)
    shut_at = models.DateTimeField(_("shut at"), null=True, editable=False)
    state = StateField(choices=GateState.choices, default=GateState.OPEN)

    class Meta:
        verbose_name = _("restore gate")
        verbose_name_plural = _("restore gate")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="gate_one_row"),
        ]
        triggers = [
            GATE.trigger(),
            Trigger(
                name="gate_lifted_by_two",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'safe' AND NEW.state = 'open'"),
                func=guard(
                    "NOT EXISTS (SELECT 1 FROM disbursement_motion m WHERE m.kind = 'lift_gate'"
                    " AND m.state = 'seconded' AND m.moved_at >= OLD.shut_at)",
                    "gate_lifted_by_two",
                    "gate: two people lift it",
                )
                + guard(
                    "EXISTS (SELECT 1 FROM disbursement_straypayment WHERE placed_at IS NULL)",
                    "gate_nothing_remains",
                    "gate: a payment is unknown to the database",
                )
                + "RETURN NEW;",
            ),
            *kept("gate"),
        ]

    def __str__(self) -> str:
        return str(self.get_state_display())

    @property
    def is_shut(self) -> bool:
        return self.state == GateState.SAFE
