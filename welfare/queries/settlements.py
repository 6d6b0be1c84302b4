"""What merchants' statements come to."""

from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from members.queries.benefits import offer_title
from union_portal import access
from union_portal.access import Permission
from union_portal.models import Account
from welfare.models import MerchantStatement
from welfare.states import StatementLineState


def within_reach(account: Account) -> QuerySet[MerchantStatement]:
    """The statements that an account of staff may look at; none by default."""
    return MerchantStatement.objects.filter(access.scope(account, Permission.BENEFIT_VIEW))


def by_offer(statement: MerchantStatement) -> list[dict[str, Any]]:
    """Uses and sums of what counts, offer by offer."""
    rows = (
        statement.lines.exclude(state=StatementLineState.REMOVED)
        .order_by()
        .values(title=offer_title("redemption__offer"), each=F("amount_fen"))
        .annotate(count=Count("pk"), fen=Sum("amount_fen"))
        .order_by("title", "each")
    )
    return [dict(row) for row in rows]


def counted_fen(statement: MerchantStatement) -> int:
    """What would be owed now, fen."""
    rows = statement.lines.exclude(state=StatementLineState.REMOVED)
    return int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)
