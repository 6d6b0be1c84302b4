"""Transition tables of the engine (the protocol's states, lower case)."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from union_portal.states import transitions


class EntitlementState(models.TextChoices):
    GRANTED = "granted", _("granted")
    WITHDRAWN = "withdrawn", _("withdrawn")
    WRITTEN_OFF = "written_off", _("written off")


# Whether a granted entitlement is paid is told by its lines alone.
ENTITLEMENT = transitions(
    "entitlement",
    {EntitlementState.GRANTED},
    {
        EntitlementState.GRANTED: {
            EntitlementState.WITHDRAWN,
            EntitlementState.WRITTEN_OFF,
        }
    },
)


class BatchState(models.TextChoices):
    DRAFT = "draft", _("draft")
    SEALED = "sealed", _("sealed")
    APPROVED = "approved", _("released")
    GENERATED = "generated", _("bank file written")
    DELIVERING = "delivering", _("being delivered")
    DELIVERED = "delivered", _("delivered")
    RECONCILED = "reconciled", _("reconciled")
    CLOSED = "closed", _("closed")
    VOID = "void", _("void")


# Never void from GENERATED on: the bank may have the file.
BATCH = transitions(
    "payout_batch",
    {BatchState.DRAFT},
    {
        BatchState.DRAFT: {BatchState.SEALED, BatchState.VOID},
        BatchState.SEALED: {BatchState.DRAFT, BatchState.APPROVED, BatchState.VOID},
        BatchState.APPROVED: {BatchState.GENERATED, BatchState.VOID},
        BatchState.GENERATED: {BatchState.DELIVERING},
        BatchState.DELIVERING: {BatchState.DELIVERED},
        BatchState.DELIVERED: {BatchState.RECONCILED},
        BatchState.RECONCILED: {BatchState.CLOSED},
    },
)


class LineState(models.TextChoices):
    READY = "ready", pgettext_lazy("of a payment", "ready")
    SENT = "sent", _("sent")
    UNKNOWN = "unknown", _("no answer yet")
    PAID = "paid", _("paid")
    FAILED = "failed", _("failed")
    RETURNED = "returned", _("paid, then returned by the bank")
    VOID = "void", _("void")


LINE = transitions(
    "payout_line",
    {LineState.READY},
    {
        LineState.READY: {LineState.SENT, LineState.VOID},
        LineState.SENT: {LineState.PAID, LineState.FAILED, LineState.UNKNOWN},
        LineState.UNKNOWN: {LineState.PAID, LineState.FAILED},
        LineState.PAID: {LineState.RETURNED},
    },
)

# At most one line of an entitlement stands in one of these.
LIVE_OR_PAID = (LineState.READY, LineState.SENT, LineState.UNKNOWN, LineState.PAID)
# The bank's word on these is still awaited.
IN_TRANSIT = (LineState.SENT, LineState.UNKNOWN)
# A new attempt may start from these.
UNPAID = (LineState.FAILED, LineState.RETURNED)


class MotionState(models.TextChoices):
    MOVED = "moved", _("waiting for a second person")
    SECONDED = "seconded", _("carried out")
    DECLINED = "declined", _("declined")


MOTION = transitions(
    "motion",
    {MotionState.MOVED},
    {MotionState.MOVED: {MotionState.SECONDED, MotionState.DECLINED}},
)


class GateState(models.TextChoices):
    OPEN = "open", _("open: files may be sent")
    SAFE = "safe", _("safe mode: nothing is sent")


GATE = transitions(
    "gate",
    {GateState.OPEN},
    {GateState.OPEN: {GateState.SAFE}, GateState.SAFE: {GateState.OPEN}},
)


class DiscrepancyState(models.TextChoices):
    OPEN = "open", _("to be looked into")
    RESOLVED = "resolved", _("resolved")


DISCREPANCY = transitions(
    "discrepancy",
    {DiscrepancyState.OPEN},
    {DiscrepancyState.OPEN: {DiscrepancyState.RESOLVED}},
)
