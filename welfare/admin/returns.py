"""Return files of the bank, row by row, and what does not agree."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, only_in
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.models import Account
from welfare.admin.funds import yuan
from welfare.disbursement import returns
from welfare.disbursement.models import Discrepancy, ReturnFile, Verdict
from welfare.disbursement.states import DiscrepancyState

ROWS_SHOWN = 100


class ReturnFileForm(forms.Form):
    content = forms.FileField(
        label=_("Return file"),
        help_text=_("As the bank gave it: the format and the encoding are found out."),
    )


def import_return(batch: Any, by: Account, data: dict[str, Any]) -> str:
    """Import an uploaded return file, on a batch's page or for whichever batch it names."""
    upload = data["content"]
    file = returns.import_return(content=upload.read(), name=upload.name, by=by, batch=batch)
    return reverse("admin:disbursement_returnfile_change", args=[file.pk])


@admin.register(ReturnFile)
class ReturnFileAdmin(ScopedModelAdmin):
    section = "money"
    icon = "reply"
    order = 45
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = "batch__organization__path"
    unplaced = "batch"
    list_display = ("name", "batch", "rows_count", "total", "imported_by", "imported_at")
    list_select_related = ("batch__organization", "imported_by")
    search_fields = ("name", "=batch__number", "=sha256")
    fields = ("name", "batch", "bank_format", "rows_count", "total", "sha256", "imported_at")
    readonly_fields = fields
    list_buttons = (
        Button(
            name="import",
            label=_("Import a return file"),
            permission=Permission.BATCH_SETTLE,
            act=import_return,
            explain=_("It is read whole or refused whole. The same file twice changes nothing."),
            done=_("The return file is imported."),
            form=ReturnFileForm,
        ),
    )

    @admin.display(description=_("total"))
    def total(self, file: ReturnFile) -> str:
        return yuan(file.total_fen)

    def facts(self, request: HttpRequest, obj: ReturnFile) -> list[Fact]:
        good = {Verdict.APPLIED.value, Verdict.REPEAT.value}
        return [
            Fact(Verdict(verdict).label, count, "good" if verdict in good else "wait")
            for verdict, count in returns.verdicts(obj).items()
        ]

    def panels(self, request: HttpRequest, obj: ReturnFile) -> list[Panel]:
        rows = [
            (
                row.number,
                row.e2e,
                yuan(row.amount_fen),
                row.get_result_display(),
                row.reason,
                row.bank_ref,
                row.get_verdict_display(),
            )
            for row in obj.rows.order_by("number")[:ROWS_SHOWN]
        ]
        columns = (
            _("Row"),
            _("Payment"),
            _("Amount"),
            _("Result"),
            _("Reason"),
            _("Reference"),
            _("Judged"),
        )
        return [Panel(_("Rows"), columns, rows)]


class FindingForm(forms.Form):
    finding = forms.CharField(
        label=_("What was found out"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For instance what the bank said, and who."),
    )


@admin.register(Discrepancy)
class DiscrepancyAdmin(ScopedModelAdmin):
    section = "money"
    icon = "report"
    order = 46
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = "batch__organization__path"
    unplaced = "batch"
    list_display = ("__str__", "kind", "batch_link", "line", "opened_at", "state")
    list_filter = ("state", "kind")
    list_select_related = ("batch__organization", "line")
    fields = (
        "kind",
        "batch_link",
        "line",
        "row",
        "opened_at",
        "finding",
        "resolved_by",
        "resolved_at",
        "state",
    )
    readonly_fields = fields
    buttons = (
        Button(
            name="resolve",
            label=_("Settle"),
            permission=Permission.BATCH_SETTLE,
            act=lambda obj, by, data: returns.resolve(discrepancy=obj, by=by, **data),
            explain=_("No amount changes here: what was found out is kept."),
            done=_("It is settled."),
            why_not=only_in(DiscrepancyState.OPEN),
            form=FindingForm,
        ),
    )

    @admin.display(description=_("batch"))
    def batch_link(self, found: Discrepancy) -> Any:
        if found.batch is None:
            return "–"
        url = reverse("admin:disbursement_payoutbatch_change", args=[found.batch_id])
        return format_html('<a href="{}">{}</a>', url, found.batch.number)


def _open(account: Account) -> int:
    reach = access.scope(account, Permission.BATCH_SETTLE, "batch__organization__path")
    return Discrepancy.objects.filter(reach, state=DiscrepancyState.OPEN).count()


desk.add_queue(
    desk.Queue(
        _("Discrepancies with the bank"),
        Permission.BATCH_SETTLE,
        _open,
        lambda: reverse("admin:disbursement_discrepancy_changelist") + "?state__exact=open",
        icon="report",
    )
)
