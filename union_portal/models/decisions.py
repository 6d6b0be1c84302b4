"""Dated rule sets, and the decisions taken under them."""

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.fields import FenField, StateField
from union_portal.models.accounts import Account
from union_portal.models.audit import refuse_truncate
from union_portal.models.organizations import Organization
from union_portal.states import DECISION, DecisionState
from union_portal.triggers import Freeze, Trigger


class RuleSetQuerySet(models.QuerySet["RuleSet"]):
    def in_force(self, scheme: str, day: object) -> "RuleSetQuerySet":
        """The adopted versions whose dates hold `day`, newest first."""
        return self.filter(
            models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=day),
            scheme=scheme,
            valid_from__lte=day,
            adopted_at__isnull=False,
        ).order_by("-version")


class RuleSet(models.Model):
    """The rules of one scheme, from one issuer, between two dates.

    A changed rule is a new version, never an edit: adopted rows are frozen by trigger
    (only `valid_to` may be brought forward when a successor takes over).
    `parameters` hold amounts in fen, ages, days; their meaning is the scheme's.
    """

    scheme = models.CharField(_("scheme"), max_length=40)
    version = models.PositiveIntegerField(_("version"))
    title = models.CharField(_("title"), max_length=120)
    issuer = models.CharField(_("issuer"), max_length=120)
    source_clause = models.CharField(_("source clause"), max_length=200)
    place = models.CharField(pgettext_lazy("of a rule", "place"), max_length=60)
    is_sample = models.BooleanField(_("sample, not our own rule"), default=False)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    fund_code = models.CharField(_("fund"), max_length=40)
    parameters = models.JSONField(_("parameters"), default=dict)
    notice_days = models.PositiveSmallIntegerField(_("days of public notice"), default=5)
    notice_counts_first_day = models.BooleanField(_("the posting day counts"), default=True)
    appeal_days = models.PositiveSmallIntegerField(_("days to appeal"), default=60)
    replaces = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("replaces"), null=True, blank=True, related_name="+"
    )
    written_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("written by"), null=True, related_name="+"
    )
    adopted_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("adopted by"), null=True, related_name="+"
    )
    adopted_at = models.DateTimeField(_("adopted at"), null=True, editable=False)

    objects = RuleSetQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule set")
        verbose_name_plural = _("rule sets")
        ordering = ["scheme", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["scheme", "version"], name="rule_set_version_once"),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True)
                | models.Q(valid_to__gte=models.F("valid_from")),
                name="rule_set_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(adopted_by__isnull=True)
                | models.Q(written_by__isnull=True)
                | ~models.Q(adopted_by=models.F("written_by")),
                name="rule_set_adopted_by_another",
            ),
        ]
        triggers = [
            Trigger(
                name="rule_set_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.adopted_at IS NOT NULL"),
                func="""
                    IF TG_OP = 'UPDATE'
                       AND to_jsonb(NEW) - 'valid_to' = to_jsonb(OLD) - 'valid_to'
                       AND NEW.valid_to <= COALESCE(OLD.valid_to, NEW.valid_to) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'rule_set: an adopted rule set is replaced, never edited'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_set_frozen';
                """,
            ),
            refuse_truncate("rule_set"),
        ]

    def __str__(self) -> str:
        return f"{self.title} (v{self.version})"

    def holds_on(self, day: object) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)  # type: ignore[operator]


# One look per statement, however many rows it writes.
_BORN = """
    IF EXISTS (
        SELECT 1 FROM born d JOIN union_portal_ruleset r ON r.id = d.rule_set_id
        WHERE r.adopted_at IS NULL OR d.scheme <> r.scheme OR d.decided_on < r.valid_from
           OR d.decided_on > COALESCE(r.valid_to, 'infinity'::date)
    ) THEN
        RAISE EXCEPTION 'decision: the rule set is not in force on the day of the decision'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_rule_in_force';
    END IF;
    IF EXISTS (
        SELECT 1 FROM born d WHERE d.amount_fen <> (
            SELECT COALESCE(sum((step ->> 'amount_fen')::bigint), 0)
            FROM jsonb_array_elements(d.steps) AS step)
    ) THEN
        RAISE EXCEPTION 'decision: the steps do not add up to the amount'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_sum_explained';
    END IF;
    RETURN NULL;
"""

