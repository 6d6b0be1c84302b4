"""Complaints about merchants: answered without knowing who complains, only of which union."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from members.actions import complaints, merchants
from members.admin.benefit_parts import link
from members.models import MerchantComplaint
from members.queries import benefits as queries_benefits
from members.states import ComplaintState, MerchantState
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Fact
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account


class AnswerForm(forms.Form):
    text = forms.CharField(
        label=_("Answer"),
        min_length=10,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("What was examined, and what follows. It comes to the member's messages."),
    )


def _is_approved(complaint: MerchantComplaint, by: Account) -> Text | None:
    if complaint.merchant.state == MerchantState.APPROVED:
        return None
    return _("Not possible while it is “%(state)s”.") % {
        "state": complaint.merchant.get_state_display()
    }


def _facts(complaint: MerchantComplaint, by: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Merchant"), complaint.merchant),
        (_("Complaint"), complaint.text),
        (_("Open complaints"), complaint.merchant.complaints.filter(state="open").count()),
    ]


@admin.register(MerchantComplaint)
class MerchantComplaintAdmin(ScopedModelAdmin):
    section = "benefits"
    icon = "feedback"
    order = 35
    view_permissions = (Permission.COMPLAINT_ANSWER, Permission.TRAIL_VIEW)
    scope_path = "merchant__organization__path"
    list_display = ("number", "merchant", "complainant", "filed_at", "answered_by", "state")
    list_filter = ("state",)
    list_select_related = ("merchant__organization", "organization", "answered_by")
    search_fields = ("merchant__name", "merchant__pinyin__contains", "text")
    fields = (
        "merchant_link",
        "complainant",
        "offer",
        "text",
        "filed_at",
        "answer",
        "answered_by",
        "answered_at",
        "state",
    )
    readonly_fields = fields
    empty_hint = _("Members complain on the page of an offer.")
    buttons = (
        Button(
            name="answer",
            label=_("Answer"),
            permission=Permission.COMPLAINT_ANSWER,
            act=lambda obj, by, data: complaints.answer(
                complaint=obj, by=by, now=timezone.now(), **data
            ),
            explain=_("The member is told in the portal. An answer is given once."),
            done=_("The complaint is answered."),
            why_not=only_in(ComplaintState.OPEN),
            facts=_facts,
            form=AnswerForm,
        ),
        Button(
            name="suspend",
            label=_("Suspend the merchant"),
            permission=Permission.MERCHANT_EDIT,
            act=lambda obj, by, data: merchants.suspend(merchant=obj.merchant, by=by, **data),
            explain=_("At once nothing of it is shown or honoured, until somebody lifts it."),
            done=_("The merchant is suspended."),
            why_not=_is_approved,
            facts=_facts,
            form=ReasonForm,
            danger=True,
        ),
    )

    @admin.display(description=_("number"))
    def number(self, complaint: MerchantComplaint) -> str:
        return f"C{complaint.pk:06d}"

    @admin.display(description=_("complainant"))
    def complainant(self, complaint: MerchantComplaint) -> str:
        return gettext("a member of %(union)s") % {"union": complaint.organization}

    @admin.display(description=_("offer"))
    def offer(self, complaint: MerchantComplaint) -> Any:
        used = complaint.redemption
        return "–" if used is None else f"{used} · {used.offer}"

    @admin.display(description=_("merchant"))
    def merchant_link(self, complaint: MerchantComplaint) -> Any:
        return link(complaint.merchant)

    def facts(self, request: HttpRequest, obj: MerchantComplaint) -> list[Fact]:
        tone = "wait" if obj.state == ComplaintState.OPEN else "good"
        return [
            Fact(_("State"), obj.get_state_display(), tone),
            Fact(_("State of the merchant"), obj.merchant.get_state_display()),
        ]


desk.add_queue(
    desk.Queue(
        "complaints",
        _("Complaints to answer"),
        Permission.COMPLAINT_ANSWER,
        MerchantComplaint,
        queries_benefits.complaints_to_answer,
        icon="feedback",
    )
)
