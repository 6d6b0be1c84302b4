"""The register of people: masked, searched by name, pinyin or exact number."""

from io import BytesIO
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members import queries, resources
from members.actions import bank_accounts, people
from members.admin import merges, person_privacy
from members.admin.county_filter import CountyFilter
from members.admin.memberships import PROFILE, panels_of
from members.admin.person_forms import (
    ExportForm,
    UnmaskForm,
    account_form,
    change_form,
    register_form,
)
from members.forms_death import death_form
from members.models import BankAccount, Person
from members.states import MergeState
from union_portal import files
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every
from union_portal.admin.pages import Fact, Panel, Told
from union_portal.admin.paging import MOST_FOUND, FromBothEnds
from union_portal.admin.scoped import ScopedModelAdmin, chosen_in, narrowed_by
from union_portal.admin.trail import Step, name_acts, trail_of
from union_portal.downloads import download_sheet
from union_portal.models import Account, Organization


def _register(obj: None, by: Account, data: dict[str, Any]) -> str:
    person = people.register(by=by, today=timezone.localdate(), **data)
    return reverse("admin:members_person_change", args=[person.pk])


def _change(person: Person, by: Account, data: dict[str, Any]) -> None:
    changes = {key: data[key] for key in ("name", "employer", "organization")}
    changes |= {key: data[key] for key in ("phone", "address") if data[key]}
    people.update(person=person, by=by, reason=data["reason"], **changes)


def _unmask(person: Person, by: Account, data: dict[str, Any]) -> Told:
    value = people.unmask(person=person, by=by, **data)
    return Told(_("Shown once and logged; the person can see who looked and why."), value or "–")


def _enter_account(person: Person, by: Account, data: dict[str, Any]) -> None:
    upload = data.pop("evidence")
    evidence = None
    if upload is not None:
        evidence = files.store(
            purpose=bank_accounts.EVIDENCE,
            name=upload.name,
            content=upload,
            subject=person,
            organization=person.organization,
            by=by,
        )
    bank_accounts.enter(person=person, by=by, evidence=evidence, **data)


