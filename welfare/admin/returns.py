"""Return files of the bank, row by row, and what does not agree."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, only_in
from union_portal.admin.pages import Fact, Panel, all_faults
from union_portal.admin.scoped import ScopedModelAdmin, federation
from union_portal.admin.trail import trail_of
from union_portal.forms import SentenceField
from union_portal.models import Account
from welfare.admin.shown import breakable, column, link, list_url, shown_state, stamp, titled, yuan
from welfare.disbursement import formats, returns
from welfare.disbursement.bankfile import BankFileRefused
from welfare.disbursement.models import (
    BankFormat,
    Discrepancy,
    PayoutBatch,
    ReturnFile,
    ReturnRow,
    Verdict,
)
from welfare.disbursement.states import DiscrepancyState

ROWS_SHOWN = 100


class ReturnFileForm(forms.Form):
    content = forms.FileField(label=_("Return file"))

    def clean_content(self) -> Any:
        """A file that is too large is refused before it is read."""
        upload = self.cleaned_data["content"]
        if upload.size > returns.MOST_BYTES:
            raise ValidationError(
                _("The file is larger than %(most)s MB. A return file is a short list.")
                % {"most": returns.MOST_BYTES // 1024 // 1024}
            )
        return upload


def return_form(batch: PayoutBatch | None, by: Account) -> type[ReturnFileForm]:
    """Says which encoding is read: that of the batch's bank format, or of those in use."""
    in_use = BankFormat.objects.filter(is_active=True).order_by("code")
    read = [batch.bank_format] if batch else list(in_use)
    named = [f"{one} – {formats.encoding_of(one)}" for one in read]

    class NamedFileForm(ReturnFileForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fields["content"].help_text = _(
                "As the bank gave it, in the encoding of its bank format: %(formats)s."
            ) % {"formats": "; ".join(named)}

    return NamedFileForm


def import_return(batch: Any, by: Account, data: dict[str, Any]) -> str:
    """Import an uploaded return file, on a batch's page or for whichever batch it names."""
    upload = data["content"]
    try:
        file = returns.import_return(content=upload.read(), name=upload.name, by=by, batch=batch)
    except BankFileRefused as refusal:
        raise ValidationError(all_faults(refusal)) from refusal
    return reverse("admin:disbursement_returnfile_change", args=[file.pk])


@admin.register(ReturnFile)
class ReturnFileAdmin(ScopedModelAdmin):
    section = "money"
    icon = "reply"
    order = 45
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = "batch__organization__path"
    unplaced = "batch"
    list_display = ("shown_name", "batch_link", "rows_count", "total", "shown_importer", "shown_at")
    list_filter = (
        ("bank_format", titled(_("bank format"))),
        ("imported_at", titled(_("imported at"), admin.DateFieldListFilter)),
    )
    list_select_related = ("batch__organization", "imported_by", "bank_format")
    search_fields = ("name", "=batch__number", "=sha256")
    fields = (
        "shown_name",
        "batch_link",
        "shown_format",
        "rows_count",
        "total",
        "size",
        "shown_digest",
        "shown_importer",
        "shown_at",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="import",
            label=_("Import a return file"),
            permission=Permission.BATCH_SETTLE,
            act=import_return,
            explain=_("It is read whole or refused whole. The same file twice changes nothing."),
            done=_("The return file is imported."),
            form_for=return_form,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("body")

    shown_name = column("name", _("file name"))
    shown_format = column("bank_format", _("bank format"))
    shown_importer = column("imported_by", _("imported by"))
    shown_at = column("imported_at", _("imported at"))

    @admin.display(description="SHA-256")
    def shown_digest(self, file: ReturnFile) -> Any:
        return breakable(file.sha256)

    @admin.display(description=_("batch"))
    def batch_link(self, file: ReturnFile) -> Any:
        return link(file.batch) if file.batch else "–"

    @admin.display(description=_("total"), ordering="total_fen")
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
                link(row.line, row.e2e) if row.line else row.e2e,
                yuan(row.amount_fen),
                row.get_result_display(),
                row.reason,
                row.bank_ref,
                row.get_verdict_display(),
            )
            for row in obj.rows.select_related("line").order_by("number")[:ROWS_SHOWN]
        ]
        columns = (
            _("Row"),
            _("Payment"),
            _("Amount"),
            _("Result"),
            _("Reason"),
            _("Reference"),
            _("Verdict"),
        )
        return [
            Panel(
                _("What the rows say"),
                columns,
                rows,
                note=gettext("The first %(count)s entries.") % {"count": ROWS_SHOWN},
                link=list_url(ReturnRow, file__id__exact=obj.pk),
                link_text=_("All rows of this file"),
            )
        ]

    def trail(self, request: HttpRequest, obj: ReturnFile) -> Any:
        return trail_of(obj)


