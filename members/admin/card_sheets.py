"""Sheets of cards: the export, the list to sign, the counts. Numbers by their last four alone."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from members.models import ServiceCard
from members.queries.cards import Counts
from members.states import CardState
from union_portal.kit.sheets import SheetData, write_csv, write_xlsx

_BATCH = 2000


def write_cards(target: BinaryIO, cards: QuerySet[ServiceCard], *, kind: str) -> None:
    """Cards as a sheet, streamed and masked."""
    headers = (
        _("Application"), _("Name"), _("Identity number"), _("Union"), _("Bank"), _("Card"),
        _("State"), _("Applied on"), _("Issued on"), _("Activated on"),
    )  # fmt: skip
    lines = _lines(cards)
    if kind == "csv":
        write_csv(target, headers, lines)
    else:
        widths = (14, 14, 22, 36, 20, 10, 18, 12, 12, 12)
        write_xlsx(target, [SheetData(_("Service cards"), headers, lines, widths)])


def write_hand_out(target: BinaryIO, cards: QuerySet[ServiceCard]) -> None:
    """The list on which members sign for their cards, union by union."""
    headers = (
        _("No."), _("Application"), _("Name"), _("Identity number"), _("Card"), _("Union"),
        _("Signature"), _("Date"),
    )  # fmt: skip
    rows = cards.order_by("person__organization__path", "pk").values_list(
        "pk", "person__name", "person__national_id_shown", "last_four",
        "person__organization__name",
    )  # fmt: skip
    lines = (
        (number, f"C{pk:08d}", name, identity, f"…{four}", union, "", "")
        for number, (pk, name, identity, four, union) in enumerate(
            rows.iterator(chunk_size=_BATCH), start=1
        )
    )
    widths = (6, 14, 14, 22, 10, 36, 18, 14)
    write_xlsx(target, [SheetData(_("To be collected"), headers, lines, widths)])


def write_counts(target: BinaryIO, counts: Counts) -> None:
    """Cards issued: a row for each county, a column for each month."""
    headers = [_("County"), *(f"{month:%Y-%m}" for month in counts.months), _("Total")]
    rows: list[Sequence[Any]] = [(name, *row, sum(row)) for name, row in counts.table]
    rows.append((_("Total"), *(count for _month, count in counts.by_month), counts.total))
    widths = (20, *(10 for _month in counts.months), 10)
    write_xlsx(target, [SheetData(_("Cards issued"), headers, rows, widths)])


def _lines(cards: QuerySet[ServiceCard]) -> Iterator[Sequence[Any]]:
    states = dict(CardState.choices)
    rows = cards.values_list(
        "pk", "person__name", "person__national_id_shown", "person__organization__name",
        "bank__name", "last_four", "state", "applied_at__date", "issued_on", "activated_on",
    )  # fmt: skip
    for pk, name, identity, union, bank, four, state, *days in rows.iterator(chunk_size=_BATCH):
        card = f"…{four}" if four else ""
        yield f"C{pk:08d}", name, identity, union, bank, card, str(states[state]), *days
