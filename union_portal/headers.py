"""What every answer tells the browser beside the content security policy; which methods exist."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import BadRequest
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from union_portal.api import addresses

View = Callable[[HttpRequest], HttpResponse]

# Pages are read and forms are sent: nothing here answers anything else, TRACE least of all.
METHODS: Final = ("GET", "HEAD", "POST")
ENDED: Final = "portal_session_ended"
PERMISSIONS: Final = "Permissions-Policy"
# Nothing of ours is for the pages of others, and no page asks the device for anything.
FIXED: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    PERMISSIONS: "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# But the page that sorts its own list by what is near, where the device is stays in the device,
# and the form of a shop, which somebody fills in while standing in it.
NEARBY: Final = FIXED[PERMISSIONS].replace("geolocation=()", "geolocation=(self)")
# For the page of a till alone, which reads codes with the camera.
WITH_CAMERA: Final = FIXED[PERMISSIONS].replace("camera=()", "camera=(self)")


class KnownRequestsMiddleware:
    """Refuse what no browser of a person sends, before any view is asked.

    A NUL in an address is no text for PostgreSQL: every search would break on it. An endpoint of
    the API tells by itself which methods it knows.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS and not addresses.is_api(request):
            return HttpResponseNotAllowed(METHODS)
        if "\0" in request.path or "\0" in unquote(request.META.get("QUERY_STRING", "")):
            raise BadRequest("NUL in an address")
        return self.get_response(request)


class HeadersMiddleware:
    """Write the fixed headers; tell the browser to forget a session that ended here."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in FIXED.items():
            response.headers.setdefault(name, value)
        if getattr(request, ENDED, False):
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


@receiver(user_logged_out)
def _note_the_end(request: HttpRequest | None, **signal: Any) -> None:
    """However a session ends, the browser is told to forget what it kept of it."""
    if request is not None:
        setattr(request, ENDED, True)
