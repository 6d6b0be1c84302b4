"""A bank's answer to a batch: read whole or refused whole, judged row by row, applied at once."""

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions import card_changes, card_telling
from members.actions.card_life import retire_replaced
from members.actions.refusals import CardRefused
from members.models import (
    CardBank,
    CardBatch,
    CardResultFile,
    CardResultRow,
    CardVerdict,
    ServiceCard,
)
from members.rules import card_files
from members.rules.card_files import ResultLine
from members.rules.card_layouts import CardLayout
from members.rules.card_results import Application, Said, Verdict, is_card_number, judge
from members.states import CardBatchState, CardState
from union_portal import access, audit, files, lifecycle
from union_portal.access import Permission
from union_portal.fields import keyring
from union_portal.kit import masks
from union_portal.kit.refusals import Refused
from union_portal.kit.sheets import Limits, SheetError, open_sheet
from union_portal.models import Account, StoredFile

PURPOSE: Final = "card_result_file"
MOST_BYTES: Final = 20 * 1024 * 1024
TAKEN_IN: Final = (CardBatchState.SENT, CardBatchState.ANSWERED)
DONE: Final = (CardVerdict.ISSUED, CardVerdict.REFUSED, CardVerdict.REPEAT)
_OF_NOBODY_HERE: Final = (Verdict.UNKNOWN, Verdict.OTHER_PERSON)
_SHOWN: Final = 120
_NUMBERS: Final = """
UPDATE members_servicecard c
SET number = decode(r.sealed, 'base64'), fingerprint = r.print, last_four = r.four, issued_on = %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS r (id, sealed, print, four)
WHERE c.id = r.id
"""
_CAUSES: Final = """
UPDATE members_servicecard c SET reason = r.cause
FROM unnest(%s::bigint[], %s::text[]) AS r (id, cause) WHERE c.id = r.id
"""
_ROWS: Final = """
INSERT INTO members_cardresultrow (file_id, row, card_id, shown, cause, verdict)
SELECT %s, r.* FROM unnest(%s::integer[], %s::bigint[], %s::text[], %s::text[], %s::text[]) AS r
"""


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """It holds whole numbers of cards: whoever deals with the bank, nobody else."""
    return access.may(account, Permission.CARD_BATCH, file.organization)


