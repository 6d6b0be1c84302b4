"""What the demo did, as `summary.json`, `figures.json` and files in a folder.

`batches` are those whose lines all have the bank's answer, so that paid + failed = lines;
`waiting` are those that somebody has yet to check, release or answer.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet, Sum

from awards.models import ModelWorker, SubsidyCase
from awards.states import CaseState
from members.models import ImportRun, Membership
from members.states import LIVE_MEMBERSHIPS, ImportState
from union_portal import figures, files
from union_portal.models import Organization, ReportRun
from union_portal.states import ReportState
from welfare.disbursement import delivery, invariants, ledger
from welfare.disbursement.models import Entitlement, Fund, PayoutBatch, PayoutLine
from welfare.disbursement.states import BatchState, LineState
from welfare.models import MerchantStatement

PAID = (LineState.PAID,)
FAILED = (LineState.FAILED, LineState.RETURNED)
_ANSWERED = Q(state__in=[BatchState.RECONCILED, BatchState.CLOSED])
_VOID = Q(state=BatchState.VOID)


def summary(*, seconds: dict[str, float], out: Path | None) -> dict[str, Any]:
    """Count everything from the rows; write the files and `summary.json` if `out` is given."""
    results = invariants.check_all()
    told = {
        "counts": {
            "unions": Organization.objects.count(),
            "people": rostered(),
            "members": Membership.objects.filter(state__in=LIVE_MEMBERSHIPS).count(),
            "model_workers": ModelWorker.objects.count(),
            "entitlements": Entitlement.objects.count(),
            "statements": MerchantStatement.objects.count(),
            "refused": SubsidyCase.objects.filter(state=CaseState.REFUSED).count(),
        },
        "batches": [
            _batch(batch, out) for batch in PayoutBatch.objects.filter(_ANSWERED).order_by("id")
        ],
        "waiting": [
            _batch(batch, out)
            for batch in PayoutBatch.objects.exclude(_ANSWERED | _VOID).order_by("id")
        ],
        "funds": [
            {"name": fund.name, **ledger.figures(fund).as_dict()}
            for fund in Fund.objects.order_by("id")
        ],
        "invariants": {
            "checked": len(results),
            "broken": sum(1 for result in results if not result.holds),
        },
        "figures": figures.values(),
        "seconds": seconds,
    }
    if out is not None:
        text = json.dumps(told, ensure_ascii=False, indent=2)
        (out / "summary.json").write_text(text + "\n", encoding="utf-8")
        (out / "figures.json").write_text(json.dumps(told["figures"], indent=2) + "\n")
    return told


def rostered() -> int:
    """People read from the roster; members whose cards were taken over come on top."""
    runs = ImportRun.objects.filter(state=ImportState.APPLIED)
    return int(runs.aggregate(rows=Sum("rows_count"))["rows"] or 0)


def _batch(batch: PayoutBatch, out: Path | None) -> dict[str, Any]:
    lines = batch.lines.counted()
    paid, failed = lines.filter(state__in=PAID), lines.filter(state__in=FAILED)
    return {
        "number": batch.number,
        "scheme": batch.scheme,
        "state": str(batch.state),
        "lines": lines.count(),
        "paid": paid.count(),
        "failed": failed.count(),
        "total_fen": _sum_fen(lines),
        "paid_fen": _sum_fen(paid),
        "bank_file": _bank_file(batch, out),
        "return_file": _return_file(batch, out),
        "report_pdf": _report(batch, out),
    }


def _sum_fen(lines: QuerySet[PayoutLine]) -> int:
    return int(lines.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def _bank_file(batch: PayoutBatch, out: Path | None) -> str:
    file = getattr(batch, "bank_file", None)
    if file is None:
        return ""
    if out is not None:
        (out / file.name).write_bytes(delivery.content_of(file))
    return str(file.name)


def _return_file(batch: PayoutBatch, out: Path | None) -> str:
    """The bank's first answer; what it said later is written beside it."""
    answers = list(batch.return_files.order_by("id"))
    if out is not None:
        for file in answers:
            (out / file.name).write_bytes(delivery.content_of(file))
    return str(answers[0].name) if answers else ""


def _report(batch: PayoutBatch, out: Path | None) -> str:
    run = (
        ReportRun.objects.filter(
            kind="disbursement_pdf", subject_id=str(batch.pk), state=ReportState.READY
        )
        .order_by("-version")
        .first()
    )
    if run is None or run.file is None:
        return ""
    if out is not None:
        with files.open_for(run.file) as source, (out / run.file.name).open("wb") as target:
            shutil.copyfileobj(source, target)
    return run.file.name
