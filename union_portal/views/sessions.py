"""Where one is logged in, and ending it elsewhere."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from union_portal import sessions, tokens
from union_portal.models import Account


def session_list(request: HttpRequest) -> HttpResponse:
    """One's own sessions and programs; a POST ends one of them, or all others."""
    if request.method == "POST":
        return _end(request)
    account: Account = request.user  # type: ignore[assignment]
    context = {
        "sessions": sessions.open_sessions(account, current=request.session.session_key),
        "programs": tokens.open_tokens(account, now=timezone.now()),
    }
    return render(request, "usersessions/usersession_list.html", context)


def _end(request: HttpRequest) -> HttpResponse:
    chosen, program = request.POST.get("session", ""), request.POST.get("program", "")
    if program.isdecimal():
        tokens.end_one(account=request.user, token=int(program))  # type: ignore[arg-type]
        told = _("The program is logged out.")
    elif chosen.isdecimal():
        sessions.end_one(account=request.user, session=int(chosen))  # type: ignore[arg-type]
        told = _("The session is ended.")
    else:
        count = sessions.end_others(request)
        told = ngettext(
            "%(count)d other session is ended.", "%(count)d other sessions are ended.", count
        ) % {"count": count}
    messages.success(request, told)
    return redirect("usersessions_list")
