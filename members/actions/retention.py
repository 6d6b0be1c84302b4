"""What was kept long enough is forgotten: first counted, then removed by somebody else.

A dry run counts by rule; the real run removes what that dry run counted, as at the same day, so
that nothing goes that nobody was shown. Each chunk is a transaction under the job's lease: a run
that is killed goes on where it was, with its counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from axes.models import AccessFailureLog, AccessLog
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from members.actions import copies, corrections, imports
from members.actions.refusals import PeopleRefused
from members.models import (
    CardCode,
    Correction,
    ImportFinding,
    ImportRun,
    JoinApplication,
    LoginCode,
    RetentionRun,
)
from members.rules import retention as rules
from members.rules.retention import Rule
from members.states import CorrectionState, JoinState
from union_portal import access, audit, files, notifications, queue
from union_portal.access import Permission
from union_portal.models import Account, Channel, Job, Message, StoredFile
from union_portal.states import MessageState

CHUNK: Final = 1000
# A dry run that nobody carried out for so long tells nothing of today.
FRESH_DAYS: Final = 30
COUNT, REMOVE = "members.count_retention", "members.carry_out_retention"
# What stands where a text was.
EMPTIED: Final = "[–]"

Rows = Callable[[datetime], QuerySet[Any]]
Forget = Callable[[QuerySet[Any], Rule, datetime], None]


@dataclass(frozen=True)
class Sweep:
    """One table of a rule: the rows that are of before an instant, and how they go."""

    rows: Rows
    forget: Forget


def _delete(rows: QuerySet[Any], rule: Rule, now: datetime) -> None:
    rows.delete()


def _empty_messages(rows: QuerySet[Any], rule: Rule, now: datetime) -> None:
    rows.update(values={notifications.FORGOTTEN: rule.key}, address=None)


def _empty_corrections(rows: QuerySet[Any], rule: Rule, now: datetime) -> None:
    rows.update(wanted=EMPTIED, words=EMPTIED)


def _forget_files(rows: QuerySet[Any], rule: Rule, now: datetime) -> None:
    files.forget(files=list(rows), rule=rule.key, now=now)


def _files(purpose: str, **older: Any) -> QuerySet[StoredFile]:
    return StoredFile.objects.filter(purpose=purpose, forgotten__isnull=True, **older)


def _sent(cut: datetime) -> QuerySet[Message]:
    over = (MessageState.SENT, MessageState.FAILED)
    return Message.objects.filter(
        channel__in=[Channel.SMS, Channel.LETTER], state__in=over, created_at__lt=cut
    ).exclude(values__has_key=notifications.FORGOTTEN)


def _answered(cut: datetime) -> QuerySet[Correction]:
    return Correction.objects.filter(
        answered_at__lt=cut, state__in=[CorrectionState.DONE, CorrectionState.DECLINED]
    )


def _came_to_nothing(cut: datetime) -> QuerySet[JoinApplication]:
    last = Greatest("applied_at", "checked_at", "decided_at")
    return JoinApplication.objects.alias(last=last).filter(
        last__lt=cut, state__in=[JoinState.REFUSED, JoinState.TAKEN_BACK]
    )


SWEEPS: Final[dict[str, tuple[Sweep, ...]]] = {
    "my_data_files": (
        Sweep(lambda cut: _files(copies.PURPOSE, created_at__lt=cut), _forget_files),
    ),
    "login_codes": (Sweep(lambda cut: LoginCode.objects.filter(created_at__lt=cut), _delete),),
    "code_messages": (
        Sweep(lambda cut: _sent(cut).filter(topic__in=notifications.ASKED_FOR), _empty_messages),
    ),
    "card_codes": (Sweep(lambda cut: CardCode.objects.filter(expires_at__lt=cut), _delete),),
    "join_applications": (Sweep(_came_to_nothing, _delete),),
    "import_files": (
        Sweep(
            lambda cut: _files(
                imports.PURPOSE,
                pk__in=ImportRun.objects.filter(uploaded_at__lt=cut).values("file"),
            ),
            _forget_files,
        ),
    ),
    "import_findings": (
        Sweep(lambda cut: ImportFinding.objects.filter(run__uploaded_at__lt=cut), _delete),
    ),
    "corrections": (Sweep(lambda cut: _answered(cut).exclude(words=EMPTIED), _empty_corrections),),
    "correction_evidence": (
        Sweep(
            lambda cut: _files(corrections.EVIDENCE, pk__in=_answered(cut).values("evidence")),
            _forget_files,
        ),
    ),
    "log_in_records": (
        Sweep(lambda cut: AccessLog.objects.filter(attempt_time__lt=cut), _delete),
        Sweep(lambda cut: AccessFailureLog.objects.filter(attempt_time__lt=cut), _delete),
    ),
    "message_texts": (
        Sweep(lambda cut: _sent(cut).exclude(topic__in=notifications.ASKED_FOR), _empty_messages),
    ),
}


# -- asked for -------------------------------------------------------------------------------
@transaction.atomic
def ask_dry_run(*, by: Account | None, today: date) -> Job:
    """Have a worker count what would be forgotten; without an account: by the schedule."""
    if by is not None:
        access.require(by, Permission.RETENTION_RUN)
    job = queue.enqueue(
        COUNT, by=by, title=_title(_("Count what is kept too long")), key=COUNT,
        total=len(rules.RULES), on=today.isoformat(), account=by.pk if by else None,
    )  # fmt: skip
    audit.record("retention.count", job, by=by or audit.WORKER, on=today.isoformat())
    return job


@transaction.atomic
def ask_removal(*, shown: RetentionRun, by: Account | None, today: date) -> Job:
    """Have a worker remove what a dry run counted.

    Errors: PermissionDenied for whoever asked for the dry run; PeopleRefused for what is no
    dry run, too old, or carried out.
    """
    if by is not None:
        access.require(by, Permission.RETENTION_RUN)
        if shown.requested_by_id == by.pk:
            raise PermissionDenied(_("Whoever asked for the dry run does not carry it out."))
    _require_open(shown, today)
    job = queue.enqueue(
        REMOVE, by=by, title=_title(_("Remove what was kept long enough")),
        key=f"{REMOVE}:{shown.pk}", shown=shown.pk, account=by.pk if by else None,
    )  # fmt: skip
    audit.record("retention.remove", shown, by=by or audit.WORKER)
    return job


def by_schedule(*, today: date) -> None:
    """Once a week: carry out what the schedule counted a week ago, and count anew.

    In between the counts stand on their page, and an administrator may carry them out earlier.
    """
    last = RetentionRun.objects.filter(is_dry=True, requested_by=None).order_by("-id").first()
    if last is not None and last.run_on >= today:
        return
    if last is not None and why_not(last, today) is None and not _is_carried_out(last):
        ask_removal(shown=last, by=None, today=today)
    ask_dry_run(by=None, today=today)


def why_not(shown: RetentionRun, today: date) -> tuple[str, str] | None:
    """Why this run can't be carried out: what is wrong and how to mend it, or None."""
    if not shown.is_dry:
        return gettext_noop("This is no dry run."), gettext_noop("Ask for one first.")
    if shown.run_on < today - timedelta(days=FRESH_DAYS):
        return (
            gettext_noop("The dry run is too old."),
            gettext_noop("Ask for a new one, and have a colleague carry it out."),
        )
    if _is_carried_out(shown):
        return (
            gettext_noop("This dry run was carried out already."),
            gettext_noop("Ask for a new one."),
        )
    return None


