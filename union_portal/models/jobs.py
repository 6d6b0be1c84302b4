"""Jobs: work that a worker does, written in the transaction that needs it."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from union_portal import titles
from union_portal.fields import StateField
from union_portal.models.accounts import Account
from union_portal.states import JOB, JobState


class Job(models.Model):
    """One piece of work. The row is the truth; the Celery message is only its bell.

    `key` makes a live job unique. `fence` rises with every claim; a worker that lost its
    lease writes nothing, because its fence is old.
    """

    id = models.UUIDField(_("number"), primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("task"), max_length=60)
    title = models.CharField(_("title"), max_length=160, blank=True)
    arguments = models.JSONField(_("arguments"), default=dict)
    key = models.CharField(_("key of the job"), max_length=160, null=True)
    requested_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("requested by"), null=True, related_name="jobs"
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    rung_at = models.DateTimeField(_("rung at"), db_default=Now())
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    done_count = models.PositiveBigIntegerField(_("done"), default=0)
    total_count = models.PositiveBigIntegerField(_("of"), default=0)
    note = models.CharField(_("what is going on"), max_length=200, blank=True)
    result = models.JSONField(_("result"), default=dict)
    error = models.TextField(_("error"), blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    fence = models.PositiveBigIntegerField(_("fence"), default=0)
    owner = models.CharField(_("worker"), max_length=80, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True)
    is_cancel_asked = models.BooleanField(_("stop asked for"), default=False)
    state = StateField(choices=JobState.choices, default=JobState.QUEUED)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["rung_at"],
                name="job_live",
                condition=models.Q(state__in=["queued", "running"]),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(state__in=["queued", "running"]),
                name="job_one_live_per_key",
            )
        ]
        triggers = [JOB.trigger()]

    def __str__(self) -> str:
        return titles.shown(self.title) or self.name

    @property
    def percent(self) -> int:
        return min(100, self.done_count * 100 // self.total_count) if self.total_count else 0

    @property
    def is_over(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
