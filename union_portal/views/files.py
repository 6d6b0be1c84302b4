"""Protected downloads: permission, a fresh log-in for what moves money, a row for good."""

from typing import Final, cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from union_portal import files
from union_portal.downloads import download
from union_portal.models import Account, StoredFile

# A download leaves the page that led to it: whoever confirmed who they are would go on looking
# at the question, and answer it again. The address with this on it says that it was enough.
CONFIRMED: Final = "confirmed"


@require_GET
def file(request: HttpRequest, file_id: UUID) -> HttpResponseBase:
    """One file to somebody who may fetch it; for anybody else it does not exist."""
    stored = get_object_or_404(StoredFile, pk=file_id)
    if not files.may_fetch(cast(Account, request.user), stored):
        raise Http404
    if not files.purpose_of(stored).is_sensitive:
        return _served(request, stored)
    if CONFIRMED in request.GET:
        return render(request, "union_portal/file_ready.html", {"file": stored})
    try:
        return _served_after_log_in(request, stored)
    except ReauthenticationRequired:
        back = f"{request.path}?{CONFIRMED}"
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")


def _served(request: HttpRequest, stored: StoredFile) -> FileResponse:
    return download(
        files.fetch(file=stored, by=cast(Account, request.user)),
        name=stored.name,
        content_type=stored.content_type,
        # Evidence was written anew; what was kept as it came is never opened in the portal.
        may_be_shown=not files.purpose_of(stored).is_issued,
    )


_served_after_log_in = reauthentication_required(_served)
