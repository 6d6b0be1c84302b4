"""A member's own page: what waits, what can be done; messages, and who looked at their data."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from members import queries
from members.models import Person
from members.own_pages import member_only, no_member
from members.queries import privacy as queries_privacy
from members.queries import till as queries_till
from union_portal import access, notifications
from union_portal.access import Permission
from union_portal.models import AuditEntry, Message
from union_portal.views import mine
from union_portal.views.mine import Service, Task, Urgency

MOST_UNREAD = 99


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    person = queries.person_of(request.user)  # type: ignore[arg-type]
    if person is None:
        if access.may(request.user, Permission.STAFF_SITE):  # type: ignore[arg-type]
            return redirect("admin:index")
        if queries_till.till_of(request.user):  # type: ignore[arg-type]
            return redirect("members:till")
        raise no_member()
    newest = _messages(person).first()
    context = {
        "person": person,
        "tasks": mine.waiting(person.pk),
        "services": [
            {"title": one.title, "text": one.text, "link": one.link()}
            for one in mine.services(person.pk)
        ],
        "newest": newest,
        "newest_text": notifications.text_of(newest) if newest else "",
        "sections": mine.rendered(request, person.pk),
    }
    return render(request, "members/me.html", context)


def _messages(person: Person) -> QuerySet[Message]:
    """What the reader was told; codes are of no use afterwards."""
    return notifications.inbox(person.pk).exclude(topic__in=notifications.ASKED_FOR)


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
    page = Paginator(_messages(person), 20).get_page(request.GET.get("page"))
    shown = list(page)
    told = [
        (message, notifications.text_of(message), ways)
        for message, ways in zip(shown, notifications.ways_of(person.pk, shown), strict=True)
    ]
    notifications.mark_read(messages=shown)
    context = {"page": page, "told": told, "asked_for": notifications.ASKED_FOR}
    return render(request, "members/message_list.html", context)


def _unread(person: int) -> Iterable[Any]:
    unread = notifications.inbox(person).filter(read_at__isnull=True)
    return unread.exclude(topic__in=notifications.ASKED_FOR).values_list("pk")[:MOST_UNREAD]


def _unread_text(rows: Sequence[Any]) -> str:
    count = len(rows)
    return ngettext(
        "%(count)d message that you have not read", "%(count)d messages that you have not read",
        count,
    ) % {"count": count}  # fmt: skip


def _consents_text(rows: Sequence[Any]) -> str:
    count = len(rows)
    return ngettext(
        "%(count)d consent waits for your answer", "%(count)d consents wait for your answer", count
    ) % {"count": count}


mine.add_task(
    Task(
        "unread_messages",
        _unread,
        _unread_text,
        lambda rows: reverse("members:message-list"),
        Urgency.SOON,
    ),
    Task(
        "missing_consents",
        lambda person: queries_privacy.consents_missing(person, timezone.localdate()),
        _consents_text,
        lambda rows: reverse("members:consent-list"),
        Urgency.WHENEVER,
    ),
)
mine.add_service(
    Service(
        "messages", gettext_lazy("Messages"), gettext_lazy("What the union told me"),
        lambda: reverse("members:message-list"), 60,
    ),
    Service(
        "consents", gettext_lazy("Consents"), gettext_lazy("What I agreed to, purpose by purpose"),
        lambda: reverse("members:consent-list"), 70,
    ),
    Service(
        "my_data", gettext_lazy("Copy of my data"), gettext_lazy("As PDF or JSON"),
        lambda: reverse("members:my-data"), 71,
    ),
    Service(
        "corrections", gettext_lazy("Corrections"), gettext_lazy("Something about me is wrong"),
        lambda: reverse("members:correction-list"), 72,
    ),
    Service(
        "family", gettext_lazy("My family"), gettext_lazy("For relief and aid for schooling"),
        lambda: reverse("members:family-list"), 73,
    ),
    Service(
        "settings", gettext_lazy("Settings"),
        gettext_lazy("Language, text messages, passkeys, devices"),
        lambda: reverse("members:settings"), 90,
    ),
)  # fmt: skip
