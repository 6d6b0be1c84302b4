"""What the demo did, as `summary.json` and files in a folder."""

import json
import shutil
from pathlib import Path
from typing import Any

from awards.models import ModelWorker, SubsidyCase
from awards.states import CaseState
from members.models import Person
from union_portal import files
from union_portal.models import Organization, ReportRun
from union_portal.states import ReportState
from welfare.disbursement import delivery, invariants, ledger
from welfare.disbursement.models import Entitlement, Fund, PayoutBatch
from welfare.disbursement.states import LineState

PAID = (LineState.PAID,)
FAILED = (LineState.FAILED, LineState.RETURNED)


def summary(*, seconds: dict[str, float], out: Path | None) -> dict[str, Any]:
    """Count everything from the rows; write the files and `summary.json` if `out` is given."""
    results = invariants.check_all()
    told = {
        "counts": {
            "unions": Organization.objects.count(),
            "people": Person.objects.count(),
            "model_workers": ModelWorker.objects.count(),
            "entitlements": Entitlement.objects.count(),
            "refused": SubsidyCase.objects.filter(state=CaseState.REFUSED).count(),
        },
        "batches": [_batch(batch, out) for batch in PayoutBatch.objects.order_by("id")],
        "funds": [
            {"name": fund.name, **ledger.figures(fund).as_dict()}
            for fund in Fund.objects.order_by("id")
        ],
        "invariants": {
            "checked": len(results),
            "broken": sum(1 for result in results if not result.holds),
        },
        "seconds": seconds,
    }
    if out is not None:
        text = json.dumps(told, ensure_ascii=False, indent=2)
        (out / "summary.json").write_text(text + "\n", encoding="utf-8")
    return told


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
        "total_fen": sum(lines.values_list("amount_fen", flat=True)),
        "paid_fen": sum(paid.values_list("amount_fen", flat=True)),
        "bank_file": _bank_file(batch, out),
        "return_file": _return_file(batch, out),
        "report_pdf": _report(batch, out),
    }


def _bank_file(batch: PayoutBatch, out: Path | None) -> str:
    file = getattr(batch, "bank_file", None)
    if file is None:
        return ""
    if out is not None:
        (out / file.name).write_bytes(delivery.content_of(file))
    return str(file.name)


def _return_file(batch: PayoutBatch, out: Path | None) -> str:
    file = batch.return_files.order_by("id").first()
    if file is None:
        return ""
    if out is not None:
        (out / file.name).write_bytes(delivery.content_of(file))
    return str(file.name)


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
