"""The public directory: categories, offers, merchants. It tells what the pages tell everybody."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members.models import BenefitOffer, Need, OfferKind
from members.queries import benefits as queries_benefits
from members.queries.benefits import Wanted
from union_portal.api import gates
from union_portal.api.endpoint import Endpoint
from union_portal.api.shapes import Asked, AskedList, Text, Told, page_of
from union_portal.kit.regions import YULIN_DIVISIONS


class CategoryTold(Told):
    code = serializers.CharField()
    name = serializers.CharField(style={"example": "餐饮"})
    name_en = serializers.CharField(style={"example": "Dining"})


class CategoryCounted(CategoryTold):
    need = serializers.ChoiceField(choices=Need.choices)
    need_text = serializers.CharField(source="get_need_display", style={"example": "clothing"})
    offers = serializers.IntegerField(source="offers_now", help_text="What is honoured today.")


class Categories(Told):
    results = CategoryCounted(many=True)


class CategoryList(Endpoint):
    gate = gates.ANYBODY
    asks = Asked

    @extend_schema(
        operation_id="list_categories", tags=["offers"], summary="Categories", responses=Categories
    )
    def get(self, request: Request) -> Response:
        """Categories in which something is honoured today. They are few: one page holds them."""
        rows = queries_benefits.categories_on(timezone.localdate())
        return Response(Categories({"results": rows}).data)


class PlaceTold(Told):
    id = serializers.IntegerField()
    name = serializers.CharField()
    address = serializers.CharField()
    division_code = serializers.CharField()
    latitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, help_text="GCJ-02.", style={"example": "38.285000"}
    )
    longitude = serializers.DecimalField(
        max_digits=9, decimal_places=6, help_text="GCJ-02.", style={"example": "109.735000"}
    )
    phone = serializers.CharField(style={"example": "0912-3880000"})
    hours = serializers.CharField()


class MerchantTold(Told):
    id = serializers.IntegerField()
    name = serializers.CharField()


class StarsTold(Told):
    tenths = serializers.IntegerField(help_text="The mean in tenths of a star.")
    count = serializers.IntegerField()


class OfferTold(Told):
    """One thing that members get. Money is in fen: 100 fen are 1 yuan."""

    id = serializers.IntegerField()
    revision = serializers.IntegerField(help_text="Counts up with each change of the offer.")
    title = serializers.CharField()
    title_en = serializers.CharField(help_text="May be empty.")
    text = serializers.CharField()
    terms = serializers.CharField()
    kind = serializers.ChoiceField(choices=OfferKind.choices)
    kind_text = serializers.CharField(
        source="get_kind_display", style={"example": "members' price"}
    )
    price_fen = serializers.IntegerField(allow_null=True)
    discount = serializers.DecimalField(
        max_digits=3, decimal_places=1, allow_null=True, help_text="What is paid, in tenths (折)."
    )
    subsidy_fen = serializers.IntegerField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField()
    quota_total = serializers.IntegerField(allow_null=True)
    quota_per_member = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(source="used_count")
    merchant = MerchantTold()
    category = CategoryTold()
    places = PlaceTold(many=True)
    stars = StarsTold(allow_null=True, help_text="None while nobody has rated it.")


class OfferFull(OfferTold):
    is_honoured = serializers.BooleanField(help_text="False while it is on a break.")


class AskedOffers(AskedList):
    q = Text(
        max_length=40, required=False, help_text="A piece of title, merchant or category; pinyin."
    )
    need = serializers.ChoiceField(choices=Need.choices, required=False)
    category = Text(max_length=30, required=False, help_text="Its code.")
    county = serializers.ChoiceField(choices=sorted(YULIN_DIVISIONS), required=False)
    kind = serializers.ChoiceField(choices=OfferKind.choices, required=False)
    sort = serializers.ChoiceField(choices=queries_benefits.SORTS, required=False)


class OfferList(Endpoint):
    gate = gates.ANYBODY
    asks = AskedOffers

    @extend_schema(
        operation_id="list_offers", tags=["offers"], summary="Offers", responses=page_of(OfferTold)
    )
    def get(self, request: Request) -> Response:
        """What is honoured today, the most used or the newest first."""
        asked = self.asked
        wanted = Wanted(
            text=" ".join(asked.get("q", "").split()),
            need=asked.get("need", ""),
            category=asked.get("category", ""),
            county=asked.get("county", ""),
            kind=asked.get("kind", ""),
            sort=asked.get("sort", "used"),
        )
        rows = queries_benefits.directory(wanted, day=timezone.localdate())
        rows = rows.annotate(since=Coalesce("approved_at", "entered_at"))
        by = "-since" if wanted.sort == "new" else "-used_count"
        return self.page(rows, OfferTold, by, "-id", with_=_with_stars)


class OneOffer(Endpoint):
    gate = gates.ANYBODY

    @extend_schema(
        operation_id="read_offer", tags=["offers"], summary="An offer", responses=OfferFull
    )
    def get(self, request: Request, offer_id: int) -> Response:
        """An offer that is published, or on a break."""
        offer: Any = queries_benefits.shown_offers().filter(pk=offer_id).first()
        if offer is None:
            raise Http404
        honoured = queries_benefits.honours_on(timezone.localdate()).filter(pk=offer.pk)
        offer.is_honoured = honoured.exists()
        _with_stars([offer])
        return Response(OfferFull(offer).data)


class MerchantFull(MerchantTold):
    category = CategoryTold()
    introduction = serializers.CharField()
    places = PlaceTold(many=True)


class AskedMerchants(AskedList):
    q = Text(max_length=40, required=False, help_text="A piece of the name, or its pinyin.")
    category = Text(max_length=30, required=False, help_text="Its code.")
    county = serializers.ChoiceField(choices=sorted(YULIN_DIVISIONS), required=False)


class MerchantList(Endpoint):
    gate = gates.ANYBODY
    asks = AskedMerchants

    @extend_schema(
        operation_id="list_merchants", tags=["offers"], summary="Merchants",
        responses=page_of(MerchantFull),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Merchants that honour the card today, in the order of their numbers."""
        asked = self.asked
        rows = queries_benefits.merchant_directory(
            day=timezone.localdate(),
            text=" ".join(asked.get("q", "").split()),
            category=asked.get("category", ""),
            county=asked.get("county", ""),
        )
        return self.page(rows, MerchantFull, "id")


def _with_stars(offers: list[BenefitOffer]) -> None:
    """Put beside each offer what members thought of it."""
    stars = queries_benefits.stars(one.pk for one in offers)
    for one in offers:
        one.stars = stars.get(one.pk)  # type: ignore[attr-defined]