# Clear means payable, so the outcome, the notice's window and the objections are checked
# here too, by the database's own clock.
_CLEAR = """
    IF EXISTS (
        SELECT 1 FROM news d JOIN olds o ON o.id = d.id
        JOIN union_portal_ruleset r ON r.id = d.rule_set_id
        WHERE d.state = 'clear' AND o.state <> 'clear' AND r.notice_days > 0 AND NOT EXISTS (
            SELECT 1 FROM union_portal_noticeentry e
            JOIN union_portal_notice n ON n.id = e.notice_id
            WHERE e.decision_id = d.id AND n.state IN ('published', 'closed')
              AND n.ends_on < (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date)
    ) THEN
        RAISE EXCEPTION 'decision: the public notice has not ended'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_clear';
    END IF;
    IF EXISTS (
        SELECT 1 FROM news d JOIN olds o ON o.id = d.id
        WHERE d.state = 'clear' AND o.state <> 'clear' AND (d.outcome <> 'granted' OR EXISTS (
            SELECT 1 FROM union_portal_objection j
            WHERE j.decision_id = d.id AND j.state = 'open'))
    ) THEN
        RAISE EXCEPTION 'decision: refused, or an objection is open'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_clear';
    END IF;
    RETURN NULL;
"""


class DecisionOutcome(models.TextChoices):
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")


class Decision(models.Model):
    """What was decided on one case, under which rules, by whom and why.

    `steps` is the explained sum: a list of {"clause", "message", "values", "amount_fen"},
    shown to the member sentence by sentence; the amounts add up to `amount_fen`. Content
    never changes after birth; only `state` moves. A decision that `replaces` another is an
    adjustment of it; otherwise a case has one standing decision per scheme and period.
    """

    scheme = models.CharField(_("scheme"), max_length=40)
    period = models.CharField(_("period"), max_length=20)
    rule_set = models.ForeignKey(
        RuleSet, models.PROTECT, verbose_name=_("rule set"), related_name="decisions"
    )
    outcome = models.CharField(_("outcome"), max_length=8, choices=DecisionOutcome.choices)
    amount_fen = FenField(_("amount"), default=0)
    steps = models.JSONField(_("explanation"), default=list)
    reason = models.TextField(_("reason"), blank=True)
    subject_type = models.CharField(_("kind of subject"), max_length=60)
    subject_id = models.BigIntegerField(_("number of the subject"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    replaces = models.OneToOneField(
        "self",
        models.PROTECT,
        verbose_name=_("replaces"),
        null=True,
        blank=True,
        related_name="replaced_by",
    )
    decided_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("decided by"), related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), default=timezone.now)
    decided_on = models.DateField(_("decided on"))
    state = StateField(choices=DecisionState.choices, default=DecisionState.MADE)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="decision_subject")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome="granted", amount_fen__gt=0)
                | models.Q(outcome="refused", amount_fen=0),
                name="decision_amount_fits_outcome",
            ),
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "scheme", "period"],
                condition=models.Q(replaces__isnull=True) & ~models.Q(state="withdrawn"),
                name="decision_one_per_case",
            ),
        ]
        triggers = [
            DECISION.trigger(),
            Freeze(
                all_but=["state"],
                name="decision_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE'
                       AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'decision: a decision is replaced, never edited'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_frozen';
                """,
            ),
            Trigger(
                name="decision_born",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="born"),
                func=_BORN,
            ),
            Trigger(
                name="decision_clear",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="olds", new="news"),
                func=_CLEAR,
            ),
            refuse_truncate("decision"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"D{self.pk:08d}"
