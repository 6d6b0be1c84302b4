"""Honour titles and who holds them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from awards.actions import honours
from awards.admin.columns import column
from awards.models import Honour, HonourLevel, HonourTitle
from awards.states import HonourState
from members import queries
from members.models import Person
from union_portal.access import Permission
from union_portal.admin.buttons import Button, only_in
from union_portal.admin.fields import DateInput, ReasonForm
from union_portal.admin.pages import Fact, Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account


class TitleForm(forms.Form):
    name = forms.CharField(label=_("Title"), max_length=80)
    code = forms.SlugField(
        label=pgettext_lazy("of a thing", "Code"),
        max_length=40,
        help_text=_("Small letters, digits and dashes; it stays for good."),
    )
    level = forms.ChoiceField(label=_("Level"), choices=HonourLevel.choices)
    is_model_worker = forms.BooleanField(
        label=_("Its holders are model workers"), required=False, initial=True
    )


class RevokeForm(ReasonForm):
    revoked_on = forms.DateField(
        label=_("Revoked on"), initial=timezone.localdate, widget=DateInput()
    )
    reason = forms.CharField(
        label=_("Reason"),
        min_length=2,
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Name the document that revokes the honour."),
    )


def ended(outcome: honours.Ended) -> Told:
    """What became of payments that lost their ground."""
    return Told(
        gettext(
            "Entered. Unpaid decisions withdrawn: %(withdrawn)s; too late to hold back at the"
            " bank: %(late)s."
        )
        % {"withdrawn": outcome.withdrawn, "late": outcome.on_their_way},
        "✓",
    )


def _revoke(honour: Honour, by: Account, data: dict[str, Any]) -> Told:
    return ended(honours.revoke(honour=honour, by=by, today=timezone.localdate(), **data))


@admin.register(HonourTitle)
class HonourTitleAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "workspace_premium"
    order = 30
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = None
    list_display = ("name", "level", "is_model_worker")
    list_filter = ("level", "is_model_worker")
    search_fields = ("name", "code")
    fields = ("name", "level", "is_model_worker")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="add-title",
            label=_("Add a title"),
            permission=Permission.HONOUR_EDIT,
            act=lambda obj, by, data: honours.add_title(by=by, **data) and None,
            explain=_("A title that can be conferred. It can't be changed afterwards."),
            done=_("The title is on the list."),
            form=TitleForm,
        ),
    )


@admin.register(Honour)
class HonourAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "military_tech"
    order = 20
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = "person__organization__path"
    list_display = ("person", "title", "conferred_on", "certificate_no", "union", "state")
    list_filter = ("state", "title__level", "title")
    list_select_related = ("person__organization", "title")
    search_fields = ("person__name",)
    fields = (
        "person",
        "title",
        "conferred_on",
        "certificate_no",
        column("recorded_by", _("entered by")),
        column("recorded_at", _("entered on")),
        "state",
        "revoked_on",
        "revoked_reason",
        column("revoked_by", _("revoked by")),
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="revoke",
            label=_("Revoke the honour"),
            permission=Permission.HONOUR_EDIT,
            act=_revoke,
            explain=_(
                "The honour leaves the public roll. With the last municipal title, subsidies"
                " that are not with the bank yet are withdrawn."
            ),
            why_not=only_in(HonourState.HELD),
            form=RevokeForm,
            danger=True,
            reauth=True,
        ),
    )

    @admin.display(description=_("union"))
    def union(self, honour: Honour) -> str:
        return str(honour.person.organization)

    def facts(self, request: HttpRequest, obj: Honour) -> list[Fact]:
        tone = "good" if obj.state == HonourState.HELD else "bad"
        return [Fact(_("State"), obj.get_state_display(), tone)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Honour], search_term: str
    ) -> tuple[QuerySet[Honour], bool]:
        if not search_term.strip():
            return queryset, False
        found = Person.objects.filter(queries.matches(search_term))
        return queryset.filter(person__in=found), False

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Name, pinyin, initials, or a whole identity number or phone")
