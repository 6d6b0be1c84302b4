"""Single payments: where each stands, and the acts two people take on one."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from union_portal.access import Permission
from union_portal.admin.buttons import Button, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step
from welfare import queries
from welfare.admin.funds import yuan
from welfare.disbursement import batches, unknowns
from welfare.disbursement.models import PayoutLine, Result
from welfare.disbursement.states import LineState


class CertificateForm(ReasonForm):
    result = forms.ChoiceField(
        label=_("The certificate says"),
        choices=[(Result.PAID.value, _("paid")), (Result.FAILED.value, _("not paid"))],
        widget=forms.RadioSelect,
    )
    bank_ref = forms.CharField(label=_("Number of the certificate"), max_length=64)


@admin.register(PayoutLine)
class PayoutLineAdmin(ScopedModelAdmin):
    section = "money"
    icon = "payments"
    order = 40
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = "batch__organization__path"
    list_display = ("e2e", "payee_name", "account", "amount", "batch", "attempt", "state")
    list_filter = ("state",)
    list_select_related = ("batch__organization",)
    search_fields = ("=e2e", "payee_name__startswith", "=batch__number")
    fields = (
        "batch",
        "position",
        "e2e",
        "attempt",
        "payee_name",
        "account",
        "bank_name",
        "bank_code",
        "amount",
        "entitlement",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="retry",
            label=_("Try the same account again"),
            permission=Permission.BATCH_SETTLE,
            act=lambda obj, by, data: batches.retry(line=obj, by=by, **data) and None,
            explain=_("For failures on the bank's side. A second person agrees first."),
            done=_("The retry waits for a second person."),
            why_not=only_in(LineState.FAILED, LineState.RETURNED),
            form=ReasonForm,
            reauth=True,
        ),
        Button(
            name="certify",
            label=_("Enter the bank's certificate"),
            permission=Permission.BATCH_SETTLE,
            act=lambda obj, by, data: unknowns.certify(line=obj, by=by, **data) and None,
            explain=_("For a payment the bank never answered. A second person agrees first."),
            done=_("The certificate waits for a second person."),
            why_not=only_in(LineState.UNKNOWN),
            form=CertificateForm,
            reauth=True,
        ),
    )

    @admin.display(description=_("account"))
    def account(self, line: PayoutLine) -> str:
        return f"{line.bank_name} ************{line.account_last_four}"

    @admin.display(description=_("amount"))
    def amount(self, line: PayoutLine) -> str:
        return yuan(line.amount_fen)

    def panels(self, request: HttpRequest, obj: PayoutLine) -> list[Panel]:
        rows = [
            (
                answer.judged_at.strftime("%Y-%m-%d %H:%M"),
                answer.file,
                answer.get_result_display(),
                answer.get_verdict_display(),
                answer.reason,
                answer.bank_ref,
            )
            for answer in obj.answers.select_related("file").order_by("judged_at")
        ]
        columns = (_("When"), _("File"), _("Result"), _("Judged"), _("Reason"), _("Reference"))
        return [Panel(_("What the bank said"), columns, rows)]

    def trail(self, request: HttpRequest, obj: PayoutLine) -> list[Step]:
        return [
            Step(event.at, event.who, event.title, event.text)
            for event in queries.timeline(obj.entitlement.decision)
        ]
