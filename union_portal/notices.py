"""公示: a frozen masked list, its window in working days, objections to single entries."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from union_portal import access, audit, lifecycle, sets, withdrawals, workdays
from union_portal.access import Permission
from union_portal.kit import names
from union_portal.kit import phone as phones
from union_portal.kit.refusals import Refused, require_text, require_words
from union_portal.models import Decision, DecisionOutcome, Notice, NoticeEntry, Objection
from union_portal.states import DecisionState, NoticeState, ObjectionState

if TYPE_CHECKING:
    from union_portal.models import Account, Organization

PUBLIC = audit.Machine("public")


class NothingToPublish(Refused):
    """No decision of the set may stand on a notice."""


class WindowRunning(Refused):
    """The notice has not ended."""


class WindowOver(Refused):
    """The notice no longer takes objections through the public page."""


# Numbered in an explicit order; the sort also finds everybody before the first entry is
# written, so that no look at the table reads past the entries of this very statement.
_DRAFT = """
    INSERT INTO union_portal_noticeentry (
        notice_id, position, decision_id, shown_name, shown_employer, shown_ground, amount_fen)
    SELECT %s, row_number() OVER (ORDER BY r.place), r.decision_id, r.shown_name, r.shown_employer,
        r.shown_ground, d.amount_fen
    FROM {rows}
    JOIN union_portal_decision d ON d.id = r.decision_id
    WHERE d.state = 'made' AND d.outcome = 'granted' AND d.scheme = %s AND d.period = %s
      AND NOT EXISTS (
        SELECT 1 FROM union_portal_noticeentry e
        JOIN union_portal_notice n ON n.id = e.notice_id
        WHERE e.decision_id = d.id AND n.state <> 'withdrawn')
    ORDER BY r.place
