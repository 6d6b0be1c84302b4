"""What the bank's rows do to lines, money and batches.

A row is judged by end-to-end id, amount and account. What came too early or names nothing
we know is kept, and judged again inside every transaction that may make it applicable.
Source: disbursement protocol, 5. The caller holds the batches (`locks`).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils.translation import gettext as _

from union_portal import lifecycle, sets
from welfare.disbursement import acting, entitlements, ledger, locks
from welfare.disbursement.acting import Actor
from welfare.disbursement.models import (
    Discrepancy,
    EntryKind,
    PayoutBatch,
    PayoutLine,
    Result,
    ReturnRow,
    Verdict,
)
from welfare.disbursement.refusals import explained
from welfare.disbursement.states import (
    BatchState,
    DiscrepancyState,
    LineState,
)

# In this order within a pass, so that a success is booked before its return.
_MOVES: Final[Sequence[tuple[Result, LineState, EntryKind | None, tuple[LineState, ...]]]] = (
    (Result.UNKNOWN, LineState.UNKNOWN, None, (LineState.SENT,)),
    (Result.PAID, LineState.PAID, EntryKind.PAID, (LineState.SENT, LineState.UNKNOWN)),
    (Result.FAILED, LineState.FAILED, EntryKind.FAILED, (LineState.SENT, LineState.UNKNOWN)),
    (Result.RETURNED, LineState.RETURNED, EntryKind.RETURNED, (LineState.PAID,)),
)

# `fits`: amount and account agree. `nth` counts the fitting rows that say the same of a
# line, the oldest first; `both` tells that fitting rows say paid and failed of it.
_JUDGE = """
WITH kept AS (
    SELECT r.id, r.result, r.bank_ref, l.id AS line_id, l.state AS line_state,
           r.amount_fen = l.amount_fen AS sum_fits,
           r.account_fingerprint = l.account_fingerprint AS account_fits,
           r.e2e
    FROM disbursement_returnrow r
    JOIN disbursement_payoutline l ON l.e2e = r.e2e
    WHERE l.batch_id = ANY(%s) AND r.verdict IN ('early', 'no_match')
), ranked AS (
    SELECT k.*, sum_fits AND account_fits AS fits,
           row_number() OVER same AS nth,
           first_value(bank_ref) OVER same AS first_ref,
           bool_or(sum_fits AND account_fits AND result = 'paid') OVER line
           AND bool_or(sum_fits AND account_fits AND result = 'failed') OVER line AS both
    FROM kept k
    WINDOW same AS (PARTITION BY e2e, result, sum_fits AND account_fits ORDER BY id),
           line AS (PARTITION BY e2e)
), told AS (
    SELECT DISTINCT a.line_id, a.result, a.bank_ref FROM disbursement_returnrow a
    WHERE a.verdict = 'applied' AND a.line_id IN (SELECT line_id FROM kept)
), verdicts AS (
    SELECT k.id, k.line_id, CASE
        WHEN NOT k.sum_fits THEN 'amount'
        WHEN NOT k.account_fits THEN 'conflict'
        WHEN (k.line_id, k.result, k.bank_ref) IN
             (SELECT line_id, result, bank_ref FROM told) THEN 'repeat'
        WHEN k.line_state = 'void' THEN 'conflict'
        WHEN k.line_state = 'ready' THEN 'early'
        WHEN k.result = 'unknown' THEN
            CASE WHEN k.line_state = 'sent' AND k.nth = 1 THEN 'applied' ELSE 'repeat' END
        WHEN k.line_state IN ('sent', 'unknown') THEN CASE
            WHEN k.result = 'returned' THEN 'early'
            WHEN k.both THEN 'conflict'
            WHEN k.nth = 1 THEN 'applied'
            WHEN k.bank_ref = k.first_ref OR k.result = 'failed' THEN 'repeat'
            ELSE 'conflict' END
        WHEN k.line_state = 'paid' AND k.result = 'returned' THEN CASE
            WHEN k.nth = 1 THEN 'applied'
            WHEN k.bank_ref = k.first_ref THEN 'repeat'
            ELSE 'conflict' END
        WHEN k.line_state = 'failed' AND k.result = 'failed' THEN 'repeat'
        WHEN k.line_state IN ('paid', 'returned') AND k.result = 'paid'
             AND k.line_id NOT IN (SELECT line_id FROM told WHERE result = 'paid') THEN 'repeat'
        ELSE 'conflict' END AS verdict
    FROM ranked k
)
UPDATE disbursement_returnrow r
SET verdict = v.verdict, line_id = v.line_id, judged_at = clock_timestamp()
FROM verdicts v WHERE v.id = r.id AND (r.verdict, r.line_id) IS DISTINCT FROM (v.verdict, v.line_id)
"""


Told = Callable[[PayoutBatch, Actor], None]
_listeners: dict[str, Told] = {}


def tells(scheme: str) -> Callable[[Told], Told]:
    """Register what follows when lines of a scheme's batches got an answer.

    Called within the same transaction, once a batch however many lines it has: whatever has to
    be done line by line is left to a worker.
    """

    def register(function: Told) -> Told:
        _listeners[scheme] = function
        return function

    return register


def apply_kept(batch_ids: Iterable[int], *, cause: str, by: Actor) -> int:
    """Judge every kept row of these batches and book what applies, until nothing changes.

    `cause` names what made it possible and is part of the ledger's keys. Returns how many
    lines moved.
    """
    ids = sorted(set(batch_ids))
    moved, turn = 0, 0
    while True:
        turn += 1
        with explained(), connection.cursor() as cursor:
            cursor.execute(_JUDGE, [ids])
            sets.refresh(ReturnRow, cursor.rowcount)
        step = sum(
            _move(ids, result, state, kind, sources, key=f"{cause}:{turn}", by=by)
            for result, state, kind, sources in _MOVES
        )
        if not step:
            break
        moved += step
    _open_discrepancies(ids, by=by)
    entitlements.end_freed(ids, by=by)
    if moved:
        _tell(ids, by=by)
    return moved


def settle_line(line: PayoutLine, to: LineState, *, cause: str, by: Actor, reason: str) -> None:
    """Book the bank's certificate on one line; the caller holds its batch."""
    kind = EntryKind.PAID if to == LineState.PAID else EntryKind.FAILED
    with explained():
        lifecycle.advance(line, to=to, by=by, reason=reason)
        ledger.book(
            fund=line.batch.fund,
            kind=kind,
            key=f"{kind}:{line.e2e}:{cause}",
            amount_fen=line.amount_fen,
            by=by,
            batch=line.batch,
            reason=reason,
        )
    entitlements.end_freed([line.batch_id], by=by)
    _tell([line.batch_id], by=by)


