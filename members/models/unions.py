"""What the federation's form asks of a union, and what a union reports of each year.

Name, level, code, phone and address stand at the union itself (`union_portal.Organization`).
Source of the fields: the form of Shaanxi's unions (domain, 2.1); employer types and industries
are national codes.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.fields import FenField
from union_portal.models import Account, Organization


class EmployerNature(models.TextChoices):
    """Kinds of employers by the national code of registration types."""

    STATE = "110", _("state-owned")
    COLLECTIVE = "120", _("collective")
    COOPERATIVE = "130", _("joint-stock cooperative")
    WHOLLY_STATE = "151", _("wholly state-owned company")
    STATE_CONTROLLED = "161", _("state-controlled company")
    PRIVATE = "170", _("private")
    HONG_KONG_MACAO_TAIWAN = "200", _("invested from Hong Kong, Macao or Taiwan")
    FOREIGN = "300", _("foreign-invested")
    INSTITUTION = "400", _("public institution")
    AUTHORITY = "500", _("state organ")
    SELF_EMPLOYED = "600", _("individual business")
    NON_ENTERPRISE = "700", _("private non-enterprise unit")


class Industry(models.TextChoices):
    """The sections of GB/T 4754-2017."""

    A = "A", _("agriculture, forestry, animal husbandry, fishery")
    B = "B", _("mining")
    C = "C", _("manufacturing")
    D = "D", _("electricity, heat, gas and water supply")
    E = "E", _("construction")
    F = "F", _("wholesale and retail")
    G = "G", _("transport, storage and post")
    H = "H", _("accommodation and catering")
    I = "I", _("information transmission, software and IT")  # noqa: E741
    J = "J", _("finance")
    K = "K", _("real estate")
    L = "L", _("leasing and business services")
    M = "M", _("scientific research and technical services")
    N = "N", _("water conservancy, environment, public facilities")
    O = "O", _("residents' services, repair and others")  # noqa: E741
    P = "P", pgettext_lazy("an industry", "education")
    Q = "Q", _("health and social work")
    R = "R", _("culture, sports and entertainment")
    S = "S", _("public administration and social organizations")
    T = "T", _("international organizations")


class UnionProfile(models.Model):
    """The further official fields of one union."""

    organization = models.OneToOneField(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="profile"
    )
    office = models.CharField(_("office in charge"), max_length=80, blank=True)
    approved_by = models.CharField(_("approving body"), max_length=120, blank=True)
    approval_number = models.CharField(_("number of the approval"), max_length=60, blank=True)
    employer_name = models.CharField(_("employer"), max_length=120, blank=True)
    employer_code = models.CharField(
        _("credit code of the employer"), max_length=18, blank=True, help_text=_("GB 32100")
    )
    employer_nature = models.CharField(
        _("nature of the employer"), max_length=3, choices=EmployerNature.choices, blank=True
    )
    industry = models.CharField(_("industry"), max_length=1, choices=Industry.choices, blank=True)
    first_committee_on = models.DateField(_("first committee elected on"), null=True, blank=True)
    committee_on = models.DateField(_("present committee elected on"), null=True, blank=True)
    committee_until = models.DateField(_("present committee until"), null=True, blank=True)
    certificate_number = models.CharField(
        _("legal-person certificate of the union"), max_length=60, blank=True
    )
    legal_representative = models.CharField(_("legal representative"), max_length=60, blank=True)
    handler = models.CharField(_("handler"), max_length=60, blank=True)
    handler_phone = models.CharField(_("phone of the handler"), max_length=30, blank=True)
    updated_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("official fields of a union")
        verbose_name_plural = _("official fields of unions")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(committee_until__isnull=True)
                | models.Q(committee_until__gte=models.F("committee_on")),
                name="union_profile_committee_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return str(self.organization)


class UnionYear(models.Model):
    """What one union reports of one year: people as at its end, income within it, in fen."""

    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="years"
    )
    year = models.PositiveSmallIntegerField(_("year"))
    workers_count = models.PositiveIntegerField(_("workers"), default=0)
    women_count = models.PositiveIntegerField(_("women workers"), default=0)
    farmer_workers_count = models.PositiveIntegerField(_("farmer workers"), default=0)
    cadres_count = models.PositiveIntegerField(_("full-time cadres"), default=0)
    brought_forward_fen = FenField(_("surplus brought forward"), default=0)
    dues_fen = FenField(_("members' dues"), default=0)
    retained_fen = FenField(_("retained share of the 2% levy"), default=0)
    other_income_fen = FenField(_("other income"), default=0)
    reported_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("reported by"), related_name="+"
    )
    reported_at = models.DateTimeField(_("reported at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("yearly report of a union")
        verbose_name_plural = _("yearly reports of unions")
        ordering = ["-year", "organization_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "year"], name="union_year_reported_once"
            ),
            models.CheckConstraint(
                condition=models.Q(women_count__lte=models.F("workers_count"))
                & models.Q(farmer_workers_count__lte=models.F("workers_count")),
                name="union_year_parts_within_workers",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    brought_forward_fen__gte=0,
                    dues_fen__gte=0,
                    retained_fen__gte=0,
                    other_income_fen__gte=0,
                ),
                name="union_year_income_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} {self.year}"


class YearStatistics(models.Model):
    """What a worker counted of one union's tree for a year: the newest count stands.

    A page could not count it: who has moved on since is not shown to the union they were in.
    """

    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+", db_index=False
    )
    year = models.PositiveSmallIntegerField(_("year"))
    figures = models.JSONField(_("figures"), default=dict)
    counted_at = models.DateTimeField(_("counted at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("statistics of a year")
        verbose_name_plural = _("yearly statistics")
        ordering = ["-year", "organization_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "year"], name="year_statistics_newest_count"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} {self.year}"
