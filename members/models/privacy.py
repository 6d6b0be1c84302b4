"""What people agreed to, what they want corrected, whom they care for, and what was forgotten.

Source: the Personal Information Protection Law (2021), articles 15 (withdrawal), 29 (separate
consent), 31 (children under 14), 45–46 (copy, correction), 47 (deletion).
"""

# The SQL below is made of words of our own.
# ruff: noqa: S608

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.memberships import Channel
from members.models.people import Person, follows_merge
from members.rules.family import CHILD_AGE
from members.states import CORRECTION, CorrectionState
from union_portal.fields import BlindIndexField, SealedTextField, StateField
from union_portal.models import Account, Job, StoredFile
from union_portal.models.audit import append_only
from union_portal.row_guards import four_eyes, frozen, guard, kept
from union_portal.triggers import Trigger


class ConsentPurpose(models.TextChoices):
    """Each is asked for and withdrawn on its own."""

    MEMBERSHIP = "membership", _("keeping the register of members")
    CARD = "card", _("giving card data to the bank")
    SENSITIVE = "sensitive", _("sensitive data for relief and aid")
    NOTICES = "notices", _("messages by text message")
    FAMILY = "family", _("data of family members")


class ConsentText(models.Model):
    """The words of one purpose in one version: a changed text is a new version."""

    purpose = models.CharField(_("purpose"), max_length=12, choices=ConsentPurpose.choices)
    version = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"))
    text_en = models.TextField(_("English text"))
    valid_from = models.DateField(_("valid from"))
    written_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("written by"), null=True, related_name="+"
    )
    adopted_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("adopted by"), null=True, related_name="+"
    )
    adopted_at = models.DateTimeField(_("adopted at"), null=True, editable=False)

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")
        ordering = ["purpose", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "version"], name="consent_text_version_once"
            ),
            *four_eyes("consent_text", "written_by", "adopted_by"),
        ]
        triggers = [
            frozen(
                "consent_text_frozen",
                "purpose, version, text, text_en, valid_from",
                "consent_text: an adopted text is replaced, never edited",
                when="OLD.adopted_at IS NOT NULL",
            ),
            *kept("consent_text"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} (v{self.version})"


class Consent(models.Model):
    """One person agreed to one text; withdrawn it stays, with its end."""

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="consents", db_index=False
    )
    text = models.ForeignKey(
        ConsentText, models.PROTECT, verbose_name=_("text"), related_name="consents"
    )
    channel = models.CharField(_("came in"), max_length=8, choices=Channel.choices)
    given_at = models.DateTimeField(_("given at"), default=timezone.now, editable=False)
    given_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("entered by"), null=True, related_name="+"
    )
    # Paper signed at a desk.
    evidence = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("evidence"), null=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, editable=False)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "text"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="consent_once",
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True)
                | models.Q(withdrawn_at__gte=models.F("given_at")),
                name="consent_withdrawn_after_given",
            ),
        ]
        triggers = [
            frozen(
                "consent_frozen",
                "text_id, channel, given_at, given_by_id",
                "consent: what was agreed to is never edited",
            ),
            follows_merge("consent"),
            frozen(
                "consent_withdrawn_once",
                "withdrawn_at",
                "consent: what was withdrawn is given anew",
                when="OLD.withdrawn_at IS NOT NULL",
            ),
            *kept("consent"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.text}"


class Correction(models.Model):
    """A person asks for a field to be corrected; staff do it or say why not."""

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person"), related_name="corrections"
    )
    field = models.CharField(_("field"), max_length=30)
    wanted = SealedTextField(_("what it should be"), kind="profile", null=False)
    words = models.CharField(
        pgettext_lazy("of a member", "explanation"), max_length=300, blank=True
    )
    evidence = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("evidence"), null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now, editable=False)
    answer = models.CharField(_("answer"), max_length=300, blank=True)
    answered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("answered by"), null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)
    state = StateField(choices=CorrectionState.choices, default=CorrectionState.ASKED)

    class Meta:
        verbose_name = _("correction asked for")
        verbose_name_plural = _("corrections asked for")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "field"],
                condition=models.Q(state="asked"),
                name="correction_one_open_per_field",
            ),
        ]
        triggers = [CORRECTION.trigger(), *kept("correction")]

    def __str__(self) -> str:
        return str(self.person)


