"""Forms that were carried out: what keeps a second click from doing it again."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class SentForm(models.Model):
    """One form that did something. It holds digests and an address, never what was typed.

    `sender` is an account, or a keyed hash of a visitor's session. An empty `location`
    means that the answer was a page shown once.
    """

    sender = models.CharField(_("sender"), max_length=80)
    route = models.CharField(_("address of the form"), max_length=300)
    key = models.CharField(_("key"), max_length=64)
    body_digest = models.CharField(_("digest of the content"), max_length=64)
    location = models.TextField(_("answer"), blank=True)
    sent_at = models.DateTimeField(_("sent at"), db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("sent form")
        verbose_name_plural = _("sent forms")
        constraints = [
            models.UniqueConstraint(fields=["sender", "route", "key"], name="sent_form_once")
        ]

    def __str__(self) -> str:
        return self.route
