"""The confirm page between a button and its action, and parts of object pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from union_portal import headers, lifecycle, once, queue
from union_portal.forms import refuse
from union_portal.kit.refusals import FAULTS_SHOWN, FileRefused, Refused

if TYPE_CHECKING:
    from union_portal.admin.buttons import Button
    from union_portal.admin.scoped import ScopedModelAdmin

SEEN = "seen"


@dataclass(frozen=True)
class Fact:
    """A labelled figure; `tone` is good, wait, bad or empty."""

    label: Any
    value: Any
    tone: str = ""


@dataclass(frozen=True)
class Panel:
    """A table below the fields of a row."""

    title: Any
    columns: Sequence[Any]
    rows: Sequence[Sequence[Any]]
    note: Any = ""
    link: str = ""
    link_text: Any = ""
    template: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def labelled(self) -> list[list[tuple[Any, Any]]]:
        """Each row as (column, cell): on a phone a row is a card and a cell names its column."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Told:
    """An outcome that is shown on the answer itself, once, and kept nowhere."""

    sentence: Any
    value: Any


@dataclass(frozen=True)
class Asked:
    """One press of a button: on which page, on which row, where to go afterwards."""

    page: ScopedModelAdmin
    request: HttpRequest
    button: Button
    obj: Any
    back: str


def all_faults(refusal: FileRefused) -> Any:
    """The refusal of a file, with every fault of it on a line of its own."""
    faults = format_html_join(
        "", "<li>{}</li>", ((str(fault),) for fault in refusal.faults[:FAULTS_SHOWN])
    )
    nothing = _("Nothing of this file was taken over.")
    return format_html("<p>{} {}</p><ol>{}</ol>", refusal.message, nothing, faults)


def log_in_again(request: HttpRequest) -> HttpResponseBase:
    """Send to the page that asks once more who it is, and back here afterwards."""
    return redirect(log_in_again_url(request))


def log_in_again_url(request: HttpRequest) -> str:
    query = urlencode({"next": request.get_full_path()})
    return f"{reverse('account_reauthenticate')}?{query}"


def confirm(asked: Asked) -> HttpResponseBase:
    """Show what will happen, then do it once.

    The form carries a print of the row as it was shown: if the row has moved since, the
    page says so (409) and nothing is done.
    """
    request, button = asked.request, asked.button
    if button.asks_again and not did_recently_reauthenticate(request):
        return log_in_again(request)
    form_class = button.form_class(asked.obj, _account(request))
    reason = button.why_not(asked.obj, _account(request))
    if request.method != "POST":
        return _page(asked, form_class(), reason=reason)
    if asked.obj is not None and request.POST.get(SEEN, "") != print_of(asked.obj):
        reason = _("The page was old: this has changed since you opened it.")
    if reason is not None:
        return _page(asked, form_class(), reason=reason, status=409)
    return _acted(asked, form_class(request.POST, request.FILES))


def _acted(asked: Asked, form: forms.Form) -> HttpResponseBase:
    """Call the action with a valid form; every refusal becomes a page that explains it.

    A refused act leaves nothing behind, such as evidence that was stored before it.
    """
    if not form.is_valid():
        return _page(asked, form, status=422)
    try:
        with transaction.atomic():
            outcome = asked.button.act(asked.obj, _account(asked.request), form.cleaned_data)
    except lifecycle.Stale as stale:
        return _page(asked, form, reason=str(stale), status=409)
    except (Refused, queue.Refused, PermissionDenied, ValidationError) as refusal:
        refuse(form, refusal)
        return _page(asked, form, status=422)
    if isinstance(outcome, HttpResponseBase):
        return outcome
    if isinstance(outcome, Told):
        return _told(asked, outcome)
    messages.success(asked.request, asked.button.said(asked.obj))
    return redirect(outcome if isinstance(outcome, str) else asked.back)


def _told(asked: Asked, told: Told) -> HttpResponse:
    context = {
        **asked.page.admin_site.each_context(asked.request),
        "opts": asked.page.opts,
        "title": asked.button.label,
        "original": asked.obj,
        "told": told,
        "back": asked.back,
    }
    answer = TemplateResponse(asked.request, "admin/told.html", context)
    answer["Cache-Control"] = "no-store"
    once.shown_once(answer)
    return answer


def _account(request: HttpRequest) -> Any:
    return request.user


def print_of(obj: Any) -> str:
    """A short print of the row's columns, sealed ones left out."""
    shown = [
        f"{column.attname}={getattr(obj, column.attname)}"
        for column in obj._meta.concrete_fields
        if column.get_internal_type() != "BinaryField"
    ]
    return sha256("|".join(shown).encode()).hexdigest()[:24]


def _page(asked: Asked, form: forms.Form, *, reason: Any = None, status: int = 200) -> HttpResponse:
    request, button, obj = asked.request, asked.button, asked.obj
    context = {
        **asked.page.admin_site.each_context(request),
        "opts": asked.page.opts,
        "title": button.label,
        "original": obj,
        "button": button,
        "form": form,
        "facts": button.facts(obj, _account(request)) if reason is None else [],
        "panels": button.panels(obj, _account(request)) if reason is None else [],
        "reason": reason,
        "back": asked.back,
        "seen": print_of(obj) if obj is not None else "",
        "seen_name": SEEN,
        "is_stale": status == 409,
    }
    answer = TemplateResponse(request, "admin/confirm.html", context, status=status)
    if getattr(form, "takes_position", False):
        answer.headers[headers.PERMISSIONS] = headers.NEARBY
    return answer
