"""The merchant's till: type or scan a code, confirm, take back, see the day and the month."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from members.actions import redemptions
from members.actions.redemptions import Look
from members.actions.till_refusals import TillRefused, Why
from members.forms_till import ChoiceForm, CodeForm, UndoForm
from members.models import MerchantLogin, Redemption
from members.queries import till as queries_till
from union_portal import headers, tries
from union_portal.forms import refuse
from union_portal.kit import dates
from union_portal.kit.shares import thousandths
from union_portal.models import Account

TillView = Callable[..., HttpResponse]
LOOK = "till_look"
USES_PER_PAGE = 50


def till_only(view: TillView) -> TillView:
    """Pass the till that this account stands at; for everybody else there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        login = queries_till.till_of(_account(request))
        if login is None:
            raise Http404
        return view(request, login, *args, **kwargs)

    return never_cache(guarded)


@sensitive_post_parameters("code")
@till_only
def till(request: HttpRequest, login: MerchantLogin) -> HttpResponse:
    """The field for the code. A right one leads to the page where it is confirmed."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            look = redemptions.look_up(
                text=form.cleaned_data["code"],
                by=_account(request),
                address=tries.address_of(request),
            )
        except TillRefused as refusal:
            return _refused(request, login, refusal)
        request.session[LOOK] = _kept(look)
        return redirect("members:till-confirm")
    return _start(request, login, form, status=422 if form.errors else 200)


@till_only
def till_confirm(request: HttpRequest, login: MerchantLogin) -> HttpResponse:
    """The little that the cashier sees of the member, and what they may use here."""
    look = _look(request)
    if look is None:
        return redirect("members:till")
    form = ChoiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        offer_id, revision = form.chosen()
        try:
            made = redemptions.confirm(
                look=look, offer_id=offer_id, revision=revision, by=_account(request)
            )
        except TillRefused as refusal:
            del request.session[LOOK]
            return _refused(request, login, refusal)
        del request.session[LOOK]
        return redirect("members:till-done", made.pk)
    context = {
        "login": login,
        "facing": redemptions.facing(look, by=_account(request)),
        "is_unchosen": bool(form.errors),
    }
    status = 422 if form.errors else 200
    return render(request, "members/till_confirm.html", context, status=status)


@require_safe
@till_only
def till_done(request: HttpRequest, login: MerchantLogin, use_id: int) -> HttpResponse:
    use = _own(login, use_id)
    context = {
        "login": login,
        "use": use,
        "may_undo": redemptions.may_undo(use, by=_account(request)),
        "undo_minutes": redemptions.UNDO_WITHIN // timedelta(minutes=1),
    }
    return render(request, "members/till_done.html", context)


@till_only
def till_undo(request: HttpRequest, login: MerchantLogin, use_id: int) -> HttpResponse:
    """Why a use is taken back, and the act itself."""
    use = _own(login, use_id)
    if request.method != "POST" and not redemptions.may_undo(use, by=_account(request)):
        return redirect("members:till-done", use.pk)
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            redemptions.undo(
                redemption=use, reason=form.cleaned_data["reason"], by=_account(request)
            )
        except TillRefused as refusal:
            refuse(form, refusal)
        else:
            messages.success(request, _("The use is taken back; its place is free again."))
            return redirect("members:till-done", use.pk)
    status = 422 if form.errors else 200
    return render(request, "members/till_undo.html", {"use": use, "form": form}, status=status)


@require_safe
@till_only
def till_day(request: HttpRequest, login: MerchantLogin) -> HttpResponse:
    """Today's uses at this merchant, with their sums."""
    today = timezone.localdate()
    days = (today, today + timedelta(days=1))
    return _list(request, login, days, template="members/till_day.html")


@require_safe
@till_only
def till_month(request: HttpRequest, login: MerchantLogin) -> HttpResponse:
    """A month's uses by offer and one by one; `month` is written 2026-11."""
    first, following = queries_till.month_of(_month(request.GET.get("month", "")))
    more = {
        "earlier": first - timedelta(days=1),
        "later": following if following <= timezone.localdate() else None,
        "by_offer": _drawn(
            queries_till.by_offer(queries_till.uses_between(login.merchant, first, following))
        ),
    }
    return _list(request, login, (first, following), template="members/till_month.html", more=more)


def _drawn(rows: list[Any]) -> list[Any]:
    """Each offer with its share, in thousandths, of the most used one."""
    most = max((row["done"] for row in rows), default=0)
    return [{**row, "share": thousandths(row["done"], most)} for row in rows]


def _list(
    request: HttpRequest,
    login: MerchantLogin,
    days: tuple[date, date],
    *,
    template: str,
    more: dict[str, Any] | None = None,
) -> HttpResponse:
    uses = queries_till.uses_between(login.merchant, *days)
    context = {
        "login": login,
        "start": days[0],
        "sums": queries_till.sums(uses),
        "page": Paginator(uses, USES_PER_PAGE).get_page(request.GET.get("page")),
        **(more or {}),
    }
    return render(request, template, context)


def _start(
    request: HttpRequest,
    login: MerchantLogin,
    form: CodeForm,
    *,
    refusal: TillRefused | None = None,
    status: int = 200,
) -> HttpResponse:
    today = timezone.localdate()
    uses = queries_till.uses_between(login.merchant, today, today + timedelta(days=1))
    context = {
        "login": login,
        "form": form,
        "refusal": refusal,
        "sums": queries_till.sums(uses),
        "honours": queries_till.honours(login.merchant, today),
    }
    answer = render(request, "members/till.html", context, status=status)
    # The one page that may ask for the camera.
    answer.headers[headers.PERMISSIONS] = headers.WITH_CAMERA
    return answer


def _refused(request: HttpRequest, login: MerchantLogin, refusal: TillRefused) -> HttpResponse:
    """The empty field again, with what stood against the code."""
    status = 429 if refusal.why == Why.WAITING else 409
    return _start(request, login, CodeForm(), refusal=refusal, status=status)


def _own(login: MerchantLogin, use_id: int) -> Redemption:
    """A use at this merchant; any other does not exist."""
    uses = Redemption.objects.select_related("offer", "place", "merchant")
    return get_object_or_404(uses, merchant=login.merchant, pk=use_id)


def _kept(look: Look) -> dict[str, Any]:
    """A look as the session keeps it: a keyed hash and numbers, no code."""
    return {**vars(look), "looked_at": look.looked_at.isoformat()}


def _look(request: HttpRequest) -> Look | None:
    kept = request.session.get(LOOK)
    if kept is None:
        return None
    return Look(**{**kept, "looked_at": parse_datetime(kept["looked_at"])})


def _month(text: str) -> date:
    """The month that is asked for; this one instead of what is none, or is yet to come."""
    today = timezone.localdate()
    try:
        asked = dates.read_date(f"{text}-01")
    except dates.DateError:
        return today
    return min(asked, today)


def _account(request: HttpRequest) -> Account:
    return request.user  # type: ignore[return-value]
