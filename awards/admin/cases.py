"""Subsidy cases: visit, review, decision, and everything that happened to each."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import applications, publicity
from awards.admin.columns import column
from awards.admin.rounds import NoticeForm, notice_title
from awards.forms import EvidenceField, OneFileField
from awards.models import Scheme, SubsidyCase
from awards.queries import statements
from awards.states import CaseState
from members.models import Person
from members.queries import matches
from union_portal import decisions
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Offer, every, not_by, only_in
from union_portal.admin.fields import DateInput
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin, reader
from union_portal.admin.trail import Step
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.models import Account, StoredFile
from welfare.disbursement import ledger
from welfare.disbursement.models import Fund

EARLIER = _("You took an earlier step of this case.")


class VisitForm(forms.Form):
    visited_on = forms.DateField(
        label=_("Visited on"), initial=timezone.localdate, widget=DateInput()
    )
    visitors = forms.CharField(
        label=_("Visitors"), max_length=160, help_text=_("Names of everyone who went.")
    )
    findings = forms.CharField(
        label=_("Findings"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("What you saw and which papers you were shown."),
    )
    is_confirmed = forms.TypedChoiceField(
        label=_("Is the need confirmed?"),
        choices=[("yes", _("yes")), ("no", _("no"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    photos = EvidenceField(
        label=_("Photos"), help_text=_("Several at once; JPG, PNG or PDF, at most 20 MB each.")
    )
    signature = OneFileField(
        label=_("Signature"), help_text=_("Photo of the visit sheet signed by the member.")
    )


class ReviewForm(forms.Form):
    opinion = forms.CharField(
        label=_("Opinion of the county"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What the county checked and what it thinks."),
    )
    recommended_fen = YuanField(label=_("Amount recommended (yuan)"), required=False)


class ReturnForm(forms.Form):
    message = forms.CharField(
        label=_("What is missing"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The member reads it and is told at once."),
    )


class RefuseForm(forms.Form):
    clause = forms.ChoiceField(
        label=_("Clause"), choices=[(clause, clause) for clause in applications.CLAUSES]
    )
    reason = forms.CharField(
        label=_("Reason"),
        min_length=2,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The member reads it and may appeal."),
    )


def decide_form(case: SubsidyCase, by: Account) -> type[forms.Form]:
    class DecideForm(forms.Form):
        amount_fen = YuanField(label=_("Amount (yuan)"), initial=_plain(case.recommended_fen))
        reason = forms.CharField(
            label=_("Reason for the amount"),
            min_length=2,
            max_length=1000,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=_("The degree of hardship in your words; the member reads it."),
        )

    return DecideForm


class HardshipNoticeForm(NoticeForm):
    period = forms.RegexField(
        label=_("Year"), regex=r"^20\d\d$", initial=lambda: str(timezone.localdate().year)
    )
    field_order = ("period", "title", "place", "contact", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        year = str(timezone.localdate().year)
        kwargs["initial"] = {"title": notice_title(Scheme.SPECIAL_HARDSHIP, year)}
        super().__init__(*args, **kwargs)


def _plain(fen: int | None) -> str:
    return "" if fen is None else money.plain_yuan(fen)


def _yuan(fen: int | None) -> str:
    return "–" if fen is None else f"¥{money.yuan(fen)}"


def _visit(case: SubsidyCase, by: Account, data: dict[str, Any]) -> None:
    signature = data.pop("signature")
    applications.visit(
        case=case,
        by=by,
        today=timezone.localdate(),
        signature=signature[0] if signature else None,
        **data,
    )


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
    least, most = rules.parameters["least_fen"], rules.parameters["most_fen"]
    fund = Fund.objects.filter(code=rules.fund_code).first()
    return [
        (_("Asked for"), _yuan(case.asked_fen)),
        (_("Recommended"), _yuan(case.recommended_fen)),
        (_("Band"), f"{_yuan(least)} – {_yuan(most)}"),
        (_("Rule set"), rules),
        (
            _("Available in the fund"),
            _yuan(ledger.figures(fund).available_fen) if fund else _("not opened yet"),
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
        form=ReturnForm,
        danger=True,
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
            form=VisitForm,
        ),
        _return_button(Permission.SUBSIDY_VISIT, CaseState.SUBMITTED),
        Button(
            name="review",
            label=_("Review for the county"),
            permission=Permission.SUBSIDY_REVIEW,
            act=lambda obj, by, data: applications.review(case=obj, by=by, **data),
            explain=_("The city decides next, with your opinion before it."),
            done=_("The review is entered; the city decides next."),
            why_not=every(
                only_in(CaseState.VISITED),
                not_by("created_by", EARLIER),
                not_by("visited_by", EARLIER),
            ),
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
        return _yuan(case.amount_fen) if case.amount_fen else "–"

    @admin.display(description=_("amount asked for"))
    def asked(self, case: SubsidyCase) -> str:
        return _yuan(case.asked_fen)

    @admin.display(description=_("amount recommended"))
    def recommended(self, case: SubsidyCase) -> str:
        return _yuan(case.recommended_fen)

    def facts(self, request: HttpRequest, obj: SubsidyCase) -> list[Fact]:
        tone = dict.fromkeys((CaseState.REFUSED, CaseState.CANCELLED, CaseState.WITHDRAWN), "bad")
        tone[CaseState.GRANTED] = "good"
        facts = [
            Fact(_("State"), obj.get_state_display(), tone.get(CaseState(obj.state), "wait")),
            Fact(_("Amount"), self.amount(obj)),
        ]
        if obj.decision is not None:
            facts.append(Fact(_("Decision"), obj.decision.get_state_display()))
        return facts

    def panels(self, request: HttpRequest, obj: SubsidyCase) -> list[Panel]:
        panels = []
        if obj.steps:
            rows = [(s["clause"], s["text"], s["amount"]) for s in queries.explanation(obj)]
            columns = (_("Clause"), _("Step"), _("Amount (yuan)"))
            panels.append(Panel(_("The decision, step by step"), columns, rows))
        if obj.round_id:
            return panels
        if not statements.may_read(reader(request), obj):
            note = gettext("Only those who work on the case read what the member stated.")
            return [*panels, Panel(_("Statement"), (), (), note=note)]
        return [*panels, *_application(obj)]

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


def _application(case: SubsidyCase) -> list[Panel]:
    """Statement, documents, visits, opinion and returns of an application."""
    visits = case.visits.select_related("recorded_by").order_by("id")
    return [
        Panel(_("What the member stated"), (_("Question"), _("Answer")), statements.stated(case)),
        Panel(
            _("Documents"),
            (_("File"), _("Arrived")),
            [(_file(file), _at(file.created_at)) for file in statements.files_of(case)],
        ),
        Panel(
            _("Home visits"),
            (_("Day"), _("Visitors"), _("Findings"), _("Need"), _("Files"), _("By")),
            [
                (
                    visit.visited_on,
                    visit.visitors,
                    visit.findings,
                    gettext("confirmed") if visit.is_confirmed else gettext("not confirmed"),
                    _files(statements.visit_files(visit)),
                    visit.recorded_by,
                )
                for visit in visits
            ],
        ),
        Panel(
            _("Opinion of the county"),
            (_("Opinion"), _("Recommended"), _("By")),
            [(case.opinion, _yuan(case.recommended_fen), case.reviewed_by)] if case.opinion else [],
        ),
        Panel(
            _("Returns for completion"),
            (_("When"), _("What is missing"), _("By"), _("Answer")),
            [
                (_at(asked.returned_at), asked.message, asked.returned_by, asked.answer or "–")
                for asked in case.returns.select_related("returned_by").order_by("id")
            ],
        ),
    ]


def _at(moment: Any) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _file(file: StoredFile) -> SafeString:
    url = reverse("portal:file", args=[file.pk])
    return format_html('<a href="{}">{}</a>', url, file.name)


def _files(files: QuerySet[StoredFile]) -> SafeString | str:
    return format_html_join(" · ", "{}", ((_file(file),) for file in files)) or "–"
