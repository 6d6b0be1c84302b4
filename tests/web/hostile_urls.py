"""The portal's addresses and one whose view fails; for the test of the page about failures."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from union_portal.urls import (  # noqa: F401
    handler400,
    handler403,
    handler404,
    handler500,
)
from union_portal.urls import (
    urlpatterns as portal_patterns,
)


@login_not_required
def fails(request: HttpRequest) -> HttpResponse:
    secret = "the-secret-of-the-view"
    raise RuntimeError(f"SELECT {secret} FROM union_portal_account")


urlpatterns = [path("fails/", fails), *portal_patterns]
