"""A member's own page: what waits for me, what can I do."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from members import queries, queries_privacy
from members.views.portal import messages_of
from union_portal import access, notifications
from union_portal.access import Permission
from union_portal.views import mine
from union_portal.views.mine import Service, Task, Urgency

MOST_UNREAD = 99


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """The member's home; staff without a member's entry land on their desk."""
    person = queries.person_of(request.user)  # type: ignore[arg-type]
    if person is None:
        if access.may(request.user, Permission.STAFF_SITE):  # type: ignore[arg-type]
            return redirect("admin:index")
        raise PermissionDenied(
            _("This log-in belongs to no member. Members log in with their own account.")
        )
    newest = messages_of(person).first()
    context = {
        "person": person,
        "tasks": mine.waiting(person.pk),
        "services": [
            {"title": one.title, "text": one.text, "link": one.link()} for one in mine.services()
        ],
        "newest": newest,
        "newest_text": notifications.text_of(newest) if newest else "",
        "sections": mine.rendered(request, person.pk),
    }
    return render(request, "members/me.html", context)


def _unread(person: int) -> Iterable[Any]:
    unread = notifications.messages_for(person).filter(read_at__isnull=True)
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
