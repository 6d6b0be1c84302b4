"""The outbox: every message to a person, how and when it left."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.fields import SealedTextField, StateField
from union_portal.models.files import StoredFile
from union_portal.states import MESSAGE, MessageState


class Channel(models.TextChoices):
    SMS = "sms", _("SMS")
    LETTER = "letter", _("letter")
    PORTAL = "portal", _("portal message")
    EMAIL = "email", _("e-mail to an office")


class Message(models.Model):
    """One message to one recipient; (topic, key, channel) keeps it from going twice.

    `template` and `values` make the text when it is sent, so a set of messages is one
    INSERT … SELECT. `recipient` is an opaque id of the person's row; an e-mail has none: it goes
    to an office, at the address among its `values`.
    """

    topic = models.CharField(_("topic"), max_length=40)
    key = models.CharField(_("key of the message"), max_length=80)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    recipient = models.BigIntegerField(_("recipient"), null=True)
    address = SealedTextField(_("address"), kind="phone")
    template = models.CharField(_("template"), max_length=40)
    values = models.JSONField(_("values"), default=dict)
    subject_type = models.CharField(_("kind of subject"), max_length=60)
    subject_id = models.CharField(_("number of the subject"), max_length=60)
    letter = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("letter"), null=True, related_name="+"
    )
    gateway = models.CharField(_("gateway"), max_length=60, blank=True)
    gateway_reference = models.CharField(_("gateway's reference"), max_length=80, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    sent_at = models.DateTimeField(pgettext_lazy("of a message", "sent at"), null=True)
    read_at = models.DateTimeField(_("read at"), null=True)
    state = StateField(choices=MessageState.choices, default=MessageState.PENDING)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="message_subject"),
            models.Index(fields=["recipient", "id"], name="message_recipient"),
            models.Index(fields=["id"], name="message_due", condition=models.Q(state="pending")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["topic", "key", "channel"], name="message_once_per_topic"
            )
        ]
        triggers = [MESSAGE.trigger()]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.pk}"
