"""Transition tables: one per lifecycle, obeyed by `lifecycle` and repeated by triggers."""

from collections.abc import Mapping
from dataclasses import dataclass

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.triggers import Trigger


@dataclass(frozen=True)
class Transitions:
    """The steps a lifecycle allows.

    `name` prefixes the database trigger; `initial` are the states a row may be born in.
    """

    name: str
    initial: frozenset[str]
    steps: Mapping[str, frozenset[str]]

    def allows(self, old: str, new: str) -> bool:
        return new in self.steps.get(old, frozenset())

    def sources(self, new: str) -> frozenset[str]:
        """The states from which `new` can be reached in one step."""
        return frozenset(old for old, targets in self.steps.items() if new in targets)

    def trigger(self) -> Trigger:
        """The same table as a row trigger, so that raw SQL can't skip a step either."""
        births = ", ".join(f"'{state}'" for state in sorted(self.initial))
        pairs = ", ".join(
            f"'{old}>{new}'" for old in sorted(self.steps) for new in sorted(self.steps[old])
        )
        return Trigger(
            name=f"{self.name}_steps",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
            func=f"""
                IF TG_OP = 'INSERT' THEN
                    IF NEW.state NOT IN ({births}) THEN
                        RAISE EXCEPTION '{self.name}: no row is born %', NEW.state
                            USING ERRCODE = 'check_violation',
                                  CONSTRAINT = '{self.name}_steps';
                    END IF;
                ELSIF NEW.state <> OLD.state
                      AND OLD.state || '>' || NEW.state NOT IN ({pairs}) THEN
                    RAISE EXCEPTION '{self.name}: % to % is not a step', OLD.state, NEW.state
                        USING ERRCODE = 'check_violation',
                              CONSTRAINT = '{self.name}_steps';
                END IF;
                RETURN NEW;
            """,
        )


def transitions(name: str, initial: set[str], steps: Mapping[str, set[str]]) -> Transitions:
    """Write a table with plain sets."""
    return Transitions(
        name=name,
        initial=frozenset(str(state) for state in initial),
        steps={str(old): frozenset(str(new) for new in news) for old, news in steps.items()},
    )


class DecisionState(models.TextChoices):
    MADE = "made", _("made")
    PUBLISHED = "published", _("on public notice")
    CONTESTED = "contested", _("contested")
    CLEAR = "clear", _("clear")
    WITHDRAWN = "withdrawn", _("withdrawn")


# Only CLEAR may be paid. A contested decision returns to where it stood, or is withdrawn.
DECISION = transitions(
    "decision",
    {DecisionState.MADE},
    {
        DecisionState.MADE: {
            DecisionState.PUBLISHED,
            DecisionState.CLEAR,
            DecisionState.WITHDRAWN,
        },
        DecisionState.PUBLISHED: {
            DecisionState.CONTESTED,
            DecisionState.CLEAR,
            DecisionState.WITHDRAWN,
        },
        DecisionState.CONTESTED: {
            DecisionState.PUBLISHED,
            DecisionState.CLEAR,
            DecisionState.WITHDRAWN,
        },
        DecisionState.CLEAR: {DecisionState.CONTESTED, DecisionState.WITHDRAWN},
    },
)


class NoticeState(models.TextChoices):
    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    CLOSED = "closed", _("closed")
    WITHDRAWN = "withdrawn", _("withdrawn")


NOTICE = transitions(
    "notice",
    {NoticeState.DRAFT},
    {
        NoticeState.DRAFT: {NoticeState.PUBLISHED, NoticeState.WITHDRAWN},
        NoticeState.PUBLISHED: {NoticeState.CLOSED, NoticeState.WITHDRAWN},
    },
)


class ObjectionState(models.TextChoices):
    OPEN = "open", _("open")
    UPHELD = "upheld", _("upheld")
    DISMISSED = "dismissed", _("dismissed")
    TAKEN_BACK = "taken_back", _("taken back")


OBJECTION = transitions(
    "objection",
    {ObjectionState.OPEN},
    {
        ObjectionState.OPEN: {
            ObjectionState.UPHELD,
            ObjectionState.DISMISSED,
            ObjectionState.TAKEN_BACK,
        }
    },
)


class AppealState(models.TextChoices):
    FILED = "filed", _("filed")
    REVIEWING = "reviewing", _("under review")
    UPHELD = "upheld", _("upheld")
    DISMISSED = "dismissed", _("dismissed")
    TAKEN_BACK = "taken_back", _("taken back")


APPEAL = transitions(
    "appeal",
    {AppealState.FILED},
    {
        AppealState.FILED: {AppealState.REVIEWING, AppealState.TAKEN_BACK},
        AppealState.REVIEWING: {
            AppealState.UPHELD,
            AppealState.DISMISSED,
            AppealState.TAKEN_BACK,
        },
    },
)


class JobState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


JOB = transitions(
    "job",
    {JobState.QUEUED},
    {
        JobState.QUEUED: {JobState.RUNNING, JobState.CANCELLED},
        JobState.RUNNING: {
            JobState.QUEUED,
            JobState.DONE,
            JobState.FAILED,
            JobState.CANCELLED,
        },
        JobState.FAILED: {JobState.QUEUED},
        JobState.CANCELLED: {JobState.QUEUED},
    },
)


class ReportState(models.TextChoices):
    REQUESTED = "requested", _("requested")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


REPORT = transitions(
    "report",
    {ReportState.REQUESTED},
    {
        ReportState.REQUESTED: {ReportState.READY, ReportState.FAILED},
        ReportState.FAILED: {ReportState.REQUESTED},
    },
)


class MessageState(models.TextChoices):
    PENDING = "pending", _("waiting")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")


MESSAGE = transitions(
    "message",
    {MessageState.PENDING},
    {
        MessageState.PENDING: {MessageState.SENT, MessageState.FAILED},
        MessageState.FAILED: {MessageState.PENDING},
    },
)


class FactorResetState(models.TextChoices):
    ASKED = "asked", _("asked for")
    DONE = "done", _("carried out")
    REFUSED = "refused", pgettext_lazy("of a wish", "refused")


FACTOR_RESET = transitions(
    "factor_reset",
    {FactorResetState.ASKED},
    {FactorResetState.ASKED: {FactorResetState.DONE, FactorResetState.REFUSED}},
)


class AccountReviewState(models.TextChoices):
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")


ACCOUNT_REVIEW = transitions(
    "account_review",
    {AccountReviewState.OPEN},
    {AccountReviewState.OPEN: {AccountReviewState.CLOSED}},
)


class ReviewedRoleState(models.TextChoices):
    OPEN = "open", _("to be reviewed")
    CONFIRMED = "confirmed", _("confirmed")
    ENDED = "ended", _("ended")
    LAPSED = "lapsed", _("lapsed: not reviewed in time")


# Whoever was confirmed may still lose the role on its own page; the review says what it found.
REVIEWED_ROLE = transitions(
    "reviewed_role",
    {ReviewedRoleState.OPEN},
    {
        ReviewedRoleState.OPEN: {
            ReviewedRoleState.CONFIRMED,
            ReviewedRoleState.ENDED,
            ReviewedRoleState.LAPSED,
        }
    },
)
