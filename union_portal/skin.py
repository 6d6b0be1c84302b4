"""The staff site's skin: its name, emblem and colours, for django-unfold."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

_RED: Final = {
    "50": "#fdf3f3",
    "100": "#fbe3e3",
    "200": "#f6caca",
    "300": "#eea5a5",
    "400": "#e07373",
    "500": "#cc4545",
    "600": "#b3141b",
    "700": "#8f0f15",
    "800": "#7a0c11",
    "900": "#5f0a0e",
    "950": "#3a0508",
}


def of_staff_site(office: str) -> dict[str, Any]:
    """The setting UNFOLD; `office` stands at the head of every page."""
    emblem = "union_portal.staff_site.emblem"
    return {
        "SITE_TITLE": _("Union Portal"),
        "SITE_HEADER": office,
        "SITE_SUBHEADER": _("Union Portal"),
        "SITE_URL": "/",
        "SITE_ICON": emblem,
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": emblem}],
        "STYLES": ["union_portal.staff_site.stylesheet"],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": True,
        "SHOW_BACK_BUTTON": True,
        "SHOW_LANGUAGES": True,
        # One skin, looked at and measured; a dark one would have to be as well.
        "THEME": "light",
        "BORDER_RADIUS": "6px",
        "COLORS": {"primary": _RED},
    }
