"""Sheets of merchants, offers and uses: what leaves the portal is logged, and holds no phone."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, BinaryIO, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from members.models import BenefitOffer, Merchant, Redemption
from members.queries.uses import UseRow
from union_portal import access, audit
from union_portal.access import Permission
from union_portal.kit import money
from union_portal.kit.sheets import SheetData, write_csv, write_xlsx
from union_portal.models import Account

_BATCH: Final = 1_000


@transaction.atomic
def write_merchants(target: BinaryIO, *, by: Account, kind: str) -> None:
    """Every merchant within reach as XLSX or CSV."""
    rows = Merchant.objects.filter(access.scope(by, Permission.EXPORT)).select_related(
        "category", "organization"
    )
    _log("merchant.export", rows, by, kind)
    headers = (
        _("Name"), _("Unified social credit code"), _("Category"), _("Union in charge"),
        _("Contact person"), _("State"), _("Reason"),
    )  # fmt: skip
    lines: Iterator[Sequence[Any]] = (
        (
            one.name,
            one.uscc,
            str(one.category),
            one.organization.name,
            one.contact,
            one.get_state_display(),
            one.reason,
        )
        for one in rows.order_by("pk").iterator(chunk_size=_BATCH)
    )
    widths = (36, 22, 20, 30, 14, 14, 40)
    _write(target, kind, SheetData(_("Merchants"), headers, lines, widths))


@transaction.atomic
def write_offers(target: BinaryIO, *, by: Account, kind: str) -> None:
    """Every offer of merchants within reach as XLSX or CSV."""
    rows = BenefitOffer.objects.filter(
        access.scope(by, Permission.EXPORT, "merchant__organization__path")
    ).select_related("merchant", "category", "programme")
    _log("benefitoffer.export", rows, by, kind)
    headers = (
        _("Merchant"), pgettext("of a text", "Title"), _("Category"), _("Kind"),
        _("Price for members"), _("Discount"),
        _("Subsidy for each use"), _("Valid from"), _("Valid to"), _("Uses in total"),
        _("Uses by each member"), _("Used"), _("Revision"), _("State"),
    )  # fmt: skip
    lines: Iterator[Sequence[Any]] = (
        (
            one.merchant.name,
            one.title,
            str(one.category),
            one.get_kind_display(),
            "" if one.price_fen is None else money.plain_yuan(one.price_fen),
            "" if one.discount is None else str(one.discount),
            money.plain_yuan(one.subsidy_fen) if one.subsidy_fen else "",
            one.valid_from,
            one.valid_to,
            one.quota_total,
            one.quota_per_member,
            one.used_count,
            one.revision,
            one.get_state_display(),
        )
        for one in rows.order_by("pk").iterator(chunk_size=_BATCH)
    )
    widths = (30, 36, 18, 16, 12, 10, 12, 12, 12, 12, 12, 8, 8, 12)
    _write(target, kind, SheetData(_("Offers"), headers, lines, widths))


@transaction.atomic
def write_uses(
    target: BinaryIO, rows: Sequence[UseRow], *, by: Account, kind: str, chosen: Mapping[str, str]
) -> None:
    """Uses by county, category and month as XLSX or CSV: counts and sums, no row of anybody."""
    audit.record_ref(
        "redemption.table",
        Redemption._meta.label_lower,
        "set",
        by=by,
        kind=kind,
        count=len(rows),
        chosen={column: key for column, key in chosen.items() if key},
    )
    headers = (
        _("County"), _("Category"), _("Month"), _("Times used"), _("Subsidies (yuan)"),
    )  # fmt: skip
    lines: Iterator[Sequence[Any]] = (
        (
            str(row.county),
            str(row.category),
            str(row.month),
            row.uses,
            Decimal(row.subsidy_fen).scaleb(-2),
        )
        for row in rows
    )
    _write(target, kind, SheetData(_("Uses of offers"), headers, lines, (24, 18, 10, 10, 16)))


def _log(action: str, rows: QuerySet[Any], by: Account, kind: str) -> None:
    access.require(by, Permission.EXPORT)
    label = rows.model._meta.label_lower
    audit.record_ref(action, label, "set", by=by, kind=kind, count=rows.count())


def _write(target: BinaryIO, kind: str, data: SheetData) -> None:
    if kind == "csv":
        write_csv(target, data.headers, data.rows)
    else:
        write_xlsx(target, [data])
