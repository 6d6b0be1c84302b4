"""The figures of the day on finance's desk."""

from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.models import Account, Organization, OrganizationLevel
from welfare.admin.shown import yuan
from welfare.disbursement.models import LedgerAccount, LedgerKind, PayoutLine
from welfare.disbursement.states import LineState

SHOWN = (LedgerKind.AVAILABLE, LedgerKind.RESERVED, LedgerKind.TRANSIT, LedgerKind.SPENT)


def balances(account: Account) -> dict[str, int]:
    """Sums over the funds within reach, by ledger account."""
    reach = access.scope(account, Permission.FUND_VIEW, "fund__organization__path")
    rows = LedgerAccount.objects.filter(reach).values_list("kind").annotate(fen=Sum("balance_fen"))
    return {kind: int(fen) for kind, fen in rows.order_by()}


def _balance(kind: LedgerKind) -> desk.Figure:
    return desk.Figure(
        title=kind.label,
        permission=Permission.FUND_VIEW,
        value=lambda account: yuan(balances(account).get(kind, 0)),
    )


def _paid_today(account: Account) -> str:
    reach = access.scope(account, Permission.BATCH_VIEW, "batch__organization__path")
    paid = PayoutLine.objects.filter(
        reach, state=LineState.PAID, batch__delivered_at__date=timezone.localdate()
    ).aggregate(count=Count("pk"), fen=Sum("amount_fen"))
    return gettext("%(count)s people, %(sum)s") % {
        "count": paid["count"],
        "sum": yuan(paid["fen"] or 0),
    }


def _paid_by_county(account: Account) -> list[tuple[str, str, int]]:
    """What was paid this year, by county of the payee's union."""
    reach = access.scope(account, Permission.BATCH_VIEW, "batch__organization__path")
    rows = (
        PayoutLine.objects.filter(
            reach, state=LineState.PAID, batch__delivered_at__year=timezone.localdate().year
        )
        .order_by()
        .values_list("entitlement__organization__path")
        .annotate(fen=Sum("amount_fen"))
    )
    counties = {
        county.path: county.short_name or county.name
        for county in Organization.objects.exclude(
            level__in=[OrganizationLevel.FEDERATION, OrganizationLevel.GRASSROOTS]
        )
    }
    sums: dict[str, int] = {}
    for path, fen in rows:
        top = "/".join(path.split("/")[:2]) + "/"
        name = counties.get(top, gettext("city"))
        sums[name] = sums.get(name, 0) + int(fen)
    return [(name, yuan(fen), fen) for name, fen in sorted(sums.items(), key=lambda row: -row[1])]


def _where_it_stands(account: Account) -> list[tuple[str, str, int]]:
    held = balances(account)
    return [(str(kind.label), yuan(held.get(kind, 0)), held.get(kind, 0)) for kind in SHOWN]


desk.add_figure(
    *(_balance(kind) for kind in SHOWN),
    desk.Figure(_("Paid today"), Permission.BATCH_VIEW, _paid_today),
)
desk.add_chart(
    desk.Chart(_("Where the money stands"), Permission.FUND_VIEW, _where_it_stands),
    desk.Chart(_("Paid this year by county"), Permission.BATCH_VIEW, _paid_by_county),
)
