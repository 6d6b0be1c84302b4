"""Why, on one page: everything that happened to one decision's money, in order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from union_portal.kit.money import yuan
from union_portal.models import Appeal, Decision, Message, NoticeEntry, Objection
from union_portal.notifications import text_of
from union_portal.states import AppealState, MessageState, ObjectionState
from welfare.disbursement.models import (
    Entitlement,
    Motion,
    MotionKind,
    PayoutBatch,
    PayoutLine,
    Result,
    ReturnRow,
    Verdict,
)
from welfare.disbursement.states import LineState, MotionState


class Tone(StrEnum):
    """How an event reads at a glance."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    WAITING = "waiting"


@dataclass(frozen=True)
class Event:
    """One thing that happened. `who` is for staff; members see the office, not the clerk."""

    at: datetime
    title: str
    text: str = ""
    who: str = ""
    tone: Tone = Tone.PLAIN


def timeline(decision: Decision) -> list[Event]:
    """Decision, notice, objections, money, messages and appeals of one decision, in order."""
    events = [
        *_decided(decision),
        *_published(decision),
        *_contested(decision),
        *_paid(decision),
        *_appealed(decision),
    ]
    return sorted(events, key=lambda event: event.at)


def paid_at(decision: str) -> Coalesce:
    """When the money of a decision arrived, as an annotation; None while it is not there.

    `decision` leads from the annotated row to the decision. The bank's word counts, else its
    certificate from the moment in which two people carried it out.
    """
    paid = PayoutLine.objects.filter(
        entitlement__decision=OuterRef(OuterRef(decision)), state=LineState.PAID
    ).values("pk")
    said = ReturnRow.objects.filter(line__in=paid, verdict=Verdict.APPLIED, result=Result.PAID)
    certified = Motion.objects.filter(
        line__in=paid, kind=MotionKind.CERTIFICATE, state=MotionState.SECONDED
    )
    return Coalesce(
        Subquery(said.order_by("pk").values("judged_at")[:1]),
        Subquery(certified.order_by("pk").values("seconded_at")[:1]),
    )


def messages(subject_type: str, subject_id: int) -> list[Event]:
    """What the person was told about a case, how and when (X13)."""
    return [
        Event(
            # When it was said; a gateway may take it up long after.
            at=message.created_at,
            title=_("Told by %(channel)s") % {"channel": message.get_channel_display()},
            text=text_of(message),
            tone=Tone.PLAIN if message.state == MessageState.SENT else Tone.WAITING,
        )
        for message in Message.objects.filter(subject_type=subject_type, subject_id=str(subject_id))
    ]


def _decided(decision: Decision) -> Iterator[Event]:
    granted = decision.amount_fen > 0
    title = (
        _("Granted: %(amount)s yuan") % {"amount": yuan(decision.amount_fen)}
        if granted
        else _("Refused")
    )
    yield Event(
        at=decision.decided_at,
        title=title,
        text=decision.reason,
        who=str(decision.decided_by),
        tone=Tone.GOOD if granted else Tone.BAD,
    )


def _published(decision: Decision) -> Iterator[Event]:
    entries = NoticeEntry.objects.filter(decision=decision, notice__posted_on__isnull=False)
    for entry in entries.select_related("notice"):
        notice = entry.notice
        if notice.posted_on is None or notice.ends_on is None:
            continue
        morning = timezone.make_aware(datetime.combine(notice.posted_on, time(9)))
        yield Event(
            # Only the day of the posting is known, and it follows the decision.
            at=max(morning, decision.decided_at),
            title=_("Public notice “%(title)s”") % {"title": notice.title},
            text=_("Posted from %(first)s to %(last)s, entry %(position)s, shown as %(name)s.")
            % {
                "first": notice.posted_on,
                "last": notice.ends_on,
                "position": entry.position,
                "name": entry.shown_name,
            },
        )


def _contested(decision: Decision) -> Iterator[Event]:
    for objection in Objection.objects.filter(decision=decision):
        yield Event(at=objection.filed_at, title=_("Objection filed"), tone=Tone.WAITING)
        if objection.answered_at and objection.state != ObjectionState.OPEN:
            yield Event(
                at=objection.answered_at,
                title=_("Objection answered: %(state)s") % {"state": objection.get_state_display()},
                text=objection.answer,
                who=str(objection.answered_by or ""),
            )


