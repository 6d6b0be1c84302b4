"""Appeals: someone other than the decider looks again."""

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from union_portal.fields import FenField, StateField
from union_portal.models.accounts import Account
from union_portal.models.decisions import Decision
from union_portal.states import APPEAL, AppealState
from union_portal.triggers import Trigger


class Appeal(models.Model):
    """A member's appeal against a refusal or an amount (X16).

    Its outcome is a new decision linked to the old one, never an edit.
    """

    decision = models.ForeignKey(
        Decision, models.PROTECT, verbose_name=_("decision"), related_name="appeals"
    )
    appellant = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("appellant"), related_name="appeals"
    )
    text = models.TextField(_("grounds"))
    asked_fen = FenField(_("amount asked for"), null=True, blank=True)
    filed_at = models.DateTimeField(_("filed at"), default=timezone.now, editable=False)
    reviewer = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("reviewer"), null=True, related_name="+"
    )
    answer = models.TextField(_("answer"), blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    outcome = models.OneToOneField(
        Decision,
        models.PROTECT,
        verbose_name=_("outcome"),
        null=True,
        related_name="settled_appeal",
    )
    state = StateField(choices=AppealState.choices, default=AppealState.FILED)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["decision"],
                condition=models.Q(state__in=["filed", "reviewing"]),
                name="appeal_one_open_per_decision",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["upheld", "dismissed"])
                | (~models.Q(answer="") & models.Q(reviewer__isnull=False)),
                name="appeal_closed_with_answer",
            ),
        ]
        triggers = [
            APPEAL.trigger(),
            Trigger(
                name="appeal_second_reviewer",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.reviewer_id IS NOT NULL"),
                func="""
                    IF NEW.reviewer_id = NEW.appellant_id OR NEW.reviewer_id =
                       (SELECT decided_by_id FROM union_portal_decision
                        WHERE id = NEW.decision_id) THEN
                        RAISE EXCEPTION 'appeal: whoever decided does not review the appeal'
                            USING ERRCODE = 'check_violation',
                                  CONSTRAINT = 'appeal_second_reviewer';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"A{self.pk:06d}"
