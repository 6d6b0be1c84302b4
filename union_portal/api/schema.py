"""The description of the API (OpenAPI 3), made from the endpoints themselves.

What every endpoint has in common is added here: problems by what a call can meet, the header
with the key of an act, whom the gate opens for.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from django.utils import translation
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from union_portal import once
from union_portal.api import examples
from union_portal.api.problems import MEDIA_TYPE
from union_portal.api.shapes import AskedList, Problem, Told

_TOLD: Final = {
    "400": "The call does not fit its description.",
    "401": "No token, or one that opens nothing any more.",
    "403": "The log-in may not do that.",
    "404": "Nothing of that number for this log-in.",
    "405": "The address does not know the method.",
    "406": "Answers are JSON.",
    "409": "The key was used for another content, or somebody else was first.",
    "413": "More than 64 KiB.",
    "415": "What is sent must be JSON.",
    "422": "Refused by a rule; “code” tells which.",
    "429": "Too many calls: wait as long as “Retry-After” says.",
}
_ALWAYS: Final = ("400", "405", "406", "429")


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a token is sent."""

    target_class = "union_portal.api.endpoint.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "From POST /api/v1/tokens."}


class Described(AutoSchema):
    """What the frame of an endpoint adds to its description."""

    view: Any  # an Endpoint

    def get_override_parameters(self) -> list[Any]:
        """What may be asked, and the key of an act."""
        if self.method == "GET":
            return [self.view.asks] if self.view.asks().fields else []
        return [_key_header()] if self._is_once_per_key() else []

    def get_description(self) -> str:  # type: ignore[override]
        told = str(super().get_description() or "")
        return f"{told}\n\nOpens for {self.view.gate.told}."

    def get_auth(self) -> Any:
        return [] if self.view.gate.is_public else super().get_auth()

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            self._show(operation)
            shape = self.resolve_serializer(Problem, "response").ref
            for status in sorted(self._problems(operation)):
                operation["responses"].setdefault(status, _problem(status, shape))
        return operation

    def _show(self, operation: dict[str, Any]) -> None:
        """An example of each good answer, made from its shape."""
        told = self.get_response_serializers()
        by_status = told if isinstance(told, dict) else {200: told}
        for status, shape in by_status.items():
            answer = operation["responses"].get(str(status), {})
            for content in answer.get("content", {}).values():
                if isinstance(shape, type) and issubclass(shape, Told):
                    content["examples"] = {"Answer": {"value": examples.of(shape())}}

    def _problems(self, operation: dict[str, Any]) -> set[str]:
        """What a call of this operation can meet."""
        found = {*_ALWAYS, *self.view.also}
        if not self.view.gate.is_public:
            found |= {"401", "403", "404"}
        if "{" in self.path:
            found |= {"404"}
        if self.method != "GET":
            found |= {"413"}
        if issubclass(self.view.asks, AskedList) and self.method == "GET":
            found |= {"422"}
        if "requestBody" in operation:
            found |= {"415", "422"}
        if self._is_once_per_key():
            found |= {"409", "413", "415", "422"}
        return found

    def _is_once_per_key(self) -> bool:
        method = getattr(self.view, self.method.lower(), None)
        return bool(getattr(method, "is_once_per_key", False))


@cache
def document() -> dict[str, Any]:
    """The whole description. It is the same for everybody, and in English."""
    with translation.override("en"):
        generator: Any = SchemaGenerator
        return dict(generator().get_schema(request=None, public=True))


def shut(result: dict[str, Any], generator: Any, **more: Any) -> dict[str, Any]:
    """Say that what is sent holds the fields named and no others, and how problems look."""
    parts = result["components"]["schemas"]
    for name, shape in parts.items():
        if name.endswith("Request"):
            shape["additionalProperties"] = False
    return result


def _key_header() -> OpenApiParameter:
    return OpenApiParameter(
        once.HEADER,
        str,
        OpenApiParameter.HEADER,
        required=True,
        pattern="^[A-Za-z0-9_-]{16,64}$",
        description="A new one for each act. Sent again with the same content, the act is not"
        " done again and the answer is the same; with another content it is refused (409).",
    )


def _problem(status: str, shape: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _TOLD[status],
        "content": {MEDIA_TYPE: {"schema": shape}},
    }
    if status == "429":
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return answer
