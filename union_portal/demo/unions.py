"""The official fields of the demo's unions, and what each reports of this year and the last."""

from datetime import date
from typing import Final

from django.db import transaction
from django.db.models import Count

from members.models import EmployerNature, Industry, Membership, UnionProfile, UnionYear
from members.states import LIVE_MEMBERSHIPS
from union_portal import audit
from union_portal.demo import federation
from union_portal.demo.lots import Lots, lots
from union_portal.demo.setting import Setting
from union_portal.models import Organization, OrganizationLevel

# Of ten unions so many are of each kind.
_NATURES: Final = (
    *[EmployerNature.PRIVATE] * 5,
    EmployerNature.STATE_CONTROLLED,
    EmployerNature.WHOLLY_STATE,
    EmployerNature.INSTITUTION,
    EmployerNature.AUTHORITY,
    EmployerNature.COLLECTIVE,
)
_INDUSTRIES: Final = (
    Industry.B, Industry.C, Industry.D, Industry.E, Industry.F, Industry.G, Industry.H,
    Industry.O, Industry.P, Industry.Q, Industry.S,
)  # fmt: skip
# A member's dues are half a percent of the wage: about so many fen a year.
_DUES_FEN: Final = 30_000


def report(setting: Setting) -> str:
    """Every grassroots union, in two statements; once."""
    if not UnionYear.objects.exists():
        with transaction.atomic():
            _describe(setting)
    return f"{UnionYear.objects.count()} yearly reports of {UnionProfile.objects.count()} unions"


def _describe(setting: Setting) -> None:
    rng = lots("unions")
    unions = list(
        Organization.objects.within(setting.city)
        .filter(level=OrganizationLevel.GRASSROOTS)
        .select_related("parent")
        .order_by("pk")
    )
    counted = (
        Membership.objects.filter(state__in=LIVE_MEMBERSHIPS)
        .order_by()
        .values_list("organization")
        .annotate(members=Count("pk"))
    )
    members = dict(counted)
    years = (setting.today.year - 1, setting.today.year)
    UnionProfile.objects.bulk_create(_profile(union, years[0], rng) for union in unions)
    UnionYear.objects.bulk_create(
        _year(union, members.get(union.pk, 0), year, setting, rng)
        for year in years
        for union in unions
    )
    audit.record_ref(
        "demo.taken_over", "demo", "unions", by=audit.Machine("demo"), count=len(unions)
    )


def _profile(union: Organization, year: int, rng: Lots) -> UnionProfile:
    begun = date(year - rng.randrange(0, 4), rng.randrange(1, 13), 15)
    return UnionProfile(
        organization=union,
        office="工会办公室",
        approved_by=union.parent.name if union.parent else "",
        employer_name=federation.employer_of(union),
        employer_nature=rng.choice(_NATURES),
        industry=rng.choice(_INDUSTRIES),
        committee_on=begun,
        committee_until=begun.replace(year=begun.year + 5),
    )


def _year(union: Organization, members: int, year: int, setting: Setting, rng: Lots) -> UnionYear:
    workers = members + rng.randrange(0, members // 5 + 3)
    return UnionYear(
        organization=union,
        year=year,
        workers_count=workers,
        women_count=workers * rng.randrange(20, 56) // 100,
        farmer_workers_count=workers * rng.randrange(0, 41) // 100,
        cadres_count=1 + workers // 200,
        brought_forward_fen=rng.randrange(0, 5_000_000),
        dues_fen=members * _DUES_FEN,
        retained_fen=workers * rng.randrange(20_000, 60_000),
        other_income_fen=rng.choice((0, 0, 1_000_000)),
        reported_by=setting.staff["he"],
    )
