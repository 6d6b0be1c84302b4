"""Model workers: what the subsidy rules ask about them, year by year."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models import Person
from union_portal.models import Account, StoredFile
from union_portal.models.audit import append_only


class ModelWorkerKind(models.TextChoices):
    SCIENCE_EDUCATION = "science_education", _("science and education")
    CULTURE = "culture", _("culture")
    ENTERPRISE = "enterprise", _("enterprise")
    RURAL = "rural", _("rural")


class ModelWorker(models.Model):
    """A person on the roll of model workers. The title itself is an `Honour`."""

    person = models.OneToOneField(
        Person, models.PROTECT, related_name="model_worker", verbose_name=_("person")
    )
    kind = models.CharField(_("class"), max_length=20, choices=ModelWorkerKind.choices)
    is_farmer = models.BooleanField(_("farmer"), default=False)
    lost_work_capacity_on = models.DateField(_("lost work capacity on"), null=True, blank=True)
    enrolled_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("enrolled by"), null=True, related_name="+"
    )
    enrolled_at = models.DateTimeField(_("enrolled at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("model worker")
        verbose_name_plural = _("model workers")

    def __str__(self) -> str:
        return str(self.person)


class YearlyVerification(models.Model):
    """Somebody saw that the model worker lives and keeps the honour (X3).

    History is kept: a later row of the same year overrides an earlier one.
    """

    model_worker = models.ForeignKey(
        ModelWorker, models.PROTECT, related_name="verifications", verbose_name=_("model worker")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    is_alive = models.BooleanField(_("alive"))
    honour_retained = models.BooleanField(_("honour retained"))
    evidence = models.CharField(
        _("evidence"), max_length=200, help_text=_("How it was verified: visit, call, register.")
    )
    file = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("file"), null=True, blank=True, related_name="+"
    )
    verified_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("verified by"), related_name="+"
    )
    verified_on = models.DateField(_("verified on"))

    class Meta:
        verbose_name = _("yearly verification")
        verbose_name_plural = _("yearly verifications")
        ordering = ["-year", "-id"]
        indexes = [models.Index(fields=["model_worker", "year", "-id"], name="verification_latest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(year__range=(1950, 2199)), name="verification_year_plausible"
            ),
            models.CheckConstraint(
                condition=~models.Q(evidence=""), name="verification_with_evidence"
            ),
        ]
        triggers = append_only("yearly_verification")

    def __str__(self) -> str:
        return f"{self.model_worker} {self.year}"


class HardshipYear(models.Model):
    """The model worker counts as in hardship in this year (X5); `is_withdrawn` undoes it."""

    model_worker = models.ForeignKey(
        ModelWorker, models.PROTECT, related_name="hardship_years", verbose_name=_("model worker")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    evidence = models.CharField(_("evidence"), max_length=200)
    recorded_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("recorded by"), related_name="+"
    )
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now, editable=False)
    is_withdrawn = models.BooleanField(_("withdrawn"), default=False)

    class Meta:
        verbose_name = _("year of hardship")
        verbose_name_plural = _("years of hardship")
        ordering = ["-year"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_worker", "year"],
                condition=models.Q(is_withdrawn=False),
                name="hardship_year_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_worker} {self.year}"
