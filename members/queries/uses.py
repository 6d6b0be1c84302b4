"""Uses of offers as their member, and as whoever looks after merchants, see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from members.models import Person, Redemption, WrongCode
from members.queries.till import STANDS
from union_portal import access
from union_portal.access import Permission
from union_portal.models import Account, Organization, OrganizationLevel

# From here on a till's wrong codes of a day are shown as a caution.
MANY_WRONG_CODES: Final = 10


def uses_of(person: Person) -> QuerySet[Redemption]:
    """A person's own uses, the newest first."""
    return (
        Redemption.objects.filter(person=person)
        .select_related("offer", "merchant", "place", "rating")
        .order_by("-redeemed_at", "-pk")
    )


def uses_for(account: Account) -> QuerySet[Redemption]:
    """Uses by members of the unions within reach, and at merchants of those unions."""
    of_members = access.scope(account, Permission.BENEFIT_VIEW)
    at_merchants = access.scope(account, Permission.BENEFIT_VIEW, "merchant__organization__path")
    return Redemption.objects.filter(of_members | at_merchants)


def wrong_codes_for(account: Account, *, since: datetime) -> QuerySet[WrongCode]:
    """Codes of nobody that tills within reach typed since an instant."""
    within = access.scope(account, Permission.BENEFIT_VIEW, "login__merchant__organization__path")
    return WrongCode.objects.filter(within, typed_at__gte=since)


def guessing_tills(account: Account, *, since: datetime) -> int:
    """How many tills within reach typed so many codes of nobody that it was no slip."""
    tills = wrong_codes_for(account, since=since).order_by().values("login")
    return tills.annotate(times=Count("pk")).filter(times__gte=MANY_WRONG_CODES).count()


@dataclass(frozen=True)
class UseRow:
    """The standing uses of one county, category and month, and their subsidies in fen."""

    county: str
    category: str
    month: date
    uses: int
    subsidy_fen: int


def by_county_category_month(uses: QuerySet[Redemption]) -> list[UseRow]:
    """Standing uses by the county of the member's union, the offer's category and the month.

    One statement, whatever the number of uses: a county's number is the second in the path of
    every union below it. Who belongs to the city directly is counted under it.
    """
    rows = (
        uses.filter(STANDS)
        .order_by()
        .annotate(
            branch=_step("organization__path", 2),
            month=TruncMonth("redeemed_at"),
            category=F("offer__category__name"),
            position=F("offer__category__position"),
        )
        .values("branch", "category", "position", "month")
        .annotate(uses=Count("pk"), sum_fen=Sum("subsidy_fen"))
        .order_by("branch", "position", "category", "month")
    )
    counties = _counties()
    city = _("city directly")
    merged: dict[tuple[str, str, date], UseRow] = {}
    for row in rows:
        key = (counties.get(row["branch"], city), row["category"], _day(row["month"]))
        before = merged.get(key)
        merged[key] = UseRow(
            *key,
            uses=row["uses"] + (before.uses if before else 0),
            subsidy_fen=row["sum_fen"] + (before.subsidy_fen if before else 0),
        )
    return list(merged.values())


def summed(rows: list[UseRow], column: str) -> list[tuple[Any, int, int]]:
    """The uses and subsidies of a table's rows by one of its columns, in the table's order."""
    totals: dict[Any, tuple[int, int]] = {}
    for row in rows:
        key = getattr(row, column)
        uses, subsidy = totals.get(key, (0, 0))
        totals[key] = (uses + row.uses, subsidy + row.subsidy_fen)
    return [(key, uses, subsidy) for key, (uses, subsidy) in totals.items()]


def _step(path: str, number: int) -> Cast:
    """The n-th id of a path; none where it is shorter."""
    step = Func(F(path), Value("/"), Value(number), function="split_part")
    return Cast(Func(step, Value(""), function="nullif"), IntegerField())


def _counties() -> dict[int, str]:
    below = Q(level=OrganizationLevel.COUNTY)
    return dict(Organization.objects.filter(below).values_list("pk", "name"))


def _day(month: Any) -> date:
    return timezone.localdate(month)
