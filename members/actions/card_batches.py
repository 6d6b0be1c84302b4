"""Batches of applications for one bank: chosen, written into one file, sent, cancelled."""

from datetime import date, datetime, time
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members.actions.people import require_reason
from members.actions.refusals import CardRefused
from members.models import CardBank, CardBatch, ServiceCard
from members.queries import cards as queries_cards
from members.rules import card_files
from members.rules.card_applicants import last_day_of_batch
from members.rules.card_files import CardLine
from members.rules.card_layouts import CardLayout
from members.states import CardBatchState, CardState
from union_portal import access, audit, files, lifecycle
from union_portal.access import Permission
from union_portal.models import Account, AuditEntry, Organization, StoredFile

PURPOSE: Final = "card_batch_file"
# Rows of a file stand in the order of unions, as cards are handed out.
_NUMBER_ROWS: Final = """
UPDATE members_servicecard c SET batch_id = %s, batch_row = chosen.row
FROM (
    SELECT k.id, row_number() OVER (ORDER BY o.path, k.id) AS row
    FROM members_servicecard k JOIN union_portal_organization o ON o.id = k.organization_id
    WHERE k.id = ANY (%s)
) AS chosen
WHERE c.id = chosen.id
"""


def _may_fetch(account: Account, file: StoredFile) -> bool:
    """The file holds whole numbers of many people: whoever deals with the bank, nobody else."""
    return access.may(account, Permission.CARD_BATCH, file.organization)


files.purpose(
    PURPOSE, label=_("file of cards for a bank"), may=_may_fetch, is_issued=True, is_sensitive=True
)


@transaction.atomic
def make(
    *, bank: CardBank, organization: Organization, by: Account, today: date, now: datetime
) -> CardBatch:
    """Put the approved applications for a bank into a batch and write its file, once.

    Taken are those of the union and below that were approved by the last day of the month's
    batch (see `last_day_of_batch`), the oldest first, as many as one file of the bank holds.
    Errors: CardRefused if none waits; CardFileRefused naming every line that can't be written.
    """
    access.require(by, Permission.CARD_BATCH, organization)
    # Two batches of one bank are made one after the other.
    bank = CardBank.objects.select_for_update(no_key=True).get(pk=bank.pk)
    layout = CardLayout.from_config(bank.layout)
    chosen = list(
        waiting(bank, organization, today)
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
        .values_list("pk", flat=True)[: layout.most_rows]
    )
    if not chosen:
        raise CardRefused(
            gettext_noop("No approved application waits for this bank's batch."),
            gettext_noop("What was approved after the cut-off day goes into the next month's."),
        )
    batch = CardBatch.objects.create(
        number=_next_number(bank, today),
        bank=bank,
        organization=organization,
        cards_count=len(chosen),
        made_by=by,
        made_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER_ROWS, [batch.pk, chosen])
    batch.file = files.store(
        purpose=PURPOSE,
        name=f"{batch.number}.{layout.extension}",
        content=card_files.build(layout, _lines(batch)),
        subject=batch,
        organization=organization,
        by=by,
    )
    batch.save(update_fields=["file"])
    audit.record("cardbatch.make", batch, by=by, cards=len(chosen), sha256=batch.file.sha256)
    return batch


def waiting(bank: CardBank, organization: Organization, today: date) -> QuerySet[ServiceCard]:
    """Approved applications that would go into a batch made today.

    Nothing is given to the bank of whoever agrees to it no more.
    """
    last = last_day_of_batch(today, bank.cut_off_day)
    end = timezone.make_aware(datetime.combine(last, time.max))
    return ServiceCard.objects.filter(
        queries_cards.consented(today),
        bank=bank,
        state=CardState.READY,
        batch__isnull=True,
        approved_at__lte=end,
        **{f"{queries_cards.PLACE}__startswith": organization.path},
    )


def changed_since(batch: CardBatch) -> int:
    """Applications in the batch's file that ended or went back since it was made."""
    return batch.cards.exclude(state=CardState.READY).count()


@transaction.atomic
def fetch(*, batch: CardBatch, by: Account, reason: str) -> tuple[str, bytes]:
    """Name and bytes of the batch's file; who fetched it, when and why is kept.

    Before it is sent it is given out only while everybody in it still wants a card.
    """
    access.require(by, Permission.CARD_BATCH, batch.organization)
    if batch.file is None or batch.state == CardBatchState.CANCELLED:
        raise CardRefused(
            gettext_noop("There is no file to fetch."), gettext_noop("Make a batch first.")
        )
    if batch.state == CardBatchState.MADE and (count := changed_since(batch)):
        raise CardRefused(
            gettext_noop("%(count)s applications in the file have ended since it was made."),
            gettext_noop("Cancel this batch and make another."),
            {"count": count},
        )
    with files.fetch(file=batch.file, by=by, reason=reason) as stream:
        return batch.file.name, stream.read()


@transaction.atomic
def mark_sent(*, batch: CardBatch, by: Account, now: datetime) -> int:
    """The file is with the bank: from now on its answers are taken. Returns how many went.

    Applications called off while the file was on its way stay called off; should the bank
    issue a card for one, its answer is laid before a person.
    """
    access.require(by, Permission.CARD_BATCH, batch.organization)
    if not fetched(batch):
        raise CardRefused(
            gettext_noop("Nobody has fetched the file yet."),
            gettext_noop("Fetch it, hand it to the bank, then say that it is sent."),
        )
    lifecycle.advance(batch, to=CardBatchState.SENT, by=by, sent_by=by, sent_at=now)
    return lifecycle.advance_set(
        ServiceCard.objects.filter(batch=batch, state=CardState.READY),
        to=CardState.SENT_TO_BANK,
        by=by,
    )


@transaction.atomic
def cancel(*, batch: CardBatch, by: Account, reason: str) -> None:
    """Give a batch up before it is sent: its applications wait for another."""
    access.require(by, Permission.CARD_BATCH, batch.organization)
    why = require_reason(reason)
    lifecycle.advance(batch, to=CardBatchState.CANCELLED, by=by, reason=why)
    batch.cards.update(batch=None, batch_row=None)


def fetched(batch: CardBatch) -> int:
    """How often the file has left the portal, whoever fetched it: the log knows."""
    return AuditEntry.objects.filter(
        subject_type=StoredFile._meta.label_lower,
        subject_id=str(batch.file_id),
        action="file.fetch",
    ).count()


def _next_number(bank: CardBank, today: date) -> str:
    """A number that tells the day and the bank; the bank's row is locked."""
    start = f"{bank.code}-{today:%Y%m%d}-"
    made = CardBatch.objects.filter(bank=bank, number__startswith=start).count()
    return f"{start}{made + 1:02d}"


def _lines(batch: CardBatch) -> list[CardLine]:
    """Everybody in the batch, with the numbers the bank needs, in the order of the rows."""
    cards = (
        ServiceCard.objects.filter(batch=batch)
        .order_by("batch_row")
        .values_list(
            "batch_row", "pk", "person__name", "person__national_id", "person__phone",
            "person__employer", "organization__name",
        )
    )  # fmt: skip
    return [
        CardLine(row or 0, reference(pk), name, str(number), str(phone or ""), employer, union,
                 batch.number)
        for row, pk, name, number, phone, employer, union in cards
    ]  # fmt: skip


def reference(pk: int) -> str:
    """An application as banks and people call it."""
    return f"C{pk:08d}"
