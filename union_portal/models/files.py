"""Files that only entitled people may fetch."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.models.accounts import Account
from union_portal.models.audit import append_only
from union_portal.models.organizations import Organization


class StoredFile(models.Model):
    """An upload or an issued document. Bytes lie under MEDIA_ROOT, named by the id.

    `purpose` decides who may fetch it (see `union_portal.files`).
    """

    id = models.UUIDField(_("number"), primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(_("purpose"), max_length=40)
    name = models.CharField(pgettext_lazy("of a thing", "name"), max_length=160)
    content_type = models.CharField(_("kind of file"), max_length=100)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(_("SHA-256 digest"), max_length=64)
    subject_type = models.CharField(_("kind of subject"), max_length=60)
    subject_id = models.CharField(_("number of the subject"), max_length=60)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), null=True, related_name="+"
    )
    uploaded_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("uploaded by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="file_subject")]
        triggers = append_only("stored_file")

    def __str__(self) -> str:
        return self.name


class ForgottenFile(models.Model):
    """The bytes of a file are gone, by a rule of retention; its row and digest stay."""

    file = models.OneToOneField(
        StoredFile, models.PROTECT, verbose_name=_("file"), related_name="forgotten"
    )
    rule = models.CharField(_("rule of retention"), max_length=40)
    forgotten_at = models.DateTimeField(_("removed at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("forgotten file")
        verbose_name_plural = _("forgotten files")
        triggers = append_only("forgotten_file")

    def __str__(self) -> str:
        return f"{self.file_id}: {self.rule}"
