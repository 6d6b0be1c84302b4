"""The staff site: who may enter it, its menu, its front page."""

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from union_portal import access
from union_portal.access import Permission


class StaffSiteConfig(AdminConfig):
    """Django's admin app with our site."""

    default = False
    default_site = "union_portal.staff_site.StaffSite"


class StaffSite(UnfoldAdminSite):
    """Open to whoever holds a staff role; log-in, password and log-out are allauth's."""

    index_template = "admin/desk.html"
    enable_nav_sidebar = True

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only pages that know roles and reach: what libraries bring along stays out."""
        from union_portal.admin.scoped import ScopedModelAdmin

        if admin_class is not None and issubclass(admin_class, ScopedModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, Permission.STAFF_SITE)  # type: ignore[arg-type]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send the visitor to the one log-in page; whoever is logged in lacks a role."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied(_("This is the staff site: it needs a staff role."))
        wanted = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
            wanted = reverse("admin:index")
        return redirect(reverse("account_login") + "?" + urlencode({"next": wanted}))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("portal:security")

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        from union_portal.admin import desk

        context = {**desk.front(request), **(extra_context or {})}
        return super().index(request, context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Django's list of all pages: every page would make it, and none of ours shows it."""
        return SimpleLazyObject(lambda: super(StaffSite, self).get_app_list(request, app_label))

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        from union_portal.admin import menu

        return menu.sections(self, request)


def emblem(request: HttpRequest) -> str:
    return static("union_portal/emblem.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("union_portal/staff.css")
