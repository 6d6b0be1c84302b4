"""Uses of offers as their member, and as whoever looks after merchants, see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Count, F, Func, IntegerField, QuerySet, Sum, Value
from django.db.models.functions import Cast, TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from members.models import BenefitCategory, Person, Redemption, WrongCode
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


class Named(NamedTuple):
    """A county, a category or a month: what an address calls it, and what people do."""

    key: str
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class UseRow:
    """The standing uses of one county, category and month, and their subsidies in fen."""

    county: Named
    category: Named
    month: Named
    uses: int
    subsidy_fen: int


def by_county_category_month(uses: QuerySet[Redemption]) -> list[UseRow]:
    """Standing uses by the county of the member's union, the offer's category and the month.

    One statement, whatever the number of uses: a county's number is the second in the path of
    every union below it. Who belongs to the city directly is counted under it. Categories are
    called as in the reader's language.
    """
    rows = (
        uses.filter(STANDS)
        .order_by()
        .annotate(
            branch=_step("organization__path", 2),
            month=TruncMonth("redeemed_at"),
            category=F("offer__category"),
            position=F("offer__category__position"),
        )
        .values("branch", "category", "position", "month")
        .annotate(uses=Count("pk"), sum_fen=Sum("subsidy_fen"))
        .order_by("branch", "position", "category", "month")
    )
    counties, categories = _counties(), _categories()
    city = Named("city", _("city directly"))
    merged: dict[tuple[Named, Named, Named], UseRow] = {}
    for row in rows:
        key = (
            counties.get(row["branch"], city),
            categories[row["category"]],
            _month(row["month"]),
        )
        before = merged.get(key)
        merged[key] = UseRow(
            *key,
            uses=row["uses"] + (before.uses if before else 0),
            subsidy_fen=row["sum_fen"] + (before.subsidy_fen if before else 0),
        )
    return list(merged.values())


def narrowed(rows: list[UseRow], chosen: Mapping[str, str]) -> list[UseRow]:
    """The rows of a table that lie in what was chosen, by column; nothing chosen: all of them."""
    return [
        row
        for row in rows
        if all(key in ("", getattr(row, column).key) for column, key in chosen.items())
    ]


def summed(rows: list[UseRow], column: str) -> list[tuple[Named, int, int]]:
    """The uses and subsidies of a table's rows by one of its columns, in the table's order."""
    totals: dict[Named, tuple[int, int]] = {}
    for row in rows:
        key = getattr(row, column)
        uses, subsidy = totals.get(key, (0, 0))
        totals[key] = (uses + row.uses, subsidy + row.subsidy_fen)
    return [(key, uses, subsidy) for key, (uses, subsidy) in totals.items()]


def _step(path: str, number: int) -> Cast:
    """The n-th id of a path; none where it is shorter."""
    step = Func(F(path), Value("/"), Value(number), function="split_part")
    return Cast(Func(step, Value(""), function="nullif"), IntegerField())


def _counties() -> dict[int, Named]:
    rows = Organization.objects.filter(level=OrganizationLevel.COUNTY).values_list("pk", "name")
    return {pk: Named(str(pk), name) for pk, name in rows}


def _categories() -> dict[int, Named]:
    return {one.pk: Named(one.code, str(one)) for one in BenefitCategory.objects.all()}


def _month(instant: datetime) -> Named:
    shown = f"{timezone.localdate(instant):%Y-%m}"
    return Named(shown, shown)
