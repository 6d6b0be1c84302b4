"""The kernel's own endpoints: tokens, unions, the description of the API."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from union_portal import tokens, tries
from union_portal.api import gates, log_in, schema, shapes
from union_portal.api.endpoint import SCHEME, Endpoint
from union_portal.api.shapes import AskedList, Sent, Text, Told, UnionFull
from union_portal.models import ApiToken, Organization, OrganizationLevel


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A till",
            {"login": "mian-till", "password": "seventeen grey camels", "label": "Till 1"},
            request_only=True,
        ),
        OpenApiExample(
            "Staff, with the code of their app",
            {
                "login": "shi",
                "password": "seventeen grey camels",
                "code": "123456",
                "label": "County script",
            },
            request_only=True,
        ),
    ]
)
class LogIn(Sent):
    login = Text(
        max_length=60, help_text="Log-in name; members: phone or service-card number as well."
    )
    password = Text(max_length=128)
    code = Text(
        max_length=32,
        required=False,
        allow_blank=True,
        default="",
        help_text="Second factor, where the account has one.",
    )
    label = Text(max_length=60, help_text="How the owner tells this program from others.")  # type: ignore[assignment]


class TokenTold(Told):
    id = serializers.IntegerField()
    token = serializers.CharField(
        help_text="Shown this once. Keep it as you keep a password.",
        style={"example": "upt_2vT…"},
    )
    scheme = serializers.CharField(
        help_text="Sent as “Authorization: Bearer …”.", style={"example": SCHEME}
    )
    expires_at = serializers.DateTimeField()
    notices = serializers.ListField(
        child=serializers.CharField(
            style={"example": "2026-11-02: Bai opened your account again."}
        ),
        help_text="What others did to this account since its last log-in.",
    )


class TokenList(Endpoint):
    gate = gates.ANYBODY
    also = frozenset({"401", "403"})

    @extend_schema(
        operation_id="log_in",
        tags=["log-in"],
        summary="Log in",
        request=LogIn,
        responses={201: TokenTold},
    )
    def post(self, request: Request) -> Response:
        """Name, password and, where the account has one, second factor: for a token.

        A token ends with its own time, with “log out everywhere”, with a new password, and when
        its owner ends it on the page “Where you are logged in”. Wrong tries are counted together
        with those of the website.
        """
        sent = self.sent(LogIn)
        plain = request._request
        account, has_factor = log_in.prove(
            plain, login=sent["login"], password=sent["password"], code=sent["code"]
        )
        with transaction.atomic():
            told = log_in.note(plain, account)
            token, text = tokens.issue(
                account=account,
                label=sent["label"],
                address=tries.address_of(plain),
                has_factor=has_factor,
                now=timezone.now(),
            )
        answer = TokenTold(
            {
                "id": token.pk,
                "token": text,
                "scheme": SCHEME,
                "expires_at": token.expires_at,
                "notices": told,
            }
        )
        return Response(answer.data, status=201)


class CurrentToken(Endpoint):
    gate = gates.WITH_TOKEN

    @extend_schema(
        operation_id="log_out",
        tags=["log-in"],
        summary="Log out",
        request=None,
        responses={204: OpenApiResponse(description="The token opens nothing any more.")},
    )
    def delete(self, request: Request) -> Response:
        """End the token that this very call is made with."""
        token = request.auth
        assert isinstance(token, ApiToken)
        tokens.end_one(account=self.account, token=token.pk)
        return Response(status=204)


class AskedUnions(AskedList):
    q = Text(max_length=40, required=False, help_text="A piece of the name.")
    level = serializers.ChoiceField(choices=OrganizationLevel.choices, required=False)
    within = serializers.IntegerField(
        min_value=1,
        max_value=shapes.LARGEST,
        required=False,
        help_text="This union and everything below it.",
    )


class UnionList(Endpoint):
    gate = gates.WITH_TOKEN
    asks = AskedUnions

    @extend_schema(
        operation_id="list_unions",
        tags=["register"],
        summary="Unions",
        responses=shapes.page_of(UnionFull),
    )
    def get(self, request: Request) -> Response:
        """The tree of unions, as far as it is open, in the order of their numbers."""
        asked = self.asked
        rows = Organization.objects.filter(is_active=True)
        if "q" in asked:
            rows = rows.filter(name__icontains=asked["q"])
        if "level" in asked:
            rows = rows.filter(level=asked["level"])
        if "within" in asked:
            root = Organization.objects.filter(pk=asked["within"]).first()
            rows = rows.within(root) if root is not None else rows.none()
        return self.page(rows, UnionFull, "id")


class Description(Endpoint):
    gate = gates.ANYBODY

    @extend_schema(exclude=True)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """This description, as OpenAPI 3."""
        answer = Response(schema.document())
        answer.headers["Cache-Control"] = "public, max-age=3600"
        return answer