class Relation(models.TextChoices):
    SPOUSE = "spouse", _("spouse")
    CHILD = "child", _("child")
    PARENT = "parent", _("parent")
    OTHER = "other", _("other relative")


_CHILD = (
    guard(
        f"extract(year FROM age((NEW.entered_at AT TIME ZONE '{settings.TIME_ZONE}')::date,"
        f" NEW.born_on)) < {CHILD_AGE} AND NEW.guardian_consent_id IS NULL",
        "family_child_with_guardian",
        "family: for a child under 14 a guardian consents",
    )
    + guard(
        "NEW.guardian_consent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM members_consent c"
        " JOIN members_consenttext t ON t.id = c.text_id WHERE c.id = NEW.guardian_consent_id"
        " AND c.person_id = NEW.person_id AND t.purpose = 'family')",
        "family_consent_of_member",
        "family: the consent is another's, or to something else",
    )
    + "RETURN NEW;"
)


class FamilyMember(models.Model):
    """Someone in a member's family. For a child under 14 a guardian consents (art. 31)."""

    person = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("member"), related_name="family"
    )
    name = models.CharField(_("name"), max_length=60)
    relation = models.CharField(_("relation"), max_length=8, choices=Relation.choices)
    born_on = models.DateField(_("born on"))
    national_id = SealedTextField(_("identity number"), kind="national_id")
    national_id_index = BlindIndexField(
        _("look-up print of the ID number"), source="national_id", kind="national_id"
    )
    national_id_shown = models.CharField(_("identity number"), max_length=18, blank=True)
    guardian = models.CharField(_("guardian"), max_length=60, blank=True)
    guardian_consent = models.ForeignKey(
        Consent,
        models.PROTECT,
        verbose_name=_("consent of the guardian"),
        null=True,
        related_name="+",
    )
    entered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("entered by"), null=True, related_name="+"
    )
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("family member")
        verbose_name_plural = _("family members")
        ordering = ["born_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "national_id_index"], name="family_member_once"
            ),
            models.CheckConstraint(
                condition=models.Q(guardian_consent__isnull=True) | ~models.Q(guardian=""),
                name="family_guardian_named",
            ),
        ]
        triggers = [
            Trigger(
                name="family_child_with_guardian",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_CHILD,
            ),
        ]

    def __str__(self) -> str:
        return self.name


_SHOWN_TO_ANOTHER = (
    guard(
        "NOT EXISTS (SELECT 1 FROM members_retentionrun r WHERE r.id = NEW.shown_by_id"
        " AND r.is_dry AND r.run_on = NEW.run_on)",
        "retention_as_shown",
        "retention: only what a dry run of that day has shown is removed",
    )
    + guard(
        "EXISTS (SELECT 1 FROM members_retentionrun r WHERE r.id = NEW.shown_by_id"
        " AND r.requested_by_id = NEW.requested_by_id)",
        "retention_by_another",
        "retention: whoever asked for the dry run does not carry it out",
    )
    + "RETURN NEW;"
)


class RetentionRun(models.Model):
    """One run of the rules of retention: what was or would be forgotten, counted by rule.

    Written when it has ended; while it runs, its counts stand in its job.
    """

    is_dry = models.BooleanField(_("dry run"))
    counts = models.JSONField(_("counts"), default=dict)
    # A real run does what a dry run has shown somebody else.
    shown_by = models.ForeignKey(
        "self", models.PROTECT, verbose_name=_("dry run before"), null=True, related_name="+"
    )
    requested_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("requested by"), null=True, related_name="+"
    )
    run_on = models.DateField(_("as at"))
    finished_at = models.DateTimeField(_("finished at"), default=timezone.now, editable=False)
    job = models.ForeignKey(Job, models.PROTECT, verbose_name=_("job"), null=True, related_name="+")

    class Meta:
        verbose_name = _("run of retention")
        verbose_name_plural = _("runs of retention")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_dry=True) | models.Q(shown_by__isnull=False),
                name="retention_shown_before",
            ),
            models.UniqueConstraint(fields=["shown_by"], name="retention_carried_out_once"),
        ]
        triggers = [
            *append_only("retention_run"),
            Trigger(
                name="retention_shown_to_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NOT NEW.is_dry"),
                func=_SHOWN_TO_ANOTHER,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_on:%Y-%m-%d}"