@admin.register(ReturnRow)
class ReturnRowAdmin(ScopedModelAdmin):
    section = "money"
    icon = "table_rows"
    order = 47
    view_permissions = (Permission.BATCH_VIEW,)
    scope_path = "file__batch__organization__path"
    unplaced = "file__batch"
    list_display = (
        "e2e",
        "file_link",
        "number",
        "amount",
        "result",
        "reason",
        "bank_ref",
        "verdict",
    )
    list_filter = ("verdict", "result")
    list_select_related = ("file__batch__organization", "line")
    search_fields = ("=e2e", "=bank_ref")
    ordering = ("-file_id", "number")
    fields = (
        "file_link",
        "number",
        "line_link",
        "e2e",
        "amount",
        "result",
        "reason",
        "bank_ref",
        "verdict",
        "shown_at",
    )
    readonly_fields = fields
    shows_trail = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("file__body", "line__account_number")

    shown_at = column("judged_at", _("judged at"))

    @admin.display(description=_("return file"))
    def file_link(self, row: ReturnRow) -> Any:
        return link(row.file)

    @admin.display(description=_("payment"))
    def line_link(self, row: ReturnRow) -> Any:
        return link(row.line) if row.line else "–"

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, row: ReturnRow) -> str:
        return yuan(row.amount_fen)


class FindingForm(forms.Form):
    finding = SentenceField(
        label=_("What was found out"),
        max_length=300,
        rows=3,
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
    list_display = (
        "__str__",
        "kind",
        "batch_link",
        "line_link",
        "shown_opened",
        "finding",
        shown_state,
    )
    list_filter = (("state", titled(_("state"), admin.ChoicesFieldListFilter)), "kind")
    list_select_related = ("batch__organization", "line", "row__file", "resolved_by")
    search_fields = ("=batch__number", "=line__e2e", "=row__e2e")
    fields = (
        "kind",
        "batch_link",
        "line_link",
        "shown_opened",
        "finding",
        "shown_resolver",
        "shown_resolved",
        shown_state,
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("row__file__body", "line__account_number")

    shown_opened = column("opened_at", _("opened at"))
    shown_resolver = column("resolved_by", _("settled by"))
    shown_resolved = column("resolved_at", _("settled at"))

    @admin.display(description=_("batch"))
    def batch_link(self, found: Discrepancy) -> Any:
        return link(found.batch) if found.batch else "–"

    @admin.display(description=_("payment"))
    def line_link(self, found: Discrepancy) -> Any:
        return link(found.line) if found.line else "–"

    def facts(self, request: HttpRequest, obj: Discrepancy) -> list[Fact]:
        """What the bank says beside what is known here."""
        tone = "wait" if obj.state == DiscrepancyState.OPEN else "good"
        told = [Fact(_("State"), obj.get_state_display(), tone)]
        if obj.row is not None:
            told += [
                Fact(_("The bank names"), f"{obj.row.e2e} · {yuan(obj.row.amount_fen)}"),
                Fact(_("Result"), obj.row.get_result_display()),
                Fact(_("In the file"), f"{obj.row.file} · {stamp(obj.row.file.imported_at)}"),
            ]
        if obj.line is not None:
            known = f"{yuan(obj.line.amount_fen)} · {obj.line.get_state_display()}"
            told.append(Fact(_("Known here"), known))
        return told


def _open(account: Account) -> QuerySet[Discrepancy]:
    reach = access.scope(account, Permission.BATCH_SETTLE, "batch__organization__path")
    if access.may(account, Permission.BATCH_SETTLE, federation()):
        reach |= Q(batch__isnull=True)
    return Discrepancy.objects.filter(reach, state=DiscrepancyState.OPEN)


desk.add_queue(
    desk.Queue(
        "discrepancies",
        _("Discrepancies with the bank"),
        Permission.BATCH_SETTLE,
        Discrepancy,
        _open,
        icon="report",
    )
)
