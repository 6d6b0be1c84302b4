"""Appeals: looked at by somebody else than the decider, answered in writing."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from awards import queries
from awards.actions import appeals as awards_appeals
from awards.admin.columns import column
from awards.models import Scheme, SubsidyCase
from union_portal import access, appeals
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.filters import in_words, scheme_titles
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.models import Account, Appeal
from union_portal.states import AppealState

CASE = SubsidyCase._meta.label_lower


def case_of(appeal: Appeal) -> SubsidyCase | None:
    """The subsidy case the appeal is about; None where another app decided."""
    if appeal.decision.subject_type != CASE:
        return None
    return SubsidyCase.objects.filter(pk=appeal.decision.subject_id).first()


def _not_involved(appeal: Appeal, by: Account) -> Text | None:
    if by.pk in (appeal.decision.decided_by_id, appeal.appellant_id):
        return _("Whoever decided or appeals does not review the appeal.")
    return None


def _mine(appeal: Appeal, by: Account) -> Text | None:
    if appeal.reviewer_id not in (None, by.pk):
        return _("Your colleague %(name)s took it.") % {"name": appeal.reviewer}
    return None


def _is_ours(appeal: Appeal, by: Account) -> Text | None:
    if appeal.decision.subject_type != CASE:
        return _("The decision is not about a subsidy.")
    return None


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"),
        min_length=4,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What was examined, and what follows. The member reads it."),
    )


def uphold_form(appeal: Appeal, by: Account) -> type[forms.Form]:
    """Only a special hardship has an amount to judge; the others follow from the rules."""
    if appeal.decision.scheme != Scheme.SPECIAL_HARDSHIP:
        return AnswerForm

    class UpholdForm(AnswerForm):
        amount_fen = YuanField(
            label=_("New amount in all (yuan)"), initial=_plain(appeal.asked_fen)
        )
        field_order = ("amount_fen", "answer")

    return UpholdForm


def _plain(fen: int | None) -> str:
    return "" if fen is None else money.plain_yuan(fen)


def _uphold(appeal: Appeal, by: Account, data: dict[str, Any]) -> None:
    awards_appeals.uphold(
        appeal=appeal,
        amount_fen=data.get("amount_fen"),
        answer=data["answer"],
        by=by,
        today=timezone.localdate(),
    )


def _facts(appeal: Appeal, by: Account) -> list[tuple[Any, Any]]:
    decision = appeal.decision
    asked = appeal.asked_fen
    return [
        (_("Decision"), decision.get_outcome_display()),
        (_("Amount"), money.shown(decision.amount_fen)),
        (_("Amount asked for"), "–" if asked is None else money.shown(asked)),
    ]


@admin.register(Appeal)
class AppealAdmin(ScopedModelAdmin):
    section = "publicity"
    icon = "balance"
    order = 30
    view_permissions = (Permission.APPEAL_REVIEW, Permission.TRAIL_VIEW)
    scope_path = "decision__organization__path"
    list_display = (
        "__str__",
        "scheme",
        "period",
        "union",
        column("filed_at", _("filed on")),
        column("reviewer", _("reviewer")),
        "state",
    )
    list_filter = ("state", ("decision__scheme", in_words(_("scheme"), scheme_titles)))
    list_select_related = ("decision__organization", "reviewer")
    fields = (
        "shown_case",
        "text",
        column("filed_at", _("filed on")),
        column("reviewer", _("reviewer")),
        "answer",
        column("answered_at", _("answered on")),
        column("outcome", _("new decision")),
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="take",
            label=_("Take it for review"),
            permission=Permission.APPEAL_REVIEW,
            act=lambda obj, by, data: appeals.take(appeal=obj, by=by),
            explain=_("From then on you answer it; the member sees that it is being reviewed."),
            done=_("The appeal is yours."),
            why_not=every(only_in(AppealState.FILED), _not_involved),
        ),
        Button(
            name="uphold",
            label=_("Uphold: decide anew"),
            permission=Permission.APPEAL_REVIEW,
            act=_uphold,
            explain=_(
                "The rules are asked again. A new decision adds to the old one; what is"
                " missing is paid."
            ),
            done=_("The appeal is upheld and the case decided anew."),
            why_not=every(only_in(AppealState.REVIEWING), _not_involved, _mine, _is_ours),
            facts=_facts,
            form_for=uphold_form,
        ),
        Button(
            name="dismiss",
            label=_("Dismiss"),
            permission=Permission.APPEAL_REVIEW,
            act=lambda obj, by, data: appeals.dismiss(appeal=obj, by=by, **data),
            explain=_("The decision stands; the answer says why."),
            done=_("The appeal is answered."),
            why_not=every(only_in(AppealState.REVIEWING), _not_involved, _mine),
            facts=_facts,
            form=AnswerForm,
            danger=True,
        ),
    )

    @admin.display(description=_("scheme"))
    def scheme(self, appeal: Appeal) -> str:
        return str(dict(Scheme.choices).get(appeal.decision.scheme, appeal.decision.scheme))

    @admin.display(description=_("year"))
    def period(self, appeal: Appeal) -> str:
        return appeal.decision.period

    @admin.display(description=_("union"))
    def union(self, appeal: Appeal) -> str:
        return str(appeal.decision.organization)

    @admin.display(description=_("case"))
    def shown_case(self, appeal: Appeal) -> Any:
        case = case_of(appeal)
        if case is None:
            return appeal.decision.number
        url = reverse("admin:awards_subsidycase_change", args=[case.pk])
        return format_html('<a href="{}">{} · {}</a>', url, case.number, case.person.name)

    def facts(self, request: HttpRequest, obj: Appeal) -> list[Fact]:
        shown = [Fact(label, value) for label, value in _facts(obj, obj.appellant)]
        return [Fact(_("State"), obj.get_state_display()), *shown]

    def panels(self, request: HttpRequest, obj: Appeal) -> list[Panel]:
        case = case_of(obj)
        if case is None:
            return []
        rows = [
            (step["clause"], step["text"], step["amount"]) for step in queries.explanation(case)
        ]
        columns = (_("Clause"), _("Step"), _("Amount (yuan)"))
        return [Panel(_("The decision, step by step"), columns, rows)]


def waiting(account: Account) -> QuerySet[Appeal]:
    """Appeals nobody took, and those this account took; never one's own decisions."""
    reach = access.scope(account, Permission.APPEAL_REVIEW, "decision__organization__path")
    return (
        Appeal.objects.filter(reach)
        .filter(Q(state=AppealState.FILED) | Q(state=AppealState.REVIEWING, reviewer=account))
        .exclude(decision__decided_by=account)
    )