def _export(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
    """Masked unless asked otherwise with a reason that every person in it can read."""
    sheet = BytesIO()
    resources.write_people(
        sheet,
        people=queries.people_for(by, Permission.EXPORT),
        by=by,
        kind=data["kind"],
        masked=not data["whole"],
        reason=data["reason"],
    )
    return download_sheet(sheet, name=f"people-{timezone.localdate():%Y%m%d}.{data['kind']}")


def _whole(person: Person, account: Account) -> Text | None:
    return _("This row was merged into another one.") if person.is_merged else None


def _alive(person: Person, account: Account) -> Text | None:
    return _("The death is recorded already.") if person.died_on else None


name_acts(
    {
        "person.register": gettext_noop("Registered"),
        "person.import": gettext_noop("People taken over from a sheet"),
        "person.update": gettext_noop("Data changed"),
        "person.record_death": gettext_noop("Death recorded"),
        "person.attach_account": gettext_noop("Log-in attached"),
        "person.first_login": gettext_noop("First log-in"),
        "person.merge": gettext_noop("Two rows of one person merged"),
        "personmerge.propose": gettext_noop("Merge proposed"),
        "person.unmask": gettext_noop("A whole number was shown"),
        "person.export": gettext_noop("Exported"),
        "person.subsidies_ended": gettext_noop("Unpaid subsidies ended"),
        "bankaccount.enter": gettext_noop("Bank account entered"),
        "bankaccount.cautioned": gettext_noop("Confirmed in spite of a caution"),
        "importrun.upload": gettext_noop("File uploaded"),
    }
)


# The filters as the list's address holds them, by what a search knows them as.
CHOSEN = {"county": "county", "sex__exact": "sex", "died_on__isempty": "is_alive"}


@admin.register(Person)
class PersonAdmin(ScopedModelAdmin):
    section = "people"
    icon = "person"
    order = 10
    view_permissions = (Permission.PERSON_VIEW,)
    list_display = (
        "name",
        "national_id_shown",
        "phone_shown",
        "sex",
        "born_on",
        "employer",
        "organization",
        "died_on",
    )
    list_filter = (CountyFilter, "sex", ("died_on", admin.EmptyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("name",)
    ordering = ("id",)
    is_register = True
    fields = (
        "name",
        "national_id_shown",
        "sex",
        "born_on",
        "phone_shown",
        "employer",
        "organization",
        "died_on",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="register",
            label=_("Register a person"),
            permission=Permission.PERSON_EDIT,
            act=_register,
            explain=_("For one person; lists come in through the import."),
            done=_("The person is registered."),
            form_for=register_form,
        ),
        Button(
            name="export",
            label=_("Export"),
            permission=Permission.EXPORT,
            act=_export,
            explain=_("Everybody within your reach as a sheet; the export is logged."),
            form=ExportForm,
            danger=True,
            reauth=True,
        ),
    )
    buttons = (
        Button(
            name="change",
            label=_("Change"),
            permission=Permission.PERSON_EDIT,
            act=_change,
            explain=_("The log keeps which columns were changed, never their values."),
            why_not=_whole,
            form_for=change_form,
        ),
        PROFILE,
        Button(
            name="enter-account",
            label=_("Enter a bank account"),
            permission=Permission.ACCOUNT_NUMBER_EDIT,
            act=_enter_account,
            explain=_("Nothing is paid to it before a colleague has confirmed it."),
            done=_("The account waits for confirmation by a colleague."),
            form_for=account_form,
        ),
        Button(
            name="unmask",
            label=_("Show a whole number"),
            permission=Permission.PERSON_UNMASK,
            act=_unmask,
            explain=_("The person sees that you looked, when, and the reason you give."),
            form=UnmaskForm,
            reauth=True,
        ),
        Button(
            name="death",
            label=_("Record a death"),
            permission=Permission.PERSON_EDIT,
            act=lambda obj, by, data: people.record_death(
                person=obj, by=by, today=timezone.localdate(), **data
            ),
            explain=_("From then on nothing is paid for this person; the membership ends."),
            why_not=every(_whole, _alive),
            form_for=lambda obj, by: death_form(obj),
            danger=True,
        ),
        Button(
            name="merge",
            label=_("Merge another row into this one"),
            permission=Permission.PERSON_MERGE,
            act=merges.propose,
            explain=_("For one person under two numbers. A colleague judges it."),
            done=_("The merge waits for a colleague."),
            why_not=_whole,
            form_for=merges.merge_form,
            danger=True,
        ),
        *person_privacy.BUTTONS,
    )

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Person],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> FromBothEnds:
        """Of a part of the register, by the keys of its unions: by their paths, a county would be
        counted by reading everybody.
        """
        is_counted = not (narrowed_by(request) or request.GET.get(SEARCH_VAR))
        if is_counted and not self.sees_all(request):
            unions = Organization.objects.filter(self.reach(request, "path")).order_by()
            keys = list(unions.values_list("pk", flat=True))
            queryset = queryset.filter(organization__in=keys)
        return super().get_paginator(request, queryset, per_page, orphans, allow_empty_first_page)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Person], search_term: str
    ) -> tuple[QuerySet[Person], bool]:
        """Name, pinyin, initials, exact identity number or phone; never the columns' text.

        Rows that were merged into another stand in no list; the other's page leads to them.
        """
        queryset = queryset.filter(merged_into__isnull=True)
        if not search_term.strip():
            return queryset, False
        chosen = chosen_in(request, CHOSEN)
        if chosen is None:  # all who are found, to choose from
            return queryset.filter(queries.matches(search_term)), False
        found = queries.first_matches(search_term, MOST_FOUND + 1, chosen)
        return queryset.filter(found), False

    def in_an_address(self, searched: str) -> str:
        return queries.in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Name, pinyin, initials, or a whole identity number or phone")

    def facts(self, request: HttpRequest, obj: Person) -> list[Fact]:
        if obj.merged_into is None:
            return []
        return [Fact(_("Same person as"), merges.person_link(obj.merged_into), "wait")]

    def panels(self, request: HttpRequest, obj: Person) -> list[Panel]:
        page = self.admin_site._registry[BankAccount]
        rows = [
            (
                _account_link(account) if page.has_view_permission(request, account) else account,
                account.holder,
                account.get_state_display(),
                account.entered_by or "–",
                account.confirmed_by or "–",
            )
            for account in obj.bank_accounts.select_related("entered_by", "confirmed_by").order_by(
                "-id"
            )
        ]
        columns = (_("Account"), _("Holder"), _("State"), _("Entered by"), _("Confirmed by"))
        return [
            Panel(_("Bank accounts"), columns, rows),
            *panels_of(obj),
            *_merged_panel(obj),
            *person_privacy.panels(obj),
        ]

    def trail(self, request: HttpRequest, obj: Person) -> list[Step]:
        merged = obj.merged_from.all()
        accounts = BankAccount.objects.filter(Q(person=obj) | Q(person__in=merged))
        return trail_of(obj, *merged, *accounts)


def _merged_panel(person: Person) -> list[Panel]:
    """The rows that turned out to be this person, whose history is this person's."""
    merged = person.merges.filter(state=MergeState.CONFIRMED).select_related("merged")
    rows = [
        (
            merges.person_link(one.merged),
            one.decided_at and timezone.localdate(one.decided_at),
            format_html(
                '<a href="{}">{}</a>',
                reverse("admin:members_personmerge_change", args=[one.pk]),
                one.reason,
            ),
        )
        for one in merged
    ]
    columns = (_("Row"), _("Merged on"), _("Reason"))
    return [Panel(_("Merged into this one"), columns, rows)] if rows else []


def _account_link(account: BankAccount) -> SafeString:
    url = reverse("admin:members_bankaccount_change", args=[account.pk])
    return format_html('<a href="{}">{} …{}</a>', url, account.bank_name, account.last_four)
