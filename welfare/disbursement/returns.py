"""Return files: read whole or refused whole, written down, judged and booked at once."""

import base64
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from union_portal import access, audit, lifecycle, sets
from union_portal.access import Permission
from union_portal.fields import keyring
from union_portal.kit.plain_text import halfwidth
from union_portal.kit.refusals import Refused, require_sentence
from union_portal.models import Account
from welfare.disbursement import acting, bankfile, formats, locks, settlement
from welfare.disbursement.acting import Actor
from welfare.disbursement.bankfile import BankFileRefused, ReturnContents
from welfare.disbursement.models import (
    BankFormat,
    Discrepancy,
    PayoutBatch,
    PayoutLine,
    ReturnFile,
    ReturnRow,
    SentMark,
    Verdict,
)
from welfare.disbursement.refusals import AlreadyImported, PayoutRefused
from welfare.disbursement.states import DiscrepancyState

log = logging.getLogger(__name__)

BANK = audit.Machine("bank")
MOST_BYTES = 50 * 1024 * 1024


def import_return(
    *, content: bytes, name: str, by: Actor, batch: PayoutBatch | None = None
) -> ReturnFile:
    """Import one return file; nothing is written unless the whole file can be read.

    `batch` is the one whose page it was uploaded on, if any. Errors: AlreadyImported for
    the same bytes; BankFileRefused with every fault by row and column (cut off, wrong
    encoding, totals that do not agree); PayoutRefused for another batch's file.
    """
    if isinstance(by, Account):
        access.require(by, Permission.BATCH_SETTLE, batch.organization if batch else None)
    digest = sha256(content).hexdigest()
    if len(content) > MOST_BYTES:
        raise PayoutRefused(
            _("The file is larger than %(most)s MB."),
            _("A return file is a short list: check whether it is the right one."),
            {"most": MOST_BYTES // 1024 // 1024},
        )
    known = ReturnFile.objects.filter(sha256=digest).first()
    if known is not None:
        raise AlreadyImported(known)
    bank_format, contents = _read(content, name, batch)
    file = ReturnFile(
        name=name[:120],
        sha256=digest,
        size=len(content),
        bank_format=bank_format,
        batch=_batch_of(contents, batch),
        rows_count=len(contents.rows),
        total_fen=contents.total_fen,
        body=base64.b64encode(content).decode(),
        imported_by_id=by.pk,
    )
    try:
        with transaction.atomic():
            _import(file, contents, by=by)
    except IntegrityError as error:
        # Somebody imported the same bytes in the same moment.
        known = ReturnFile.objects.filter(sha256=digest).first()
        if known is None:
            raise
        raise AlreadyImported(known) from error
    return file


@dataclass
class Collected:
    """What came from the bank's folder: files imported, and those refused with the reason."""

    imported: list[ReturnFile] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def collect() -> Collected:
    """Import every file in the bank's folder that is not imported yet; again changes nothing."""
    result = Collected()
    folder = Path(settings.BANK_DIR) / "incoming"
    found = {path: _digest_of(path) for path in sorted(folder.glob("[!.]*"))}
    known = set(
        ReturnFile.objects.filter(sha256__in=found.values()).values_list("sha256", flat=True)
    )
    for path in (path for path, digest in found.items() if digest not in known):
        try:
            result.imported.append(
                import_return(content=path.read_bytes(), name=path.name, by=BANK)
            )
        except AlreadyImported:
            continue
        except Refused as refusal:
            log.warning("return file %s refused", path.name)
            result.refused.append((path.name, str(refusal)))
    return result


def _digest_of(path: Path) -> str:
    """Of the file's bytes; a file that has not changed is read once by each process.

    The folder is never emptied, so that a restored database can be told again.
    """
    now = path.stat()
    return _digest_of_state(path, now.st_mtime_ns, now.st_size)


@lru_cache(maxsize=100_000)
def _digest_of_state(path: Path, _changed_ns: int, _size: int) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


@transaction.atomic
def resolve(*, discrepancy: Discrepancy, by: Account, finding: str) -> None:
    """Settle a discrepancy with what was found out, for instance by a call to the bank.

    One person is enough: no line and no money moves by it. What a certificate of the bank says
    of a line is moved by one and carried out by another (`unknowns.certify`).
    """
    access.require(
        by, Permission.BATCH_SETTLE, discrepancy.batch.organization if discrepancy.batch else None
    )
    found = require_sentence(
        finding,
        _("What was found out is missing or too short."),
        _("Write at least ten characters: for instance what the bank said, and who."),
    )
    lifecycle.advance(
        discrepancy,
        to=DiscrepancyState.RESOLVED,
        by=by,
        reason=found,
        finding=found[:300],
        resolved_by=by,
        resolved_at=acting.now(),
    )


def verdicts(file: ReturnFile) -> dict[str, int]:
    """How the rows of a file were judged, as they stand now."""
    rows = file.rows.order_by("verdict").values_list("verdict").annotate(n=Count("pk"))
    return {str(verdict): n for verdict, n in rows}


def _read(
    content: bytes, name: str, batch: PayoutBatch | None
) -> tuple[BankFormat, ReturnContents]:
    """Read with the batch's own format, else with the one that can."""
    number = name.split("-", maxsplit=1)[0].split(".", maxsplit=1)[0]
    named = batch or PayoutBatch.objects.filter(number=number).first()
    if named is not None:
        return named.bank_format, bankfile.read_return(formats.layout(named.bank_format), content)
    first: Refused | None = None
    used = BankFormat.objects.filter(is_active=True).order_by("code")
    for bank_format in used:
        try:
            return bank_format, bankfile.read_return(formats.layout(bank_format), content)
        except BankFileRefused as refusal:
            # Without its traceback, which would keep what was read of the file.
            first = first or refusal.with_traceback(None)
    raise first or PayoutRefused(_("No bank format is in use yet."))


def _batch_of(contents: ReturnContents, expected: PayoutBatch | None) -> PayoutBatch | None:
    number = contents.batch_number
    if expected is not None and number and number != expected.number:
        raise PayoutRefused(
            _("The file answers batch %(named)s, not batch %(expected)s."),
            _("Import it on the page of its own batch."),
            {"named": number[:40], "expected": expected.number},
        )
    if not number:
        return expected
    found = PayoutBatch.objects.filter(number=number).first()
    if found is None and not SentMark.objects.filter(batch_number=number).exists():
        raise PayoutRefused(
            _("The file answers batch %(named)s, which was never made here."),
            _("Check with the bank whose file this is."),
            {"named": number[:40]},
        )
    return found


def _import(file: ReturnFile, contents: ReturnContents, *, by: Actor) -> None:
    ids = {file.batch_id} if file.batch_id else set()
    ends = [row.e2e for row in contents.rows]
    named = PayoutLine.objects.filter(e2e__in=ends).order_by()
    ids |= set(named.values_list("batch", flat=True).distinct())
    locks.batches(ids)
    known = ReturnFile.objects.filter(sha256=file.sha256).first()
    if known is not None:
        raise AlreadyImported(known)
    file.save(force_insert=True)
    _write_rows(file, contents)
    settlement.apply_kept(ids, cause=f"file{file.pk}", by=by)
    _note_strangers(file)
    settlement.reconcile_if_done(ids, by=audit.WORKER)
    audit.record(
        "returnfile.import",
        file,
        by=by,
        organization=file.batch.organization if file.batch else None,
        sha256=file.sha256,
        batch=contents.batch_number,
        rows=len(contents.rows),
        verdicts=verdicts(file),
    )


def _write_rows(file: ReturnFile, contents: ReturnContents) -> None:
    """All rows by one statement; accounts only as fingerprints.

    Not by COPY, which does not write where rows are judged one by one.
    """
    prints = keyring().fingerprint_many(
        "bank_account", (_digits(row.account) for row in contents.rows)
    )
    rows = [
        (number, row.e2e, row.amount_fen, mark, str(row.result), row.bank_reference, row.cause)
        for number, (row, mark) in enumerate(zip(contents.rows, prints, strict=True), start=1)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO disbursement_returnrow (file_id, number, e2e, amount_fen,"
            " account_fingerprint, result, bank_ref, reason_code, reason, verdict)"
            " SELECT %s, r.number, r.e2e, r.fen, r.print, r.result, r.bank_ref, '', r.reason,"
            " 'no_match' FROM unnest(%s::integer[], %s::text[], %s::bigint[], %s::text[],"
            " %s::text[], %s::text[], %s::text[])"
            " AS r (number, e2e, fen, print, result, bank_ref, reason)",
            [file.pk, *map(list, zip(*rows, strict=True))],
        )
    sets.refresh(ReturnRow, len(contents.rows))


def _digits(account: str) -> str:
    return "".join(halfwidth(account).split())


def _note_strangers(file: ReturnFile) -> None:
    """Rows that name nothing we know are kept, and somebody is told."""
    strangers = file.rows.filter(verdict=Verdict.NO_MATCH).values_list("pk", flat=True)
    Discrepancy.objects.bulk_create(
        [Discrepancy(kind="no_match", row_id=row, batch=file.batch) for row in strangers],
        batch_size=5000,
    )


def summary(file: ReturnFile) -> str:
    """One sentence on what the file did, for the page and the log."""
    counts: Iterable[str] = (
        f"{Verdict(verdict).label} {count}" for verdict, count in verdicts(file).items() if count
    )
    return gettext("%(rows)s rows: %(counts)s") % {
        "rows": file.rows_count,
        "counts": "、".join(counts),
    }
