"""What makes an offer sound: its kind, its money, its days and its limits. No row, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_noop

from union_portal.kit import money
from union_portal.kit.refusals import ManyRefused, Refused

# What an offer can save or cost at most: more is a slip of the keyboard.
MOST_FEN: Final = 100_000_00
TENTHS: Final = Decimal(10)


@dataclass(frozen=True)
class Terms:
    """What is offered. `programme_year` is the year of the money, None without a programme.

    A day is None only while its form can't read it.
    """

    kind: str
    valid_from: date | None
    valid_to: date | None
    price_fen: int | None = None
    discount: Decimal | None = None
    subsidy_fen: int = 0
    programme_year: int | None = None
    quota_total: int | None = None
    quota_per_member: int | None = None


class OfferUnsound(ManyRefused):
    """An offer that can't stand as it is."""


def require_sound(terms: Terms, *, today: date) -> None:
    """Errors: OfferUnsound, with a sentence for each fault."""
    found = list(faults(terms, today=today))
    if found:
        raise OfferUnsound(found)


def faults(terms: Terms, *, today: date) -> Iterator[Refused]:
    """Every fault of an offer, in the order of its form, each at one question of it."""
    yield from _of_money(terms)
    yield from _of_programme(terms)
    yield from _of_days(terms, today)
    yield from _of_quotas(terms)


def _of_money(terms: Terms) -> Iterator[Refused]:
    if terms.kind == "price" and terms.price_fen is None:
        yield Refused(
            gettext_noop("The members' price is missing."),
            gettext_noop("Write what a member pays; 0 if it is free."),
            at="price",
        )
    if terms.price_fen is not None and not 0 <= terms.price_fen <= MOST_FEN:
        yield _beyond(gettext_noop("The price lies outside of 0 to %(most)s yuan."), at="price")
    if terms.price_fen is not None and terms.kind in ("discount", "gift"):
        yield Refused(
            gettext_noop("A discount or a gift has no members' price."),
            gettext_noop("Leave the price empty, or choose “members' price” as its kind."),
            at="price",
        )
    yield from _of_discount(terms)
    if terms.kind == "subsidy" and terms.subsidy_fen <= 0:
        yield Refused(
            gettext_noop("The subsidy for each use is missing."),
            gettext_noop("Write how much the union pays for one use."),
            at="subsidy",
        )
    if terms.kind != "subsidy" and terms.subsidy_fen:
        yield Refused(
            gettext_noop("Only an offer subsidised by the union costs the union money."),
            gettext_noop("Leave the subsidy empty, or choose “subsidised by the union”."),
            at="subsidy",
        )
    if terms.subsidy_fen > MOST_FEN:
        yield _beyond(gettext_noop("The subsidy is more than %(most)s yuan."), at="subsidy")


def _beyond(message: str, *, at: str) -> Refused:
    return Refused(
        message, gettext_noop("Check the decimal point."), {"most": money.yuan(MOST_FEN)}, at=at
    )


def _of_discount(terms: Terms) -> Iterator[Refused]:
    if terms.kind == "discount":
        if terms.discount is None or not 0 < terms.discount < TENTHS:
            yield Refused(
                gettext_noop("The discount is missing or not between 0.1 and 9.9."),
                gettext_noop("Write what is still paid, in tenths: 8.5 means 85%."),
                at="discount",
            )
    elif terms.discount is not None:
        yield Refused(
            gettext_noop("Only a discount has a figure of discount."),
            gettext_noop("Leave it empty, or choose “discount” as its kind."),
            at="discount",
        )


def _of_programme(terms: Terms) -> Iterator[Refused]:
    if terms.kind == "subsidy" and terms.programme_year is None:
        yield Refused(
            gettext_noop("A subsidised offer names the programme that pays for it."),
            gettext_noop("Choose the programme of the year."),
            at="programme",
        )
    if terms.kind != "subsidy" and terms.programme_year is not None:
        yield Refused(
            gettext_noop("An offer that costs the union nothing belongs to no programme."),
            gettext_noop("Leave the programme empty."),
            at="programme",
        )
    days = {"valid_from": terms.valid_from, "valid_to": terms.valid_to}
    outside = [at for at, day in days.items() if day and day.year != terms.programme_year]
    if terms.programme_year is not None and outside:
        yield Refused(
            gettext_noop("The offer's days lie outside of %(year)s, the year of its programme."),
            gettext_noop("The money of one year pays for uses of that year alone."),
            {"year": terms.programme_year},
            at=outside[0],
        )


def _of_days(terms: Terms, today: date) -> Iterator[Refused]:
    first, last = terms.valid_from, terms.valid_to
    if first and last and last < first:
        yield Refused(
            gettext_noop("The last day lies before the first."),
            gettext_noop("Check both days."),
            at="valid_to",
        )
    elif last and last < today:
        yield Refused(
            gettext_noop("The offer's last day is over."),
            gettext_noop("Name a later day."),
            at="valid_to",
        )


def _of_quotas(terms: Terms) -> Iterator[Refused]:
    total, each = terms.quota_total, terms.quota_per_member
    if terms.kind == "subsidy" and (total is None or each is None):
        yield Refused(
            gettext_noop("A subsidised offer is limited in total and for each member."),
            gettext_noop("Write how many uses there are, and how many one member may have."),
            at="quota_total" if total is None else "quota_per_member",
        )
    if (total is not None and total < 1) or (each is not None and each < 1):
        yield Refused(
            gettext_noop("A limit of uses is at least 1."),
            gettext_noop("Leave it empty where there is no limit."),
            at="quota_total" if total is not None and total < 1 else "quota_per_member",
        )
    if total is not None and each is not None and each > total:
        yield Refused(
            gettext_noop("One member may use it more often than there are uses in total."),
            gettext_noop("Check both limits."),
            at="quota_per_member",
        )


def require_room(*, quota_total: int | None, used_count: int) -> None:
    """A limit is not below what has been used. Errors: Refused."""
    if quota_total is not None and quota_total < used_count:
        raise Refused(
            gettext_noop("It has been used %(used)s times already."),
            gettext_noop("Name at least as many uses, or end the offer."),
            {"used": used_count},
            at="quota_total",
        )


def require_budget(*, budget_fen: int, committed_fen: int) -> None:
    """A budget is not below what uses have taken. Errors: Refused."""
    if budget_fen < 0:
        raise Refused(
            gettext_noop("A budget is not below zero."),
            gettext_noop("Check the amount."),
            at="budget",
        )
    if budget_fen < committed_fen:
        raise Refused(
            gettext_noop("Uses have taken ¥%(used)s already: a budget is never below that."),
            gettext_noop("Pause the offers of the programme if no more may be used."),
            {"used": money.yuan(committed_fen)},
            at="budget",
        )
