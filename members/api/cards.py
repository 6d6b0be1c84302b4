"""Service cards: those within reach for staff, one's own for members."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members import queries
from members.actions import card_life
from members.actions.card_exports import VIEWERS, seen_by
from members.models import Person, ServiceCard
from members.queries import cards as queries_cards
from members.states import CardState
from union_portal.api import gates
from union_portal.api.endpoint import Endpoint
from union_portal.api.repeats import once_per_key
from union_portal.api.shapes import AskedList, Sent, Text, Told, UnionTold, page_of

STAFF: Final = gates.Holding(*VIEWERS)
MEMBER: Final = gates.ActingFor(queries.person_of, "members, for themselves")


class BankTold(Told):
    code = serializers.CharField(style={"example": "DEMO"})
    name = serializers.CharField(style={"example": "榆林示范银行"})
    hotline = serializers.CharField(help_text="Only the bank can block the account.")


class CardTold(Told):
    id = serializers.IntegerField()
    reference = serializers.SerializerMethodField(help_text="Number of the application.")
    state = serializers.ChoiceField(choices=CardState.choices, style={"example": "active"})
    state_text = serializers.CharField(source="get_state_display", style={"example": "active"})
    last_four = serializers.CharField(help_text="Empty until the bank has made it.")
    bank = BankTold()
    applied_at = serializers.DateTimeField()
    issued_on = serializers.DateField(allow_null=True)
    activated_on = serializers.DateField(allow_null=True)

    def get_reference(self, card: ServiceCard) -> str:
        return f"C{card.pk:08d}"


class HolderTold(Told):
    id = serializers.IntegerField()
    name = serializers.CharField(style={"example": "林海"})
    identity = serializers.CharField(source="national_id_shown", help_text="Masked.")
    union = UnionTold(source="organization")


class CardOfSomebody(CardTold):
    holder = HolderTold(source="person")


class AskedCards(AskedList):
    state = serializers.ChoiceField(choices=CardState.choices, required=False)
    bank = Text(max_length=20, required=False, help_text="Code of the bank.")
    county = serializers.RegexField(
        r"^[0-9]{6}$",
        max_length=6,
        required=False,
        help_text="Where the holder's union lies: GB/T 2260.",
    )
    issued_from = serializers.DateField(required=False)
    issued_to = serializers.DateField(required=False, help_text="This day as well.")


class CardList(Endpoint):
    gate = STAFF
    asks = AskedCards

    @extend_schema(
        operation_id="list_cards", tags=["cards"], summary="Cards",
        responses=page_of(CardOfSomebody),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Cards of people within reach, the newest applications first."""
        return self.page(_narrowed(_shown(self.account), self.asked), CardOfSomebody)


class OneCard(Endpoint):
    gate = STAFF

    @extend_schema(
        operation_id="read_card", tags=["cards"], summary="A card", responses=CardOfSomebody
    )
    def get(self, request: Request, card_id: int) -> Response:
        card = _shown(self.account).filter(pk=card_id).first()
        if card is None:
            raise Http404
        return Response(CardOfSomebody(card).data)


class MyCard(Endpoint):
    gate = MEMBER

    @extend_schema(
        operation_id="read_my_card", tags=["cards"], summary="My card", responses=CardTold
    )
    def get(self, request: Request) -> Response:
        """The card, or the application for one, that counts now."""
        return Response(CardTold(_own(self.acting)).data)


@extend_schema_serializer(
    examples=[OpenApiExample("Lost", {"reason": "left on the bus"}, request_only=True)]
)
class LossSent(Sent):
    reason = Text(max_length=200, required=False, allow_blank=True, default="")


class MyCardLoss(Endpoint):
    gate = MEMBER

    @extend_schema(
        operation_id="report_my_card_lost", tags=["cards"], summary="Report my card lost",
        request=LossSent, responses=CardTold,
    )  # fmt: skip
    @once_per_key
    def post(self, request: Request) -> Response:
        """The benefits stop at once. The bank has to be called as well: see its hotline.

        Refused with 409 where the card is in no state to be lost.
        """
        reason = self.sent(LossSent)["reason"]
        card = _own(self.acting)
        card_life.report_lost(card=card, by=self.account, now=timezone.now(), reason=reason)
        return Response(CardTold(_own(self.acting)).data)


def _shown(account: Any) -> QuerySet[ServiceCard]:
    """The cards that the account may look at; the sealed number is not even read."""
    return (
        ServiceCard.objects.filter(seen_by(account))
        .select_related("bank", "person__organization")
        .defer("number", "person__national_id", "person__phone", "person__address")
    )


def _narrowed(rows: QuerySet[ServiceCard], asked: dict[str, Any]) -> QuerySet[ServiceCard]:
    columns = {
        "state": "state",
        "bank": "bank__code",
        "issued_from": "issued_on__gte",
        "issued_to": "issued_on__lte",
    }
    rows = rows.filter(**{columns[name]: asked[name] for name in columns if name in asked})
    if "county" in asked:
        within = queries_cards.county_by(asked["county"])
        here = {f"{queries_cards.PLACE}__startswith": within}
        rows = rows.filter(**here) if within else rows.none()
    return rows


def _own(person: Person) -> ServiceCard:
    card = queries_cards.card_of(person)
    if card is None:
        raise Http404
    return card
