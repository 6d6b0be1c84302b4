"""What every page knows: the office, and whether this is the demo."""

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, object]:
    return {"office": settings.PORTAL_OFFICE, "is_demo": settings.EMBEDDED}