def _require_open(shown: RetentionRun, today: date) -> None:
    if reason := why_not(shown, today):
        raise PeopleRefused(*reason)


def _is_carried_out(shown: RetentionRun) -> bool:
    return RetentionRun.objects.filter(shown_by=shown).exists()


def _title(text: str) -> str:
    return text[:160]


# -- done by a worker ------------------------------------------------------------------------
def count(*, run: queue.Run, on: date, account: int | None) -> RetentionRun:
    """Count by rule what a run as at `on` would forget; nothing is touched."""
    counts: dict[str, int] = {}
    for number, rule in enumerate(rules.RULES, 1):
        cut = _cut(rule, on)
        counts[rule.key] = sum(sweep.rows(cut).count() for sweep in SWEEPS[rule.key])
        run.progress(number, len(rules.RULES), note=_(rule.what))
    with transaction.atomic():
        run.hold()
        return _written(run, is_dry=True, on=on, account=account, counts=counts)


def remove(
    *, run: queue.Run, shown: RetentionRun, account: int | None, now: datetime
) -> dict[str, int]:
    """Forget what the dry run counted, chunk by chunk; how many rows went by each rule.

    Does nothing if the dry run was carried out already.
    """
    done = RetentionRun.objects.filter(shown_by=shown).first()
    if done is not None:
        return dict(done.counts)
    counts = {rule.key: run.job.result.get(rule.key, 0) for rule in rules.RULES}
    total = sum(shown.counts.values())
    for rule, sweep in _sweeps():
        chunks = _chunks(
            run, rule=rule, sweep=sweep, cut=_cut(rule, shown.run_on), counts=counts, now=now
        )
        for _chunk in chunks:
            run.progress(sum(counts.values()), total, note=_(rule.what))
    with transaction.atomic():
        run.hold()
        _written(run, is_dry=False, on=shown.run_on, account=account, counts=counts, shown_by=shown)
    return counts


def _sweeps() -> Iterator[tuple[Rule, Sweep]]:
    for rule in rules.RULES:
        for sweep in SWEEPS[rule.key]:
            yield rule, sweep


def _chunks(
    run: queue.Run,
    *,
    rule: Rule,
    sweep: Sweep,
    cut: datetime,
    counts: dict[str, int],
    now: datetime,
) -> Iterator[int]:
    """Forget up to CHUNK rows at a time until none is left; yields how many went."""
    rows = sweep.rows(cut).order_by("pk")
    model: type[Model] = rows.model
    last = None
    while True:
        with transaction.atomic():
            run.hold()
            further = rows.filter(pk__gt=last) if last is not None else rows
            keys = list(further.values_list("pk", flat=True)[:CHUNK])
            if not keys:
                return
            sweep.forget(model._base_manager.filter(pk__in=keys), rule, now)
            counts[rule.key] += len(keys)
            Job.objects.filter(pk=run.job.pk).update(result=counts)
        last = keys[-1]
        yield len(keys)


def _cut(rule: Rule, on: date) -> datetime:
    """The first instant that is kept."""
    return timezone.make_aware(datetime.combine(rules.first_kept_day(rule, on), time.min))


def _written(
    run: queue.Run, *, is_dry: bool, on: date, account: int | None, counts: dict[str, int],
    shown_by: RetentionRun | None = None,
) -> RetentionRun:  # fmt: skip
    made = RetentionRun.objects.create(
        is_dry=is_dry, run_on=on, requested_by_id=account, counts=counts, shown_by=shown_by,
        job=run.job,
    )  # fmt: skip
    action = "retention.counted" if is_dry else "retention.removed"
    audit.record(action, made, by=audit.WORKER, counts=counts)
    return made
