"""Single payments: where each stands, and the acts two people take on one."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every, export_button, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step
from union_portal.downloads import download_sheet
from union_portal.kit import money
from union_portal.kit.sheets import SheetData, write_xlsx
from union_portal.models import Account
from welfare.actions import exports
from welfare.admin.batch_steps import asks_for
from welfare.admin.entitlements import steps_of
from welfare.admin.shown import link, masked, shown_state, stamp, titled, yuan
from welfare.disbursement import batches, unknowns
from welfare.disbursement.models import PayoutLine, Result
from welfare.disbursement.states import LineState, MotionState


class CertificateForm(ReasonForm):
    result = forms.ChoiceField(
        label=_("The certificate says"),
        choices=[(Result.PAID.value, _("paid")), (Result.FAILED.value, _("not paid"))],
        widget=forms.RadioSelect,
    )
    bank_ref = forms.CharField(label=_("Number of the certificate"), max_length=64)


_ROWS_AT_ONCE = 2000


def _moved_already(line: PayoutLine, account: Account) -> Text | None:
    if line.motions.filter(state=MotionState.MOVED).exists():
        return _("It is moved already and waits for a second person.")
    return None


@transaction.atomic
def _export(obj: None, by: Account, data: dict[str, Any]) -> FileResponse:
    rows = exports.begin(
        rows=PayoutLine.objects.defer("account_number"), by=by, path="batch__organization__path"
    )
    sheet = BytesIO()
    headers = (
        gettext("Payment"), gettext("Batch"), gettext("Payee"), gettext("Bank"),
        gettext("Account"), gettext("Amount"), gettext("Attempt"), gettext("State"),
    )  # fmt: skip
    widths = (24, 16, 14, 24, 22, 14, 8, 18)
    write_xlsx(sheet, [SheetData(gettext("Payments"), headers, _sheet_rows(rows), widths)])
    return download_sheet(sheet, name=f"payments-{timezone.localdate():%Y%m%d}.xlsx")


def _sheet_rows(rows: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
    """Accounts by their last four digits."""
    for line in rows.select_related("batch").order_by("e2e").iterator(_ROWS_AT_ONCE):
        yield (
            line.e2e,
            line.batch.number,
            line.payee_name,
            line.bank_name,
            masked(line.account_last_four),
            money.yuan(line.amount_fen),
            str(line.attempt),
            str(line.get_state_display()),
        )


def _pair(button: dict[str, Any]) -> tuple[Button, Button]:
    """An act of two duties is offered to the holders of either."""
    return (
        Button(permission=Permission.BATCH_SETTLE, **button),
        Button(permission=Permission.BATCH_CHECK, **{**button, "name": f"{button['name']}-check"}),
    )


@admin.register(PayoutLine)
class PayoutLineAdmin(ScopedModelAdmin):
    section = "money"
    icon = "payments"
    order = 40
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = "batch__organization__path"
    list_display = (
        "e2e",
        "payee_name",
        "account",
        "amount",
        "shown_batch",
        "attempt",
        shown_state,
    )
    list_filter = (
        ("state", titled(_("state"), admin.ChoicesFieldListFilter)),
        "batch__scheme",
        "batch__period",
        ("batch__fund", titled(_("fund"))),
    )
    list_select_related = ("batch__organization",)
    search_fields = ("=e2e", "payee_name__startswith", "=batch__number", "=account_last_four")
    fields = (
        "shown_batch",
        "position",
        "e2e",
        "attempt",
        "payee_name",
        "account",
        "bank_name",
        "bank_code",
        "amount",
        "shown_entitlement",
        shown_state,
    )
    readonly_fields = fields
    list_buttons = (export_button(_export),)
    buttons = (
        *_pair(
            {
                "name": "retry",
                "label": _("Try the same account again"),
                "act": lambda obj, by, data: batches.retry(line=obj, by=by, **data) and None,
                "explain": _("For failures on the bank's side. A second person agrees first."),
                "done": _("The retry waits for a second person."),
                "why_not": every(only_in(LineState.FAILED, LineState.RETURNED), _moved_already),
                "form": ReasonForm,
                "reauth": True,
            }
        ),
        *_pair(
            {
                "name": "certify",
                "label": _("Enter the bank's certificate"),
                "act": lambda obj, by, data: unknowns.certify(line=obj, by=by, **data) and None,
                "explain": _("For a payment the bank never answered. A second person agrees."),
                "done": _("The certificate waits for a second person."),
                "why_not": every(only_in(LineState.UNKNOWN), _moved_already),
                "form": CertificateForm,
                "reauth": True,
            }
        ),
        Button(
            name="voucher",
            label=_("Payment voucher"),
            permission=Permission.REPORT_DISBURSEMENT,
            act=asks_for("payment_voucher"),
            explain=_("A worker makes it; you may leave and come back. Earlier versions stay."),
            done=_("The vouchers are being made."),
            why_not=only_in(LineState.PAID),
            reauth=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The sealed number is not even read here."""
        return super().get_queryset(request).defer("account_number")

    @admin.display(description=_("batch"))
    def shown_batch(self, line: PayoutLine) -> Any:
        return link(line.batch)

    @admin.display(description=_("entitlement"))
    def shown_entitlement(self, line: PayoutLine) -> Any:
        return link(line.entitlement)

    @admin.display(description=_("account"))
    def account(self, line: PayoutLine) -> str:
        return f"{line.bank_name} {masked(line.account_last_four)}"

    @admin.display(description=_("amount"))
    def amount(self, line: PayoutLine) -> str:
        return yuan(line.amount_fen)

    def panels(self, request: HttpRequest, obj: PayoutLine) -> list[Panel]:
        answers = obj.answers.select_related("file").defer("file__body").order_by("judged_at")
        rows = [
            (
                stamp(answer.judged_at),
                link(answer.file),
                answer.get_result_display(),
                answer.get_verdict_display(),
                answer.reason,
                answer.bank_ref,
            )
            for answer in answers
        ]
        columns = (_("When"), _("File"), _("Result"), _("Verdict"), _("Reason"), _("Reference"))
        return [Panel(_("What the bank said"), columns, rows)]

    def trail(self, request: HttpRequest, obj: PayoutLine) -> list[Step]:
        return steps_of(obj.entitlement)
