"""The headline figures as they were counted, one row a figure and day."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class CountedFigure(models.Model):
    """One figure of one day, counted by a worker: pages read it and count nobody's rows.

    `value` is in fen where the figure is a sum. Counted again on the same day, it is replaced.
    """

    key = models.CharField(_("figure"), max_length=40)
    day = models.DateField(_("day"))
    value = models.BigIntegerField(_("number"))
    counted_at = models.DateTimeField(_("counted at"), db_default=Now())

    class Meta:
        verbose_name = _("counted figure")
        verbose_name_plural = _("counted figures")
        ordering = ["-day", "key"]
        constraints = [
            models.UniqueConstraint(fields=["key", "day"], name="counted_figure_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.day}"

    @property
    def title(self) -> str:
        """What the figure is called; its key where no app registers it any more."""
        from union_portal import figures

        known = figures.known(self.key)
        return str(known.title) if known else self.key
