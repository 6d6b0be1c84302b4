"""The programme of service cards in figures: each counted from rows, as of the end of a day."""

from datetime import date, timedelta

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from members.models import Redemption
from members.queries import benefits, cards
from members.queries.benefits import midnight
from members.queries.till import STANDS
from union_portal import figures


@figures.figure(
    "cards_issued",
    title=_("Service cards issued"),
    about=_("Cards that a bank has issued, whatever became of them since."),
    looks_back=True,
)
def cards_issued(day: date) -> int:
    return cards.issued().filter(issued_on__lte=day).count()


@figures.figure(
    "benefit_categories",
    title=_("Categories of offers"),
    about=_("Categories in which at least one offer is honoured on the day."),
    looks_back=True,
)
def benefit_categories(day: date) -> int:
    return benefits.count_categories(day)


@figures.figure(
    "benefit_offers",
    title=_("Offers for members"),
    about=_(
        "Published offers within their own days, of approved merchants whose agreement holds on"
        " the day."
    ),
    looks_back=True,
)
def benefit_offers(day: date) -> int:
    return benefits.count_offers(day)


@figures.figure(
    "merchants",
    title=_("Merchants with offers"),
    about=_("Merchants of which at least one offer is honoured on the day."),
    looks_back=True,
)
def merchants(day: date) -> int:
    return benefits.count_merchants(day)


@figures.figure(
    "benefit_spend_fen",
    title=_("Subsidies of offers"),
    unit=figures.FEN,
    about=_("What the federation adds to all uses of offers that were not taken back."),
    looks_back=True,
)
def benefit_spend_fen(day: date) -> int:
    return int(_uses(day).aggregate(sum=Sum("subsidy_fen"))["sum"] or 0)


@figures.figure(
    "benefit_uses",
    title=_("Uses of offers"),
    about=_("Uses of offers at a till that were not taken back."),
    looks_back=True,
)
def benefit_uses(day: date) -> int:
    return _uses(day).count()


def _uses(day: date) -> QuerySet[Redemption]:
    return Redemption.objects.filter(STANDS, redeemed_at__lt=midnight(day + timedelta(days=1)))
