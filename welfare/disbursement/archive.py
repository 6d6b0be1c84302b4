"""What was sent, kept sealed beside the sent register.

The register's line says that a batch left; this copy says what was in it, so that a
restored database can be told. Written before the line, and never over.
"""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings

from union_portal.fields import keyring
from welfare.disbursement.models import BankFile, PayoutBatch, PayoutLine
from welfare.disbursement.register import NameTaken, RegisterBroken, put_once

_KIND = "sent_batch"
_LINE = (
    "e2e", "position", "attempt", "amount_fen", "payee_name", "account_fingerprint",
    "bank_code", "entitlement__claim_key",
)  # fmt: skip


def folder() -> Path:
    return Path(settings.REGISTER_DIR) / "batches"


def keep(batch: PayoutBatch, file: BankFile) -> None:
    """Seal a copy of the batch, its approvals and its bytes; a copy that exists must agree."""
    if _is_kept(batch, file):
        return
    page = json.dumps(_page(batch, file), ensure_ascii=False, sort_keys=True)
    try:
        put_once(folder(), _name(batch.number), keyring().seal(_KIND, page))
    except NameTaken:
        # Whoever took over from a slow worker was faster: the same page sealed twice differs.
        _is_kept(batch, file)


def _is_kept(batch: PayoutBatch, file: BankFile) -> bool:
    """Whether a copy lies there. Raises RegisterBroken if it is of other bytes."""
    known = load(batch.number)
    if known is not None and known["file"]["sha256"] != file.sha256:
        raise RegisterBroken(f"batch {batch.number} is archived with other bytes")
    return known is not None


def load(number: str) -> dict[str, Any] | None:
    """The archived batch, or None. Raises RegisterBroken if its bytes do not fit its digest."""
    target = folder() / _name(number)
    if not target.exists():
        return None
    page: dict[str, Any] = json.loads(keyring().open(_KIND, target.read_bytes()))
    body = base64.b64decode(page["file"]["body"])
    if sha256(body).hexdigest() != page["file"]["sha256"] or page["number"] != number:
        raise RegisterBroken(f"the archived copy of batch {number} was changed")
    page["lines"] = [dict(zip(_LINE, line, strict=True)) for line in page["lines"]]
    return page


def _name(number: str) -> str:
    return f"{number}.sealed"


def _page(batch: PayoutBatch, file: BankFile) -> dict[str, Any]:
    lines = PayoutLine.objects.counted().filter(batch=batch).order_by("e2e")
    approvals = batch.approvals.filter(round=batch.round).order_by("id")
    return {
        "number": batch.number,
        "fund": batch.fund.code,
        "scheme": batch.scheme,
        "period": batch.period,
        "organization": batch.organization_id,
        "bank_format": batch.bank_format.code,
        "pay_on": batch.pay_on.isoformat(),
        "corrects": batch.corrects.number if batch.corrects else None,
        "made_by": batch.made_by.username,
        "required_steps": batch.required_steps,
        "approvals": list(approvals.values("step", "account__username")),
        "digest": batch.digest,
        "lines": list(lines.values_list(*_LINE).iterator(chunk_size=5000)),
        "file": {"name": file.name, "sha256": file.sha256, "body": file.body},
    }
