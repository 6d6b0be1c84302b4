"""Where one is logged in, and ending it elsewhere."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from union_portal import sessions


def session_list(request: HttpRequest) -> HttpResponse:
    """One's own sessions; a POST ends one of them, or all others."""
    if request.method == "POST":
        return _end(request)
    found = sessions.open_sessions(
        request.user,  # type: ignore[arg-type]
        current=request.session.session_key,
    )
    return render(request, "usersessions/usersession_list.html", {"sessions": found})


def _end(request: HttpRequest) -> HttpResponse:
    chosen = request.POST.get("session", "")
    if chosen.isdecimal():
        sessions.end_one(account=request.user, session=int(chosen))  # type: ignore[arg-type]
        told = _("The session is ended.")
    else:
        count = sessions.end_others(request)
        told = ngettext(
            "%(count)d other session is ended.", "%(count)d other sessions are ended.", count
        ) % {"count": count}
    messages.success(request, told)
    return redirect("usersessions_list")
