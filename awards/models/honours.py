"""The roll of honours: titles, and who holds them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from awards.states import HONOUR, HonourState
from members.models import Person
from union_portal.fields import StateField
from union_portal.models import Account


class HonourLevel(models.TextChoices):
    NATIONAL = "national", _("national")
    PROVINCIAL = "provincial", _("provincial")
    MUNICIPAL = "municipal", _("municipal")


class HonourTitle(models.Model):
    """A title that can be conferred, such as municipal model worker."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(pgettext_lazy("of honour", "title"), max_length=80, unique=True)
    level = models.CharField(_("level"), max_length=12, choices=HonourLevel.choices)
    is_model_worker = models.BooleanField(
        _("model worker"),
        default=True,
        help_text=_("Its holders are model workers; other honours carry no subsidy."),
    )

    class Meta:
        verbose_name = _("honour title")
        verbose_name_plural = _("honour titles")
        ordering = ["level", "name"]

    def __str__(self) -> str:
        return self.name


class Honour(models.Model):
    """One title held by one person. It is revoked, never deleted."""

    person = models.ForeignKey(
        Person, models.PROTECT, related_name="honours", verbose_name=_("person")
    )
    title = models.ForeignKey(
        HonourTitle,
        models.PROTECT,
        related_name="honours",
        verbose_name=pgettext_lazy("of honour", "title"),
    )
    conferred_on = models.DateField(_("conferred on"))
    certificate_no = models.CharField(_("certificate number"), max_length=40, blank=True)
    recorded_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("recorded by"), null=True, related_name="+"
    )
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now, editable=False)
    revoked_on = models.DateField(_("revoked on"), null=True, blank=True)
    revoked_reason = models.TextField(_("reason of revocation"), blank=True)
    revoked_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("revoked by"), null=True, related_name="+"
    )
    state = StateField(choices=HonourState.choices, default=HonourState.HELD)

    class Meta:
        verbose_name = _("honour")
        verbose_name_plural = _("honours")
        ordering = ["-conferred_on", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "title"],
                condition=models.Q(state="held"),
                name="honour_held_once",
            ),
            models.UniqueConstraint(
                fields=["title", "certificate_no"],
                condition=~models.Q(certificate_no=""),
                name="honour_certificate_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state="held", revoked_on__isnull=True)
                | (
                    models.Q(state="revoked", revoked_on__gte=models.F("conferred_on"))
                    & ~models.Q(revoked_reason="")
                ),
                name="honour_revoked_with_reason",
            ),
        ]
        triggers = [HONOUR.trigger()]

    def __str__(self) -> str:
        return f"{self.person} – {self.title}"
