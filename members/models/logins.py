"""Codes that prove, once, that the person at the keyboard holds the registered phone."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.people import Person


class LoginCode(models.Model):
    """One question for a code. It is written whether or not the person exists.

    `person` is empty where name and number belong to nobody: the page behaves the same.
    Only a keyed hash of the code is kept; `asked_for` and `asked_from` are keyed hashes of
    the identity number and of the address, kept to count questions.
    """

    id = models.UUIDField(_("number"), primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(
        Person, models.CASCADE, verbose_name=_("person"), null=True, related_name="login_codes"
    )
    asked_for = models.CharField(_("print of the ID number"), max_length=64)
    asked_from = models.CharField(_("print of the address"), max_length=64)
    code_hash = models.CharField(_("keyed hash of the code"), max_length=64)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    used_at = models.DateTimeField(_("used at"), null=True)

    class Meta:
        verbose_name = _("log-in code")
        verbose_name_plural = _("log-in codes")
        indexes = [
            models.Index(fields=["asked_for", "created_at"], name="login_code_asked_for"),
            models.Index(fields=["asked_from", "created_at"], name="login_code_asked_from"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
