"""The outbox: what was sent to whom, how and when; letters to print and post."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from union_portal import notifications, reports
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.kit import masks
from union_portal.models import Account, Channel, Message, Organization, OrganizationLevel
from union_portal.states import MessageState


def _letters() -> QuerySet[Message]:
    return Message.objects.filter(channel=Channel.LETTER, state=MessageState.PENDING)


def _no_letters(obj: Any, account: Account) -> Text | None:
    return None if _letters().exists() else _("No letter waits to be posted.")


def _named(messages: Iterable[Message], account: Account) -> list[Any]:
    """The messages with the name of each recipient, asked for all at once."""
    found: list[Any] = list(messages)
    names = notifications.recipients(found, account)
    for message in found:
        message.recipient_name = names.get(message.recipient, "")
    return found


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
    list_display = (
        "created_at",
        "channel",
        "shown_recipient",
        "shown_address",
        "shown_topic",
        "shown_text",
        "sent_at",
        "state",
    )
    list_filter = ("channel", "state")
    search_fields = ("=key", "=subject_id")
    fields = (
        "channel",
        "shown_recipient",
        "shown_address",
        "shown_topic",
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

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        rows = super().get_changelist_instance(request)
        rows.result_list = _named(rows.result_list, reader(request))
        return rows

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        message = super().get_object(request, object_id, from_field)
        return message and _named([message], reader(request))[0]

    @admin.display(description=_("recipient of a message"))
    def shown_recipient(self, message: Any) -> str:
        return message.recipient_name or "–"

    @admin.display(description=_("about"))
    def shown_topic(self, message: Message) -> str:
        return str(notifications.topics().get(message.topic, message.topic))

    @admin.display(description=_("phone or address"))
    def shown_address(self, message: Message) -> str:
        if message.channel == Channel.EMAIL:
            return str(message.values["to"])
        return masks.mask_phone(str(message.address)) if message.address else "–"

    @admin.display(description=_("text"))
    def shown_text(self, message: Message) -> str:
        return notifications.text_of(message)


desk.add_queue(
    desk.Queue(
        "letters",
        _("Letters to print and post"),
        Permission.NOTICE_PREPARE,
        Message,
        lambda account: _letters(),
    )
)
