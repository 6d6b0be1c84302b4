"""Two rows of one human: what looks like it, who proposed it, and the second person's word."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from members import duplicates
from members.actions import merges
from members.models import Person, PersonMerge
from members.states import MergeState
from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, every, not_by, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.filters import kind_of_row
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.trail import Step, trail_of
from union_portal.kit.plain_text import enumerated
from union_portal.models import Account

PER_PAGE: Final = 25


def person_link(person: Person) -> SafeString:
    """A person's page, by name and masked number."""
    url = reverse("admin:members_person_change", args=[person.pk])
    return format_html('<a href="{}">{}</a> {}', url, person.name, person.national_id_shown)


def merge_form(person: Person, by: Account) -> type[forms.Form]:
    """Those who share something with the person, or anybody by their whole number."""
    shown = [
        (str(one.pk), f"{one.name} · {one.national_id_shown} · {one.organization}")
        for one in duplicates.alike(person, by)[:PER_PAGE]
    ]

    class MergeForm(ReasonForm):
        other = forms.ChoiceField(
            label=_("The row that goes"),
            choices=[*shown, ("", _("another one, by its identity number"))],
            widget=forms.RadioSelect,
            required=False,
        )
        number = forms.CharField(
            label=_("Identity number of the row that goes"),
            max_length=40,
            required=False,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )

    return MergeForm


def propose(person: Person, by: Account, data: dict[str, Any]) -> str:
    """The button of a person's page."""
    other = merges.other_row(
        by=by, chosen=data["other"], number=data["number"], today=timezone.localdate()
    )
    made = merges.propose(kept=person, merged=other, reason=data["reason"], by=by)
    return reverse("admin:members_personmerge_change", args=[made.pk])


def _confirm(merge: PersonMerge, by: Account, data: dict[str, Any]) -> None:
    merges.confirm(merge=merge, by=by, now=timezone.now(), today=timezone.localdate())


def _facts(merge: PersonMerge, by: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Person who stays"), person_link(merge.kept)),
        (_("Row that goes"), person_link(merge.merged)),
        (_("Reason"), merge.reason),
        (_("Proposed by"), merge.proposed_by),
    ]


_NOT_ONES_OWN = not_by("proposed_by", _("You proposed it yourself: a colleague judges it."))


@admin.register(PersonMerge)
class PersonMergeAdmin(ScopedModelAdmin):
    section = "people"
    icon = "merge"
    order = 40
    view_permissions = (Permission.PERSON_MERGE, Permission.TRAIL_VIEW)
    empty_hint = _("Open the list of rows that look alike, or propose it at a person.")
    list_display = ("kept", "merged", "organization", "proposed_by", "proposed_at", "state")
    list_filter = ("state",)
    list_select_related = ("kept", "merged", "organization", "proposed_by")
    search_fields = ("kept__name__startswith", "merged__name__startswith")
    fields = (
        "organization",
        "reason",
        "proposed_by",
        "proposed_at",
        "decided_by",
        "decided_at",
        "answer",
        "state",
    )
    readonly_fields = fields
    list_before_template = "admin/merge_list_head.html"
    buttons = (
        Button(
            name="confirm",
            label=_("They are one person"),
            permission=Permission.PERSON_MERGE,
            act=_confirm,
            explain=_(
                "Memberships, cards, honours and cases go over to the person who stays. What was"
                " paid stays where it is and counts for that person. It can't be taken back."
            ),
            done=_("The two are one person now."),
            why_not=every(only_in(MergeState.PROPOSED), _NOT_ONES_OWN),
            facts=_facts,
            danger=True,
        ),
        Button(
            name="refuse",
            label=_("They are two people"),
            permission=Permission.PERSON_MERGE,
            act=lambda obj, by, data: merges.refuse(merge=obj, by=by, now=timezone.now(), **data),
            explain=_("The pair is no more in the list of rows that look alike."),
            why_not=every(only_in(MergeState.PROPOSED), _NOT_ONES_OWN),
            facts=_facts,
            form=ReasonForm,
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.look_alikes))
        return [path("alike/", view, name="members_personmerge_alike"), *super().get_urls()]

    def look_alikes(self, request: HttpRequest) -> HttpResponse:
        """Pairs of rows that may be one human, within the reader's reach."""
        access.require(reader(request), Permission.PERSON_MERGE)
        why = request.GET.get("why", "")
        why = why if why in duplicates.SHARED else ""
        number = int(page) if (page := request.GET.get("page", "1")).isdecimal() else 1
        number = min(max(number, 1), 10_000)
        found, total = duplicates.pairs(
            reader(request), why=why, limit=PER_PAGE, offset=(number - 1) * PER_PAGE
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Rows that look alike"),
            "pairs": found,
            "total": total,
            "why": why,
            "choices": duplicates.SHARED.items(),
            "page": Paginator(range(total), PER_PAGE).get_page(number),
        }
        return TemplateResponse(request, "admin/look_alikes.html", context)

    def facts(self, request: HttpRequest, obj: PersonMerge) -> list[Fact]:
        moved = [
            gettext("%(what)s: %(count)s") % {"what": kind_of_row(label), "count": count}
            for label, count in obj.moved.items()
        ]
        told = [
            Fact(_("Person who stays"), person_link(obj.kept)),
            Fact(_("Row that goes"), person_link(obj.merged)),
        ]
        return [*told, Fact(_("What was moved"), enumerated(moved))] if moved else told

    def panels(self, request: HttpRequest, obj: PersonMerge) -> list[Panel]:
        rows = [
            (title, *(value(person) or "–" for person in (obj.kept, obj.merged)))
            for title, value in _COMPARED
        ]
        columns = ("", _("Person who stays"), _("Row that goes"))
        return [Panel(_("The two rows"), columns, rows)]

    def trail(self, request: HttpRequest, obj: PersonMerge) -> list[Step]:
        return trail_of(obj)


_COMPARED: Final[tuple[tuple[Any, Any], ...]] = (
    (_("Name"), lambda person: person.name),
    (_("Identity number"), lambda person: person.national_id_shown),
    (_("Birth date"), lambda person: person.born_on),
    (_("Phone"), lambda person: person.phone_shown),
    (_("Union"), lambda person: person.organization),
    (_("Employer"), lambda person: person.employer),
    (_("Registered on"), lambda person: timezone.localdate(person.created_at)),
    (_("Log-in"), lambda person: _("Yes") if person.account_id else _("No")),
)


def _waiting(account: Account) -> QuerySet[PersonMerge]:
    mine = access.scope(account, Permission.PERSON_MERGE)
    waiting = PersonMerge.objects.filter(mine, state=MergeState.PROPOSED)
    return waiting.exclude(proposed_by=account)


desk.add_queue(
    desk.Queue(
        "merges",
        _("Merges to judge"),
        Permission.PERSON_MERGE,
        PersonMerge,
        _waiting,
        icon="merge",
    )
)
