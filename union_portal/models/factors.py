"""A lost second factor taken off an account by two people."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from union_portal.fields import StateField
from union_portal.models.accounts import Account
from union_portal.states import FACTOR_RESET, FactorResetState


class FactorReset(models.Model):
    """One asks, another carries it out; neither of them for their own account."""

    account = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("account"), related_name="factor_resets"
    )
    reason = models.CharField(_("reason"), max_length=400)
    asked_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("asked by"), related_name="+"
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now, editable=False)
    decided_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("decided by"), null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    state = StateField(choices=FactorResetState.choices, default=FactorResetState.ASKED)

    class Meta:
        verbose_name = _("reset of a second factor")
        verbose_name_plural = _("resets of second factors")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(state=FactorResetState.ASKED),
                name="factor_reset_one_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(asked_by=models.F("account")),
                name="factor_reset_asked_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | (
                    ~models.Q(decided_by=models.F("account"))
                    & ~models.Q(decided_by=models.F("asked_by"))
                ),
                name="factor_reset_decided_by_a_third",
            ),
            models.CheckConstraint(
                condition=models.Q(state=FactorResetState.ASKED)
                | models.Q(decided_by__isnull=False),
                name="factor_reset_decided_by_someone",
            ),
        ]
        triggers = [FACTOR_RESET.trigger()]

    def __str__(self) -> str:
        return str(self.account)
