"""A business applies, follows its application, and keeps its own offers."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members.actions import merchants, offers
from members.forms_benefits import FollowForm, MerchantForm, WhyForm, offer_form, upload
from members.models import BenefitOffer, Merchant
from members.queries import benefits as queries_benefits
from members.states import OfferState
from union_portal import once, tries
from union_portal.forms import refuse
from union_portal.kit.refusals import Refused
from union_portal.models import Account

MerchantView = Callable[..., HttpResponse]
RECEIPT = "merchant_receipt"


@login_not_required
def merchant_apply(request: HttpRequest) -> HttpResponse:
    """Take an application; works without JavaScript and without an account."""
    once.hold_session(request)
    posted = request.method == "POST"
    form = MerchantForm(request.POST, request.FILES) if posted else MerchantForm()
    if posted and form.is_valid():
        data = dict(form.cleaned_data)
        licence = upload(data.pop("licence"))
        assert licence is not None  # the form requires it
        try:
            made = merchants.apply(
                licence=licence, address=tries.address_of(request), now=timezone.now(), **data
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            request.session[RECEIPT] = made.receipt
            return redirect("members:merchant-application")
    status = 422 if form.errors else 200
    return render(request, "members/merchant_apply.html", {"form": form}, status=status)


@login_not_required
def merchant_application(request: HttpRequest) -> HttpResponse:
    """Where an application stands. The number travels in a form, never in an address."""
    once.hold_session(request)
    fresh = request.session.pop(RECEIPT, "")
    form = FollowForm(request.POST or None, initial={"receipt": fresh})
    found: Merchant | None = None
    if fresh:
        found = queries_benefits.application(fresh)
    elif request.method == "POST" and form.is_valid():
        found = queries_benefits.application(form.cleaned_data["receipt"])
        if found is None:
            form.add_error("receipt", _("There is no application of this number."))
    context = {"form": form, "found": found, "is_fresh": bool(fresh)}
    status = 422 if form.errors else 200
    return render(request, "members/merchant_application.html", context, status=status)


def merchant_only(view: MerchantView) -> MerchantView:
    """Pass the merchant that this log-in stands for; others are told why not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        merchant = queries_benefits.merchant_of(_account(request))
        if merchant is None:
            raise PermissionDenied(_("This log-in stands for no merchant."))
        return view(request, merchant, *args, **kwargs)

    return never_cache(guarded)


@require_safe
@merchant_only
def shop(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """The merchant's own page: where it stands, and its offers."""
    today = timezone.localdate()
    context = {
        "merchant": merchant,
        "offers": merchant.offers.select_related("category"),
        "honours": queries_benefits.merchants_on(today).filter(pk=merchant.pk).exists(),
        "agreement": merchant.agreements.filter(state="confirmed").first(),
        "places": merchant.places.all(),
    }
    return render(request, "members/shop.html", context)


@merchant_only
def shop_offer_new(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """Write a draft."""
    form = offer_form(merchant)(request.POST or None)

    def write() -> BenefitOffer:
        return offers.draft(
            merchant=merchant, says=form.says(), by=_account(request), today=timezone.localdate()
        )

    made = _sent(request, form, write)
    if made is not None:
        messages.success(request, _("The draft is kept. Hand it in when it is ready."))
        return redirect("members:shop-offer", made.pk)
    context = {"form": form, "merchant": merchant}
    return render(request, "members/shop_offer_new.html", context, status=_status(form))


@merchant_only
def shop_offer(request: HttpRequest, merchant: Merchant, offer_id: int) -> HttpResponse:
    """One of the merchant's own offers: read it, change a draft, hand it in, take it out."""
    held = get_object_or_404(merchant.offers, pk=offer_id)
    step = request.POST.get("step", "")
    form: Any = None
    if held.state == OfferState.DRAFT:
        form = offer_form(merchant, held)(request.POST if step == "change" else None)
    why = WhyForm(request.POST if step in ("pause", "end") else None)
    if request.method == "POST" and _taken(request, held, step, form, why):
        messages.success(request, _("Done."))
        return redirect("members:shop-offer", held.pk)
    context = {"offer": held, "form": form, "why": why, "merchant": merchant}
    status = max(_status(form), _status(why))
    return render(request, "members/shop_offer.html", context, status=status)


def _taken(request: HttpRequest, held: BenefitOffer, step: str, form: Any, why: WhyForm) -> bool:
    """Whether the step was taken; a refusal stands in the form it was asked with."""
    by, today = _account(request), timezone.localdate()
    if step == "change" and form is not None:
        return (
            _sent(
                request,
                form,
                lambda: offers.change(offer=held, says=form.says(), by=by, today=today) or held,
            )
            is not None
        )
    if step == "submit":
        offers.submit(offer=held, by=by, today=today)
        return True
    if step == "revise":
        offers.revise(offer=held, by=by)
        return True
    if step in ("pause", "end") and why.is_valid():
        act = offers.pause if step == "pause" else offers.end
        act(offer=held, by=by, reason=why.cleaned_data["reason"])
        return True
    return False


def _sent(request: HttpRequest, form: Any, act: Callable[[], BenefitOffer]) -> BenefitOffer | None:
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return act()
    except Refused as refusal:
        refuse(form, refusal)
        return None


def _status(form: Any) -> int:
    return 422 if form is not None and form.errors else 200


def _account(request: HttpRequest) -> Account:
    return request.user  # type: ignore[return-value]
