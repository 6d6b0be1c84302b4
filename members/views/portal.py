"""A member's own page, and who looked at their data."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from members import queries, queries_till
from members.models import Person
from union_portal import access, notifications
from union_portal.access import Permission
from union_portal.models import Message
from union_portal.views import mine

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


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    person = queries.person_of(request.user)  # type: ignore[arg-type]
    if person is None:
        if access.may(request.user, Permission.STAFF_SITE):  # type: ignore[arg-type]
            return redirect("admin:index")
        if queries_till.till_of(request.user):  # type: ignore[arg-type]
            return redirect("members:till")
        raise PermissionDenied(
            _("This log-in belongs to no member. Members log in with their own account.")
        )
    newest = _messages(person).first()
    context = {
        "person": person,
        "newest": newest,
        "newest_text": notifications.text_of(newest) if newest else "",
        "sections": mine.rendered(request, person.pk),
    }
    return render(request, "members/me.html", context)


def _messages(person: Person) -> QuerySet[Message]:
    """What the reader was told; codes are of no use afterwards."""
    return notifications.messages_for(person.pk).exclude(topic="login_code")


@require_safe
@member_only
def who_looked(request: HttpRequest, person: Person) -> HttpResponse:
    page = Paginator(queries.who_looked(person), 30).get_page(request.GET.get("page"))
    return render(request, "members/who_looked.html", {"person": person, "page": page})


@require_safe
@member_only
def message_list(request: HttpRequest, person: Person) -> HttpResponse:
    """What the union told the reader, how and when."""
    rows = _messages(person)
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    told = [(message, notifications.text_of(message)) for message in page]
    return render(request, "members/message_list.html", {"page": page, "told": told})
