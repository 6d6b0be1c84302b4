"""Filters of the list of cards: by county, and by the month in which the bank issued them."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.models import ServiceCard
from members.queries.cards import PLACE
from union_portal.models import Organization, OrganizationLevel


class CountyFilter(admin.SimpleListFilter):
    """The county in which the holder's union lies."""

    title = _("county")
    parameter_name = "county"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        middle = Organization.objects.exclude(
            level__in=[OrganizationLevel.FEDERATION, OrganizationLevel.GRASSROOTS]
        )
        return [(str(one.pk), one.short_name or one.name) for one in middle]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        county = Organization.objects.filter(pk=chosen).first() if _is_number(chosen) else None
        if county is None:
            return queryset.none()
        return queryset.filter(**{f"{PLACE}__startswith": county.path})


class IssuedMonthFilter(admin.SimpleListFilter):
    """The month in which cards were issued, the newest first."""

    title = _("month of issue")
    parameter_name = "issued"
    shown = 24

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        issued = ServiceCard.objects.filter(issued_on__isnull=False).order_by()
        months = issued.dates("issued_on", "month", order="DESC")[: self.shown]
        return [(f"{month:%Y-%m}", f"{month:%Y-%m}") for month in months]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        try:
            first = date.fromisoformat(f"{chosen}-01")
        except ValueError:
            return queryset.none()
        return queryset.filter(issued_on__year=first.year, issued_on__month=first.month)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18
