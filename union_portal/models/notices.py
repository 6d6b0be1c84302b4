"""公示: a frozen masked list, its window, and objections to single entries."""

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from union_portal.fields import FenField, SealedTextField, StateField
from union_portal.models.accounts import Account
from union_portal.models.audit import append_only
from union_portal.models.decisions import Decision
from union_portal.models.organizations import Organization
from union_portal.states import NOTICE, OBJECTION, NoticeState, ObjectionState
from union_portal.triggers import Trigger


class Notice(models.Model):
    """A public list with place, contact and a window in working days.

    `ends_on` is the last day of the window, inclusive, computed when it is published.
    """

    title = models.CharField(_("title"), max_length=160)
    scheme = models.CharField(_("scheme"), max_length=40)
    period = models.CharField(_("period"), max_length=20)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name=_("union"), related_name="+"
    )
    text = models.TextField(_("text"), blank=True)
    place = models.CharField(_("place"), max_length=160, blank=True)
    contact = models.CharField(_("contact"), max_length=160, blank=True)
    days = models.PositiveSmallIntegerField(_("working days"))
    counts_first_day = models.BooleanField(_("the posting day counts"), default=True)
    posted_on = models.DateField(_("posted on"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    prepared_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("prepared by"), related_name="+"
    )
    published_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("published by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    state = StateField(choices=NoticeState.choices, default=NoticeState.DRAFT)

    class Meta:
        verbose_name = _("public notice")
        verbose_name_plural = _("public notices")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "withdrawn"])
                | models.Q(posted_on__isnull=False, ends_on__gte=models.F("posted_on")),
                name="notice_published_has_window",
            ),
        ]
        triggers = [
            NOTICE.trigger(),
            Trigger(
                name="notice_window_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.state <> 'draft'"
                    " AND to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state'"
                ),
                func="""
                    RAISE EXCEPTION 'notice: what was published stays as it was'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'notice_window_frozen';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NoticeEntry(models.Model):
    """One line of the list as the public saw it: masked when it was written, frozen since."""

    notice = models.ForeignKey(
        Notice, models.PROTECT, verbose_name=_("notice"), related_name="entries"
    )
    decision = models.ForeignKey(
        Decision, models.PROTECT, verbose_name=_("decision"), related_name="notice_entries"
    )
    position = models.PositiveIntegerField(_("number on the list"))
    shown_name = models.CharField(_("name"), max_length=60)
    shown_employer = models.CharField(_("employer"), max_length=120, blank=True)
    shown_ground = models.CharField(_("ground"), max_length=120, blank=True)
    amount_fen = FenField(_("amount"))

    class Meta:
        verbose_name = _("entry on a notice")
        verbose_name_plural = _("entries on a notice")
        ordering = ["-notice_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "decision"], name="notice_entry_once"),
            models.UniqueConstraint(fields=["notice", "position"], name="notice_entry_position"),
            # Identity numbers, phones and accounts have seven digits in a row and more.
            models.CheckConstraint(
                condition=~models.Q(shown_name__regex="[0-9]{7}")
                & ~models.Q(shown_employer__regex="[0-9]{7}")
                & ~models.Q(shown_ground__regex="[0-9]{7}"),
                name="notice_entry_shows_no_number",
            ),
        ]
        triggers = [
            *append_only("notice_entry"),
            Trigger(
                name="notice_entry_draft_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF (SELECT state FROM union_portal_notice WHERE id = NEW.notice_id)
                       <> 'draft' THEN
                        RAISE EXCEPTION 'notice_entry: the list is frozen'
                            USING ERRCODE = 'check_violation',
                                  CONSTRAINT = 'notice_entry_draft_only';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.position}"


class Objection(models.Model):
    """Somebody's real-name objection to one entry; while open, nothing on it is paid."""

    entry = models.ForeignKey(
        NoticeEntry, models.PROTECT, verbose_name=_("entry on the list"), related_name="objections"
    )
    decision = models.ForeignKey(
        Decision, models.PROTECT, verbose_name=_("decision"), related_name="objections"
    )
    objector = models.CharField(_("real name or sealing body"), max_length=60)
    is_body = models.BooleanField(_("made by a body under its seal"), default=False)
    phone = SealedTextField(_("phone"), kind="phone")
    text = models.TextField(_("objection"))
    filed_at = models.DateTimeField(_("filed at"), default=timezone.now, editable=False)
    received_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("received by"), null=True, related_name="+"
    )
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("answered by"), null=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered at"), null=True)
    state = StateField(choices=ObjectionState.choices, default=ObjectionState.OPEN)

    class Meta:
        verbose_name = _("objection")
        verbose_name_plural = _("objections")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state__in=["upheld", "dismissed"])
                | (~models.Q(answer="") & models.Q(answered_by__isnull=False)),
                name="objection_closed_with_answer",
            ),
        ]
        triggers = [
            OBJECTION.trigger(),
            Trigger(
                name="objection_frozen",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' AND (
                        NEW.entry_id, NEW.decision_id, NEW.objector, NEW.is_body, NEW.text,
                        NEW.filed_at, NEW.received_by_id
                    ) IS NOT DISTINCT FROM (
                        OLD.entry_id, OLD.decision_id, OLD.objector, OLD.is_body, OLD.text,
                        OLD.filed_at, OLD.received_by_id
                    ) AND (OLD.state = 'open' OR (NEW.answer, NEW.answered_by_id)
                           IS NOT DISTINCT FROM (OLD.answer, OLD.answered_by_id)) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'objection: what was said stays as it was said'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'objection_frozen';
                """,
            ),
            # At the end of every transaction: whoever objects stops the payment.
            Trigger(
                name="objection_contests",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM union_portal_noticeentry e
                        WHERE e.id = NEW.entry_id AND e.decision_id = NEW.decision_id
                    ) OR EXISTS (
                        SELECT 1 FROM union_portal_objection j
                        JOIN union_portal_decision d ON d.id = j.decision_id
                        WHERE j.id = NEW.id AND j.state = 'open'
                          AND d.state NOT IN ('contested', 'withdrawn')
                    ) THEN
                        RAISE EXCEPTION 'objection: its decision must be contested'
                            USING ERRCODE = 'check_violation',
                                  CONSTRAINT = 'objection_contests';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"O{self.pk:06d}"
