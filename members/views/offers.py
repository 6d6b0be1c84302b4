"""The public directory of offers: list and map, one offer's page, what a member keeps."""

from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from members.actions import complaints, favourites
from members.forms_benefits import ComplaintForm, county_choices
from members.models import BenefitOffer, Need, OfferKind, Person
from members.own_pages import member_only
from members.queries import benefits as queries_benefits
from members.queries import person_of
from members.queries.benefits import Wanted
from union_portal import headers
from union_portal.forms import refuse
from union_portal.kit import money
from union_portal.kit.refusals import Refused
from union_portal.kit.regions import YULIN_DIVISIONS
from union_portal.models import Account

# The whole of such a programme on one page: what is near is sorted within it.
PER_PAGE: Final = 120
TEXT_LONGEST: Final = 40


@login_not_required
@require_safe
def offer_list(request: HttpRequest) -> HttpResponse:
    """Everything that is honoured today, narrowed and sorted; the same as points on a map.

    Near me is sorted by the page itself: where somebody is never comes here.
    """
    today, person = timezone.localdate(), _person(request)
    wanted = _wanted(request)
    rows = queries_benefits.directory(wanted, day=today, person=person)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    offers = list(page)
    context = {
        "page": page,
        "cards": _cards(offers),
        "points": _points(offers),
        "wanted": wanted,
        "is_narrowed": wanted != Wanted(sort=wanted.sort),
        "categories": queries_benefits.categories_on(today),
        "needs": Need.choices,
        "kinds": OfferKind.choices,
        "counties": county_choices(),
        "person": person,
        "kept": queries_benefits.kept_by(person),
    }
    answer = render(request, "members/offer_list.html", context)
    answer.headers[headers.PERMISSIONS] = headers.NEARBY
    return answer


@login_not_required
@require_safe
def offer(request: HttpRequest, offer_id: int) -> HttpResponse:
    """One offer with its terms and shops; one on a break says so."""
    shown, person = _shown(offer_id), _person(request)
    is_honoured = queries_benefits.honours_on(timezone.localdate()).filter(pk=shown.pk).exists()
    context = {
        "offer": shown,
        "card": _cards([shown])[0],
        "points": _points([shown]),
        "is_honoured": is_honoured,
        "person": person,
        "kept": queries_benefits.kept_by(person),
    }
    return render(request, "members/offer.html", context)


@require_POST
@member_only
def offer_keep(request: HttpRequest, person: Person, offer_id: int) -> HttpResponse:
    """Keep an offer at hand, or let go of it; htmx gets the button alone."""
    shown = _shown(offer_id)
    is_kept = request.POST.get("keep") == "yes"
    act = favourites.keep if is_kept else favourites.drop
    act(offer=shown, person=person)
    if request.headers.get("HX-Request") == "true":
        context = {"offer": shown, "kept": {shown.pk} if is_kept else set(), "person": person}
        return render(request, "members/offer_keep.html", context)
    return redirect("members:offer", shown.pk)


@member_only
def complaint_file(request: HttpRequest, person: Person, offer_id: int) -> HttpResponse:
    """Complain of the merchant of an offer."""
    shown = _shown(offer_id)
    form = ComplaintForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            complaints.file(
                merchant=shown.merchant, person=person, by=_account(request), **form.cleaned_data
            )
        except Refused as refusal:
            refuse(form, refusal)
        else:
            messages.success(
                request, _("Your complaint has arrived. The answer comes to your messages.")
            )
            return redirect("members:complaint-list")
    context = {"form": form, "offer": shown, "back": reverse("members:offer", args=[shown.pk])}
    status = 422 if form.errors else 200
    return render(request, "members/complaint_file.html", context, status=status)


@require_safe
@member_only
def complaint_list(request: HttpRequest, person: Person) -> HttpResponse:
    """What the reader complained of, and what was answered."""
    rows = queries_benefits.complaints_of(person)
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    return render(request, "members/complaint_list.html", {"page": page})


def _shown(offer_id: int) -> BenefitOffer:
    return get_object_or_404(queries_benefits.shown_offers(), pk=offer_id)


def _account(request: HttpRequest) -> Account:
    return request.user  # type: ignore[return-value]


def _person(request: HttpRequest) -> Person | None:
    return person_of(_account(request)) if request.user.is_authenticated else None


def _wanted(request: HttpRequest) -> Wanted:
    """What the address asks for; what is not among the choices asks for nothing."""
    asked = request.GET
    sort = asked.get("sort", "")
    return Wanted(
        text=" ".join(asked.get("q", "").split())[:TEXT_LONGEST],
        need=_among(asked.get("need", ""), Need.values),
        category=asked.get("category", "")[:30],
        county=_among(asked.get("county", ""), YULIN_DIVISIONS),
        kind=_among(asked.get("kind", ""), OfferKind.values),
        sort=sort if sort in queries_benefits.SORTS else queries_benefits.SORTS[0],
        kept=asked.get("kept") == "yes",
    )


def _among(value: str, known: Any) -> str:
    return value if value in known else ""


def _cards(offers: list[BenefitOffer]) -> list[dict[str, Any]]:
    """Each offer with its number on the map and what members thought of it."""
    stars = queries_benefits.stars(one.pk for one in offers)
    return [
        {
            "offer": one,
            "number": number,
            "stars": stars.get(one.pk),
            "places": list(one.places.all()),
            "headline": _headline(one),
        }
        for number, one in enumerate(offers, start=1)
    ]


def _headline(offer: BenefitOffer) -> str:
    """What is had for how much, in a few words."""
    price = "" if offer.price_fen is None else money.shown(offer.price_fen)
    if offer.kind == OfferKind.DISCOUNT and offer.discount is not None:
        return _discount(offer.discount)
    if offer.kind == OfferKind.SUBSIDY:
        told = _("the union adds %(subsidy)s") % {"subsidy": money.shown(offer.subsidy_fen)}
        return f"{price} · {told}" if price else told
    return price or str(offer.get_kind_display())


def _discount(tenths: Decimal) -> str:
    """Chinese tells what is still paid in tenths (折), English what is taken off."""
    if (get_language() or "").startswith("en"):
        return _("%(percent)s%% off") % {"percent": 100 - int(tenths * 10)}
    return _("%(tenths)s zhe") % {"tenths": f"{tenths.normalize():f}"}


def _points(offers: list[BenefitOffer]) -> list[dict[str, Any]]:
    """What the map and the sorting by distance need: points, and which offer each belongs to."""
    return [
        {
            "offer": one.pk,
            "number": number,
            "name": f"{one} · {place.name}",
            "shop": place.name,
            "at": [str(place.latitude), str(place.longitude)],
        }
        for number, one in enumerate(offers, start=1)
        for place in one.places.all()
    ]
