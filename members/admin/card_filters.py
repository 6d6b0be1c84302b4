"""Filters of the list of cards: by county, and by the month in which the bank issued them."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from members.admin.county_filter import CountyFilter
from members.models import ServiceCard


class HolderCountyFilter(CountyFilter):
    """The county in which the holder's union lies."""

    place = "person__organization"


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