def _paid(decision: Decision) -> Iterator[Event]:
    entitlement = Entitlement.objects.filter(decision=decision).select_related("fund").first()
    if entitlement is None:
        return
    yield Event(
        at=entitlement.granted_at,
        title=_("Money set aside: %(amount)s yuan") % {"amount": yuan(entitlement.amount_fen)},
        text=_("From the fund “%(fund)s”.") % {"fund": entitlement.fund.name},
    )
    lines = PayoutLine.objects.filter(entitlement=entitlement).select_related("batch__made_by")
    for line in lines.order_by("attempt"):
        yield from _travelled(line, line.batch)
        yield from _answered(line)
    yield from _acted_on(entitlement, lines)


def _travelled(line: PayoutLine, batch: PayoutBatch) -> Iterator[Event]:
    maker = str(batch.made_by)
    approvals = batch.approvals.filter(round=batch.round).exclude(account=batch.made_by_id)
    others = ", ".join(
        str(one.account) for one in approvals.select_related("account").order_by("pk")
    )
    stops = (
        (batch.made_at, _("Put into payout batch %(batch)s"), maker),
        (batch.sealed_at, _("Batch %(batch)s sealed"), maker),
        (batch.approved_at, _("Batch %(batch)s checked and released"), others),
        (batch.generated_at, _("Bank file of batch %(batch)s written"), ""),
        (batch.delivered_at, _("Handed to the bank in batch %(batch)s"), ""),
    )
    for at, title, who in stops:
        if at is not None:
            yield Event(
                at=at,
                title=title % {"batch": batch.number},
                text=_("Payment %(id)s, account ending in %(four)s.")
                % {"id": line.e2e, "four": line.account_last_four},
                who=who,
            )


def _answered(line: PayoutLine) -> Iterator[Event]:
    # Of the row alone: its file is closed to the member and to the office that handles the case.
    for row in ReturnRow.objects.filter(line=line, verdict=Verdict.APPLIED).order_by("pk"):
        is_back = row.result in (Result.FAILED, Result.RETURNED)
        back = _("The money is back in the fund, set aside for another payment.")
        yield Event(
            at=row.judged_at,
            title=_("The bank says: %(result)s") % {"result": row.get_result_display()},
            text=" ".join(filter(None, [row.reason, row.bank_ref, back if is_back else ""])),
            tone=Tone.GOOD if row.result == Result.PAID else Tone.BAD,
        )


def _acted_on(entitlement: Entitlement, lines: QuerySet[PayoutLine]) -> Iterator[Event]:
    """What two people did about it: retry, certificate, withdrawal, write-off."""
    about = Motion.objects.filter(Q(entitlement=entitlement) | Q(line__in=lines))
    for motion in about.select_related("moved_by", "seconded_by"):
        what = motion.get_kind_display()
        yield Event(
            at=motion.moved_at,
            title=_("Proposed: %(what)s") % {"what": what},
            text=motion.reason,
            who=str(motion.moved_by),
            tone=Tone.WAITING if motion.state == MotionState.MOVED else Tone.PLAIN,
        )
        if motion.seconded_at is not None:
            yield Event(
                at=motion.seconded_at,
                title=_("%(state)s: %(what)s")
                % {"state": motion.get_state_display(), "what": what},
                who=str(motion.seconded_by or ""),
            )


def _appealed(decision: Decision) -> Iterator[Event]:
    for appeal in Appeal.objects.filter(decision=decision):
        yield Event(at=appeal.filed_at, title=_("Appeal filed"), text=appeal.text)
        if appeal.answered_at and appeal.state in (AppealState.UPHELD, AppealState.DISMISSED):
            yield Event(
                at=appeal.answered_at,
                title=_("Appeal answered: %(state)s") % {"state": appeal.get_state_display()},
                text=appeal.answer,
                who=str(appeal.reviewer or ""),
            )
