"""The restore gate: a database behind the sent register sends nothing.

After a restore the register knows files that the database does not. Then, or when the
server or its timeline is another one than last time, safe mode begins: triggers refuse
every step towards the bank until the register was replayed (`replay`) and two people lift
the gate. Source: disbursement protocol, 6.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from union_portal import audit, lifecycle, readers
from union_portal.readers import Door
from welfare.disbursement import acting
from welfare.disbursement.models import Gate, PayoutBatch, SentMark
from welfare.disbursement.register import RegisterBroken, SentRegister
from welfare.disbursement.register import SentMark as Mark
from welfare.disbursement.states import BatchState, GateState

log = logging.getLogger(__name__)


def register() -> SentRegister:
    return SentRegister(Path(settings.REGISTER_DIR))


@readers.seeing(Door.REGISTER)
def look() -> Gate:
    """The gate as it stands, shut now if database and register do not agree.

    Judged by everything that was sent, whoever asks: to a reader who is shown their own union's
    marks alone, all others would be missing.
    """
    gate = row()
    if gate.is_shut:
        return gate
    # Read in this order, so that another worker's delivery is never mistaken for a gap.
    known = set(SentMark.objects.values_list("batch_number", flat=True))
    try:
        marks = register().marks()
    except RegisterBroken as error:
        return shut(str(error))
    fault = _fault(gate, marks, known)
    if fault:
        return shut(fault)
    if not gate.system_identifier:
        _remember_server(gate)
    return gate


@transaction.atomic
def shut(reason: str) -> Gate:
    """Begin safe mode, with the reason; a gate that is shut stays as it is."""
    row()
    gate = Gate.objects.select_for_update().get(pk=1)
    if not gate.is_shut:
        log.error("restore gate shut: %s", reason)
        lifecycle.advance(
            gate,
            to=GateState.SAFE,
            by=audit.WORKER,
            reason=reason,
            shut_at=acting.now(),
            cause=reason,
        )
    return gate


@transaction.atomic
def open_again(*, by: acting.Actor, reason: str) -> None:
    """End safe mode on this server; the trigger asks for two people and nothing remaining."""
    gate = Gate.objects.select_for_update().get(pk=1)
    lifecycle.advance(gate, to=GateState.OPEN, by=by, reason=reason)
    _remember_server(gate)


@readers.seeing(Door.REGISTER)
def has_sent(number: str) -> bool:
    """Whether the register holds a batch of this number, whosever it is."""
    return SentMark.objects.filter(batch_number=number).exists()


def mirror(mark: Mark) -> None:
    """Note in the database what the register holds; noted twice it stays one."""
    SentMark.objects.bulk_create(
        [
            SentMark(
                sequence=mark.sequence,
                batch_number=mark.batch_number,
                name=mark.file_name,
                sha256=mark.content_sha256,
                lines_count=mark.lines,
                total_fen=mark.total_fen,
                chain=mark.digest,
            )
        ],
        ignore_conflicts=True,
    )


def unplaced(marks: Iterable[Mark]) -> list[Mark]:
    """Marks of batches that this database does not hold as delivered."""
    delivered = set(
        PayoutBatch.objects.filter(
            state__in=[BatchState.DELIVERED, BatchState.RECONCILED, BatchState.CLOSED]
        ).values_list("number", flat=True)
    )
    return [mark for mark in marks if mark.batch_number not in delivered]


def row() -> Gate:
    """The one row, made on first use."""
    gate, _is_new = Gate.objects.get_or_create(pk=1)
    return gate


def server() -> tuple[str, int]:
    """Which server this is, and on which timeline it writes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system())::text,"
            " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"
        )
        identifier, timeline = cursor.fetchone()
    return str(identifier), int(timeline)


def _fault(gate: Gate, marks: list[Mark], known: set[str]) -> str:
    if gate.system_identifier and (gate.system_identifier, gate.timeline) != server():
        return _("The database runs on another server or timeline than before.")
    lost = known - {mark.batch_number for mark in marks}
    if lost:
        return _("The sent register lacks %(count)s files that the database knows.") % {
            "count": len(lost)
        }
    strange = _strange(marks)
    if strange:
        text = _("The sent register knows %(count)s files that the database lacks (%(first)s).")
        return text % {"count": len(strange), "first": strange[0].batch_number}
    return ""


def _strange(marks: list[Mark]) -> list[Mark]:
    """Marks neither mirrored nor of a delivery under way with the same bytes."""
    mirrored = set(SentMark.objects.values_list("batch_number", "sha256"))
    under_way = set(
        PayoutBatch.objects.filter(state=BatchState.DELIVERING).values_list(
            "number", "bank_file__sha256"
        )
    )
    # A delivery may have ended between the two reads.
    mirrored |= set(SentMark.objects.values_list("batch_number", "sha256"))
    return [
        mark
        for mark in marks
        if (mark.batch_number, mark.content_sha256) not in mirrored | under_way
    ]


def _remember_server(gate: Gate) -> None:
    identifier, timeline = server()
    Gate.objects.filter(pk=gate.pk).update(
        system_identifier=identifier, timeline=timeline, cause=""
    )
