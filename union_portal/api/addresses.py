"""What belongs to the API, by its address; no cookie counts there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

PREFIX: Final = "/api/"
View = Callable[[HttpRequest], HttpResponse]


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith(PREFIX)


def language(request: HttpRequest) -> str:
    """The first language of `Accept-Language` that we speak, else Chinese."""
    for wished, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if wished == "*":
            break
        try:
            return get_supported_language_variant(wished)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


class CookielessMiddleware:
    """Take the cookies off a call: a browser's session opens nothing in the API.

    So no page of others can make a browser call it, and there is no forgery to check for.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api(request):
            return self.get_response(request)
        request.COOKIES.clear()
        response = self.get_response(request)
        patch_vary_headers(response, ["Accept-Language", "Authorization"])
        return response
