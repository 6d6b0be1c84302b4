"""What the API keeps: tokens by their digest, answers to be given again, and counted calls."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from union_portal.models.accounts import Account


class ApiToken(models.Model):
    """A program that is logged in. The token itself was shown once and is kept nowhere.

    `session_hash` is what a session of the account must match: the token ends with the password
    and with the round of sessions, as they do.
    """

    account = models.ForeignKey(
        Account, models.CASCADE, verbose_name=_("account"), related_name="api_tokens"
    )
    digest = models.CharField(_("digest of the token"), max_length=64, unique=True)
    session_hash = models.CharField(_("what sessions must match"), max_length=64)
    label = models.CharField(_("name of the program"), max_length=60)
    has_factor = models.BooleanField(_("second factor shown"), default=False)
    address = models.GenericIPAddressField(_("address"), null=True)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    used_at = models.DateTimeField(_("last used at"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires at"), db_index=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="api_token_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class SentCall(models.Model):
    """A call that did something, by its key: sent again, it gets this answer and does nothing.

    It holds a keyed digest of what was sent, and the answer as it was given, for a day.
    """

    account = models.ForeignKey(
        Account, models.CASCADE, verbose_name=_("account"), related_name="+", db_index=False
    )
    route = models.CharField(_("method and address"), max_length=300)
    key = models.CharField(_("key"), max_length=64)
    body_digest = models.CharField(_("digest of the content"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status of the answer"), default=0)
    answer = models.JSONField(_("answer"), default=dict)
    sent_at = models.DateTimeField(_("sent at"), db_default=Now(), db_index=True)

    class Meta:
        verbose_name = _("sent call")
        verbose_name_plural = _("sent calls")
        constraints = [
            models.UniqueConstraint(fields=["account", "route", "key"], name="sent_call_once")
        ]

    def __str__(self) -> str:
        return self.route


class CallCount(models.Model):
    """How often the API was called within one minute, by one account or from one address."""

    caller = models.CharField(_("caller"), max_length=80)
    minute = models.DateTimeField(_("minute"))
    count = models.PositiveIntegerField(_("calls"), default=0)

    class Meta:
        verbose_name = _("counted calls")
        verbose_name_plural = _("counted calls")
        constraints = [
            models.UniqueConstraint(fields=["caller", "minute"], name="call_count_once_a_minute")
        ]
        indexes = [models.Index(fields=["minute"], name="call_count_minute")]

    def __str__(self) -> str:
        return f"{self.caller}: {self.count}"
