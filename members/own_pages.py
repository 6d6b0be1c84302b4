"""Pages of one's own: who may open them."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from members import queries

MemberView = Callable[..., HttpResponse]


def member_only(view: MemberView) -> MemberView:
    """Pass the person who logs in with this account; others are told why not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = queries.person_of(request.user)  # type: ignore[arg-type]
        if person is None:
            raise no_member()
        return view(request, person, *args, **kwargs)

    return never_cache(guarded)


def no_member() -> PermissionDenied:
    """What is said to a log-in that stands for nobody in the register."""
    return PermissionDenied(
        _("This log-in belongs to no member. Members log in with their own account.")
    )
