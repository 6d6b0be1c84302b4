"""The frame of every endpoint: token, reader, gate, throttles, what may be asked, problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from union_portal import readers, tokens
from union_portal.api import gates, paging, problems, throttles
from union_portal.api.schema import Described
from union_portal.api.shapes import Asked
from union_portal.models import Account, ApiToken

LARGEST: Final = 64 * 1024
SCHEME: Final = "Bearer"


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer …`. One that opens nothing is refused, wherever it is sent."""

    def authenticate(self, request: Request) -> tuple[Account, ApiToken] | None:
        head = get_authorization_header(request).decode("ascii", "replace").split()
        if not head:
            return None
        now = timezone.now()
        is_ours = len(head) == 2 and head[0].lower() == SCHEME.lower()
        token = tokens.find(head[1], now=now) if is_ours else None
        if token is None:
            raise AuthenticationFailed
        tokens.note_use(token, now=now)
        return token.account, token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class StrictJson(JSONParser):
    """JSON that is no trap: what is nested beyond reason is unreadable, not an error of ours."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError from None


class Endpoint(APIView):
    """One address. Subclasses name their gate, what may be asked, and the methods."""

    gate: ClassVar[gates.Gate] = gates.NOBODY
    asks: ClassVar[type[Asked]] = Asked
    renderer_classes = [JSONRenderer]
    parser_classes = [StrictJson]
    http_method_names = ["get", "head", "post", "delete"]
    schema = Described()
    # Statuses of problems beyond those that the frame foresees.
    also: ClassVar[frozenset[str]] = frozenset()
    # What was asked, read strictly; what the gate found the caller to stand for.
    asked: dict[str, Any]
    acting: Any

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.gate.is_public else [BearerToken()]

    def get_permissions(self) -> list[Any]:
        return [self.gate]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        throttles.count_address(request._request)
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)
        self._refuse_long(request)
        asks = self.asks if request.method in ("GET", "HEAD") else Asked
        self.asked = asks.read(request.query_params)

    def perform_authentication(self, request: Request) -> None:
        """Who calls: from here on every statement is sent for them, every log line names them."""
        account = request.user
        if account.is_authenticated:
            request._request._cached_user = account  # type: ignore[attr-defined]
            readers.become(account.pk)
            throttles.count_account(account)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    def sent(self, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """What was sent, as the shape reads it. Errors: ValidationError."""
        read = shape(data=self.request.data)
        read.is_valid(raise_exception=True)
        return dict(read.validated_data)

    def page(
        self,
        rows: QuerySet[Any],
        shape: type[serializers.Serializer[Any]],
        *order: str,
        with_: Callable[[list[Any]], None] | None = None,
    ) -> Response:
        """A page of rows; `order` begins with what is sorted by and ends with what is unique.

        `with_` puts beside the rows of the page what is asked once for all of them.
        """
        limit = self.asked.get("limit", paging.USUAL)
        found = paging.page(self.request, rows, order or ("-id",), limit)
        if with_ is not None:
            with_(found.rows)
        told = shape(found.rows, many=True).data
        return Response({"next": found.next, "previous": found.previous, "results": told})

    @property
    def account(self) -> Account:
        return self.request.user  # type: ignore[return-value]

    def _refuse_long(self, request: Request) -> None:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if len(length) > len(str(LARGEST)) or not length.isdecimal() or int(length) > LARGEST:
            raise problems.Problem(413, "too_large", _("A call has at most 64 KiB."))
