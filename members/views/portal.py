"""A member's messages, and who looked at their data."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from members import queries
from members.models import Person
from union_portal import notifications
from union_portal.models import AuditEntry, Message

MemberView = Callable[..., HttpResponse]


def member_only(view: MemberView) -> MemberView:
    """Pass the person who logs in with this account; others are told why not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = queries.person_of(request.user)  # type: ignore[arg-type]
        if person is None:
            raise PermissionDenied(
                _("This log-in belongs to no member. Members log in with their own account.")
            )
        return view(request, person, *args, **kwargs)

    return guarded


def messages_of(person: Person) -> QuerySet[Message]:
    """What the reader was told; codes are of no use afterwards."""
    return notifications.messages_for(person.pk).exclude(topic="login_code")


@require_safe
@member_only
def who_looked(request: HttpRequest, person: Person) -> HttpResponse:
    """Who opened what, when, and the reason they gave."""
    page = Paginator(queries.who_looked(person), 30).get_page(request.GET.get("page"))
    looks = [(entry, _what(entry)) for entry in page]
    return render(request, "members/who_looked.html", {"page": page, "looks": looks})


def _what(entry: AuditEntry) -> str:
    """What was seen, in words."""
    fields = {
        "national_id": _("identity number"),
        "phone": _("phone"),
        "address": _("address"),
        "bank_account": _("bank account"),
        "export": _("whole numbers, in an exported list"),
    }
    if entry.action == "person.unmask":
        return fields.get(entry.detail.get("field", ""), _("a whole number"))
    if entry.action == "person.file_fetched":
        return _("a paper about you")
    return _("your entry, beside another one that may be you")


@require_safe
@member_only
def message_list(request: HttpRequest, person: Person) -> HttpResponse:
    """What the union told the reader, how and when."""
    rows = messages_of(person)
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    told = [(message, notifications.text_of(message)) for message in page]
    notifications.mark_read(messages=list(page))
    return render(request, "members/message_list.html", {"page": page, "told": told})