"""


@transaction.atomic
def draft(
    *,
    title: str,
    scheme: str,
    period: str,
    organization: Organization,
    rows: QuerySet[Any, Any],
    place: str,
    contact: str,
    days: int,
    counts_first_day: bool,
    by: Account,
    text: str = "",
) -> Notice:
    """Write the list of a notice: granted decisions of the scheme and period on no other list.

    `rows` has `values()` named decision_id, shown_name, shown_employer and shown_ground, in
    the order of the list and masked already; amounts are the decisions' own. `days` are
    working days. Errors: NothingToPublish.
    """
    access.require(by, Permission.NOTICE_PREPARE, organization)
    if days < 1:
        raise Refused(
            gettext_noop("A public notice lasts at least one working day."),
            gettext_noop("Take the number of days from the rule set."),
        )
    notice = Notice.objects.create(
        title=title,
        scheme=scheme,
        period=period,
        organization=organization,
        text=text,
        place=place,
        contact=contact,
        days=days,
        counts_first_day=counts_first_day,
        prepared_by=by,
    )
    columns = ("decision_id", "shown_name", "shown_employer", "shown_ground", "place")
    table = sets.source(sets.numbered(rows, "place", last="decision_id"), *columns)
    entries = table and sets.insert(
        _DRAFT, table, columns, before=[notice.pk], after=[scheme, period]
    )
    if not entries or not entries.count:
        raise NothingToPublish(
            gettext_noop("No decision of this scheme and period waits for public notice."),
            gettext_noop("Decide the cases first; each decision stands on one notice only."),
        )
    sets.refresh(NoticeEntry, entries.count)
    audit.record("notice.draft", notice, by=by, count=entries.count)
    return notice


@transaction.atomic
def publish(*, notice: Notice, by: Account, today: date) -> Notice:
    """Post the list: the window is computed and frozen, its decisions wait for its end.

    Errors: UnknownYear when the holiday table does not cover the window; Refused when a
    decision on the list was withdrawn meanwhile; Stale.
    """
    access.require(by, Permission.NOTICE_PUBLISH, notice.organization)
    ends_on = workdays.calendar().window_end(
        today, days=notice.days, counts_first_day=notice.counts_first_day
    )
    lifecycle.advance(
        notice,
        to=NoticeState.PUBLISHED,
        by=by,
        posted_on=today,
        ends_on=ends_on,
        published_by=by,
    )
    listed = Decision.objects.filter(notice_entries__notice=notice)
    moved = lifecycle.advance_set(listed, to=DecisionState.PUBLISHED, by=by)
    if moved != notice.entries.count():
        raise Refused(
            gettext_noop("A decision on this list was withdrawn after the list was drawn up."),
            gettext_noop("Withdraw the draft and draw the list up again."),
        )
    return notice


@transaction.atomic
def withdraw(*, notice: Notice, by: Account, reason: str) -> None:
    """Give up a draft, so that its decisions can stand on a new list.

    A list the public has seen stays: its entries are answered one by one.
    """
    access.require(by, Permission.NOTICE_PREPARE, notice.organization)
    if notice.state != NoticeState.DRAFT:
        raise Refused(
            gettext_noop("A published notice is not withdrawn."),
            gettext_noop("Withdraw the single decisions that were wrong."),
        )
    lifecycle.advance(notice, to=NoticeState.WITHDRAWN, by=by, reason=reason)


@transaction.atomic
def file_objection(
    *,
    entry: NoticeEntry,
    objector: str,
    phone: str,
    text: str,
    is_body: bool,
    by: Account | None,
    today: date,
) -> Objection:
    """Take a real-name objection; from here nothing on the entry is paid.

    The decision row is locked first, as the engine locks it before it writes a payout line:
    one of the two wins. The public (`by=None`) may object while the window runs; staff enter
    what comes by hand at any time, which stops whatever has not been sent.
    Errors: WindowOver, Refused, PersonNameError, PhoneError.
    """
    decision = Decision.objects.select_for_update().get(pk=entry.decision_id)
    notice = Notice.objects.get(pk=entry.notice_id)
    _require_open(notice, decision, by, today)
    objection = Objection.objects.create(
        entry=entry,
        decision=decision,
        objector=_real_name(objector, is_body),
        is_body=is_body,
        phone=phones.read_mobile(phone) if phone.strip() or not is_body else None,
        text=require_words(text),
        received_by=by,
    )
    who = by or PUBLIC
    audit.record(
        "objection.filed", objection, by=who, organization=decision.organization, entry=entry.pk
    )
    if decision.state != DecisionState.CONTESTED:
        lifecycle.advance(decision, to=DecisionState.CONTESTED, by=who)
    return objection


@transaction.atomic
def answer(*, objection: Objection, upheld: bool, answer: str, by: Account) -> None:
    """Close an objection with an answer. Upheld, the decision is withdrawn; dismissed, it
    returns to where it stood unless another objection is open.

    Errors: Refused without an answer; Stale when somebody else has answered.
    """
    if upheld:
        withdrawals.hold(Decision.objects.filter(pk=objection.decision_id))
    decision = Decision.objects.select_for_update().get(pk=objection.decision_id)
    access.require(by, Permission.OBJECTION_ANSWER, decision.organization)
    lifecycle.advance(
        objection,
        to=ObjectionState.UPHELD if upheld else ObjectionState.DISMISSED,
        by=by,
        answer=require_words(answer),
        answered_by=by,
        answered_at=timezone.now(),
    )
    if upheld and decision.state != DecisionState.WITHDRAWN:
        withdrawals.withdraw(decision=decision, by=by, reason=f"{objection}: {answer}")
    else:
        _release(decision, by)


@transaction.atomic
def unmask_phone(*, objection: Objection, by: Account, reason: str) -> str:
    """Show the objector's number to whoever has to call back; the log keeps who and why.

    Errors: PermissionDenied; Refused without a reason.
    """
    access.require(by, Permission.PERSON_UNMASK, objection.decision.organization)
    why = require_text(
        reason,
        gettext_noop("The reason is missing."),
        gettext_noop("Say why you need the number."),
        shortest=2,
    )
    audit.record(
        "objection.unmask",
        objection,
        by=by,
        organization=objection.decision.organization,
        reason=why,
    )
    return str(objection.phone or "")


@transaction.atomic
def take_back(*, objection: Objection, by: Account, reason: str) -> None:
    """The objector takes the objection back; staff write down how that was said."""
    decision = Decision.objects.select_for_update().get(pk=objection.decision_id)
    access.require(by, Permission.OBJECTION_ANSWER, decision.organization)
    lifecycle.advance(objection, to=ObjectionState.TAKEN_BACK, by=by, reason=require_words(reason))
    _release(decision, by)


@transaction.atomic
def close(*, notice: Notice, by: Account | audit.Machine, today: date) -> int:
    """End a notice whose window has passed; returns how many decisions are clear now.

    Contested decisions stay behind until their objections are answered.
    Errors: WindowRunning, Stale.
    """
    if not isinstance(by, audit.Machine):
        access.require(by, Permission.NOTICE_PUBLISH, notice.organization)
    if notice.ends_on is not None and today <= notice.ends_on:
        raise WindowRunning(
            gettext_noop("The notice runs until %(day)s; nothing on it is clear before."),
            gettext_noop("Come back on the day after."),
            {"day": notice.ends_on.isoformat()},
        )
    lifecycle.advance(notice, to=NoticeState.CLOSED, by=by)
    published = Decision.objects.filter(
        notice_entries__notice=notice, state=DecisionState.PUBLISHED
    )
    return lifecycle.advance_set(published, to=DecisionState.CLEAR, by=by)


def clear_without_notice(*, decisions: QuerySet[Decision], by: Account | audit.Machine) -> int:
    """Make granted decisions payable whose rule set asks for no public notice.

    Returns how many; decisions of rule sets with a notice are left as they are.
    """
    free = decisions.filter(
        state=DecisionState.MADE, outcome=DecisionOutcome.GRANTED, rule_set__notice_days=0
    )
    return lifecycle.advance_set(free, to=DecisionState.CLEAR, by=by)


def on_display(today: date) -> QuerySet[Notice]:
    """The notices whose window runs today."""
    return Notice.objects.filter(
        state=NoticeState.PUBLISHED, posted_on__lte=today, ends_on__gte=today
    )


def ended(today: date) -> QuerySet[Notice]:
    """Published notices whose window has passed and that nobody has closed."""
    return Notice.objects.filter(state=NoticeState.PUBLISHED, ends_on__lt=today)


def _require_open(notice: Notice, decision: Decision, by: Account | None, today: date) -> None:
    if by is not None:
        access.require(by, Permission.OBJECTION_ANSWER, decision.organization)
    elif not on_display(today).filter(pk=notice.pk).exists():
        raise WindowOver(
            gettext_noop("This notice no longer takes objections here."),
            gettext_noop("Turn to the union in person or in writing: %(contact)s"),
            {"contact": notice.contact},
        )
    if notice.state not in (NoticeState.PUBLISHED, NoticeState.CLOSED):
        raise Refused(gettext_noop("The notice has not been published."))
    if decision.state == DecisionState.WITHDRAWN:
        raise Refused(
            gettext_noop("The decision was withdrawn: nothing will be paid on this entry."),
            gettext_noop("There is nothing left to object to."),
        )


def _release(decision: Decision, by: Account) -> None:
    """Put a contested decision back where it stood, once no objection is open."""
    if decision.state != DecisionState.CONTESTED:
        return
    if Objection.objects.filter(decision=decision, state=ObjectionState.OPEN).exists():
        return
    runs = Notice.objects.filter(entries__decision=decision, state=NoticeState.PUBLISHED).exists()
    lifecycle.advance(decision, to=DecisionState.PUBLISHED if runs else DecisionState.CLEAR, by=by)


def _real_name(text: str, is_body: bool) -> str:
    if not is_body:
        return names.read_name(text)
    name = text.strip()
    if not name:
        raise Refused(
            gettext_noop("The name of the body is missing."),
            gettext_noop("Enter the name on its seal."),
        )
    return name
