"""Reads a batch for its report: a few set-based queries under one snapshot, masked."""

# The SQL below is made of constants of this package.
# ruff: noqa: S608

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from union_portal import queue, reports
from union_portal.kit.money import yuan
from union_portal.models import FileDownload, ReportRun, RuleSet
from union_portal.states import ReportState
from welfare.disbursement.models import BankFile, BatchApproval, PayoutBatch, ReturnFile
from welfare.disbursement.reporting.content import (
    Approval,
    BankFileFigures,
    BatchFigures,
    CountyFigures,
    FailureLine,
    Issue,
    Occurrence,
    Outcome,
    PayeeLine,
    Step,
    Tally,
    Voucher,
)
from welfare.disbursement.reporting.wording import CHINESE
from welfare.disbursement.states import BatchState

CHUNK = 2_000
STARS = "*" * 12
MOST_DOWNLOADS = 40

# A county is the federation's child the payee's union stands under, or the federation itself.
_LINES = """
    FROM disbursement_payoutline l
    JOIN disbursement_entitlement e ON e.id = l.entitlement_id
    JOIN union_portal_organization o ON o.id = e.organization_id
    JOIN union_portal_organization c ON c.id = COALESCE(
        NULLIF(split_part(o.path, '/', 2), ''), split_part(o.path, '/', 1))::bigint
"""
_PAYEE = """
    LEFT JOIN members_person p ON p.id = e.person_id
    LEFT JOIN members_merchant shop ON shop.id = e.merchant_id
"""
_COUNTIES_IN_ORDER = "c.level <> 'county', c.division_code, c.id"

_PAYEES = f"""
    SELECT l.position, l.e2e, c.name, o.name, l.payee_name,
           COALESCE(p.national_id_shown, shop.uscc), l.bank_name,
           l.account_last_four, l.amount_fen, l.state
    {_LINES} {_PAYEE}
    WHERE l.batch_id = %s AND l.state <> 'void' ORDER BY {_COUNTIES_IN_ORDER}, l.position
"""

_BY_COUNTY = f"""
    SELECT c.name, count(*), sum(l.amount_fen),
           count(*) FILTER (WHERE l.state = 'paid'),
           COALESCE(sum(l.amount_fen) FILTER (WHERE l.state = 'paid'), 0),
           count(*) FILTER (WHERE l.state IN ('failed', 'returned')),
           COALESCE(sum(l.amount_fen) FILTER (WHERE l.state IN ('failed', 'returned')), 0)
    {_LINES}
    WHERE l.batch_id = %s AND l.state <> 'void'
    GROUP BY c.id ORDER BY {_COUNTIES_IN_ORDER}
"""

_FAILURES = f"""
    SELECT l.position, l.e2e, c.name, l.payee_name, l.account_last_four, l.amount_fen, l.state,
           COALESCE(r.reason, m.reason, ''), n.number, n.position, n.state
    {_LINES}
    LEFT JOIN LATERAL (
        SELECT NULLIF(concat_ws(' ', NULLIF(reason_code, ''), NULLIF(reason, '')), '') AS reason
        FROM disbursement_returnrow
        WHERE line_id = l.id AND verdict = 'applied' AND result = l.state
        ORDER BY id DESC LIMIT 1) r ON true
    LEFT JOIN LATERAL (
        SELECT reason FROM disbursement_motion
        WHERE line_id = l.id AND kind = 'certificate' AND state = 'seconded'
        ORDER BY id DESC LIMIT 1) m ON true
    LEFT JOIN LATERAL (
        SELECT b.number, a.position, a.state FROM disbursement_payoutline a
        JOIN disbursement_payoutbatch b ON b.id = a.batch_id
        WHERE a.entitlement_id = l.entitlement_id AND a.attempt > l.attempt AND a.state <> 'void'
        ORDER BY a.attempt LIMIT 1) n ON true
    WHERE l.batch_id = %s AND l.state IN ('failed', 'returned')
    ORDER BY {_COUNTIES_IN_ORDER}, l.position
"""


