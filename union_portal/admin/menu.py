"""The staff site's menu: sections in the order of the work, only what one may see."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from union_portal.admin.scoped import ScopedModelAdmin

SECTIONS = (
    ("people", _("People")),
    ("benefits", _("Cards and benefits")),
    ("honours", _("Honours")),
    ("subsidies", _("Subsidies")),
    ("publicity", _("Publicity and appeals")),
    ("money", _("Money")),
    ("reports", _("Reports and messages")),
    ("rules", _("Rules and calendar")),
    ("system", _("Access and records")),
)


def sections(site: AdminSite, request: HttpRequest) -> list[dict[str, Any]]:
    """Groups for the side bar; a section without an entry is left out."""
    desk = reverse("admin:index")
    groups: list[dict[str, Any]] = [
        {
            "title": "",
            "items": [_item(_("Waiting for me"), "inbox", desk, active=request.path == desk)],
        }
    ]
    for key, title in SECTIONS:
        items = [
            _entry(site, request, staff_page)
            for staff_page in site._registry.values()
            if isinstance(staff_page, ScopedModelAdmin)
            and staff_page.section == key
            and staff_page.has_view_permission(request)
        ]
        if items:
            items.sort(key=lambda item: item["order"])
            groups.append({"title": title, "items": items, "separator": True})
    return groups


def _entry(site: AdminSite, request: HttpRequest, staff_page: ScopedModelAdmin) -> dict[str, Any]:
    link = reverse(staff_page.url_name("changelist"))
    title = capfirst(str(staff_page.model._meta.verbose_name_plural))
    item = _item(title, staff_page.icon, link, active=request.path.startswith(link))
    item["order"] = staff_page.order
    return item


def _item(title: Any, icon: str, link: str, *, active: bool) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link, "active": active, "has_permission": True}
