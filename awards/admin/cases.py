"""Single subsidy cases: home visit, review, decision, return for completion."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import applications
from awards.actions.applications.deciding import CLAUSES
from awards.admin.honours import by_person, link_to
from awards.admin.rounds import yuan
from awards.forms import EvidenceField, OneFileField
from awards.models import SubsidyCase
from awards.rules import grounds
from awards.states import CaseState
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, not_by, only_in
from union_portal.admin.fields import DateInput
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.trail import Step
from union_portal.forms import YuanField
from union_portal.models import Account, StoredFile


class VisitForm(forms.Form):
    visited_on = forms.DateField(
        label=_("Visited on"), widget=DateInput(), initial=timezone.localdate
    )
    visitors = forms.CharField(
        label=_("Visitors"), max_length=160, help_text=_("Names of everyone who went.")
    )
    findings = forms.CharField(
        label=_("Findings"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5})
    )
    is_confirmed = forms.TypedChoiceField(
        label=_("The need is confirmed"),
        choices=[("yes", _("yes")), ("no", _("no"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    photos = EvidenceField(label=_("Photos"))
    signature = OneFileField(label=_("Photo of the signed sheet"))


class ReviewForm(forms.Form):
    opinion = forms.CharField(
        label=_("Opinion"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What the county checked and what it thinks."),
    )
    recommended_fen = YuanField(label=_("Recommended amount"), required=False)


class ReturnForm(forms.Form):
    message = forms.CharField(
        label=_("What is missing"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The member reads it at once."),
    )


class DecisionForm(forms.Form):
    amount_fen = YuanField(label=_("Amount"))
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Why this amount; the member reads it."),
    )


class RefusalForm(forms.Form):
    clause = forms.ChoiceField(
        label=_("Under which clause"), choices=[(clause, clause) for clause in CLAUSES]
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The member reads it and may appeal."),
    )


def _visit(case: SubsidyCase, by: Account, data: dict[str, Any]) -> None:
    signature = data.pop("signature")
    applications.visit(
        case=case,
        by=by,
        today=timezone.localdate(),
        signature=signature[0] if signature else None,
        **data,
    )


def _not_hardship(case: SubsidyCase, account: Account) -> Text | None:
    if case.round_id is not None:
        return _("This case belongs to a round and is decided with it.")
    return None


def _not_own_step(*fields: str) -> Any:
    """Three different people visit, review and decide; nobody handles an own application."""
    return every(
        *(
            not_by(field, _("You took an earlier step of this case: a colleague takes this one."))
            for field in fields
        )
    )


def _amount_facts(case: SubsidyCase, account: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Person"), case.person),
        (_("Ground"), case.get_ground_display()),
        (_("Asked for"), yuan(case.asked_fen) or "–"),
        (_("Recommended by the county"), yuan(case.recommended_fen) or "–"),
    ]


@admin.register(SubsidyCase)
class SubsidyCaseAdmin(ScopedModelAdmin):
    section = "subsidies"
    icon = "assignment_ind"
    order = 30
    view_permissions = (Permission.PERSON_VIEW,)
    list_display = (
        "number",
        "person",
        "scheme",
        "period",
        "organization",
        "amount",
        "refusal_clause",
        "state",
    )
    list_filter = ("state", "scheme", "period", "ground", "county")
    list_select_related = ("person", "organization", "county")
    search_fields = ("person__name",)
    fields = (
        "number",
        "person_link",
        "scheme",
        "period",
        "round",
        "organization",
        "county",
        "ground",
        "asked",
        "recommended",
        "amount",
        "refusal_clause",
        "reason",
        "created_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="visit",
            label=_("Record the home visit"),
            permission=Permission.SUBSIDY_VISIT,
            act=_visit,
            explain=_("A visit that does not confirm the need goes on too: only the city refuses."),
            done=_("The visit is recorded; the county reviews next."),
            why_not=every(_not_hardship, only_in(CaseState.SUBMITTED), _not_own_step("created_by")),
            form=VisitForm,
        ),
        Button(
            name="review",
            label=_("Review"),
            permission=Permission.SUBSIDY_REVIEW,
            act=lambda obj, by, data: applications.review(case=obj, by=by, **data),
            explain=_("The county's opinion, with an amount if it wants to recommend one."),
            done=_("The case is reviewed; the city decides next."),
            why_not=every(
                _not_hardship,
                only_in(CaseState.VISITED),
                _not_own_step("created_by", "visited_by"),
            ),
            facts=_amount_facts,
            form=ReviewForm,
        ),
        Button(
            name="decide",
            label=_("Grant"),
            permission=Permission.SUBSIDY_DECIDE,
            act=lambda obj, by, data: (
                applications.decide(case=obj, by=by, today=timezone.localdate(), **data) and None
            ),
            explain=_("Within the band of the rule set; the money is reserved at once."),
            done=_("The case is granted and the member told."),
            why_not=every(
                _not_hardship,
                only_in(CaseState.REVIEWED),
                _not_own_step("created_by", "visited_by", "reviewed_by"),
            ),
            facts=_amount_facts,
            form=DecisionForm,
            reauth=True,
        ),
        Button(
            name="refuse",
            label=_("Refuse"),
            permission=Permission.SUBSIDY_DECIDE,
            act=lambda obj, by, data: (
                applications.refuse(case=obj, by=by, today=timezone.localdate(), **data) and None
            ),
            explain=_("With the clause and the reason; the member may appeal."),
            done=_("The case is refused and the member told."),
            why_not=every(
                _not_hardship,
                only_in(CaseState.REVIEWED),
                _not_own_step("created_by", "visited_by", "reviewed_by"),
            ),
            facts=_amount_facts,
            form=RefusalForm,
            danger=True,
            reauth=True,
        ),
        *(
            Button(
                name=f"return-{name}",
                label=_("Return for completion"),
                permission=permission,
                act=lambda obj, by, data: applications.return_(case=obj, by=by, **data) and None,
                explain=_("The member completes it and it comes back to this step."),
                done=_("The member is asked to complete it."),
                why_not=every(_not_hardship, only_in(state), _not_own_step("created_by")),
                form=ReturnForm,
                danger=True,
            )
            for name, permission, state in (
                ("visit", Permission.SUBSIDY_VISIT, CaseState.SUBMITTED),
                ("review", Permission.SUBSIDY_REVIEW, CaseState.VISITED),
                ("decide", Permission.SUBSIDY_DECIDE, CaseState.REVIEWED),
            )
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubsidyCase]:
        # Sealed text stays out of lists: it is opened for one case at a time.
        return super().get_queryset(request).defer("details")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        digits = search_term.strip().upper().removeprefix("S")
        if digits.isdigit() and len(digits) < 11:
            return queryset.filter(pk=int(digits)), False
        return by_person(queryset, search_term)

    @admin.display(description=_("person"))
    def person_link(self, case: SubsidyCase) -> Any:
        return link_to(case.person)

    @admin.display(description=_("amount"))
    def amount(self, case: SubsidyCase) -> str:
        return yuan(case.amount_fen) if case.amount_fen else "–"

    @admin.display(description=_("asked for"))
    def asked(self, case: SubsidyCase) -> str:
        return yuan(case.asked_fen) or "–"

    @admin.display(description=_("recommended"))
    def recommended(self, case: SubsidyCase) -> str:
        return yuan(case.recommended_fen) or "–"

    def facts(self, request: HttpRequest, obj: SubsidyCase) -> list[Fact]:
        good = obj.state == CaseState.GRANTED
        bad = obj.state in (CaseState.REFUSED, CaseState.EXCLUDED, CaseState.INELIGIBLE)
        tone = "good" if good else ("bad" if bad else "wait")
        return [
            Fact(_("State"), obj.get_state_display(), tone),
            Fact(_("Amount"), yuan(obj.amount_fen) if obj.amount_fen else "–"),
        ]

    def panels(self, request: HttpRequest, obj: SubsidyCase) -> list[Panel]:
        steps = [
            (step["clause"], step["text"], f"¥{step['amount']}" if step["amount"] else "")
            for step in queries.explanation(obj)
        ]
        panels = [Panel(_("How the sum came about"), (_("Clause"), _("Why"), _("Amount")), steps)]
        if obj.round_id is None and queries.may_see(reader(request), obj):
            panels = [self._stated(obj), self._visits(obj), self._documents(obj), *panels]
        return panels

    def _stated(self, case: SubsidyCase) -> Panel:
        details = json.loads(str(case.details or "{}"))
        rows = [(label, value) for label, value in shown_details(details)]
        return Panel(_("What the applicant states"), (_("What"), _("Statement")), rows)

    def _visits(self, case: SubsidyCase) -> Panel:
        rows = [
            (
                visit.visited_on,
                visit.visitors,
                visit.findings,
                _("yes") if visit.is_confirmed else _("no"),
                files_of("awards.homevisit", visit.pk),
            )
            for visit in case.visits.all()
        ]
        columns = (_("Day"), _("Visitors"), _("Findings"), _("Confirmed"), _("Photos"))
        return Panel(_("Home visits"), columns, rows)

    def _documents(self, case: SubsidyCase) -> Panel:
        found = files_of("awards.subsidycase", case.pk)
        return Panel(_("Documents"), (_("Files"),), [(found,)] if found else [])

    def trail(self, request: HttpRequest, obj: SubsidyCase) -> list[Step]:
        return [
            Step(event.at, event.who, event.title, event.text) for event in queries.timeline(obj)
        ]


def files_of(subject_type: str, subject_id: int) -> Any:
    """Links to the files about a row, each fetched through its own permission check."""
    stored = StoredFile.objects.filter(subject_type=subject_type, subject_id=str(subject_id))
    return format_html_join(
        " · ",
        '<a href="{}">{}</a>',
        ((reverse("portal:file", args=[file.pk]), file.name) for file in stored),
    )


def shown_details(details: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The statement line by line, in words."""
    labels = {
        "patient": _("Who is ill"),
        "is_serious": _("Major or chronic illness"),
        "cause": _("Cause"),
        "is_school_in_china": _("The school is in China"),
        "costs_fen": _("Costs in all"),
        "basic_fen": _("Paid by basic medical insurance"),
        "major_illness_fen": _("Paid by major-illness insurance"),
        "assistance_fen": _("Paid by medical assistance"),
        "worker_aid_fen": _("Paid by the aid to workers in hardship"),
        "text": _("In the applicant's words"),
    }
    return [
        (label, _told(name, details[name])) for name, label in labels.items() if name in details
    ]


def _told(name: str, value: Any) -> Any:
    if name.endswith("_fen"):
        return yuan(value) or "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    words = {
        **grounds.PATIENTS,
        **{k: v for one in grounds.CAUSES.values() for k, v in one.items()},
    }
    if name in ("patient", "cause") and value in words:
        return gettext(words[value])
    return format_html("{}", value)


def _waiting(title: Any, permission: Permission, state: CaseState) -> desk.Queue:
    """The cases whose next step this account may take."""

    def count(account: Account) -> int:
        return queries.waiting_for(account).filter(state=state).count()

    def link() -> str:
        return reverse("admin:awards_subsidycase_changelist") + f"?state__exact={state.value}"

    return desk.Queue(title, permission, count, link, icon="assignment_ind")


desk.add_queue(
    _waiting(_("Home visits to make"), Permission.SUBSIDY_VISIT, CaseState.SUBMITTED),
    _waiting(_("Applications to review"), Permission.SUBSIDY_REVIEW, CaseState.VISITED),
    _waiting(_("Applications to decide"), Permission.SUBSIDY_DECIDE, CaseState.REVIEWED),
)
