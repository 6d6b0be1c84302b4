"""A till that is a program: look a code up, confirm, take back, list. The page does the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, Final

from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members.actions import redemptions
from members.actions.redemptions import Look
from members.actions.till_refusals import TillRefused, Why
from members.models import Redemption
from members.queries import till as queries_till
from members.states import RedemptionState
from union_portal import tries
from union_portal.api import gates, sealed, shapes
from union_portal.api.endpoint import Endpoint
from union_portal.api.problems import Problem
from union_portal.api.repeats import once_per_key
from union_portal.api.shapes import AskedList, Sent, Text, Told, page_of

TILL: Final = gates.ActingFor(queries_till.till_of, "tills, for their merchant")
LOOK: Final = "look"
LONGEST_CODE: Final = 100


@extend_schema_serializer(
    examples=[OpenApiExample("Twelve digits", {"code": "123456789012"}, request_only=True)]
)
class CodeSent(Sent):
    code = Text(
        max_length=LONGEST_CODE,
        help_text="As scanned, or the twelve digits as typed.",
    )


class OfferAtTillTold(Told):
    id = serializers.IntegerField(source="offer.pk")
    revision = serializers.IntegerField(source="offer.revision")
    title = serializers.CharField(source="offer.title")
    price_fen = serializers.IntegerField(source="offer.price_fen", allow_null=True)
    subsidy_fen = serializers.IntegerField(source="offer.subsidy_fen")
    left = serializers.IntegerField(allow_null=True, help_text="Uses left; null: no quota.")
    left_for_member = serializers.IntegerField(allow_null=True)
    is_open = serializers.BooleanField()
    why_not = serializers.CharField(help_text="Why it can't be used; empty if it can.")


class LookTold(Told):
    """The little that a cashier is shown of a member."""

    look = serializers.CharField(
        help_text="Carries the look to its confirmation; tells nothing.",
        style={"example": "AQFnN2x…"},
    )
    expires_at = serializers.DateTimeField(help_text="Until then it may be confirmed.")
    name = serializers.CharField(
        help_text="The first character and a star.", style={"example": "林*"}
    )
    county = serializers.CharField()
    offers = OfferAtTillTold(many=True)


class CodeLookUp(Endpoint):
    gate = TILL

    @extend_schema(
        operation_id="look_up_code", tags=["tills"], summary="Look a code up",
        request=CodeSent, responses=LookTold,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """What a code stands for at this till. Nothing is used yet.

        Refusals carry the reason as `code`: unknown, expired, replayed, foreign, changed, card,
        agreement … Codes of nobody are counted, here and on the page together; a till that
        tries too many waits (429).
        """
        text = self.sent(CodeSent)["code"]
        with _waiting_told():
            look = redemptions.look_up(
                text=text, by=self.account, address=tries.address_of(request._request)
            )
        facing = redemptions.facing(look, by=self.account)
        told = {
            "look": sealed.seal(LOOK, carried(look), account=self.account),
            "expires_at": look.looked_at + redemptions.LOOK_COUNTS,
            "name": facing.name,
            "county": facing.county,
            "offers": facing.offers,
        }
        return Response(LookTold(told).data)


class OfferNamed(Told):
    id = serializers.IntegerField()
    title = serializers.CharField()


class UseTold(Told):
    """One use of an offer. Of the member it tells nothing."""

    id = serializers.IntegerField()
    number = serializers.SerializerMethodField()
    offer = OfferNamed()
    revision = serializers.IntegerField()
    place = serializers.CharField(source="place.name", allow_null=True, default=None)
    subsidy_fen = serializers.IntegerField()
    state = serializers.ChoiceField(choices=RedemptionState.choices)
    state_text = serializers.CharField(source="get_state_display", style={"example": "used"})
    redeemed_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True, style={"example": None})

    def get_number(self, use: Redemption) -> str:
        return str(use)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "As looked up", {"look": "AQFnN2x…", "offer": 17, "revision": 2}, request_only=True
        )
    ]
)
class UseSent(Sent):
    look = Text(max_length=600, help_text="From the look-up of the code.")
    offer = shapes.row_number()
    revision = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, help_text="The offer as it was shown."
    )


class AskedUses(AskedList):
    from_ = serializers.DateField(required=False, source="start")
    to = serializers.DateField(required=False, help_text="This day as well.")
    state = serializers.ChoiceField(choices=RedemptionState.choices, required=False)


# “from” is a word of Python's own.
AskedUses._declared_fields["from"] = AskedUses._declared_fields.pop("from_")


class UseList(Endpoint):
    gate = TILL
    asks = AskedUses

    @extend_schema(
        operation_id="list_uses", tags=["tills"], summary="Uses", responses=page_of(UseTold)
    )
    def get(self, request: Request) -> Response:
        """Uses at this merchant, the newest first; today's unless days are named."""
        today = timezone.localdate()
        last = _within(self.asked.get("to", today))
        start, end = _within(self.asked.get("start", last)), last + timedelta(days=1)
        rows = queries_till.uses_between(self.acting.merchant, start, end)
        if "state" in self.asked:
            rows = rows.filter(state=self.asked["state"])
        return self.page(rows, UseTold, "-redeemed_at", "-id")

    @extend_schema(
        operation_id="confirm_use", tags=["tills"], summary="Confirm a use",
        request=UseSent, responses={201: UseTold},
    )  # fmt: skip
    @once_per_key
    def post(self, request: Request) -> Response:
        """Use an offer once with the code that was looked up.

        Quotas, budget and “each code once” are kept by the database, whatever tills do at one
        moment. Refusals carry the reason as `code`: quota, member_quota, budget, changed …
        """
        sent = self.sent(UseSent)
        with _waiting_told():
            made = redemptions.confirm(
                look=self._look(sent["look"]),
                offer_id=sent["offer"],
                revision=sent["revision"],
                by=self.account,
            )
        return Response(UseTold(_own(self.acting, made.pk)).data, status=201)

    def _look(self, carried: str) -> Look:
        held = sealed.open_(LOOK, carried, account=self.account)
        if held is None:
            raise TillRefused(Why.EXPIRED)
        return Look(**{**held, "looked_at": parse_datetime(held["looked_at"])})


