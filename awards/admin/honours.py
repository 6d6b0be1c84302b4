"""The roll of honours: titles, who holds them, revocation."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards.actions import honours
from awards.admin.fields import PersonField
from awards.models import Honour, HonourLevel, HonourTitle
from awards.states import HonourState
from members.queries import matches
from union_portal.access import Permission
from union_portal.admin.buttons import Button, only_in
from union_portal.admin.fields import DateInput, ReasonForm
from union_portal.admin.pages import Told
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account


class TitleForm(forms.Form):
    code = forms.SlugField(label=_("Code"), max_length=40)
    name = forms.CharField(label=_("Title"), max_length=80)
    level = forms.ChoiceField(label=_("Level"), choices=HonourLevel.choices)
    is_model_worker = forms.BooleanField(
        label=_("Its holders are model workers"), required=False, initial=True
    )


@admin.register(HonourTitle)
class HonourTitleAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "military_tech"
    order = 30
    view_permissions = (Permission.HONOUR_EDIT, Permission.HONOUR_VERIFY, Permission.AUDIT_VIEW)
    scope_path = None
    list_display = ("name", "level", "is_model_worker", "code")
    list_filter = ("level", "is_model_worker")
    search_fields = ("name", "code")
    fields = ("name", "level", "is_model_worker", "code")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="add",
            label=_("Add a title"),
            permission=Permission.HONOUR_EDIT,
            act=lambda obj, by, data: honours.add_title(by=by, **data) and None,
            explain=_("Titles are never deleted: people hold them."),
            form=TitleForm,
        ),
    )


def confer_form(obj: None, by: Account) -> type[forms.Form]:
    class ConferForm(forms.Form):
        person = PersonField(account=by)
        title = forms.ModelChoiceField(label=_("Title"), queryset=HonourTitle.objects.all())
        conferred_on = forms.DateField(label=_("Conferred on"), widget=DateInput())
        certificate_no = forms.CharField(
            label=_("Certificate number"), max_length=40, required=False
        )

    return ConferForm


class RevokeForm(ReasonForm):
    revoked_on = forms.DateField(
        label=_("Revoked on"), widget=DateInput(), initial=timezone.localdate
    )


def _revoke(honour: Honour, by: Account, data: dict[str, Any]) -> Told:
    ended = honours.revoke(honour=honour, by=by, today=timezone.localdate(), **data)
    sentence = gettext("Unpaid subsidies withdrawn with it; on their way to the bank already:")
    return Told(sentence, f"{ended.withdrawn} / {ended.on_their_way}")


@admin.register(Honour)
class HonourAdmin(ScopedModelAdmin):
    section = "honours"
    icon = "workspace_premium"
    order = 20
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = "person__organization__path"
    list_display = ("person", "title", "conferred_on", "certificate_no", "union", "state")
    list_filter = ("state", "title__level", "title")
    list_select_related = ("person__organization", "title")
    search_fields = ("person__name",)
    fields = (
        "person_link",
        "title",
        "conferred_on",
        "certificate_no",
        "recorded_by",
        "recorded_at",
        "revoked_on",
        "revoked_reason",
        "revoked_by",
        "state",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="confer",
            label=_("Enter an honour"),
            permission=Permission.HONOUR_EDIT,
            act=lambda obj, by, data: (
                honours.confer(by=by, today=timezone.localdate(), **data) and None
            ),
            explain=_("It appears on the public roll with name and employer."),
            form_for=confer_form,
        ),
    )
    buttons = (
        Button(
            name="revoke",
            label=_("Revoke"),
            permission=Permission.HONOUR_EDIT,
            act=_revoke,
            explain=_("With the last municipal title end the subsidies not yet sent to the bank."),
            why_not=only_in(HonourState.HELD),
            form=RevokeForm,
            danger=True,
            reauth=True,
        ),
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return by_person(queryset, search_term)

    @admin.display(description=_("union"))
    def union(self, honour: Honour) -> str:
        return str(honour.person.organization)

    @admin.display(description=_("person"))
    def person_link(self, honour: Honour) -> Any:
        return link_to(honour.person)


def by_person(rows: Any, text: str) -> Any:
    """Rows about people found as in the register: name, pinyin or exact number."""
    from members.models import Person

    if not text.strip():
        return rows, False
    return rows.filter(person__in=Person.objects.filter(matches(text)).values("pk")), False


def link_to(person: Any) -> Any:
    url = reverse("admin:members_person_change", args=[person.pk])
    return format_html('<a href="{}">{}</a> {}', url, person, person.national_id_shown)
