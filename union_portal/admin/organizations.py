"""The tree of unions, to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from union_portal.access import Permission
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Organization


@admin.register(Organization)
class OrganizationAdmin(ScopedModelAdmin):
    section = "people"
    icon = "account_tree"
    order = 10
    view_permissions = (
        Permission.PERSON_VIEW,
        Permission.ACCOUNT_MANAGE,
        Permission.ROLE_GRANT,
    )
    scope_path = "path"
    list_display = ("name", "level", "parent", "division_code", "uscc", "is_active")
    list_filter = ("level", "is_active")
    list_select_related = ("parent",)
    search_fields = ("name", "short_name", "uscc", "division_code")
    fields = (
        "name",
        "short_name",
        "level",
        "parent",
        "division_code",
        "uscc",
        "phone",
        "address",
        "founded_on",
        "is_active",
    )

    def organization_of(self, obj: Any) -> Organization:
        return obj

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields
