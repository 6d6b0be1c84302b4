"""Runs of reports, and who fetched them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from union_portal import titles
from union_portal.fields import StateField
from union_portal.models.accounts import Account
from union_portal.models.audit import append_only
from union_portal.models.files import StoredFile
from union_portal.models.jobs import Job
from union_portal.models.organizations import Organization
from union_portal.states import REPORT, ReportState


class ReportRun(models.Model):
    """One rendering of one report. A re-generation is a new version, the old one stays."""

    kind = models.CharField(_("report"), max_length=60)
    title = models.CharField(_("title"), max_length=160)
    subject_type = models.CharField(_("kind of subject"), max_length=60)
    subject_id = models.CharField(_("number of the subject"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    parameters = models.JSONField(_("parameters"), default=dict)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    requested_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("requested by"), null=True, related_name="+"
    )
    requested_at = models.DateTimeField(_("requested at"), default=timezone.now, editable=False)
    job = models.ForeignKey(
        Job, models.PROTECT, verbose_name=_("job"), null=True, related_name="reports"
    )
    file = models.OneToOneField(
        StoredFile, models.PROTECT, verbose_name=_("file"), null=True, related_name="report_run"
    )
    pages = models.PositiveIntegerField(_("pages"), default=0)
    digest = models.CharField(_("digest"), max_length=64, blank=True)
    error = models.TextField(_("error"), blank=True)
    state = StateField(choices=ReportState.choices, default=ReportState.REQUESTED)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_type", "subject_id", "version"],
                name="report_version_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="ready")
                | (models.Q(file__isnull=False) & ~models.Q(digest="")),
                name="report_ready_has_file",
            ),
        ]
        triggers = [REPORT.trigger()]

    def __str__(self) -> str:
        return f"{titles.shown(self.title)} v{self.version}"


class FileDownload(models.Model):
    """The permanent record of who fetched which file."""

    file = models.ForeignKey(
        StoredFile, models.PROTECT, verbose_name=_("file"), related_name="downloads"
    )
    account = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("account"), related_name="+"
    )
    at = models.DateTimeField(_("downloaded at"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        ordering = ["-id"]
        triggers = append_only("file_download")

    def __str__(self) -> str:
        return f"{self.file_id} – {self.account_id}"
