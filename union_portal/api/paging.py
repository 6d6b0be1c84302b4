"""Long lists in pages that stay in order while rows come in; nothing is counted.

A cursor is signed: it names a place in an order, and whoever writes one of their own is refused
before it comes near the database.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from django.core import signing
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.serializers import ErrorDetail, ValidationError
from rest_framework.utils.urls import replace_query_param

from union_portal.api.shapes import MOST

SALT: Final = "union_portal.api.cursor"
USUAL: Final = 50


class Pages(CursorPagination):
    """Pages of a list in the order given: first what is sorted by, last what is unique."""

    page_size_query_param = "limit"
    max_page_size = MOST
    page_size = USUAL

    def __init__(self, *order: str) -> None:
        self.order = order

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        return self.order

    def encode_cursor(self, cursor: Cursor) -> str:
        told = {"o": cursor.offset, "r": int(cursor.reverse), "p": cursor.position}
        kept = urlencode({name: value for name, value in told.items() if value is not None})
        signed = self._signer().sign_object(kept)
        return replace_query_param(self.base_url, self.cursor_query_param, signed)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Errors: ValidationError for a cursor that is not of this list."""
        signed = request.query_params.get(self.cursor_query_param)
        if signed is None:
            return None
        try:
            held = parse_qs(self._signer().unsign_object(signed))
        except (signing.BadSignature, ValueError):
            told = ErrorDetail(_("This cursor is of no page of this list."), code="cursor")
            raise ValidationError({self.cursor_query_param: [told]}) from None
        position = held.get("p", [None])[0]
        return Cursor(int(held["o"][0]), held["r"][0] == "1", position)

    def _signer(self) -> signing.Signer:
        return signing.Signer(salt=f"{SALT} {' '.join(self.order)}")
