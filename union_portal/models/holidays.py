"""The editable table of public holidays and make-up working days."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Holiday(models.Model):
    """A day that differs from the plain week: a day off, or a weekend that is worked.

    A year without any row is unknown: windows over it are refused with a clear message.
    """

    day = models.DateField(_("day"), unique=True)
    is_workday = models.BooleanField(_("worked (make-up day)"), default=False)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=40)
    source = models.CharField(_("source"), max_length=120)

    class Meta:
        verbose_name = _("holiday or make-up day")
        verbose_name_plural = _("holidays and make-up days")
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"
