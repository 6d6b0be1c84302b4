"""A member's digital card: the code to show at a till, and codes to print."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members.actions import card_codes
from members.models import BenefitOffer, Person, ServiceCard
from members.own_pages import member_only
from members.queries import benefits as queries_benefits
from members.queries import till as queries_till
from members.rules import card_tokens
from union_portal import once
from union_portal.kit import masks, qr
from union_portal.kit.refusals import Refused

# The page renews its code while the old one still counts.
RENEW_SECONDS = 45


@require_safe
@never_cache
@member_only
def card_code(request: HttpRequest, person: Person) -> HttpResponse:
    """The card's face with a fresh code; asked again by the page itself, it is the code alone."""
    card = queries_till.shown_card(person)
    offers = _offers()
    offer = _chosen(request, offers)
    context: dict[str, Any] = {
        "card": card,
        "name": masks.mask_name(person.name),
        "organization": person.organization,
        "offer": offer,
        "renew_seconds": RENEW_SECONDS,
        **_live(card, offer, request),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "members/card_code_live.html", context)
    context["offers"] = offers.select_related("merchant").order_by("merchant__name", "title")
    return render(request, "members/card_code.html", context)


@never_cache
@member_only
def card_sheet(request: HttpRequest, person: Person) -> HttpResponse:
    """Ten codes on paper, for tills and phones without a net. They are shown this once."""
    card = queries_till.shown_card(person)
    context: dict[str, Any] = {
        "card": card,
        "name": masks.mask_name(person.name),
        "count": card_codes.SHEET,
        "days": card_codes.SHEET_LIFE.days,
    }
    if request.method != "POST" or card is None:
        return render(request, "members/card_sheet.html", context)
    sheet = card_codes.print_sheet(card=card, by=request.user)  # type: ignore[arg-type]
    context["expires_at"] = sheet.expires_at
    context["codes"] = [(card_tokens.grouped(code), qr.draw(code)) for code in sheet.codes]
    answer = render(request, "members/card_sheet.html", context)
    once.shown_once(answer)
    return answer


def _live(
    card: ServiceCard | None, offer: BenefitOffer | None, request: HttpRequest
) -> dict[str, Any]:
    """A renewed code, drawn; without one, why."""
    if card is None:
        return {}
    try:
        live = card_codes.renew(card=card, by=request.user, offer=offer)  # type: ignore[arg-type]
    except Refused as refusal:
        return {"refusal": refusal}
    return {"drawing": qr.draw(live.token), "digits": card_tokens.grouped(live.code)}


def _offers() -> QuerySet[BenefitOffer]:
    return queries_benefits.honours_on(timezone.localdate())


def _chosen(request: HttpRequest, offers: QuerySet[BenefitOffer]) -> BenefitOffer | None:
    """The offer that the member means to use; without one the till chooses."""
    number = request.GET.get("offer", "")
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        return None
    return offers.filter(pk=number).select_related("merchant").first()