class OneUse(Endpoint):
    gate = TILL

    @extend_schema(operation_id="read_use", tags=["tills"], summary="A use", responses=UseTold)
    def get(self, request: Request, use_id: int) -> Response:
        return Response(UseTold(_own(self.acting, use_id)).data)


@extend_schema_serializer(
    examples=[OpenApiExample("A slip", {"reason": "wrong offer chosen"}, request_only=True)]
)
class UndoSent(Sent):
    reason = Text(
        min_length=2,
        max_length=200,
        help_text="The member and the union read it.",
    )


class UseUndo(Endpoint):
    gate = TILL

    @extend_schema(
        operation_id="undo_use", tags=["tills"], summary="Take a use back",
        request=UndoSent, responses=UseTold,
    )  # fmt: skip
    @once_per_key
    def post(self, request: Request, use_id: int) -> Response:
        """Within five minutes, by the till that confirmed it. Its place is free again."""
        use = _own(self.acting, use_id)
        redemptions.undo(redemption=use, reason=self.sent(UndoSent)["reason"], by=self.account)
        return Response(UseTold(_own(self.acting, use_id)).data)


def carried(look: Look) -> dict[str, Any]:
    """A look as it is sealed: a keyed hash and numbers, no code."""
    return {**vars(look), "looked_at": look.looked_at.isoformat()}


def _within(day: date) -> date:
    """A day near enough to have instants; before and after there are no uses."""
    return min(max(day, date(2000, 1, 1)), date(2999, 12, 31))


def _own(login: Any, use_id: int) -> Redemption:
    """A use at this merchant; any other does not exist."""
    uses = Redemption.objects.select_related("offer", "place")
    use = uses.filter(merchant=login.merchant, pk=use_id).first()
    if use is None:
        raise Http404
    return use


@contextmanager
def _waiting_told() -> Iterator[None]:
    """A till that has to wait is told for how long."""
    try:
        yield
    except TillRefused as refusal:
        if refusal.why != Why.WAITING:
            raise
        seconds = int(redemptions.WRONG_WITHIN.total_seconds())
        raise Problem(429, refusal.why, refusal.message, refusal.remedy, wait=seconds) from None
