"""Appeals: looked at by somebody who did not decide."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from awards.actions import appeals as upheld
from awards.admin.rounds import yuan
from awards.models import Scheme
from union_portal import access, appeals
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.pages import Fact
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step
from union_portal.forms import YuanField
from union_portal.models import Account, Appeal
from union_portal.states import AppealState
from welfare import queries


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"),
        min_length=4,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The member reads it."),
    )


class UpholdForm(AnswerForm):
    amount_fen = YuanField(
        label=_("New total amount"),
        required=False,
        help_text=_("For special hardship; for the other schemes the rules give it."),
    )


def _other_than_reviewer(appeal: Appeal, account: Account) -> Text | None:
    if appeal.reviewer_id is not None and appeal.reviewer_id != account.pk:
        return _("A colleague has taken this appeal.")
    return None


def _decided_oneself(appeal: Appeal, account: Account) -> Text | None:
    if account.pk in (appeal.decision.decided_by_id, appeal.appellant_id):
        return _("Whoever decided or appeals does not review.")
    return None


def _uphold(appeal: Appeal, by: Account, data: dict[str, Any]) -> None:
    upheld.uphold(appeal=appeal, by=by, today=timezone.localdate(), **data)


def _facts(appeal: Appeal, account: Account) -> list[tuple[Any, Any]]:
    decision = appeal.decision
    return [
        (_("Decision"), decision.number),
        (_("Decided"), yuan(decision.amount_fen) if decision.amount_fen else _("refused")),
        (_("Asked for"), yuan(appeal.asked_fen) or "–"),
        (_("Decided by"), decision.decided_by),
    ]


@admin.register(Appeal)
class AppealAdmin(ScopedModelAdmin):
    section = "publicity"
    icon = "balance"
    order = 30
    view_permissions = (Permission.APPEAL_REVIEW, Permission.AUDIT_VIEW)
    scope_path = "decision__organization__path"
    list_display = ("__str__", "scheme", "decided", "asked", "filed_at", "reviewer", "state")
    list_filter = ("state",)
    list_select_related = ("decision__organization", "reviewer")
    fields = (
        "scheme",
        "decision_link",
        "decided",
        "asked",
        "text",
        "filed_at",
        "reviewer",
        "answer",
        "answered_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="take",
            label=_("Take it up"),
            permission=Permission.APPEAL_REVIEW,
            act=lambda obj, by, data: appeals.take(appeal=obj, by=by),
            explain=_("You look at it from now on; the member sees that it is under review."),
            why_not=every(only_in(AppealState.FILED), _decided_oneself),
            facts=_facts,
        ),
        Button(
            name="uphold",
            label=_("Uphold"),
            permission=Permission.APPEAL_REVIEW,
            act=_uphold,
            explain=_("The case is decided anew by the rules; the old decision stays on record."),
            done=_("The appeal is upheld: the difference is owed."),
            why_not=every(only_in(AppealState.REVIEWING), _other_than_reviewer, _decided_oneself),
            facts=_facts,
            form=UpholdForm,
            reauth=True,
        ),
        Button(
            name="dismiss",
            label=_("Dismiss"),
            permission=Permission.APPEAL_REVIEW,
            act=lambda obj, by, data: appeals.dismiss(appeal=obj, by=by, **data),
            explain=_("The decision stands; the answer says why."),
            why_not=every(only_in(AppealState.REVIEWING), _other_than_reviewer, _decided_oneself),
            facts=_facts,
            form=AnswerForm,
            danger=True,
        ),
    )

    @admin.display(description=_("scheme"))
    def scheme(self, appeal: Appeal) -> str:
        return str(Scheme(appeal.decision.scheme).label)

    @admin.display(description=_("decided"))
    def decided(self, appeal: Appeal) -> Any:
        fen = appeal.decision.amount_fen
        return yuan(fen) if fen else _("refused")

    @admin.display(description=_("asked for"))
    def asked(self, appeal: Appeal) -> str:
        return yuan(appeal.asked_fen) or "–"

    @admin.display(description=_("case"))
    def decision_link(self, appeal: Appeal) -> Any:
        url = reverse("admin:awards_subsidycase_change", args=[appeal.decision.subject_id])
        return format_html('<a href="{}">{}</a>', url, appeal.decision.number)

    def facts(self, request: HttpRequest, obj: Appeal) -> list[Fact]:
        last = appeals.last_day(obj.decision)
        return [Fact(_("State"), obj.get_state_display()), Fact(_("Last day to appeal"), last)]

    def trail(self, request: HttpRequest, obj: Appeal) -> list[Step]:
        return [
            Step(event.at, event.who, event.title, event.text)
            for event in queries.timeline(obj.decision)
        ]


def _open(account: Account) -> int:
    reach = access.scope(account, Permission.APPEAL_REVIEW, "decision__organization__path")
    return (
        Appeal.objects.filter(reach, state__in=[AppealState.FILED, AppealState.REVIEWING])
        .exclude(decision__decided_by=account)
        .count()
    )


desk.add_queue(
    desk.Queue(
        _("Appeals to review"),
        Permission.APPEAL_REVIEW,
        _open,
        lambda: reverse("admin:union_portal_appeal_changelist"),
        icon="balance",
    )
)
