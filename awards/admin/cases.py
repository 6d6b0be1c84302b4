"""Subsidy cases: visit, review, decision, and everything that happened to each."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import applications, publicity
from awards.admin.case_forms import (
    HardshipNoticeForm,
    RefuseForm,
    ReturnForm,
    ReviewForm,
    VisitForm,
    decide_form,
)
from awards.admin.case_panels import about, told
from awards.admin.columns import column, yuan_or_dash
from awards.models import Scheme, SubsidyCase
from awards.rules.bands import band_of
from awards.states import CaseState
from members.models import Person
from members.queries import matches
from union_portal import decisions
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Offer, every, not_by, only_in
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.trail import Step
from union_portal.kit import money
from union_portal.models import Account
from welfare.disbursement import ledger
from welfare.disbursement.models import Entitlement, Fund

EARLIER = _("You took an earlier step of this case.")


def _visit(case: SubsidyCase, by: Account, data: dict[str, Any]) -> None:
    signature = data.pop("signature")
    applications.visit(
        case=case,
        by=by,
        today=timezone.localdate(),
        signature=signature[0] if signature else None,
        **data,
    )


def _review(case: SubsidyCase, by: Account, data: dict[str, Any]) -> None:
    applications.review(case=case, by=by, today=timezone.localdate(), **data)


def _decide(case: SubsidyCase, by: Account, data: dict[str, Any]) -> None:
    applications.decide(case=case, by=by, today=timezone.localdate(), **data)


def _refuse(case: SubsidyCase, by: Account, data: dict[str, Any]) -> None:
    applications.refuse(case=case, by=by, today=timezone.localdate(), **data)


def _announce(obj: None, by: Account, data: dict[str, Any]) -> str:
    rules = decisions.rule_set_in_force(Scheme.SPECIAL_HARDSHIP, timezone.localdate())
    made = publicity.draft_notice(rule_set=rules, by=by, **data)
    return reverse("admin:union_portal_notice_change", args=[made.pk])


def _decide_facts(case: SubsidyCase, by: Account) -> list[tuple[Any, Any]]:
    rules = decisions.rule_set_in_force(Scheme.SPECIAL_HARDSHIP, timezone.localdate())
    band = band_of(rules.parameters)
    fund = Fund.objects.filter(code=rules.fund_code).first()
    return [
        *about(case, by),
        (_("Band"), f"{money.shown(band.least_fen)} – {money.shown(band.most_fen)}"),
        (_("Rule set"), rules),
        (
            _("Available in the fund"),
            yuan_or_dash(ledger.figures(fund).available_fen) if fund else _("not opened yet"),
        ),
    ]


def _return_button(permission: Permission, state: CaseState) -> Button:
    """One per step, because each step's office returns with its own right."""
    return Button(
        name=f"return-{state}",
        label=_("Return for completion"),
        permission=permission,
        act=lambda obj, by, data: applications.return_(case=obj, by=by, **data) and None,
        explain=_("The case waits for the member and then comes back to this step."),
        done=_("The member is asked to complete it."),
        why_not=every(only_in(state), not_by("created_by", EARLIER)),
        facts=about,
        panels=told,
        form=ReturnForm,
        danger=True,
        reauth=False,  # it approves nothing
    )