def reconcile_if_done(batch_ids: Iterable[int], *, by: Actor) -> int:
    """Move delivered batches on whose lines all have their final answer."""
    waiting = PayoutLine.objects.filter(
        batch=OuterRef("pk"), state__in=[LineState.READY, LineState.SENT, LineState.UNKNOWN]
    )
    done = PayoutBatch.objects.filter(
        ~Exists(waiting), pk__in=list(batch_ids), state=BatchState.DELIVERED
    ).order_by("pk")
    count = 0
    for batch in done:
        lifecycle.advance(batch, to=BatchState.RECONCILED, by=by, reconciled_at=acting.now())
        count += 1
    return count


def reconcile_all(*, by: Actor) -> int:
    """The same for every delivered batch: what an interrupted worker left behind."""
    count = 0
    delivered = PayoutBatch.objects.filter(state=BatchState.DELIVERED)
    for batch_id in delivered.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            locks.batch(batch_id)
            count += reconcile_if_done([batch_id], by=by)
    return count


def _move(
    ids: list[int],
    result: Result,
    state: LineState,
    kind: EntryKind | None,
    sources: tuple[LineState, ...],
    *,
    key: str,
    by: Actor,
) -> int:
    """Move the lines whose row was just judged applied; one entry a batch."""
    said = ReturnRow.objects.filter(line=OuterRef("pk"), verdict=Verdict.APPLIED, result=result)
    lines = PayoutLine.objects.filter(Exists(said), batch__in=ids, state__in=sources)
    sums = _sums(lines)
    if not sums:
        return 0
    if state == LineState.RETURNED:
        _note_late_returns(lines)
    moved = lifecycle.advance_set(lines, to=state, by=by, reason=key)
    if kind is not None:
        held = PayoutBatch.objects.select_related("fund").in_bulk([batch for batch, _fen in sums])
        for batch_id, fen in sums:
            batch = held[batch_id]
            ledger.book(
                fund=batch.fund,
                kind=kind,
                key=f"{kind}:{batch.number}:{key}",
                amount_fen=fen,
                by=by,
                batch=batch,
            )
    return moved


def _tell(ids: list[int], *, by: Actor) -> None:
    for batch in PayoutBatch.objects.filter(pk__in=ids, scheme__in=_listeners):
        _listeners[batch.scheme](batch, by)


def _sums(lines: QuerySet[PayoutLine]) -> list[tuple[int, int]]:
    rows = lines.order_by("batch").values_list("batch").annotate(fen=Sum("amount_fen"))
    return [(int(batch), int(fen)) for batch, fen in rows]


def _note_late_returns(lines: QuerySet[PayoutLine]) -> None:
    """Money that comes back after its batch was closed is somebody's task (退票)."""
    late = lines.filter(batch__state=BatchState.CLOSED).values_list("pk", "batch_id")
    Discrepancy.objects.bulk_create(
        Discrepancy(kind="late_return", line_id=line, batch_id=batch) for line, batch in late
    )


def _open_discrepancies(ids: list[int], *, by: Actor) -> None:
    """Open what people must look at; resolve what a later row explained."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO disbursement_discrepancy (kind, row_id, batch_id, line_id, finding, state)
            SELECT r.verdict, r.id, l.batch_id, l.id, '', 'open'
            FROM disbursement_returnrow r
            JOIN disbursement_payoutline l ON l.id = r.line_id
            WHERE l.batch_id = ANY(%s) AND r.verdict IN ('amount', 'conflict')
              AND NOT EXISTS (SELECT 1 FROM disbursement_discrepancy x WHERE x.row_id = r.id)
            """,
            [ids],
        )
    explained_later = Discrepancy.objects.filter(
        kind=Verdict.NO_MATCH,
        state=DiscrepancyState.OPEN,
        row__verdict__in=[Verdict.APPLIED, Verdict.REPEAT],
        row__line__batch__in=ids,
    )
    lifecycle.advance_set(
        explained_later,
        to=DiscrepancyState.RESOLVED,
        by=by,
        finding=str(_("A later row or payment explained it.")),
        resolved_at=acting.now(),
    )
