"""What the register of members asks for beyond a person's name and number."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.people import Person


class Education(models.TextChoices):
    PRIMARY = "primary", _("primary school or less")
    JUNIOR = "junior", _("junior secondary school")
    SENIOR = "senior", _("senior secondary or vocational school")
    COLLEGE = "college", _("junior college")
    BACHELOR = "bachelor", _("bachelor")
    MASTER = "master", _("master")
    DOCTOR = "doctor", _("doctor")


class PoliticalStatus(models.TextChoices):
    MASSES = "masses", _("no party")
    LEAGUE = "league", _("Communist Youth League member")
    PARTY = "party", _("CPC member")
    PROBATIONARY = "probationary", _("probationary CPC member")
    DEMOCRATIC = "democratic", _("member of a democratic party")


class HukouType(models.TextChoices):
    LOCAL_URBAN = "local_urban", _("local, non-agricultural")
    LOCAL_RURAL = "local_rural", _("local, agricultural")
    OTHER_URBAN = "other_urban", _("from elsewhere, non-agricultural")
    OTHER_RURAL = "other_rural", _("from elsewhere, agricultural")


class Employment(models.TextChoices):
    EMPLOYED = "employed", _("employed")
    FLEXIBLE = "flexible", _("flexibly employed")
    LAID_OFF = "laid_off", _("laid off, waiting in the unit")
    UNEMPLOYED = "unemployed", _("unemployed")
    RETIRED = "retired", pgettext_lazy("of a member", "retired")


class TechnicalGrade(models.TextChoices):
    NONE = "none", _("none")
    JUNIOR = "junior", _("junior worker (grade 5)")
    INTERMEDIATE = "intermediate", _("intermediate worker (grade 4)")
    SENIOR = "senior", _("senior worker (grade 3)")
    TECHNICIAN = "technician", _("technician (grade 2)")
    SENIOR_TECHNICIAN = "senior_technician", _("senior technician (grade 1)")


class MemberProfile(models.Model):
    """The further real-name fields of a person, as the register of members asks for them."""

    person = models.OneToOneField(
        Person, models.PROTECT, verbose_name=_("person"), related_name="profile", primary_key=True
    )
    ethnicity = models.CharField(_("ethnicity"), max_length=20, blank=True)
    education = models.CharField(
        _("education"), max_length=10, choices=Education.choices, blank=True
    )
    political_status = models.CharField(
        _("political status"), max_length=14, choices=PoliticalStatus.choices, blank=True
    )
    hukou_type = models.CharField(_("hukou"), max_length=12, choices=HukouType.choices, blank=True)
    employment = models.CharField(
        _("employment"), max_length=12, choices=Employment.choices, blank=True
    )
    technical_grade = models.CharField(
        _("technical grade"), max_length=18, choices=TechnicalGrade.choices, blank=True
    )
    is_farmer_worker = models.BooleanField(_("farmer worker"), default=False)
    updated_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("member's further fields")
        verbose_name_plural = _("members' further fields")

    def __str__(self) -> str:
        return str(self.person)