@admin.register(SubsidyCase)
class SubsidyCaseAdmin(ScopedModelAdmin):
    section = "subsidies"
    icon = "folder_shared"
    order = 30
    view_permissions = (Permission.PERSON_VIEW,)
    list_display = (
        "__str__",
        "person",
        "scheme",
        "period",
        "amount",
        "organization",
        "refusal_clause",
        "state",
    )
    list_filter = (
        "state",
        "scheme",
        "period",
        ("county", admin.RelatedOnlyFieldListFilter),
        "refusal_clause",
        "ground",
    )
    search_fields = ("person__name",)
    fields = (
        "person",
        "shown_number",
        "scheme",
        "period",
        column("round", _("round")),
        "organization",
        "county",
        "ground",
        "asked",
        "recommended",
        "amount",
        "refusal_clause",
        "reason",
        column("created_at", _("begun on")),
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="announce",
            label=_("Draft the notice of special hardship"),
            permission=Permission.NOTICE_PREPARE,
            act=_announce,
            explain=_("Everybody granted in the year who is on no list yet; never the ground."),
            done=_("The notice is drafted: check the list, then publish it."),
            form=HardshipNoticeForm,
        ),
    )
    buttons = (
        Button(
            name="visit",
            label=_("Record the home visit"),
            permission=Permission.SUBSIDY_VISIT,
            act=_visit,
            explain=_("What you found at home goes to the county; the member is told."),
            done=_("The visit is recorded; the county reviews next."),
            why_not=every(only_in(CaseState.SUBMITTED), not_by("created_by", EARLIER)),
            facts=about,
            panels=told,
            form=VisitForm,
        ),
        _return_button(Permission.SUBSIDY_VISIT, CaseState.SUBMITTED),
        Button(
            name="review",
            label=_("Review for the county"),
            permission=Permission.SUBSIDY_REVIEW,
            act=_review,
            explain=_("The city decides next, with your opinion before it."),
            done=_("The review is entered; the city decides next."),
            why_not=every(
                only_in(CaseState.VISITED),
                not_by("created_by", EARLIER),
                not_by("visited_by", EARLIER),
            ),
            facts=about,
            panels=told,
            form=ReviewForm,
        ),
        _return_button(Permission.SUBSIDY_REVIEW, CaseState.VISITED),
        Button(
            name="decide",
            label=_("Grant an amount"),
            permission=Permission.SUBSIDY_DECIDE,
            act=_decide,
            explain=_("The amount is reserved at once; public notice comes next."),
            done=_("The subsidy is granted."),
            why_not=every(
                only_in(CaseState.REVIEWED),
                not_by("created_by", EARLIER),
                not_by("visited_by", EARLIER),
                not_by("reviewed_by", EARLIER),
            ),
            facts=_decide_facts,
            panels=told,
            form_for=decide_form,
            reauth=True,
        ),
        Button(
            name="refuse",
            label=_("Refuse"),
            permission=Permission.SUBSIDY_DECIDE,
            act=_refuse,
            explain=_("The member reads clause and reason and may appeal."),
            done=_("The application is refused."),
            why_not=every(
                only_in(CaseState.REVIEWED),
                not_by("created_by", EARLIER),
                not_by("visited_by", EARLIER),
                not_by("reviewed_by", EARLIER),
            ),
            facts=about,
            panels=told,
            form=RefuseForm,
            danger=True,
            reauth=True,
        ),
        _return_button(Permission.SUBSIDY_DECIDE, CaseState.REVIEWED),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubsidyCase]:
        return queries.cases_for(reader(request))

    def offers(self, request: HttpRequest, obj: SubsidyCase) -> list[Offer]:
        """A round's case is checked and decided with its round, not by itself."""
        return [] if obj.round_id else super().offers(request, obj)

    @admin.display(description=_("identity number"))
    def shown_number(self, case: SubsidyCase) -> str:
        return case.person.national_id_shown

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, case: SubsidyCase) -> str:
        return yuan_or_dash(case.amount_fen) if case.amount_fen else "–"

    @admin.display(description=_("amount asked for"))
    def asked(self, case: SubsidyCase) -> str:
        return yuan_or_dash(case.asked_fen)

    @admin.display(description=_("amount recommended"))
    def recommended(self, case: SubsidyCase) -> str:
        return yuan_or_dash(case.recommended_fen)

    def facts(self, request: HttpRequest, obj: SubsidyCase) -> list[Fact]:
        tone = dict.fromkeys((CaseState.REFUSED, CaseState.CANCELLED, CaseState.WITHDRAWN), "bad")
        tone[CaseState.GRANTED] = "good"
        facts = [
            Fact(_("State"), obj.get_state_display(), tone.get(CaseState(obj.state), "wait")),
            Fact(_("Amount"), self.amount(obj)),
        ]
        if obj.decision is not None:
            is_paid = Entitlement.objects.paid().filter(decision=obj.decision).exists()
            facts.append(
                Fact(_("Decision"), _("carried out: the money was paid"), "good")
                if is_paid
                else Fact(_("Decision"), obj.decision.get_state_display())
            )
        return facts

    def panels(self, request: HttpRequest, obj: SubsidyCase) -> list[Panel]:
        panels = []
        if obj.steps:
            rows = [(s["clause"], s["text"], s["amount"]) for s in queries.explanation(obj)]
            columns = (_("Clause"), _("Step"), _("Amount (yuan)"))
            panels.append(Panel(_("The decision, step by step"), columns, rows))
        return panels if obj.round_id else [*panels, *told(obj, reader(request))]

    def trail(self, request: HttpRequest, obj: SubsidyCase) -> list[Step]:
        """The same timeline as the member's, with the names of those who acted."""
        return [
            Step(at=event.at, who=event.who or "–", text=event.title, detail=event.text)
            for event in queries.timeline(obj)
        ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SubsidyCase], search_term: str
    ) -> tuple[QuerySet[SubsidyCase], bool]:
        """The case number, or who it is about: name, pinyin, exact number."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term[0] in "Ss" and term[1:].isdigit():
            return queryset.filter(pk=int(term[1:])), False
        return queryset.filter(person__in=Person.objects.filter(matches(term))), False

    def get_search_help_text(self, request: HttpRequest) -> Any:
        return _("Case number, name, pinyin, or a whole identity number or phone")
