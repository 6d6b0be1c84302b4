"""The log and its chain, to read."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import audit, history
from union_portal.access import Permission
from union_portal.admin.buttons import Button
from union_portal.admin.filters import in_words, kind_of_row, kinds_of_rows
from union_portal.admin.pages import Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import detailed, told, who
from union_portal.models import AuditBlock, AuditEntry

# What an entry about a whole set names instead of a row.
SEVERAL = "set"


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedModelAdmin):
    """Searched by exact number or name: the table is the largest of all."""

    section = "system"
    icon = "history"
    order = 40
    view_permissions = (Permission.AUDIT_VIEW,)
    scope_path = None
    list_display = ("at", "shown_actor", "shown_action", "shown_kind", "shown_subject", "reason")
    list_display_links = ("at",)
    search_fields = ("=subject_id", "=action", "actor__startswith", "=request_id")
    list_filter = (("subject_type", in_words(_("kind of row"), kinds_of_rows)),)
    show_full_result_count = False
    fields = (
        "at",
        "shown_actor",
        "shown_action",
        "shown_code",
        "shown_kind",
        "shown_subject",
        "reason",
        "shown_detail",
        "request_id",
        "block",
    )
    readonly_fields = fields
    shows_trail = False

    @admin.display(description=_("who"), ordering="actor")
    def shown_actor(self, entry: AuditEntry) -> str:
        return who(entry)

    @admin.display(description=_("what"))
    def shown_action(self, entry: AuditEntry) -> str:
        return told(entry)

    @admin.display(description=_("code in the log"))
    def shown_code(self, entry: AuditEntry) -> str:
        return entry.action

    @admin.display(description=_("number of the row"), ordering="subject_id")
    def shown_subject(self, entry: AuditEntry) -> str:
        return gettext("several at once") if entry.subject_id == SEVERAL else entry.subject_id

    @admin.display(description=_("details"))
    def shown_detail(self, entry: AuditEntry) -> Any:
        return format_html_join(
            "", "<div>{}: {}</div>", ((named, value) for named, value in detailed(entry))
        )

    @admin.display(description=_("kind of row"), ordering="subject_type")
    def shown_kind(self, entry: AuditEntry) -> str:
        return kind_of_row(entry.subject_type)


def _verified(obj: Any, by: Any, data: dict[str, Any]) -> Told:
    faults = [*audit.verify(), *history.differences()]
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
