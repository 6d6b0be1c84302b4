"""Memberships: who belongs where since when, and what changed."""

from io import BytesIO
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from members import resources
from members.actions import memberships, profiles
from members.admin.joining import profile_rows
from members.forms_membership import ProfileForm
from members.models import MemberProfile, Membership, Person
from members.queries import first_matches, in_an_address, matches
from members.queries import memberships as queries
from members.states import MEMBERSHIP, MembershipState
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, export_button
from union_portal.admin.fields import DateInput
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.paging import MOST_FOUND
from union_portal.admin.scoped import ScopedModelAdmin, chosen_in
from union_portal.admin.trail import Step, trail_of
from union_portal.downloads import download_sheet
from union_portal.models import Account

# The filters as the list's address holds them, by what a search knows them as.
CHOSEN = {
    "state__exact": "state",
    "channel__exact": "channel",
    "person__sex__exact": "sex",
    "person__profile__is_farmer_worker__exact": "is_farmer_worker",
}
COLUMNS = (_("Union"), _("In this union since"), _("Member since"), _("Ended on"), _("State"))
CHANGES = (_("Day"), _("From"), _("To"), _("Reason"), _("Noted by"))


def change_form(membership: Membership, by: Account) -> type[forms.Form]:
    """The states that can follow by hand; a transfer and a death have pages of their own."""
    choices = [
        (state.value, state.label)
        for state in memberships.BY_HAND
        if MEMBERSHIP.allows(membership.state, state)
    ]

    class StateForm(forms.Form):
        to = forms.ChoiceField(label=_("From now on"), choices=choices)
        on = forms.DateField(label=_("Date"), widget=DateInput(), initial=timezone.localdate)
        reason = forms.CharField(
            label=_("Reason"),
            min_length=2,
            max_length=200,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("The member reads it."),
        )

    return StateForm


def _change(membership: Membership, by: Account, data: dict[str, Any]) -> None:
    memberships.change(
        membership=membership,
        to=MembershipState(data["to"]),
        on=data["on"],
        reason=data["reason"],
        by=by,
        today=timezone.localdate(),
    )


def _is_live(membership: Membership, account: Account) -> Text | None:
    if membership.ended_on is None:
        return None
    return _("The membership ended on %(day)s.") % {"day": membership.ended_on}


class KindForm(forms.Form):
    kind = forms.ChoiceField(label=_("Format"), choices=[("xlsx", "XLSX"), ("csv", "CSV")])


def _export(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
    sheet = BytesIO()
    resources.write_memberships(
        sheet, queries.memberships_for(by, Permission.EXPORT), by=by, kind=data["kind"]
    )
    return download_sheet(sheet, name=f"members-{timezone.localdate():%Y%m%d}.{data['kind']}")


@admin.register(Membership)
class MembershipAdmin(ScopedModelAdmin):
    section = "people"
    icon = "badge"
    order = 11
    view_permissions = (Permission.PERSON_VIEW,)
    list_display = (
        "person",
        "number",
        "organization",
        "joined_on",
        "first_joined_on",
        "ended_on",
        "state",
    )
    list_filter = ("state", "channel", "person__sex", "person__profile__is_farmer_worker")
    list_select_related = ("person", "organization")
    search_fields = ("person__name",)
    is_register = True
    fields = (
        "person_link",
        "organization",
        "joined_on",
        "first_joined_on",
        "ended_on",
        "channel",
        "state",
    )
    readonly_fields = fields
    empty_hint = _("Members come in by applications to join, and by the import of a roster.")
    list_buttons = (
        export_button(
            _export,
            explain=_("All memberships within your reach, numbers masked; the export is logged."),
            form=KindForm,
        ),
    )
    buttons = (
        Button(
            name="change",
            label=_("Change the membership"),
            permission=Permission.MEMBERSHIP_EDIT,
            act=_change,
            explain=_("Retain, retire, make active again or withdraw; the member is told."),
            why_not=_is_live,
            form_for=change_form,
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """Joined with the person: one who has moved out of reach takes their past along."""
        rows = super().get_queryset(request).select_related("person", "organization")
        return rows.filter(person__name__isnull=False)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Membership], search_term: str
    ) -> tuple[QuerySet[Membership], bool]:
        if not search_term.strip():
            return queryset, False
        chosen = chosen_in(request, CHOSEN)
        if chosen is None:  # all who are found, to choose from
            return queryset.filter(matches(search_term, of=Membership)), False
        found = first_matches(search_term, MOST_FOUND + 1, chosen, of=Membership)
        return queryset.filter(found), False

    def in_an_address(self, searched: str) -> str:
        return in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Name, pinyin, initials, or a whole identity number or phone")

    @admin.display(description=_("identity number"))
    def number(self, membership: Membership) -> str:
        return membership.person.national_id_shown

    @admin.display(description=_("person"))
    def person_link(self, membership: Membership) -> SafeString:
        url = reverse("admin:members_person_change", args=[membership.person_id])
        person = membership.person
        return format_html('<a href="{}">{}</a> {}', url, person, person.national_id_shown)

    def facts(self, request: HttpRequest, obj: Membership) -> list[Fact]:
        return [Fact(_("State"), obj.get_state_display(), "good" if not obj.ended_on else "empty")]

    def panels(self, request: HttpRequest, obj: Membership) -> list[Panel]:
        labels = dict(MembershipState.choices)
        rows = [
            (
                change.on,
                labels.get(change.old_state, "–"),
                change.get_new_state_display(),
                change.reason or "–",
                change.noted_by or "–",
            )
            for change in obj.changes.select_related("noted_by")
        ]
        return [Panel(_("Changes"), CHANGES, rows)]

    def trail(self, request: HttpRequest, obj: Membership) -> list[Step]:
        return trail_of(obj)


def profile_form(person: Person, by: Account) -> type[forms.Form]:
    """Filled with what the register holds."""
    held = queries.profile_of(person) or MemberProfile()

    class Filled(ProfileForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {name: getattr(held, name) for name in self.base_fields}
            super().__init__(*args, **kwargs)

    return Filled


PROFILE = Button(
    name="profile",
    label=_("Further fields"),
    permission=Permission.PERSON_EDIT,
    act=lambda obj, by, data: profiles.write(person=obj, by=by, **data) and None,
    explain=_("Ethnicity, education, hukou and the rest; the log keeps the names of what changed."),
    form_for=profile_form,
)


def panels_of(person: Person) -> list[Panel]:
    """What the register of members tells on a person's own page."""
    held = queries.profile_of(person)
    rows = [
        (_link(one), one.joined_on, one.first_joined_on, one.ended_on or "–",
         one.get_state_display())
        for one in queries.memberships_of(person)
    ]  # fmt: skip
    return [
        Panel(_("Memberships"), COLUMNS, rows),
        Panel(_("Further fields"), (_("Field"), _("Answer")), profile_rows(held) if held else []),
    ]


def _link(membership: Membership) -> SafeString:
    url = reverse("admin:members_membership_change", args=[membership.pk])
    return format_html('<a href="{}">{}</a>', url, membership.organization)
