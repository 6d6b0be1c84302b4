"""What merchants' statements come to."""

from typing import Any

from django.db.models import Count, F, Sum

from welfare.models import MerchantStatement
from welfare.states import StatementLineState


def by_offer(statement: MerchantStatement) -> list[dict[str, Any]]:
    """Uses and sums of what counts, offer by offer."""
    rows = (
        statement.lines.exclude(state=StatementLineState.REMOVED)
        .order_by()
        .values(title=F("redemption__offer__title"), each=F("amount_fen"))
        .annotate(count=Count("pk"), fen=Sum("amount_fen"))
        .order_by("title", "each")
    )
    return [dict(row) for row in rows]


def counted_fen(statement: MerchantStatement) -> int:
    """What would be owed now, fen."""
    rows = statement.lines.exclude(state=StatementLineState.REMOVED)
    return int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
