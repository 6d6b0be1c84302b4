"""Merchants' statements: read by staff as well, disputed and accepted by the merchant."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from members.queries import benefits as queries_benefits
from union_portal.access import Permission
from union_portal.api import gates, shapes
from union_portal.api.endpoint import Endpoint
from union_portal.api.repeats import once_per_key
from union_portal.api.shapes import AskedList, Sent, Text, Told, UnionTold, page_of
from welfare.actions import settlements
from welfare.models import MerchantStatement, StatementLine
from welfare.queries.settlements import by_offer, counted_fen, within_reach
from welfare.rules.settlements import first_of_month
from welfare.states import StatementLineState, StatementState

_TILLS: Final = "tills, for their merchant"
MERCHANT: Final = gates.ActingFor(queries_benefits.merchant_of, _TILLS)
READERS: Final = gates.ActingOrHolding(
    queries_benefits.merchant_of, _TILLS, Permission.BENEFIT_VIEW
)


class MerchantNamed(Told):
    id = serializers.IntegerField()
    name = serializers.CharField(style={"example": "榆阳区老街羊肉面馆"})


class StatementTold(Told):
    """What was issued for a month. Money is in fen: 100 fen are 1 yuan."""

    id = serializers.IntegerField()
    number = serializers.CharField(style={"example": "S202610-000017"})
    merchant = MerchantNamed()
    union = UnionTold(source="organization", help_text="Who issued it and answers disputes.")
    month = serializers.DateField(
        help_text="The first day of the month.", style={"example": "2026-10-01"}
    )
    state = serializers.ChoiceField(choices=StatementState.choices)
    state_text = serializers.CharField(
        source="get_state_display", style={"example": "with the merchant"}
    )
    lines_count = serializers.IntegerField()
    total_fen = serializers.IntegerField(help_text="As issued.")
    disputes_until = serializers.DateField(help_text="Lines may be disputed on this day as well.")
    accepted_at = serializers.DateTimeField(allow_null=True, style={"example": None})
    approved_at = serializers.DateTimeField(allow_null=True, style={"example": None})


class OfferSum(Told):
    title = serializers.CharField()
    each_fen = serializers.IntegerField(source="each")
    count = serializers.IntegerField()
    fen = serializers.IntegerField()


class StatementFull(StatementTold):
    counted_fen = serializers.IntegerField(help_text="What still counts: without lines taken off.")
    disputed = serializers.IntegerField(help_text="Lines that wait for an answer.")
    offers = OfferSum(many=True)


class LineTold(Told):
    position = serializers.IntegerField()
    use = serializers.IntegerField(source="redemption_id")
    used_at = serializers.DateTimeField(source="redemption.redeemed_at")
    offer = serializers.CharField(source="redemption.offer")
    place = serializers.CharField(source="redemption.place.name", allow_null=True, default=None)
    amount_fen = serializers.IntegerField()
    state = serializers.ChoiceField(choices=StatementLineState.choices)
    state_text = serializers.CharField(source="get_state_display", style={"example": "counted"})
    words = serializers.CharField(help_text="What is disputed; may be empty.")
    answer = serializers.CharField(help_text="The union's answer; may be empty.")


class AskedStatements(AskedList):
    state = serializers.ChoiceField(choices=StatementState.choices, required=False)
    month = serializers.DateField(required=False, help_text="Any day of the month.")
    merchant = shapes.row_number(required=False)


class StatementList(Endpoint):
    gate = READERS
    asks = AskedStatements

    @extend_schema(
        operation_id="list_statements", tags=["settlement"], summary="Statements",
        responses=page_of(StatementTold),
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The merchant's own statements, or those within reach; the newest month first."""
        rows = _seen(self)
        for name in ("state", "merchant"):
            if name in self.asked:
                rows = rows.filter(**{name: self.asked[name]})
        if "month" in self.asked:
            rows = rows.filter(month=first_of_month(self.asked["month"]))
        return self.page(rows, StatementTold, "-month", "-id")


class OneStatement(Endpoint):
    gate = READERS

    @extend_schema(
        operation_id="read_statement", tags=["settlement"], summary="A statement",
        responses=StatementFull,
    )  # fmt: skip
    def get(self, request: Request, statement_id: int) -> Response:
        return Response(_full(_found(_seen(self), statement_id)))


class AskedLines(AskedList):
    state = serializers.ChoiceField(choices=StatementLineState.choices, required=False)


class LineList(Endpoint):
    gate = READERS
    asks = AskedLines

    @extend_schema(
        operation_id="list_lines", tags=["settlement"], summary="Lines of a statement",
        responses=page_of(LineTold),
    )  # fmt: skip
    def get(self, request: Request, statement_id: int) -> Response:
        """One line a use, in the order of the paper."""
        rows = _lines(_found(_seen(self), statement_id))
        if "state" in self.asked:
            rows = rows.filter(state=self.asked["state"])
        return self.page(rows, LineTold, "position")


class StatementAccept(Endpoint):
    gate = MERCHANT

    @extend_schema(
        operation_id="accept_statement", tags=["settlement"], summary="Accept a statement",
        request=None, responses=StatementFull,
    )  # fmt: skip
    @once_per_key
    def post(self, request: Request, statement_id: int) -> Response:
        """Agree before the last day, so that it need not be waited for."""
        settlements.accept(
            statement=_found(_seen(self), statement_id), by=self.account, now=timezone.now()
        )
        return Response(_full(_found(_seen(self), statement_id)))


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A use that was taken back",
            {"words": "The bowl was given back; see the till's list of 3 November."},
            request_only=True,
        )
    ]
)
class DisputeSent(Sent):
    words = Text(
        min_length=10,
        max_length=300,
        help_text="What happened instead, and how you know.",
    )


class LineDispute(Endpoint):
    gate = MERCHANT

    @extend_schema(
        operation_id="dispute_line", tags=["settlement"], summary="Dispute a line",
        request=DisputeSent, responses=LineTold,
    )  # fmt: skip
    @once_per_key
    def post(self, request: Request, statement_id: int, position: int) -> Response:
        """Say what is wrong with a line; the union answers, and nothing is paid before."""
        line = _line(_found(_seen(self), statement_id), position)
        settlements.dispute(
            line=line,
            words=self.sent(DisputeSent)["words"],
            by=self.account,
            now=timezone.now(),
            today=timezone.localdate(),
        )
        return Response(LineTold(_line(line.statement, position)).data)


def _seen(view: Endpoint) -> QuerySet[MerchantStatement]:
    """The merchant's own statements, or for staff those within reach; no others exist."""
    own = view.acting and view.acting.statements.all()
    rows: QuerySet[MerchantStatement] = within_reach(view.account) if own is None else own
    return rows.select_related("merchant", "organization")


def _found(rows: QuerySet[MerchantStatement], statement_id: int) -> MerchantStatement:
    found = rows.filter(pk=statement_id).first()
    if found is None:
        raise Http404
    return found


def _lines(statement: MerchantStatement) -> QuerySet[StatementLine]:
    return statement.lines.select_related("redemption__offer", "redemption__place")


def _line(statement: MerchantStatement, position: int) -> StatementLine:
    line = _lines(statement).filter(position=position).first()
    if line is None:
        raise Http404
    return line


def _full(statement: MerchantStatement) -> Any:
    statement.counted_fen = counted_fen(statement)  # type: ignore[attr-defined]
    statement.offers = by_offer(statement)  # type: ignore[attr-defined]
    disputed = statement.lines.filter(state=StatementLineState.DISPUTED)
    statement.disputed = disputed.count()  # type: ignore[attr-defined]
    return StatementFull(statement).data