_VOUCHERS = f"""
    SELECT l.position, l.e2e, c.name, o.name, l.payee_name,
           COALESCE(p.national_id_shown, shop.uscc), l.bank_name,
           l.account_last_four, l.amount_fen, l.state, r.bank_ref, COALESCE(r.at, m.seconded_at),
           d.id, d.decided_on, s.title, s.source_clause, d.steps
    {_LINES} {_PAYEE}
    JOIN union_portal_decision d ON d.id = e.decision_id
    JOIN union_portal_ruleset s ON s.id = d.rule_set_id
    LEFT JOIN LATERAL (
        SELECT a.bank_ref, f.imported_at AS at FROM disbursement_returnrow a
        JOIN disbursement_returnfile f ON f.id = a.file_id
        WHERE a.line_id = l.id AND a.verdict = 'applied' AND a.result = 'paid'
        ORDER BY a.id DESC LIMIT 1) r ON true
    LEFT JOIN LATERAL (
        SELECT seconded_at FROM disbursement_motion
        WHERE line_id = l.id AND kind = 'certificate' AND state = 'seconded'
        ORDER BY id DESC LIMIT 1) m ON true
    WHERE l.batch_id = %s AND l.state = 'paid' AND (%s::bigint IS NULL OR l.id = %s::bigint)
    ORDER BY {_COUNTIES_IN_ORDER}, l.position
"""


@contextmanager
def snapshot() -> Iterator[None]:
    """One view of the database for all reads of a report; a surrounding transaction is kept."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def batch_figures(batch_id: int) -> BatchFigures:
    """Everything but the lists. Refuses a batch without control totals or without payments."""
    batch = PayoutBatch.objects.select_related("fund", "organization", "corrects").get(pk=batch_id)
    _require_reportable(batch)
    newest, versions = _rule_sets(batch)
    return BatchFigures(
        office=settings.PORTAL_OFFICE,
        number=batch.number,
        organization=batch.organization.name,
        period=batch.period,
        fund_code=batch.fund.code,
        fund_name=batch.fund.name,
        fund_source=batch.fund.source,
        rule_title=newest.title,
        rule_version=versions,
        rule_clause=newest.source_clause,
        rule_issuer=newest.issuer,
        rule_is_sample=newest.is_sample,
        pay_on=batch.pay_on,
        state=batch.state,
        control=Tally(batch.lines_count, batch.total_fen),
        digest=batch.digest,
        counties=tuple(_counties(batch)),
        approvals=tuple(_approvals(batch)),
        bank_file=_bank_file(batch),
        return_files=tuple(_return_files(batch)),
        corrects=batch.corrects.number if batch.corrects else "",
        corrected_by=tuple(
            batch.corrected_by.exclude(state=BatchState.VOID)
            .order_by("id")
            .values_list("number", flat=True)
        ),
    )


def _require_reportable(batch: PayoutBatch) -> None:
    if batch.state == BatchState.DRAFT:
        raise queue.Refused(
            gettext_noop("Batch %(number)s is a draft: its totals may still change."),
            gettext_noop("Seal the batch, then ask for the report."),
            {"number": batch.number},
        )
    if batch.state == BatchState.VOID:
        raise queue.Refused(
            gettext_noop("Batch %(number)s was voided: nothing was paid by it."),
            gettext_noop("Ask for the report of the batch that took its place."),
            {"number": batch.number},
        )


def payees(batch_id: int) -> Iterator[PayeeLine]:
    """The payments, county by county, in the order of the batch."""
    return map(_payee, _stream(_PAYEES, batch_id))


def _payee(row: Sequence[Any]) -> PayeeLine:
    position, e2e, county, union, name, identity, bank, last_four, fen, state = row
    return PayeeLine(
        sequence=position,
        reference=e2e,
        county=county,
        union=union,
        name=name,
        identity=identity,
        bank=bank,
        account=STARS + last_four,
        amount_fen=fen,
        outcome=Outcome(state),
    )


def failures(batch_id: int) -> Iterator[FailureLine]:
    """The payments that failed or came back, in the same order."""
    for row in _stream(_FAILURES, batch_id):
        position, e2e, county, name, last_four, fen, state, reason, batch, again, now = row
        yield FailureLine(
            sequence=position,
            reference=e2e,
            county=county,
            name=name,
            account=STARS + last_four,
            amount_fen=fen,
            outcome=Outcome(state),
            reason=reason,
            again_batch=batch or "",
            again_sequence=again,
            again_outcome=Outcome(now) if now else None,
        )


def vouchers(batch_id: int, line_id: int | None = None) -> Iterator[Voucher]:
    """A voucher for each payment that arrived, or for one of them."""
    for row in _stream(_VOUCHERS, batch_id, line_id, line_id):
        *payment, bank_ref, paid_at, decision, decided_on, rule, clause, steps = row
        yield Voucher(
            payment=_payee(payment),
            bank_reference=bank_ref or "",
            paid_at=paid_at,
            decision=f"D{decision:08d}",
            decided_on=decided_on,
            rule=rule,
            clause=clause,
            steps=tuple(_steps(steps)),
        )


def _steps(stored: Any) -> Iterator[Step]:
    """The explained sum as the decision stores it: message ids and values, told in Chinese."""
    with override(CHINESE):
        for step in json.loads(stored) if isinstance(stored, str) else stored:
            values = {
                name: yuan(value) if name.endswith("_fen") else str(value)
                for name, value in step.get("values", {}).items()
            }
            text = _(step["message"]) % values if values else _(step["message"])
            yield Step(step["clause"], text, step["amount_fen"])


def issue(report: ReportRun) -> Issue:
    """This version, the earlier ones and their downloads."""
    same = ReportRun.objects.filter(
        kind=report.kind,
        subject_type=report.subject_type,
        subject_id=report.subject_id,
        version__lt=report.version,
        state=ReportState.READY,
    )
    downloads = (
        FileDownload.objects.filter(file__in=same.values("file"))
        .select_related("account", "file__report_run")
        .order_by("-id")[:MOST_DOWNLOADS]
    )
    return Issue(
        version=report.version,
        made_at=report.requested_at,
        made_by=_who(report.requested_by),
        witness=reports.witness(),
        earlier=tuple(
            Occurrence(str(run.version), _who(run.requested_by), run.requested_at, run.digest)
            for run in same.select_related("requested_by").order_by("version")
        ),
        downloads=tuple(
            Occurrence(str(download.file.report_run.version), _who(download.account), download.at)
            for download in downloads
        ),
    )


def _who(account: Any) -> str:
    with override(CHINESE):
        return str(account) if account else _("the system")


def _stream(sql: str, *parameters: int | None) -> Iterator[tuple[Any, ...]]:
    """Rows through a cursor of the server, so that memory does not grow with their number."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, parameters)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows


def _counties(batch: PayoutBatch) -> Iterator[CountyFigures]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_COUNTY, [batch.pk])
        for name, *numbers in cursor.fetchall():
            every, paid, failed = (
                Tally(int(numbers[index]), int(numbers[index + 1])) for index in (0, 2, 4)
            )
            yield CountyFigures(name, every, paid, failed)


def _rule_sets(batch: PayoutBatch) -> tuple[RuleSet, str]:
    """The newest rule set the batch was decided under, and the numbers of all."""
    used = list(
        RuleSet.objects.filter(decisions__entitlement__lines__batch=batch)
        .distinct()
        .order_by("-version")
    )
    return used[0], "、".join(str(rules.version) for rules in reversed(used))


def _approvals(batch: PayoutBatch) -> Iterator[Approval]:
    approvals = BatchApproval.objects.filter(batch=batch, round=batch.round)
    for approval in approvals.select_related("account").order_by("id"):
        yield Approval(
            step=approval.step,
            name=str(approval.account),
            at=approval.approved_at,
            digest=approval.digest,
        )


def _bank_file(batch: PayoutBatch) -> BankFileFigures | None:
    file = BankFile.objects.defer("body").filter(batch=batch).first()
    if file is None:
        return None
    return BankFileFigures(
        name=file.name,
        sha256=file.sha256,
        at=file.created_at,
        content=Tally(file.lines_count, file.total_fen),
    )


def _return_files(batch: PayoutBatch) -> Iterator[Occurrence]:
    files = ReturnFile.objects.defer("body").filter(batch=batch).select_related("imported_by")
    for file in files.order_by("id"):
        yield Occurrence(file.name, _who(file.imported_by), file.imported_at, str(file.rows_count))
