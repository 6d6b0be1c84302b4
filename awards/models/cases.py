"""One person's subsidy of one scheme and year, from a round or from an application."""

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from awards.models.rounds import Scheme, SubsidyRound
from awards.states import CASE, LIVE_CASES, CaseState
from members.models import Person
from union_portal.fields import FenField, SealedTextField, StateField
from union_portal.models import Account, Decision, Organization, StoredFile
from union_portal.models.audit import append_only, refuse_truncate
from union_portal.row_guards import four_eyes
from union_portal.triggers import Trigger


class Ground(models.TextChoices):
    """The named grounds of a special hardship subsidy (X6)."""

    ILLNESS = "illness", _("(a) major or chronic illness in the family")
    LIVELIHOOD = "livelihood", _("(b) lay-off, lost work capacity or schooling")
    DISASTER = "disaster", _("(c) natural disaster or family accident")


class SubsidyCase(models.Model):
    """Who asks or is proposed, for what, and where it stands.

    `steps` explains the outcome as a list of {"clause", "message", "values", "amount_fen"}
    (see `awards.rules.steps`). `details` is sealed: it tells of illness and need.
    """

    person = models.ForeignKey(
        Person, models.PROTECT, related_name="subsidy_cases", verbose_name=_("person")
    )
    scheme = models.CharField(_("scheme"), max_length=20, choices=Scheme.choices)
    period = models.CharField(_("year"), max_length=4)
    round = models.ForeignKey(
        SubsidyRound,
        models.PROTECT,
        verbose_name=_("round"),
        null=True,
        blank=True,
        related_name="cases",
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", verbose_name=_("grassroots union")
    )
    county = models.ForeignKey(
        Organization, models.PROTECT, related_name="+", verbose_name=_("county")
    )
    ground = models.CharField(_("ground"), max_length=12, choices=Ground.choices, blank=True)
    details = SealedTextField(_("details"), kind="medical")
    asked_fen = FenField(_("amount asked for"), null=True, blank=True)
    opinion = SealedTextField(_("opinion of the county"), kind="medical")
    recommended_fen = FenField(_("amount recommended"), null=True, blank=True)
    amount_fen = FenField(_("amount"), default=0)
    steps = models.JSONField(_("explanation"), default=list)
    refusal_clause = models.CharField(_("refused under"), max_length=12, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    decision = models.OneToOneField(
        Decision,
        models.PROTECT,
        verbose_name=_("decision"),
        null=True,
        blank=True,
        related_name="subsidy_case",
    )
    created_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("created by"), related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    visited_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("visited by"), null=True, related_name="+"
    )
    reviewed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("reviewed by"), null=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("decided by"), null=True, related_name="+"
    )
    returned_from = models.CharField(_("returned from"), max_length=24, blank=True, editable=False)
    state = StateField(choices=CaseState.choices, default=CaseState.SUBMITTED)

    class Meta:
        verbose_name = _("subsidy case")
        verbose_name_plural = _("subsidy cases")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["round", "county", "state"], name="case_round_county"),
            models.Index(fields=["county", "state"], name="case_county_state"),
            models.Index(fields=["organization", "state"], name="case_organization_state"),
        ]
        constraints = [
            # X7 for special hardship, and the same for the other two schemes.
            models.UniqueConstraint(
                fields=["person", "scheme", "period"],
                condition=models.Q(state__in=[state.value for state in LIVE_CASES]),
                name="case_one_live",
            ),
            models.UniqueConstraint(fields=["round", "person"], name="case_once_per_round"),
            models.CheckConstraint(
                condition=models.Q(scheme__in=[scheme.value for scheme in Scheme]),
                name="case_three_uses_only",
            ),
            models.CheckConstraint(
                condition=models.Q(period__regex=r"^(19|20|21)\d\d$"), name="case_period_is_year"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(scheme="special_hardship", round__isnull=True) & ~models.Q(ground="")
                )
                | (~models.Q(scheme="special_hardship") & models.Q(round__isnull=False, ground="")),
                name="case_application_or_round",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="granted")
                | models.Q(decision__isnull=False, amount_fen__gt=0, refusal_clause=""),
                name="case_granted_with_amount",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="refused")
                | (models.Q(decision__isnull=False, amount_fen=0) & ~models.Q(refusal_clause="")),
                name="case_refused_with_clause",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["ineligible", "excluded"])
                | (models.Q(amount_fen=0) & ~models.Q(refusal_clause="")),
                name="case_ineligible_with_clause",
            ),
            models.CheckConstraint(
                condition=models.Q(asked_fen__isnull=True) | models.Q(asked_fen__gt=0),
                name="case_asked_above_nothing",
            ),
            models.CheckConstraint(
                condition=models.Q(recommended_fen__isnull=True) | models.Q(recommended_fen__gt=0),
                name="case_recommended_above_nothing",
            ),
            # Whoever applied or proposed, visited, reviewed and decided are four people.
            *four_eyes("case", "created_by", "visited_by", "reviewed_by", "decided_by"),
        ]
        triggers = [
            CASE.trigger(),
            Trigger(
                name="subsidy_case_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' THEN
                        IF (NEW.scheme, NEW.period, NEW.round_id)
                           IS NOT DISTINCT FROM (OLD.scheme, OLD.period, OLD.round_id)
                           AND (NEW.person_id = OLD.person_id
                                OR EXISTS (SELECT 1 FROM members_person p
                                           WHERE p.id = OLD.person_id
                                             AND p.merged_into_id = NEW.person_id))
                           AND (OLD.state NOT IN ('granted', 'refused', 'withdrawn')
                                OR NEW.state <> OLD.state
                                OR to_jsonb(NEW) - 'person_id' = to_jsonb(OLD) - 'person_id'
                                OR EXISTS (SELECT 1 FROM union_portal_decision d
                                           WHERE d.id = NEW.decision_id
                                             AND d.replaces_id = OLD.decision_id)) THEN
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'subsidy_case: a decided case stays as it was'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'subsidy_case_frozen';
                """,
            ),
            refuse_truncate("subsidy_case"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"S{self.pk:08d}"


class HomeVisit(models.Model):
    """What the grassroots union found at home (X11). Photos are files of this row."""

    case = models.ForeignKey(
        SubsidyCase, models.PROTECT, verbose_name=_("case"), related_name="visits"
    )
    visited_on = models.DateField(_("visited on"))
    visitors = models.CharField(
        _("visitors"), max_length=160, help_text=_("Names of everyone who went.")
    )
    findings = SealedTextField(_("findings"), kind="medical", null=False)
    is_confirmed = models.BooleanField(_("the need is confirmed"))
    signature = models.ForeignKey(
        StoredFile,
        models.PROTECT,
        verbose_name=_("signature"),
        null=True,
        blank=True,
        related_name="+",
    )
    recorded_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("recorded by"), related_name="+"
    )
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("home visit")
        verbose_name_plural = _("home visits")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(visitors=""), name="visit_names_visitors"),
        ]
        triggers = append_only("home_visit", sealed="findings")

    def __str__(self) -> str:
        return f"{self.case} {self.visited_on}"


class ReturnForCompletion(models.Model):
    """What a step asked the member to complete, and the member's answer."""

    case = models.ForeignKey(
        SubsidyCase, models.PROTECT, verbose_name=_("case"), related_name="returns"
    )
    stage = models.CharField(_("returned at"), max_length=24, choices=CaseState.choices)
    message = models.TextField(_("what is missing"))
    returned_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("returned by"), related_name="+"
    )
    returned_at = models.DateTimeField(_("sent back at"), default=timezone.now, editable=False)
    answer = models.TextField(_("answer"), blank=True)
    answered_at = models.DateTimeField(_("completed at"), null=True, editable=False)

    class Meta:
        verbose_name = _("return for completion")
        verbose_name_plural = _("returns for completion")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(answered_at__isnull=True),
                name="return_one_open",
            ),
            models.CheckConstraint(condition=~models.Q(message=""), name="return_with_message"),
        ]

    def __str__(self) -> str:
        return f"{self.case} {timezone.localdate(self.returned_at)}"
