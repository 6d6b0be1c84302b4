"""Subsidies proposed in bulk for one scheme and period, and the counties' checks."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from awards.states import COUNTY_CHECK, ROUND, CheckState, RoundState
from union_portal.fields import FenField, StateField
from union_portal.models import Account, Organization, RuleSet


class Scheme(models.TextChoices):
    """The three uses of the earmarked budget (X2); there is no fourth."""

    FESTIVAL_GIFT = "festival_gift", _("festival gift")
    SPECIAL_HARDSHIP = "special_hardship", _("special hardship subsidy")
    LIVING_ALLOWANCE = "living_allowance", _("farmer living allowance")


class SubsidyRound(models.Model):
    """The whole roster measured against one rule set on one day.

    `organization` is the federation that proposes and decides.
    """

    scheme = models.CharField(_("scheme"), max_length=20, choices=Scheme.choices)
    period = models.CharField(_("year"), max_length=4)
    rule_set = models.ForeignKey(
        RuleSet, models.PROTECT, related_name="+", verbose_name=_("rule set")
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    reference_on = models.DateField(_("facts as of"))
    proposed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("proposed by"), related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed at"), default=timezone.now, editable=False)
    entitled_count = models.PositiveIntegerField(_("entitled"), default=0)
    refused_count = models.PositiveIntegerField(_("refused"), default=0)
    amount_fen = FenField(_("proposed amount"), default=0)
    decided_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("decided by"), null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    state = StateField(choices=RoundState.choices, default=RoundState.PROPOSED)

    class Meta:
        verbose_name = _("subsidy round")
        verbose_name_plural = _("subsidy rounds")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "period"],
                condition=models.Q(state__in=["proposed", "checked"]),
                name="subsidy_round_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(scheme__in=["festival_gift", "living_allowance"]),
                name="subsidy_round_scheme_in_bulk",
            ),
            models.CheckConstraint(
                condition=models.Q(period__regex=r"^(19|20|21)\d\d$"),
                name="subsidy_round_period_is_year",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | ~models.Q(decided_by=models.F("proposed_by")),
                name="subsidy_round_decided_by_another",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="decided") | models.Q(decided_by__isnull=False),
                name="subsidy_round_decided_by_someone",
            ),
        ]
        triggers = [ROUND.trigger()]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.period}"


class CountyCheck(models.Model):
    """A county's word on its part of a round. `county` stands right below the federation."""

    round = models.ForeignKey(
        SubsidyRound, models.PROTECT, verbose_name=_("round"), related_name="checks"
    )
    county = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", verbose_name=_("county")
    )
    confirmed_count = models.PositiveIntegerField(_("confirmed"), default=0)
    excluded_count = models.PositiveIntegerField(_("excluded"), default=0)
    note = models.TextField(_("note"), blank=True)
    checked_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("checked by"), null=True, related_name="+"
    )
    checked_at = models.DateTimeField(_("checked at"), null=True, editable=False)
    state = StateField(choices=CheckState.choices, default=CheckState.OPEN)

    class Meta:
        verbose_name = _("county check")
        verbose_name_plural = _("county checks")
        ordering = ["-round_id", "county_id"]
        constraints = [
            models.UniqueConstraint(fields=["round", "county"], name="county_check_once"),
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | models.Q(checked_by__isnull=False),
                name="county_check_by_someone",
            ),
        ]
        triggers = [COUNTY_CHECK.trigger()]

    def __str__(self) -> str:
        return f"{self.round} – {self.county}"
