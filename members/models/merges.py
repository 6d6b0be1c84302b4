"""Two rows that are one human: proposed by one, confirmed by another, traceable for ever."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from members.models.people import Person
from members.states import PERSON_MERGE, MergeState
from union_portal.fields import StateField
from union_portal.models import Account, Organization
from union_portal.row_guards import four_eyes, frozen, kept


class PersonMerge(models.Model):
    """`merged` becomes part of `kept`; `moved` counts, by table, what was hung onto `kept`."""

    kept = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("person who stays"), related_name="merges"
    )
    merged = models.ForeignKey(
        Person, models.PROTECT, verbose_name=_("row that goes"), related_name="merges_away"
    )
    # The union above both, which alone may judge.
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=200)
    moved = models.JSONField(_("what was moved"), default=dict, editable=False)
    proposed_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("proposed by"), related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed at"), default=timezone.now, editable=False)
    decided_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("decided by"), null=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    answer = models.CharField(_("answer"), max_length=200, blank=True)
    state = StateField(choices=MergeState.choices, default=MergeState.PROPOSED)

    class Meta:
        verbose_name = _("merge of two people")
        verbose_name_plural = _("merges of people")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merged"],
                condition=~models.Q(state="refused"),
                name="merge_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(kept=models.F("merged")), name="merge_of_two"
            ),
            models.CheckConstraint(
                condition=models.Q(state="proposed") | models.Q(decided_by__isnull=False),
                name="merge_decided_by_someone",
            ),
            *four_eyes("merge", "proposed_by", "decided_by"),
        ]
        triggers = [
            PERSON_MERGE.trigger(),
            frozen("merge_frozen", "kept_id, merged_id", "merge: two others are another merge"),
            *kept("person_merge"),
        ]

    def __str__(self) -> str:
        return f"M{self.pk:08d}"
