"""Protected downloads: permission, a fresh log-in for what moves money, a row for good."""

from typing import Final, cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from union_portal import files
from union_portal.models import Account, StoredFile

# Whatever a file holds, it runs nothing, loads nothing and stands in nobody's frame.
FILE_POLICY: Final = (
    "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
)


@require_GET
def file(request: HttpRequest, file_id: UUID) -> HttpResponseBase:
    """One file to somebody who may fetch it; for anybody else it does not exist."""
    stored = get_object_or_404(StoredFile, pk=file_id)
    if not files.may_fetch(cast(Account, request.user), stored):
        raise Http404
    if files.purpose_of(stored).is_sensitive:
        return _served_after_log_in(request, stored)
    return _served(request, stored)


def _served(request: HttpRequest, stored: StoredFile) -> FileResponse:
    response = FileResponse(
        files.fetch(file=stored, by=cast(Account, request.user)),
        # A photo is shown on its page; anything else is never opened inside the portal.
        as_attachment=not stored.content_type.startswith("image/"),
        filename=stored.name,
        content_type=stored.content_type,
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response


_served_after_log_in = reauthentication_required(_served)
