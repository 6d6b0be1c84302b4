"""The filter by county, of whatever belongs to a union."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from union_portal.models import Organization, OrganizationLevel


class CountyFilter(admin.SimpleListFilter):
    """The county in which the row's union lies; `place` leads to that union."""

    place: ClassVar[str] = "organization"

    title = _("county")
    parameter_name = "county"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The counties in the reader's reach; where there is one or none, nothing is to choose."""
        counties = Organization.objects.exclude(
            level__in=[OrganizationLevel.FEDERATION, OrganizationLevel.GRASSROOTS]
        ).filter(model_admin.reach(request, "path"))
        found = [(str(one.pk), one.short_name or one.name) for one in counties]
        return found if len(found) > 1 else []

    def has_output(self) -> bool:
        """Heeded also by whoever has none to choose, and follows a link with one."""
        return bool(super().has_output()) or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        county = Organization.objects.filter(pk=chosen).first() if _is_number(chosen) else None
        if county is None:
            return queryset.none()
        # By their keys: by a path, PostgreSQL reads everybody and looks where they belong.
        unions = Organization.objects.filter(path__startswith=county.path).order_by()
        keys = list(unions.values_list("pk", flat=True))
        return queryset.filter(**{f"{self.place}__in": keys})


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18
