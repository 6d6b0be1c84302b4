"""The outbox: what was sent to whom, how and when; letters to print and post."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from union_portal import access, notifications, reports
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.kit import masks
from union_portal.models import Account, Channel, Message, Organization, OrganizationLevel
from union_portal.states import MessageState


def _letters() -> QuerySet[Message]:
    return Message.objects.filter(channel=Channel.LETTER, state=MessageState.PENDING)


def _no_letters(obj: Any, account: Account) -> Text | None:
    return None if _letters().exists() else _("No letter waits to be posted.")


def _print_letters(obj: Any, by: Account, data: dict[str, Any]) -> str:
    city = Organization.objects.get(level=OrganizationLevel.FEDERATION)
    made = reports.request(kind="letters", subject=city, by=by, organization=city)
    return reverse("portal:job", args=[made.job_id])


@admin.register(Message)
class MessageAdmin(ScopedModelAdmin):
    """Texts go to people of the whole city: only city roles read the outbox."""

    section = "reports"
    icon = "sms"
    order = 20
    view_permissions = (Permission.NOTICE_PREPARE, Permission.TRAIL_VIEW)
    scope_path = None
    list_display = ("created_at", "channel", "shown_address", "shown_text", "sent_at", "state")
    list_filter = ("channel", "state")
    search_fields = ("=key", "=subject_id")
    fields = (
        "channel",
        "shown_address",
        "shown_text",
        "created_at",
        "sent_at",
        "gateway",
        "gateway_reference",
        "attempts",
        "error",
        "state",
    )
    readonly_fields = fields
    shows_trail = False
    list_buttons = (
        Button(
            name="print",
            label=_("Print the letters"),
            permission=Permission.NOTICE_PREPARE,
            act=_print_letters,
            explain=_("One PDF with a sheet for each letter that waits."),
            why_not=_no_letters,
        ),
        Button(
            name="post",
            label=_("Letters are posted"),
            permission=Permission.NOTICE_PREPARE,
            act=lambda obj, by, data: (
                notifications.post_letters(messages=_letters(), by=by) and None
            ),
            explain=_("Print the letters first; they count as sent from now."),
            why_not=_no_letters,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        # A log-in code opens a member's account: nobody reads it here.
        return super().get_queryset(request).exclude(topic="login_code")

    @admin.display(description=_("to"))
    def shown_address(self, message: Message) -> str:
        if message.channel == Channel.EMAIL:
            return str(message.values["to"])
        return masks.mask_phone(str(message.address)) if message.address else "–"

    @admin.display(description=_("text"))
    def shown_text(self, message: Message) -> str:
        return notifications.text_of(message)


desk.add_queue(
    desk.Queue(
        _("Letters to print and post"),
        Permission.NOTICE_PREPARE,
        lambda account: _letters().count() if access.may(account, Permission.NOTICE_PREPARE) else 0,
        lambda: (
            reverse("admin:union_portal_message_changelist")
            + "?channel__exact=letter&state__exact=pending"
        ),
    )
)
