"""The one base of every staff page: permissions by role, lists by reach, read-only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from union_portal import access, once
from union_portal.access import Permission
from union_portal.admin import desk, pages
from union_portal.admin.buttons import Button, Offer
from union_portal.admin.filters import WaitsFilter
from union_portal.admin.paging import MANY, MOST_FOUND, FromBothEnds, UpToTheLastPage, rows_about
from union_portal.admin.trail import Step, trail_of
from union_portal.fields import BlindIndexField, SealedTextField
from union_portal.models import Account, Organization, OrganizationLevel

# Columns that are no sealed ones and tell as much.
SECRET = frozenset({"password", "fingerprint", "account_fingerprint", "code_hash", "values"})
# Longer than any name, number or title; an address holds it whatever its characters are.
LONGEST_SEARCH = 80


class ScopedModelAdmin(ModelAdmin):
    """Rows within the reader's reach, nothing editable unless a page says so, no deletion.

    `scope_path` is the look-up from the row to its organization's path; None for tables
    that belong to no organization (rule sets, holidays).
    """

    section: ClassVar[str] = "system"
    icon: ClassVar[str] = "list"
    order: ClassVar[int] = 50
    view_permissions: ClassVar[tuple[Permission, ...]] = ()
    change_permission: ClassVar[Permission | None] = None
    add_permission: ClassVar[Permission | None] = None
    scope_path: ClassVar[str | None] = "organization__path"
    # Rows without an organization are the city's: the look-up that finds them.
    unplaced: ClassVar[str] = ""
    buttons: ClassVar[Sequence[Button]] = ()
    list_buttons: ClassVar[Sequence[Button]] = ()
    shows_trail: ClassVar[bool] = True
    # A register of everybody: its rows are estimated rather than counted once there are many.
    is_register: ClassVar[bool] = False
    # What an empty list says: where its rows come from, or what to do first.
    empty_hint: ClassVar[Any] = gettext_lazy("Rows appear here once the work before has been done.")

    list_per_page = 25
    paginator = FromBothEnds
    show_full_result_count = False
    list_fullwidth = True
    warn_unsaved_form = True
    compressed_fields = True
    view_on_site = False
    empty_value_display = "–"
    actions = None
    list_before_template = "admin/list_buttons.html"
    change_form_outer_before_template = "admin/object_head.html"
    change_form_outer_after_template = "admin/object_foot.html"

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> FromBothEnds:
        return FromBothEnds(
            queryset,
            per_page,
            orphans,
            allow_empty_first_page,
            most=self._most(request),
            about=self._about(request),
        )

    def _most(self, request: HttpRequest) -> int | None:
        """How many rows of a list are counted, if not all."""
        if request.GET.get(SEARCH_VAR):
            return MOST_FOUND
        is_long = self.is_register and narrowed_by(request) and rows_about(self.model) >= MANY
        return MOST_FOUND if is_long else None

    def _about(self, request: HttpRequest) -> int | None:
        """About how many rows the whole register has, for whoever is shown all of it."""
        if not self.is_register or request.GET.get(SEARCH_VAR) or narrowed_by(request):
            return None
        if not self.sees_all(request):
            return None
        about = rows_about(self.model)
        return about if about >= MANY else None

    # -- who may -------------------------------------------------------------------
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if self.scope_path is None:
            return rows if self.has_view_permission(request) else rows.none()
        reach = self.reach(request, self.scope_path)
        if self.unplaced and self.sees_all(request):
            reach |= Q(**{f"{self.unplaced}__isnull": True})
        return rows.filter(reach)

    def reach(self, request: HttpRequest, path: str) -> Q:
        """What lies where the reader may look at rows of this list; `path` leads to a union's."""
        reach = Q(pk__in=[])
        for permission in self.view_permissions:
            reach |= access.scope(reader(request), permission, path)
        return reach

    def sees_all(self, request: HttpRequest) -> bool:
        """Whether the reader may look at every row of this list, wherever it lies."""
        told: dict[str, bool] = request.__dict__.setdefault("sees_all", {})
        if self.opts.label not in told:
            told[self.opts.label] = self._holds(request, self.view_permissions, federation())
        return told[self.opts.label]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, self.view_permissions, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, one(self.change_permission), obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._holds(request, one(self.add_permission), None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def organization_of(self, obj: Any) -> Organization | None:
        """The organization whose reach decides about the row."""
        if self.scope_path is None:
            return None
        for step in self.scope_path.split("__")[:-1]:
            obj = getattr(obj, step)
            if obj is None:
                return federation()
        return obj

    def _holds(self, request: HttpRequest, permissions: Sequence[Permission], obj: Any) -> bool:
        place = obj
        if obj is not None and not isinstance(obj, Organization):
            place = self.organization_of(obj)
        return any(access.may(reader(request), p, place) for p in permissions)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        raise Http404

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """No list is narrowed by what it does not show: it would tell it letter by letter."""
        if _asks_for_a_secret(self.model, lookup):
            return False
        return super().lookup_allowed(lookup, value, request)

    # -- what they see -----------------------------------------------------------------
    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The row, read once a request: else a page told of two moments while a worker writes."""
        read: dict[tuple[str, str, str | None], Any] = request.__dict__.setdefault("rows_read", {})
        key = (self.opts.label, object_id, from_field)
        if key not in read:
            read[key] = super().get_object(request, object_id, from_field)
        return read[key]

    def trail(self, request: HttpRequest, obj: Any) -> list[Step]:
        """What happened to the row, oldest first."""
        return trail_of(obj)

    def facts(self, request: HttpRequest, obj: Any) -> list[pages.Fact]:
        """Headline facts above the fields."""
        return []

    def panels(self, request: HttpRequest, obj: Any) -> list[pages.Panel]:
        """Tables below the fields."""
        return []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [self._linked(request, obj, name) for name in super().get_fields(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = super().get_readonly_fields(request, obj)
        return [self._linked(request, obj, name) for name in names]

    def _linked(self, request: HttpRequest, obj: Any, name: Any) -> Any:
        """The field; in words alone if it would link to a page that the reader can't open."""
        field = next((one for one in self.opts.fields if one.name == name), None)
        page = self.admin_site._registry.get(field.related_model) if field else None
        there = getattr(obj, name, None) if page else None
        if there is None or page is None or page.has_view_permission(request, there):
            return name
        return plain_column(name, field)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        context = {
            "offers": self.offers(request, obj),
            "facts": self.facts(request, obj),
            "panels": self.panels(request, obj),
            "trail": self.trail(request, obj) if self.shows_trail else None,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST" and SEARCH_VAR in request.POST:
            return self._searched(request)
        if ERROR_FLAG in request.GET:  # where Django leads from such an address
            messages.error(request, _("The list knows no such filter: these are all rows."))
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "offers": self.list_offers(request),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _searched(self, request: HttpRequest) -> HttpResponse:
        """Lead to the list that was searched for, by an address without anybody's number."""
        narrowed, searched = request.GET.copy(), request.POST[SEARCH_VAR].strip()
        narrowed.pop(PAGE_VAR, None)
        narrowed.pop(SEARCH_VAR, None)
        if len(searched) <= LONGEST_SEARCH:
            narrowed[SEARCH_VAR] = self.in_an_address(searched)
        else:
            told = _("This search was too long: type at most %(count)s characters.")
            messages.error(request, told % {"count": LONGEST_SEARCH})
        answer = redirect(f"{request.path}?{narrowed.urlencode()}")
        once.harmless(answer)
        return answer

    def in_an_address(self, searched: str) -> str:
        """What stands for a search in the address of its list."""
        return searched

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        """Before the list's own filters: what of it waits for the reader."""
        own = super().get_list_filter(request)
        has_queue = any(queue.model is self.model for queue in desk.queues())
        return [WaitsFilter, *own] if has_queue else own

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UpToTheLastPage]:
        return UpToTheLastPage

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        rows = super().get_changelist_instance(request)
        rows.search_help_text = self.get_search_help_text(request)
        rows.longest_search = LONGEST_SEARCH
        return rows

    # -- what they may do -----------------------------------------------------------------
    def offers(self, request: HttpRequest, obj: Any) -> list[Offer]:
        """The buttons of one row: shown to who holds the permission, explained if closed."""
        organization = self.organization_of(obj)
        return open_first(
            button.offer(obj, reader(request), self._do_url(button, obj))
            for button in self.buttons
            if access.may(reader(request), button.permission, organization)
        )

    def list_offers(self, request: HttpRequest) -> list[Offer]:
        return open_first(
            button.offer(None, reader(request), self._do_url(button, None))
            for button in self.list_buttons
            if access.may(reader(request), button.permission)
        )

    def get_urls(self) -> list[URLPattern]:
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("do/<slug:name>/", view(self.do_on_list), name=f"{info}_list_do"),
            path("<path:object_id>/do/<slug:name>/", view(self.do), name=f"{info}_do"),
            *super().get_urls(),
        ]

    def do(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        obj = self.get_object(request, unquote(object_id))
        button = next((b for b in self.buttons if b.name == name), None)
        if obj is None or button is None:
            raise Http404
        access.require(reader(request), button.permission, self.organization_of(obj))
        back = reverse(self.url_name("change"), args=[obj.pk])
        return pages.confirm(pages.Asked(self, request, button, obj, back))

    def do_on_list(self, request: HttpRequest, name: str) -> HttpResponseBase:
        button = next((b for b in self.list_buttons if b.name == name), None)
        if button is None:
            raise Http404
        access.require(reader(request), button.permission)
        back = reverse(self.url_name("changelist"))
        return pages.confirm(pages.Asked(self, request, button, None, back))

    def url_name(self, page: str) -> str:
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}"

    def _do_url(self, button: Button, obj: Model | None) -> str:
        if obj is None:
            return reverse(self.url_name("list_do"), args=[button.name])
        return reverse(self.url_name("do"), args=[obj.pk, button.name])

    def get_search_help_text(self, request: HttpRequest) -> str:
        return _("Search")


