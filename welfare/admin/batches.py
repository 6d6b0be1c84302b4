"""Payout batches: made, checked and released by three people on one digest."""

from typing import Any

from django.contrib import admin
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from union_portal.access import Permission
from union_portal.admin.filters import in_words, scheme_titles
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step, trail_of
from union_portal.kit import money
from union_portal.kit.plain_text import enumerated
from welfare.admin import assembly
from welfare.admin.batch_panels import TONES, panels_of, tag
from welfare.admin.batch_steps import (
    STEPS,
    missing,
    totals,
)
from welfare.admin.shown import (
    breakable,
    column,
    link,
    titled,
    with_scheme_title,
    yuan,
)
from welfare.disbursement.models import BatchStep, PayoutBatch, PayoutLine
from welfare.disbursement.states import UNPAID, BatchState, LineState


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ScopedModelAdmin):
    section = "money"
    icon = "account_balance_wallet"
    order = 30
    view_permissions = (Permission.BATCH_VIEW,)
    list_display = (
        "number",
        "shown_state",
        "shown_scheme",
        "period",
        "shown_organization",
        "shown_count",
        "shown_total",
        "shown_paid",
        "shown_failed",
        "pay_on",
        "shown_maker",
    )
    list_filter = (
        ("state", titled(_("state"), admin.ChoicesFieldListFilter)),
        ("scheme", in_words(_("scheme"), scheme_titles)),
        "period",
        ("fund", titled(_("fund"))),
        "pay_on",
    )
    list_select_related = ("fund", "organization", "made_by", "bank_format", "bank_file")
    search_fields = ("=number", "=digest")
    fields = (
        "number",
        "shown_fund",
        "shown_scheme",
        "period",
        "shown_organization",
        "shown_format",
        "pay_on",
        "shown_corrects",
        "shown_maker",
        "shown_made",
        "shown_sealed",
        "shown_approved",
        "shown_delivered",
        "shown_reconciled",
        "shown_closed",
        "shown_debit",
        "shown_digest",
    )
    readonly_fields = fields
    list_buttons = (assembly.BUTTON,)
    buttons = STEPS

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.assemble)
        return [
            path("do/assemble/", page, name="disbursement_payoutbatch_assemble"),
            *super().get_urls(),
        ]

    def assemble(self, request: HttpRequest) -> HttpResponseBase:
        return assembly.page(self, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With its lines counted by sub-queries, so that a list costs the same at any length."""
        lines = PayoutLine.objects.filter(batch=OuterRef("pk")).order_by().values("batch")
        alive = ~Q(state=LineState.VOID)
        drawn = Subquery(lines.filter(alive).annotate(n=Count("pk")).values("n"))
        drawn_fen = Subquery(lines.filter(alive).annotate(fen=Sum("amount_fen")).values("fen"))
        paid = lines.filter(state=LineState.PAID).annotate(n=Count("pk")).values("n")
        failed = lines.filter(state__in=UNPAID).annotate(n=Count("pk")).values("n")
        is_draft = Q(state=BatchState.DRAFT)
        return with_scheme_title(super().get_queryset(request)).annotate(
            counted=Case(
                When(is_draft, then=drawn), default=F("lines_count"), output_field=IntegerField()
            ),
            counted_fen=Case(
                When(is_draft, then=drawn_fen),
                default=F("total_fen"),
                output_field=BigIntegerField(),
            ),
            paid_lines=Subquery(paid, output_field=IntegerField()),
            failed_lines=Subquery(failed, output_field=IntegerField()),
        )

    shown_organization = column("organization", _("union"))
    shown_format = column("bank_format", _("bank format"))
    shown_maker = column("made_by", _("made by"))
    shown_made = column("made_at", _("made at"))
    shown_sealed = column("sealed_at", _("sealed at"))
    shown_approved = column("approved_at", _("released at"))
    shown_delivered = column("delivered_at", _("delivered at"))
    shown_reconciled = column("reconciled_at", _("reconciled at"))
    shown_closed = column("closed_at", _("closed at"))

    @admin.display(description=_("digest"))
    def shown_digest(self, batch: PayoutBatch) -> Any:
        return breakable(batch.digest)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, batch: PayoutBatch) -> Any:
        return tag(batch)

    @admin.display(description=_("scheme"), ordering="scheme")
    def shown_scheme(self, batch: Any) -> str:
        return str(batch.scheme_title)

    @admin.display(description=_("Payments"))
    def shown_count(self, batch: Any) -> int:
        return int(batch.counted or 0)

    @admin.display(description=_("sum"), ordering="total_fen")
    def shown_total(self, batch: Any) -> str:
        return yuan(batch.counted_fen or 0)

    @admin.display(description=_("paid"))
    def shown_paid(self, batch: Any) -> int:
        return int(batch.paid_lines or 0)

    @admin.display(description=_("failed"))
    def shown_failed(self, batch: Any) -> int:
        return int(batch.failed_lines or 0)

    @admin.display(description=_("fund"))
    def shown_fund(self, batch: PayoutBatch) -> Any:
        return link(batch.fund)

    @admin.display(description=_("issues failed payments again of"))
    def shown_corrects(self, batch: PayoutBatch) -> Any:
        return link(batch.corrects) if batch.corrects else "–"

    @admin.display(description=_("debit on the bank statement"))
    def shown_debit(self, batch: PayoutBatch) -> str:
        return yuan(batch.statement_debit_fen) or "–"

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        count, total, digest = totals(obj)
        told = [
            Fact(_("State"), obj.get_state_display(), TONES.get(obj.state, "wait")),
            Fact(_("Payments"), count),
            Fact(_("Sum"), yuan(total)),
            Fact(_("Sum in words"), money.in_words(total, prefix=True)),
            Fact(_("Digest"), f"{digest[:16]}…"),
        ]
        if obj.state == BatchState.SEALED:
            waits = enumerated(BatchStep(step).label for step in missing(obj))
            told.append(Fact(_("Waits for"), waits, "wait"))
        if obj.held_reason:
            told.append(Fact(_("Why it is held"), obj.held_reason, "bad"))
        return told

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        return panels_of(obj)

    def trail(self, request: HttpRequest, obj: Any) -> list[Step]:
        return trail_of(obj, *obj.motions.all())
