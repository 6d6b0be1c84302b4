"""The log and its chain, to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from union_portal import audit
from union_portal.access import Permission
from union_portal.admin.buttons import Button
from union_portal.admin.pages import Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import told
from union_portal.models import AuditBlock, AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedModelAdmin):
    """Searched by exact number or name: the table is the largest of all."""

    section = "system"
    icon = "history"
    order = 40
    view_permissions = (Permission.AUDIT_VIEW,)
    scope_path = None
    list_display = ("at", "actor", "shown_action", "subject_type", "subject_id", "reason")
    list_display_links = ("at",)
    search_fields = ("=subject_id", "=action", "actor__startswith", "=request_id")
    list_filter = ("subject_type",)
    show_full_result_count = False
    fields = (
        "at",
        "actor",
        "action",
        "shown_action",
        "subject_type",
        "subject_id",
        "reason",
        "detail",
        "request_id",
        "block",
    )
    readonly_fields = fields
    shows_trail = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request)

    @admin.display(description=_("what"))
    def shown_action(self, entry: AuditEntry) -> str:
        return told(entry)


def _verified(obj: Any, by: Any, data: dict[str, Any]) -> Told:
    faults = audit.verify()
    if faults:
        return Told(_("The chain is broken:"), "; ".join(faults))
    return Told(_("Recounted: no entry was changed, none is missing."), "✓")


@admin.register(AuditBlock)
class AuditBlockAdmin(ScopedModelAdmin):
    section = "system"
    icon = "link"
    order = 41
    view_permissions = (Permission.AUDIT_VIEW,)
    scope_path = None
    list_display = ("number", "sealed_at", "entries", "digest")
    fields = ("number", "sealed_at", "entries", "root", "previous", "digest")
    readonly_fields = fields
    shows_trail = False
    list_buttons = (
        Button(
            name="verify",
            label=_("Recount the chain"),
            permission=Permission.AUDIT_VIEW,
            act=_verified,
            explain=_("Every sealed entry is hashed again and compared with its block."),
        ),
    )