files.purpose(
    PURPOSE,
    label=_("a bank’s answer about cards"),
    may=_may_fetch,
    is_issued=True,
    is_sensitive=True,
)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row, the card it names, its sound number, and the verdict."""

    line: ResultLine
    card: int | None
    print_: str | None
    verdict: Verdict


@transaction.atomic
def take(
    *, batch: CardBatch, content: bytes, name: str, by: Account, today: date, now: datetime
) -> CardResultFile:
    """Take in a result file. The same bytes again are harmless: what they did is returned.

    Rows that name nobody of the batch, somebody else, or no sound number are laid before a
    person; all others are applied. Errors: CardFileRefused with every fault of a file that
    can't be read, or for one without a row of the batch; CardRefused for a batch that is not
    with the bank.
    """
    access.require(by, Permission.CARD_BATCH, batch.organization)
    # One answer at a time, of all banks: two could name one number. Without their keys: whoever
    # writes a card at the same time looks for its bank, and would wait for us, and we for them.
    banks = {
        bank.pk: bank for bank in CardBank.objects.select_for_update(no_key=True).order_by("pk")
    }
    batch = CardBatch.objects.select_for_update(of=("self",), no_key=True).get(pk=batch.pk)
    digest = sha256(content).hexdigest()
    if (known := CardResultFile.objects.filter(sha256=digest).first()) is not None:
        return _taken_before(known, batch)
    if batch.state not in TAKEN_IN:
        raise CardRefused(
            gettext_noop("This batch is not with the bank."),
            gettext_noop("Import the answer on the page of its own batch."),
        )
    bank = banks[batch.bank_id]
    layout = CardLayout.from_config(bank.layout)
    lines = read(layout, content)
    judged = list(_judge(batch, layout, lines, bank))
    _require_of_batch(judged, batch)
    file = CardResultFile.objects.create(
        batch=batch,
        file=files.store(
            purpose=PURPOSE, name=name, content=content, subject=batch,
            organization=batch.organization, by=by,
        ),
        sha256=digest,
        rows_count=len(lines),
        taken_by=by,
        taken_at=now,
    )  # fmt: skip
    _apply(batch, judged, by=by, today=today, now=now)
    _write_rows(file, judged)
    if not batch.cards.filter(state=CardState.SENT_TO_BANK).exists():
        _close(batch, by=by, now=now)
    counts = Counter(str(one.verdict) for one in judged)
    audit.record(
        "cardresultfile.take", file, by=by, organization=batch.organization, sha256=digest,
        batch=batch.number, rows=len(lines), verdicts=dict(counts),
    )  # fmt: skip
    return file


def verdicts(rows: QuerySet[CardResultRow]) -> dict[str, int]:
    """How rows were judged, by verdict."""
    counted = rows.order_by("verdict").values_list("verdict").annotate(n=Count("pk"))
    return {str(verdict): count for verdict, count in counted}


def for_a_person(rows: QuerySet[CardResultRow]) -> QuerySet[CardResultRow]:
    """Rows that did nothing: somebody finds out with the bank what they mean."""
    return rows.exclude(verdict__in=DONE)


def read(layout: CardLayout, content: bytes) -> list[ResultLine]:
    """The rows of an answer; a workbook is opened in a confined process.

    Errors: CardFileRefused.
    """
    if len(content) > MOST_BYTES:
        raise card_files.refused(
            Refused(
                gettext_noop("The file is larger than %(megabytes)s MB."),
                gettext_noop("A bank's answer is a short list: is it the right one?"),
                {"megabytes": MOST_BYTES // 1024 // 1024},
            )
        )
    if not content or content.isspace():
        raise card_files.refused(
            Refused(
                gettext_noop("The file is empty."), gettext_noop("Fetch it from the bank again.")
            )
        )
    if layout.kind != "xlsx":
        return card_files.read_text(layout, content)
    try:
        return _read_workbook(layout, content)
    except SheetError as refusal:
        fault = refusal.with_traceback(None)
    # Raised out here: as its context the error would carry what was read of the file.
    raise card_files.refused(fault)


def _read_workbook(layout: CardLayout, content: bytes) -> list[ResultLine]:
    limits = Limits(max_bytes=MOST_BYTES, max_rows=layout.most_rows * 2)
    titles = [title for title, _name in layout.result_columns]
    with TemporaryDirectory(prefix="cards-") as folder:
        path = Path(folder) / "result.xlsx"
        path.touch(mode=0o600)
        path.write_bytes(content)
        with open_sheet(path, expected=titles, limits=limits) as sheet:
            return card_files.read_sheet(layout, sheet)


def _require_of_batch(judged: Sequence[_Judged], batch: CardBatch) -> None:
    """Errors: CardFileRefused for the answer to another batch.

    Kept here it would do nothing, and its bytes could never be taken in where they belong.
    """
    if all(one.verdict in _OF_NOBODY_HERE for one in judged):
        raise card_files.refused(
            Refused(
                gettext_noop("No row of this file is about an application of batch %(number)s."),
                gettext_noop(
                    "Import it on the page of the batch that it answers, or ask the bank for the"
                    " answer to this one."
                ),
                {"number": batch.number},
            )
        )


def _taken_before(known: CardResultFile, batch: CardBatch) -> CardResultFile:
    if known.batch_id != batch.pk:
        raise CardRefused(
            gettext_noop("This file was taken in before, as the answer to batch %(number)s."),
            gettext_noop("Import the answer on the page of its own batch."),
            {"number": known.batch.number},
        )
    return known


def _judge(
    batch: CardBatch, layout: CardLayout, lines: Sequence[ResultLine], bank: CardBank
) -> Iterator[_Judged]:
    """Every row held against the batch's cards, which are locked in the order of their keys."""
    known = _applications(batch, layout)
    ring = keyring()
    sound = {line.number for line in lines if is_card_number(line.number, bank.prefixes)}
    numbers = sorted(sound)
    prints = dict(zip(numbers, ring.fingerprint_many("card_number", numbers), strict=True))
    said = [line.national_id or "" for line in lines]
    identities = ring.fingerprint_many("national_id", said)
    taken = _taken(prints.values())
    # A number that a file gives to two applications is neither's.
    times = Counter(
        number for number, _key in {(one.number, one.key) for one in lines if one.is_issued}
    )
    told: set[str] = set()
    for line, identity in zip(lines, identities, strict=True):
        key = identity if layout.key == "national_id" else line.key
        pk, application = known.get(key, (None, None))
        print_ = prints.get(line.number)
        verdict = judge(
            Said(
                is_issued=line.is_issued,
                name=line.name,
                identity_print=None if line.national_id is None else identity,
                number_print=print_,
                is_number_taken=times[line.number] > 1 or taken.get(print_ or "", pk) != pk,
                is_told_before_in_file=line.key in told,
            ),
            application,
        )
        told.add(line.key)
        yield _Judged(line, pk, print_, verdict)


def _applications(
    batch: CardBatch, layout: CardLayout
) -> dict[str, tuple[int | None, Application | None]]:
    """The batch's applications by what the bank's rows name them by."""
    cards = (
        ServiceCard.objects.filter(batch=batch)
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
        .values_list(
            "pk", "batch_row", "state", "fingerprint", "person__name", "person__national_id_index"
        )
    )
    refused = set(
        CardResultRow.objects.filter(file__batch=batch, verdict=CardVerdict.REFUSED)
        .order_by()
        .values_list("card", flat=True)
    )
    found: dict[str, tuple[int | None, Application | None]] = {}
    for pk, row, state, print_, name, identity in cards:
        keys = {"row": str(row), "reference": f"C{pk:08d}", "national_id": identity}
        found[keys[layout.key]] = (
            pk,
            Application(
                name=name,
                identity_print=identity,
                number_print=print_,
                is_with_bank=state == CardState.SENT_TO_BANK,
                is_refused_before=pk in refused,
            ),
        )
    return found


def _taken(prints: Any) -> dict[str, int]:
    """Cards that have one of these numbers, of whichever bank and person."""
    held = ServiceCard.objects.filter(fingerprint__in=list(prints))
    return {str(print_): pk for print_, pk in held.order_by().values_list("fingerprint", "pk")}


def _apply(
    batch: CardBatch, judged: Sequence[_Judged], *, by: Account, today: date, now: datetime
) -> None:
    """Numbers and causes in one statement each, then the steps of both sets."""
    issued = [one for one in judged if one.verdict == Verdict.ISSUED]
    refused = [one for one in judged if one.verdict == Verdict.REFUSED]
    sealed = keyring().seal_many("card_number", (one.line.number for one in issued))
    with connection.cursor() as cursor:
        cursor.execute(
            _NUMBERS,
            [
                today,
                [one.card for one in issued],
                [base64.b64encode(blob).decode() for blob in sealed],
                [one.print_ for one in issued],
                [one.line.number[-4:] for one in issued],
            ],
        )
        cursor.execute(
            _CAUSES, [[one.card for one in refused], [one.line.cause for one in refused]]
        )
    with_bank = ServiceCard.objects.filter(batch=batch, state=CardState.SENT_TO_BANK)
    numbered = list(
        with_bank.filter(fingerprint__isnull=False).order_by().values_list("pk", flat=True)
    )
    lifecycle.advance_set(with_bank.filter(fingerprint__isnull=False), to=CardState.ISSUED, by=by)
    sent_back = with_bank.filter(pk__in=[one.card for one in refused])
    card_changes.keep_checks(sent_back.order_by().values_list("pk", flat=True))
    card_changes.move_set(sent_back, to=CardState.CITY_REVIEW, at=now, by=by)
    new = ServiceCard.objects.filter(pk__in=numbered)
    retire_replaced(cards=new, by=by, now=now)
    card_telling.tell(new, "issued", at=now)
    card_telling.tell(
        ServiceCard.objects.filter(pk__in=[one.card for one in refused]),
        "refused",
        batch.pk,
        at=now,
    )


def _write_rows(file: CardResultFile, judged: Sequence[_Judged]) -> None:
    """All rows by one statement; numbers only as their last four."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ROWS,
            [
                file.pk,
                [one.line.row for one in judged],
                [one.card for one in judged],
                [_shown(one.line) for one in judged],
                [one.line.cause for one in judged],
                [str(one.verdict) for one in judged],
            ],
        )


def _shown(line: ResultLine) -> str:
    """A row as anybody may read it: key, name and numbers masked."""
    key = line.key if len(line.key) < 15 else masks.mask_id(line.key)
    parts = [key, masks.mask_name(line.name or "")]
    if line.national_id and line.national_id != line.key:
        parts.append(masks.mask_id(line.national_id))
    parts.append(masks.mask_account(line.number))
    return " ".join(filter(None, parts))[:_SHOWN]


def _close(batch: CardBatch, *, by: Account, now: datetime) -> None:
    """Every application of the batch has its answer, or was called off."""
    if batch.state == CardBatchState.SENT:
        lifecycle.advance(batch, to=CardBatchState.ANSWERED, by=by, answered_at=now)
