"""What the federation owes a merchant for the subsidised uses of one month."""

# The SQL below is made of words of our own.
# ruff: noqa: S608

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models import BenefitProgramme, Merchant, Redemption
from union_portal.fields import FenField, StateField
from union_portal.kit.money import yuan
from union_portal.models import Account, Decision, Organization
from union_portal.row_guards import four_eyes, frozen, guard, kept
from union_portal.triggers import Trigger
from welfare.states import (
    MERCHANT_STATEMENT,
    STATEMENT_LINE,
    StatementLineState,
    StatementState,
)


class MerchantStatement(models.Model):
    """One merchant's uses of one month under one programme, issued once.

    `total_fen` is what was issued; what is approved is the sum of the lines that still count,
    and stands in the decision. The merchant may dispute lines until `disputes_until`.
    """

    number = models.CharField(_("number of the statement"), max_length=30, unique=True)
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="statements"
    )
    programme = models.ForeignKey(
        BenefitProgramme, models.PROTECT, verbose_name=_("programme"), related_name="statements"
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union in charge"), related_name="+"
    )
    month = models.DateField(_("month"))
    lines_count = models.PositiveIntegerField(_("lines"))
    total_fen = FenField(_("amount"))
    disputes_until = models.DateField(_("disputes until"))
    accepted_at = models.DateTimeField(_("accepted by the merchant at"), null=True, editable=False)
    accepted_by = models.ForeignKey(
        Account,
        models.PROTECT,
        verbose_name=_("accepted by the merchant's account"),
        null=True,
        related_name="+",
    )
    prepared_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("prepared by"), related_name="+"
    )
    prepared_at = models.DateTimeField(_("prepared at"), default=timezone.now, editable=False)
    approved_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("approved by"), null=True, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved at"), null=True, editable=False)
    decision = models.OneToOneField(
        Decision,
        models.PROTECT,
        verbose_name=_("decision"),
        null=True,
        related_name="merchant_statement",
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    state = StateField(choices=StatementState.choices, default=StatementState.ISSUED)

    class Meta:
        verbose_name = _("merchant's statement")
        verbose_name_plural = _("merchants' statements")
        ordering = ["-month", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "programme", "month"],
                condition=~models.Q(state="cancelled"),
                name="statement_once_a_month",
            ),
            models.CheckConstraint(
                condition=models.Q(month__day=1), name="statement_of_whole_month"
            ),
            models.CheckConstraint(
                condition=models.Q(total_fen__gt=0, lines_count__gt=0),
                name="statement_of_something",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="approved")
                | models.Q(decision__isnull=False, approved_by__isnull=False),
                name="statement_approved_with_decision",
            ),
            *four_eyes("statement", "prepared_by", "approved_by"),
        ]
        triggers = [
            MERCHANT_STATEMENT.trigger(),
            frozen(
                "statement_frozen",
                "number, merchant_id, programme_id, organization_id, month, lines_count,"
                " total_fen, prepared_by_id, prepared_at",
                "statement: what was issued is never edited",
            ),
            *kept("merchant_statement"),
        ]

    def __str__(self) -> str:
        return self.number


# A line says what its use says, once for all statements that stand.
_BORN = (
    """
    SELECT r.state <> 'done' AS undone,
           (r.subsidy_fen, r.merchant_id, r.programme_id)
               IS DISTINCT FROM (NEW.amount_fen, s.merchant_id, s.programme_id) AS other,
           date_trunc('month', r.redeemed_at AT TIME ZONE 'Asia/Shanghai')::date
               IS DISTINCT FROM s.month AS elsewhen
    INTO held
    FROM members_redemption r, welfare_merchantstatement s
    WHERE r.id = NEW.redemption_id AND s.id = NEW.statement_id;
"""
    + guard(
        "held.undone OR held.other OR held.elsewhen",
        "statement_line_as_used",
        "statement_line: not a standing use of this merchant and month, or another amount",
    )
    + "RETURN NEW;"
)


class StatementLine(models.Model):
    """One use in a statement, and what is said against it."""

    statement = models.ForeignKey(
        MerchantStatement,
        models.PROTECT,
        verbose_name=_("statement"),
        related_name="lines",
        db_index=False,
    )
    position = models.PositiveIntegerField(_("line"))
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, verbose_name=_("use"), related_name="statement_lines"
    )
    amount_fen = FenField(_("amount"))
    words = models.CharField(_("what is disputed"), max_length=300, blank=True)
    disputed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("disputed by"), null=True, related_name="+"
    )
    disputed_at = models.DateTimeField(_("disputed at"), null=True, editable=False)
    answer = models.CharField(_("answer"), max_length=300, blank=True)
    answered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("answered by"), null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)
    state = StateField(choices=StatementLineState.choices, default=StatementLineState.COUNTED)

    class Meta:
        verbose_name = _("line of a statement")
        verbose_name_plural = _("lines of statements")
        ordering = ["statement_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "position"], name="statement_line_position_once"
            ),
            models.UniqueConstraint(
                fields=["redemption"],
                condition=~models.Q(state="removed"),
                name="statement_line_use_once",
            ),
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="statement_line_amount_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="disputed")
                | (models.Q(disputed_by__isnull=False) & ~models.Q(words="")),
                name="statement_line_disputed_with_words",
            ),
            *four_eyes("statement_line", "disputed_by", "answered_by"),
        ]
        triggers = [
            STATEMENT_LINE.trigger(),
            Trigger(
                name="statement_line_born",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("held", "record")],
                func=_BORN,
            ),
            frozen(
                "statement_line_frozen",
                "statement_id, position, redemption_id, amount_fen",
                "statement_line: what was used is never edited",
            ),
            Trigger(
                name="statement_line_open",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state <> OLD.state"),
                func=guard(
                    "(SELECT state FROM welfare_merchantstatement WHERE id = NEW.statement_id)"
                    " = 'approved'",
                    "statement_line_open",
                    "statement_line: the statement is approved",
                )
                + "RETURN NEW;",
            ),
            *kept("statement_line"),
        ]

    def __str__(self) -> str:
        return f"{self.statement}/{self.position}"

    @property
    def yuan(self) -> str:
        """The amount as papers and pages show it."""
        return yuan(self.amount_fen)
