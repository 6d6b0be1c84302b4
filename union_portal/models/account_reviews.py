"""The yearly review of accounts: every role of every account, confirmed or ended by a day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from union_portal.access import Role
from union_portal.fields import StateField
from union_portal.models.accounts import Account
from union_portal.models.organizations import Organization
from union_portal.states import (
    ACCOUNT_REVIEW,
    REVIEWED_ROLE,
    AccountReviewState,
    ReviewedRoleState,
)


class AccountReview(models.Model):
    """One review of all roles that were held on the day it was opened."""

    opened_on = models.DateField(_("opened on"))
    due_on = models.DateField(_("due on"))
    opened_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("opened by"), related_name="+"
    )
    closed_on = models.DateField(_("closed on"), null=True)
    state = StateField(choices=AccountReviewState.choices, default=AccountReviewState.OPEN)

    class Meta:
        verbose_name = _("review of accounts")
        verbose_name_plural = _("reviews of accounts")
        ordering = ["-opened_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state=AccountReviewState.OPEN),
                name="account_review_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(due_on__gt=models.F("opened_on")),
                name="account_review_due_later",
            ),
        ]
        triggers = [ACCOUNT_REVIEW.trigger()]

    def __str__(self) -> str:
        return str(self.opened_on)


class ReviewedRole(models.Model):
    """What the review found about one role; it stays when the role itself is gone."""

    review = models.ForeignKey(
        AccountReview, models.CASCADE, verbose_name=_("review"), related_name="roles"
    )
    account = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("account"), related_name="reviewed_roles"
    )
    role = models.CharField(_("role"), max_length=32, choices=Role.choices)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    reviewed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("reviewed by"), null=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    state = StateField(choices=ReviewedRoleState.choices, default=ReviewedRoleState.OPEN)

    class Meta:
        verbose_name = _("reviewed role")
        verbose_name_plural = _("reviewed roles")
        ordering = ["-review_id", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "account", "role", "organization"], name="reviewed_role_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(
                    state__in=[ReviewedRoleState.CONFIRMED, ReviewedRoleState.ENDED]
                )
                | models.Q(reviewed_by__isnull=False),
                name="reviewed_role_by_someone",
            ),
            models.CheckConstraint(
                condition=models.Q(reviewed_by__isnull=True)
                | ~models.Q(reviewed_by=models.F("account")),
                name="reviewed_role_by_another",
            ),
        ]
        triggers = [REVIEWED_ROLE.trigger()]

    def __str__(self) -> str:
        return f"{self.account}: {Role(self.role).label} – {self.organization}"
