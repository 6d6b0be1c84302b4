"""The portal's addresses, one whose view fails and one whose view writes when it is read."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import path

from union_portal.models import Account
from union_portal.urls import (  # noqa: F401
    handler400,
    handler403,
    handler404,
    handler500,
)
from union_portal.urls import urlpatterns as portal_patterns


@login_not_required
def fails(request: HttpRequest) -> HttpResponse:
    secret = "the-secret-of-the-view"
    raise RuntimeError(f"SELECT {secret} FROM union_portal_account")


def writes(request: HttpRequest) -> HttpResponse:
    """Each way in which a page could write: a row, many at once, within a question."""
    Account.objects.filter(pk=request.user.pk).update(name=F("name"))
    with connection.cursor() as cursor:
        change = "UPDATE union_portal_account SET name = name WHERE id = %s"
        cursor.executemany(change, [(0,), (0,)])
        cursor.execute(f"WITH changed AS ({change} RETURNING 1) SELECT count(*) FROM changed", [0])
    return HttpResponse()


urlpatterns = [path("fails/", fails), path("writes/", writes), *portal_patterns]
