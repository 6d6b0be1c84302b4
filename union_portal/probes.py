"""Health and figures for machines, behind a token: /health/live, /health/ready, /metrics.

Whoever does not show PORTAL_PROBE_TOKEN meets no such address: the request goes on, and is
answered like any address that does not exist. It stands before everything else, so that no log-in,
second factor, redirect or session gets in its way, and a probe is no line in the log.
"""

import json
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST

from union_portal import health, metrics, readers
from union_portal.readers import Door

View = Callable[[HttpRequest], HttpResponse]


def live() -> HttpResponse:
    """The process answers. It asks nothing else, or a dead database would restart every server."""
    return _json({"status": "live"}, 200)


def ready() -> HttpResponse:
    """503 only where visitors must not be sent here; what else is amiss is told with 200."""
    found = health.report()
    return _json(found.told(), 200 if found.is_ready else 503)


def figures() -> HttpResponse:
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)


PROBES: Final[dict[str, Callable[[], HttpResponse]]] = {
    "/health/live": live,
    "/health/ready": ready,
    "/metrics": figures,
}


class ProbeMiddleware:
    """Answer whoever shows the token; let everybody else pass by."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        if probe is None or request.method not in ("GET", "HEAD") or not _shows_token(request):
            return self.get_response(request)
        # Counts by state for no reader at all: the door shows jobs, messages and batches.
        with readers.reading_as(None), readers.seeing(Door.PROBES):
            answer = probe()
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _shows_token(request: HttpRequest) -> bool:
    shown = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ").strip()
    wanted = settings.PROBE_TOKEN
    return bool(wanted) and constant_time_compare(shown, wanted)


def _json(content: dict[str, object], status: int) -> HttpResponse:
    return HttpResponse(json.dumps(content), content_type="application/json", status=status)
