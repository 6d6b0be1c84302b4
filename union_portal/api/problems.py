"""How a call fails: one shape for everything, application/problem+json (RFC 9457).

`code` is for programs and never changes within v1; `detail` and `remedy` are for people and come
in the language of `Accept-Language`. Nothing of what was sent is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from django.core import exceptions as django_exceptions
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from union_portal import audit, lifecycle, once, queue
from union_portal.kit.refusals import Refused

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:union-portal:problem:"
LONGEST_NAME: Final = 60

# Code, what happened, and how to go on, where nothing closer is known.
_USUAL: Final[dict[int, tuple[str, Any, Any]]] = {
    400: (
        "invalid",
        gettext_lazy("The call does not fit its description."),
        gettext_lazy("Mend what “errors” names and send it again."),
    ),
    401: (
        "not_logged_in",
        gettext_lazy("This call needs a token that is in force."),
        gettext_lazy("Log in at /api/v1/tokens and send “Authorization: Bearer …”."),
    ),
    403: (
        "not_allowed",
        gettext_lazy("This log-in may not do that."),
        gettext_lazy("Ask whoever grants roles, or log in as somebody who may."),
    ),
    404: (
        "not_found",
        gettext_lazy("There is nothing of that number for this log-in."),
        gettext_lazy("Look it up again in the list it came from."),
    ),
    405: (
        "method",
        gettext_lazy("This address does not know the method."),
        gettext_lazy("The header “Allow” names those it knows."),
    ),
    406: (
        "not_acceptable",
        gettext_lazy("Answers are JSON."),
        gettext_lazy("Accept application/json."),
    ),
    409: (
        "stale",
        gettext_lazy("Somebody else was first."),
        gettext_lazy("Read it anew and decide again."),
    ),
    413: (
        "too_large",
        gettext_lazy("The call is too large."),
        gettext_lazy("A call has at most 64 KiB."),
    ),
    415: (
        "media_type",
        gettext_lazy("What is sent must be JSON."),
        gettext_lazy("Send “Content-Type: application/json”."),
    ),
    422: (
        "refused",
        gettext_lazy("That can't be done as asked."),
        "",
    ),
    429: (
        "too_many",
        gettext_lazy("Too many calls."),
        gettext_lazy("Wait as long as “Retry-After” says."),
    ),
    500: (
        "ours",
        gettext_lazy("Something went wrong on our side."),
        gettext_lazy("Try again; tell us the number in “request” if it stays."),
    ),
}
KEY_MISSING: Final = (
    gettext_noop("The header Idempotency-Key is missing or malformed."),
    gettext_noop("Send a new one with each act: 16 to 64 letters, digits, - or _."),
)


@dataclass(frozen=True)
class Fault:
    """One field that does not fit, and why."""

    field: str
    code: str
    detail: str


class Problem(exceptions.APIException):
    """A failure with a code of its own."""

    def __init__(
        self, status: int, code: str, detail: str, remedy: str = "", *, wait: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status_code = status
        self.problem = code
        self.told = detail
        self.remedy = remedy
        self.wait = wait


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's hook: the answer for an error; None for what nobody foresaw."""
    answered = _answer(error)
    if answered is not None:
        answered.content_type = MEDIA_TYPE
    return answered


def page(request: HttpRequest, status: int) -> HttpResponse:
    """The same for what fails before or beside an endpoint."""
    body = JSONRenderer().render(_body(status))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def _answer(error: Exception) -> Response | None:  # noqa: PLR0911
    match error:
        case Problem():
            told = _body(error.status_code, error.problem, error.told, error.remedy)
            return _response(error.status_code, told, wait=error.wait)
        case exceptions.ValidationError():
            faults = [asdict(fault) for fault in _faults(error.get_full_details())]
            return _response(400, _body(400) | {"errors": faults})
        case exceptions.ParseError():
            return _response(400, _body(400, "unreadable", _("What was sent is no JSON object.")))
        case lifecycle.Stale():
            return _response(409, _body(409, "", error.message, error.remedy))
        case once.Differs():
            told = _body(
                409,
                "key_used_otherwise",
                _("This Idempotency-Key was used for another content. Nothing was done."),
                _("Use a new key for a new act."),
            )
            return _response(409, told)
        case Refused():
            code = str(getattr(error, "why", ""))
            return _response(422, _body(422, code, error.message, error.remedy))
        case queue.Refused():
            return _response(422, _body(422, "", str(error)))
        case Http404():
            return _response(404, _body(404))
        case django_exceptions.PermissionDenied():
            return _response(403, _body(403, "", str(error)))
        case exceptions.Throttled():
            return _response(429, _body(429), wait=int(getattr(error, "wait", 0) or 60))
        case exceptions.APIException():
            answer = _response(error.status_code, _body(error.status_code))
            if challenge := getattr(error, "auth_header", ""):
                answer.headers["WWW-Authenticate"] = challenge
            return answer
    return None


def _response(status: int, body: dict[str, Any], *, wait: int | None = None) -> Response:
    answer = Response(body, status=status)
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    return answer


def _body(status: int, code: str = "", detail: str = "", remedy: str = "") -> dict[str, Any]:
    usual_code, usual, usual_remedy = _USUAL.get(status, _USUAL[500])
    code = code or usual_code
    return {
        "type": TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail or usual),
        "remedy": str(remedy or ("" if detail else usual_remedy)),
        "request": audit.request_id.get(),
    }


def _faults(details: Any, name: str = "") -> Iterator[Fault]:
    """Every fault of a refused body, with the way to its field."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield Fault(sayable(name), str(details["code"]), str(details["message"]))
    elif isinstance(details, dict):
        for key, held in details.items():
            inner = "" if key == "non_field_errors" else str(key)
            yield from _faults(held, ".".join(part for part in (name, inner) if part))
    else:
        for held in details:
            yield from _faults(held, name)


def sayable(name: str) -> str:
    """A name that a caller made up, so that it can be written down."""
    return name[:LONGEST_NAME].encode("utf-8", "backslashreplace").decode()
