"""Unions and members of a year by county: one statement a figure, whatever the register's size.

A county is the union right below the root of what is asked for; a union that stands there itself
(an industry's, a direct one) is a line of its own. Members are counted as at the year's end, joined
and left within it, so that every year continues the one before. Workers count: row security shows
a page nobody who has moved on since.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final, NamedTuple, Self

from django.db.models import (
    CharField,
    Count,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models import (
    EmployerNature,
    Industry,
    Membership,
    UnionProfile,
    UnionYear,
    YearStatistics,
)
from members.states import LIVE_MEMBERSHIPS, MembershipState
from union_portal import access
from union_portal.access import Permission
from union_portal.models import Account, Organization

LEFT: Final = (MembershipState.WITHDRAWN, MembershipState.DECEASED)


@dataclass
class Row:
    """The figures of one county, or of all."""

    name: str
    unions: int = 0
    members: int = 0
    women: int = 0
    farmer_workers: int = 0
    joined: int = 0
    transferred_in: int = 0
    transferred_out: int = 0
    left: int = 0
    workers: int = 0
    cadres: int = 0
    income_fen: int = 0


FIGURES: Final = tuple(one.name for one in fields(Row) if one.name != "name")
HEADERS: Final[dict[str, Promise]] = {
    "unions": _("Unions"),
    "members": _("Members"),
    "women": _("Women among them"),
    "farmer_workers": _("Farmer workers among them"),
    "joined": _("Joined"),
    "transferred_in": _("Transferred in"),
    "transferred_out": _("Transferred out"),
    "left": pgettext_lazy("of members", "Left"),
    "workers": _("Workers reported"),
    "cadres": _("Full-time cadres"),
    "income_fen": _("Income (yuan)"),
}


class Counted(NamedTuple):
    """How many unions are of one kind."""

    label: str | Promise
    unions: int


@dataclass
class Table:
    """A year of one union's tree: by county, in all, and its unions by kind."""

    rows: list[Row]
    natures: dict[str, int]
    industries: dict[str, int]

    @property
    def total(self) -> Row:
        whole = Row(name="")
        for row in self.rows:
            for name in FIGURES:
                setattr(whole, name, getattr(whole, name) + getattr(row, name))
        return whole

    @property
    def by_nature(self) -> list[Counted]:
        return _told(self.natures, EmployerNature.choices)

    @property
    def by_industry(self) -> list[Counted]:
        return _told(self.industries, Industry.choices)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        rows = [Row(**row) for row in kept.get("rows", [])]
        return cls(rows, kept.get("natures", {}), kept.get("industries", {}))


def statistics_for(account: Account) -> QuerySet[YearStatistics]:
    return YearStatistics.objects.filter(access.scope(account, Permission.PERSON_VIEW))


def members_now(place: Organization) -> int:
    """Live memberships of one union, without those below it."""
    return Membership.objects.filter(organization=place, state__in=LIVE_MEMBERSHIPS).count()


def below(place: Organization) -> QuerySet[Any]:
    """The unions right below one, each with its live memberships as `members`."""
    live = (
        Membership.objects.filter(organization=OuterRef("pk"), state__in=LIVE_MEMBERSHIPS)
        .order_by()
        .values("organization")
        .annotate(n=Count("pk"))
        .values("n")
    )
    found = place.children.filter(is_active=True).select_related("profile")
    return found.annotate(members=Coalesce(Subquery(live), 0)).order_by("path")


def of_year(place: Organization, year: int) -> Table:
    """Count a union and everything below it. For a worker: a page is not shown everybody."""
    unions = Organization.objects.within(place).filter(is_active=True)
    parts = {
        one.pk: Row(name=one.short_name or one.name)
        for one in Organization.objects.filter(Q(parent=place) | Q(pk=place.pk)).order_by("path")
    }
    last = date(year, 12, 31)
    founded = unions.filter(Q(founded_on__isnull=True) | Q(founded_on__lte=last))
    _add(parts, place, founded, "path", unions=Count("pk"))
    _add_members(parts, place, year)
    _add(
        parts,
        place,
        UnionYear.objects.filter(year=year, organization__path__startswith=place.path),
        "organization__path",
        workers=Sum("workers_count"),
        cadres=Sum("cadres_count"),
        income_fen=Sum(
            F("brought_forward_fen") + F("dues_fen") + F("retained_fen") + F("other_income_fen")
        ),
    )
    return Table(
        rows=[row for row in parts.values() if any(getattr(row, name) for name in FIGURES)],
        natures=_kinds(place, "employer_nature"),
        industries=_kinds(place, "industry"),
    )


def _add_members(parts: dict[int, Row], place: Organization, year: int) -> None:
    first, last = date(year, 1, 1), date(year, 12, 31)
    there = Q(joined_on__lte=last) & (Q(ended_on__isnull=True) | Q(ended_on__gt=last))
    began, ended = Q(joined_on__range=(first, last)), Q(ended_on__range=(first, last))
    counts = {
        "members": there,
        "women": there & Q(person__sex="female"),
        "farmer_workers": there & Q(person__profile__is_farmer_worker=True),
        "joined": began & Q(previous__isnull=True),
        "transferred_in": began & Q(previous__isnull=False),
        "transferred_out": ended & Q(state=MembershipState.TRANSFERRED),
        "left": ended & Q(state__in=LEFT),
    }
    _add(
        parts,
        place,
        Membership.objects.filter(organization__path__startswith=place.path),
        "organization__path",
        **{name: Count("pk", filter=condition) for name, condition in counts.items()},
    )


def _add(
    parts: dict[int, Row], place: Organization, rows: QuerySet[Any], path: str, **figures: Any
) -> None:
    """Group the rows by county and write each figure into its line."""
    found = (
        rows.order_by()
        .annotate(part=_part(path, place))
        .values("part")
        .annotate(**figures)
        .values_list("part", *figures)
    )
    for part, *values in found:
        row = parts[int(part) if part else place.pk]
        for name, value in zip(figures, values, strict=True):
            setattr(row, name, int(value or 0))


def _part(path: str, place: Organization) -> Func:
    """The id of the union right below `place` on the way to the row; '' for `place` itself."""
    below = place.path.count("/") + 1
    return Func(F(path), Value("/"), Value(below), function="split_part", output_field=CharField())


def _kinds(place: Organization, column: str) -> dict[str, int]:
    """How many unions are of each code of their official fields; '' for those without."""
    profiles = UnionProfile.objects.filter(
        organization__path__startswith=place.path, organization__is_active=True
    )
    return dict(profiles.values_list(column).annotate(n=Count("pk")).order_by())


def _told(found: dict[str, int], choices: Iterable[tuple[str, Any]]) -> list[Counted]:
    """By name, the commonest first; last those of which nothing is known."""
    told = [Counted(label, found[code]) for code, label in choices if found.get(code)]
    told.sort(key=lambda one: -one.unions)
    unknown = found.get("", 0)
    return [*told, Counted(_("not stated"), unknown)] if unknown else told