def narrowed_by(request: HttpRequest) -> set[str]:
    """What of the address narrows or orders a list, beside what is searched."""
    return set(request.GET) - {SEARCH_VAR, PAGE_VAR}


def chosen_in(request: HttpRequest, known: Mapping[str, str]) -> dict[str, str] | None:
    """What narrows a list, by the names that `known` has for it; None where it knows not all, or
    several of one are chosen.
    """
    narrowed = narrowed_by(request)
    if narrowed - known.keys() or any(len(request.GET.getlist(name)) > 1 for name in narrowed):
        return None
    return {known[name]: request.GET[name] for name in narrowed}


def _asks_for_a_secret(model: type[Model], lookup: str) -> bool:
    """Whether a look-up reads a password, a sealed column, or a print of one."""
    for part in lookup.split(LOOKUP_SEP):
        try:
            field: Any = model._meta.get_field(part)
        except FieldDoesNotExist:
            return False
        if isinstance(field, SealedTextField | BlindIndexField) or part in SECRET:
            return True
        if not field.is_relation or field.related_model is None:
            return False
        model = field.related_model
    return False


def federation() -> Organization | None:
    """The root of the tree, whose roles reach everything."""
    return Organization.objects.filter(level=OrganizationLevel.FEDERATION).first()


@cache
def plain_column(name: str, field: Any) -> Any:
    """The column `name` as text, under the field's own label."""

    @admin.display(description=field.verbose_name, empty_value="–")
    def shown(row: Any) -> Any:
        return getattr(row, name)

    shown.__name__ = name
    return shown


def open_first(offers: Iterable[Offer]) -> list[Offer]:
    """What can be done now before what can't, each in the order of the work."""
    return sorted(offers, key=lambda offer: not offer.is_open)


def one(permission: Permission | None) -> tuple[Permission, ...]:
    return () if permission is None else (permission,)


def reader(request: HttpRequest) -> Account:
    """Who asks; the site lets only accounts in."""
    account: Account = request.user  # type: ignore[assignment]
    return account
