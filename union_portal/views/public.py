"""Pages for everybody: start page, public notices, objections."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from union_portal import figures, notices, once, readers
from union_portal.forms import ObjectionForm, refuse
from union_portal.kit.refusals import Refused
from union_portal.models import Notice
from union_portal.readers import Door
from union_portal.states import NoticeState

ENTRIES_PER_PAGE = 100
RECEIVED = "objection_received"


def shown_notices() -> QuerySet[Notice]:
    """What the public may read: posted and closed notices; drafts and withdrawn ones never."""
    return Notice.objects.filter(
        state__in=[NoticeState.PUBLISHED, NoticeState.CLOSED]
    ).select_related("organization")


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    current = shown_notices().filter(state=NoticeState.PUBLISHED).order_by("ends_on", "id")[:5]
    return render(request, "union_portal/home.html", {"current": current, "today": today})


@login_not_required
@require_safe
def figure_list(request: HttpRequest) -> HttpResponse:
    """The headline figures as a worker counted them last, with their last months."""
    return render(request, "union_portal/figure_list.html", {"kept": figures.kept()})


@login_not_required
@require_safe
def notice_list(request: HttpRequest) -> HttpResponse:
    rows = shown_notices().annotate(people=Count("entries"), total_fen=Sum("entries__amount_fen"))
    page = Paginator(rows.order_by("-posted_on", "-id"), 20).get_page(request.GET.get("page"))
    return render(request, "union_portal/notice_list.html", {"page": page, **_day()})


@login_not_required
@require_safe
def notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    shown = get_object_or_404(shown_notices(), pk=notice_id)
    entries = shown.entries.order_by("position")
    wanted = request.GET.get("q", "").strip()[:40]
    if wanted:
        entries = entries.filter(shown_name__contains=wanted) | entries.filter(
            shown_employer__contains=wanted
        )
    context = {
        "notice": shown,
        "page": Paginator(entries, ENTRIES_PER_PAGE).get_page(request.GET.get("page")),
        "totals": shown.entries.aggregate(
            people=Count("id"),
            total_fen=Sum("amount_fen"),
            grounds=Count("id", filter=~Q(shown_ground="")),
        ),
        "q": wanted,
        "is_open": _is_open(shown),
        "received": request.session.pop(RECEIVED, None),
        **_day(),
    }
    return render(request, "union_portal/notice.html", context)


@login_not_required
def objection_file(request: HttpRequest, notice_id: int, position: int) -> HttpResponse:
    """Take an objection to one entry; works without JavaScript and without an account.

    Whoever is logged in objects as the public does: what came by hand is entered elsewhere.
    """
    shown = get_object_or_404(shown_notices(), pk=notice_id)
    entry = get_object_or_404(shown.entries, position=position)
    back = reverse("portal:notice", args=[shown.pk])
    context: dict[str, Any] = {"notice": shown, "entry": entry, "back": back}
    if not _is_open(shown):
        return render(request, "union_portal/objection_late.html", context, status=409)
    once.hold_session(request)
    form = ObjectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with readers.seeing(Door.OBJECTION):
                objection = notices.file_objection(
                    entry=entry, by=None, today=timezone.localdate(), **form.cleaned_data
                )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            request.session[RECEIVED] = _(
                "Your objection has arrived under number %(number)s. Keep the number: the office"
                " will call you. Until it is answered, nothing is paid on this entry."
            ) % {"number": objection}
            return redirect(back)
    status = 422 if form.errors else 200
    return render(
        request, "union_portal/objection_file.html", {**context, "form": form}, status=status
    )


def _is_open(shown: Notice) -> bool:
    return (
        shown.state == NoticeState.PUBLISHED
        and shown.ends_on is not None
        and timezone.localdate() <= shown.ends_on
    )


def _day() -> dict[str, Any]:
    return {"today": timezone.localdate()}
