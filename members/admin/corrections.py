"""What members say is wrong about them, and what is answered."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from members import queries
from members.actions import corrections
from members.models import Correction, Person
from members.queries import privacy as queries_privacy
from members.states import CorrectionState
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.filters import in_words
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import name_acts
from union_portal.models import Account

name_acts({"correction.ask": gettext_noop("Correction asked for")})


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The member reads it."),
    )  # fmt: skip


class DeclineForm(forms.Form):
    answer = forms.CharField(
        label=_("Reason"), min_length=2, max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}), help_text=_("The member reads it."),
    )  # fmt: skip


def _whole(correction: Correction, by: Account) -> list[tuple[Any, Any]]:
    known = corrections.FIELDS[correction.field]
    return [
        (_("What"), known.label),
        (_("So far"), known.holds(correction.person) or "–"),
        (_("What it should be"), corrections.whole(correction)),
        (_("Words"), correction.words or "–"),
    ]


def _is_own(correction: Correction, by: Account) -> Text | None:
    if correction.person.account_id == by.pk:
        return _("You asked for this yourself: a colleague answers it.")
    return None


def _labels() -> dict[str, Any]:
    return {name: field.label for name, field in corrections.FIELDS.items()}


_OPEN = every(only_in(CorrectionState.ASKED), _is_own)


@admin.register(Correction)
class CorrectionAdmin(ScopedModelAdmin):
    section = "people"
    icon = "edit_note"
    order = 20
    view_permissions = (Permission.PERSON_VIEW,)
    scope_path = "person__organization__path"
    list_display = ("person", "what", "asked_at", "answered_by", "state")
    list_filter = ("state", ("field", in_words(_("field"), _labels)))
    list_select_related = ("person__organization", "answered_by")
    search_fields = ("person__name",)
    empty_hint = _("Members ask in the portal when something about them is wrong.")
    fields = (
        "person",
        "what",
        "should_be",
        "words",
        "paper",
        "asked_at",
        "answer",
        "answered_by",
        "answered_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="carry-out",
            label=_("Correct it"),
            permission=Permission.PERSON_EDIT,
            act=lambda obj, by, data: corrections.carry_out(
                correction=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("It is written as the member asked; the member is told at once."),
            done=_("It is corrected, and the member is told."),
            why_not=_OPEN,
            facts=_whole,
            form=AnswerForm,
        ),
        Button(
            name="decline",
            label=_("Leave it as it is"),
            permission=Permission.PERSON_EDIT,
            act=lambda obj, by, data: corrections.decline(
                correction=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The member reads your reason."),
            done=_("The member is told why it stays."),
            why_not=_OPEN,
            facts=_whole,
            form=DeclineForm,
            danger=True,
        ),
    )

    @admin.display(description=_("field"))
    def what(self, correction: Correction) -> str:
        return str(corrections.FIELDS[correction.field].label)

    @admin.display(description=_("what it should be"))
    def should_be(self, correction: Correction) -> str:
        return corrections.shown(correction)

    @admin.display(description=_("evidence"))
    def paper(self, correction: Correction) -> SafeString | str:
        if correction.evidence_id is None:
            return "–"
        url = reverse("portal:file", args=[correction.evidence_id])
        return format_html('<a href="{}">{}</a>', url, correction.evidence)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Correction], search_term: str
    ) -> tuple[QuerySet[Correction], bool]:
        """Whose it is: name, pinyin, exact number."""
        if not search_term.strip():
            return queryset, False
        found = Person.objects.filter(queries.matches(search_term))
        return queryset.filter(person__in=found), False

    def in_an_address(self, searched: str) -> str:
        return queries.in_an_address(searched)

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Name, pinyin, initials, or a whole identity number or phone")


desk.add_queue(
    desk.Queue(
        "corrections",
        _("Corrections that members asked for"),
        Permission.PERSON_EDIT,
        Correction,
        queries_privacy.corrections_waiting_for,
        icon="edit_note",
    )
)
