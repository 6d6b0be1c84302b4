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
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.filters import in_words, scheme_titles
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.reports import download_link
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step, trail_of
from union_portal.kit import money
from union_portal.models import Account, ReportRun
from welfare.admin import assembly
from welfare.admin.batch_steps import (
    CHECKS,
    RELEASES,
    STEPS,
    missing,
    not_checked,
    step_done,
    taken,
    totals,
)
from welfare.admin.shown import (
    breakable,
    column,
    link,
    list_url,
    masked,
    stamp,
    titled,
    with_scheme_title,
    yuan,
)
from welfare.disbursement import batches, candidates
from welfare.disbursement.models import BatchStep, Entitlement, PayoutBatch, PayoutLine
from welfare.disbursement.states import UNPAID, BatchState, LineState

LINES_SHOWN = 20
LEFT_SHOWN = 50
_TONES = {
    BatchState.CLOSED: "good",
    BatchState.RECONCILED: "good",
    BatchState.VOID: "bad",
}


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
            Fact(_("State"), obj.get_state_display(), _TONES.get(obj.state, "wait")),
            Fact(_("Payments"), count),
            Fact(_("Sum"), yuan(total)),
            Fact(_("Sum in words"), money.in_words(total, prefix=True)),
            Fact(_("Digest"), f"{digest[:16]}…"),
        ]
        if obj.state == BatchState.SEALED:
            waits = "、".join(str(BatchStep(step).label) for step in missing(obj))
            told.append(Fact(_("Waits for"), waits, "wait"))
        if obj.held_reason:
            told.append(Fact(_("Why it is held"), obj.held_reason, "bad"))
        return told

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        shown = [
            _approvals(obj),
            _motions(obj),
            _left_out(obj),
            _lines(obj),
            _files(obj),
            _discrepancies(obj),
            _corrections(obj),
            _reports(obj),
        ]
        return [panel for panel in shown if panel is not None]

    def trail(self, request: HttpRequest, obj: Any) -> list[Step]:
        return trail_of(obj, *obj.motions.all())


def tag(row: Any) -> Any:
    tone = _TONES.get(row.state, "wait")
    return format_html('<span class="st-tag st-{}">{}</span>', tone, row.get_state_display())


def _approvals(batch: PayoutBatch) -> Panel:
    done = taken(batch)
    steps = batch.required_steps or [str(step) for step in batches.THREE]
    rows = [
        (
            BatchStep(step).label,
            done[step].account if step in done else "–",
            stamp(done[step].approved_at) if step in done else _("not approved yet"),
            f"{done[step].digest[:16]}…" if step in done else "–",
        )
        for step in steps
    ]
    note = _("Three different people approve the same digest; it stands for exactly this content.")
    return Panel(_("Approvals"), (_("Step"), _("By"), _("When"), _("Digest")), rows, note=note)


def _motions(batch: PayoutBatch) -> Panel | None:
    rows = [
        (link(motion), motion.reason, motion.moved_by, motion.get_state_display())
        for motion in batch.motions.select_related("moved_by")
    ]
    columns = (_("Act of two people"), _("Reason"), _("Moved by"), _("State"))
    return Panel(_("Acts of two people"), columns, rows) if rows else None


def _left_out(batch: PayoutBatch) -> Panel | None:
    if batch.state != BatchState.DRAFT or batch.corrects_id:
        return None
    left: QuerySet[Any] = batches.left_out(
        fund=batch.fund,
        scheme=batch.scheme,
        period=batch.period,
        organization=batch.organization,
        today=batch.pay_on,
    )
    counted = "；".join(
        f"{candidates.LeftOut(code).label}: {count}"
        for code, count in candidates.counted(left).items()
    )
    return Panel(
        _("Left out, and why"),
        assembly.LEFT_COLUMNS,
        assembly.left_rows(left[:LEFT_SHOWN]),
        note=counted,
    )


def _lines(batch: PayoutBatch) -> Panel:
    lines = batch.lines.order_by("position")
    counted = dict(batch.lines.order_by().values_list("state").annotate(n=Count("pk")))
    if any(counted.get(state) for state in UNPAID):
        lines = lines.filter(state__in=UNPAID)
    rows = [
        (
            line.position,
            link(line, line.payee_name),
            f"{line.bank_name} {masked(line.account_last_four)}",
            yuan(line.amount_fen),
            line.get_state_display(),
        )
        for line in lines[:LINES_SHOWN]
    ]
    by_state = [
        format_html(
            '<a href="{}">{} {}</a>',
            list_url(PayoutLine, batch__id__exact=batch.pk, state__exact=state),
            state.label,
            counted[state],
        )
        for state in LineState
        if counted.get(state)
    ]
    first = gettext("The first %(count)s; failed ones come first.") % {"count": LINES_SHOWN}
    note = format_html("{}" + " · {}" * len(by_state), first, *by_state)
    return Panel(
        _("Payment lines"),
        (_("No."), _("Payee"), _("Account"), _("Amount"), _("State")),
        rows,
        note=note,
        link=list_url(PayoutLine, batch__id__exact=batch.pk),
        link_text=_("All payments of this batch"),
    )


def _files(batch: PayoutBatch) -> Panel | None:
    file = getattr(batch, "bank_file", None)
    if file is None:
        return None
    rows: list[tuple[Any, ...]] = [
        (
            _("bank file"),
            file.name,
            stamp(file.created_at),
            file.lines_count,
            yuan(file.total_fen),
            f"{file.sha256[:16]}…",
        )
    ]
    rows += [
        (
            _("return file"),
            link(returned),
            stamp(returned.imported_at),
            returned.rows_count,
            yuan(returned.total_fen),
            f"{returned.sha256[:16]}…",
        )
        for returned in batch.return_files.defer("body")
    ]
    columns = (_("Kind"), _("File name"), _("When"), _("Rows"), _("Sum"), "SHA-256")
    return Panel(_("Bank file and answers"), columns, rows)


def _discrepancies(batch: PayoutBatch) -> Panel | None:
    rows = [
        (link(found), found.get_kind_display(), found.line or "–", found.get_state_display())
        for found in batch.discrepancies.select_related("line")[:LEFT_SHOWN]
    ]
    columns = (_("Discrepancy"), _("Kind"), _("Payment"), _("State"))
    return Panel(_("Discrepancies with the bank"), columns, rows) if rows else None


def _corrections(batch: PayoutBatch) -> Panel | None:
    rows = [
        (link(made), made.made_by, stamp(made.made_at), made.get_state_display())
        for made in batch.corrected_by.select_related("made_by")
    ]
    columns = (_("Batch"), _("Made by"), _("When"), _("State"))
    return Panel(_("Failed payments issued again"), columns, rows) if rows else None


def _reports(batch: PayoutBatch) -> Panel:
    made = ReportRun.objects.filter(
        subject_type=batch._meta.label_lower, subject_id=str(batch.pk)
    ).select_related("file", "job", "requested_by")
    rows = [
        (
            link(run, run.title),
            run.version,
            run.get_state_display(),
            run.requested_by or "–",
            stamp(run.requested_at),
            download_link(run),
        )
        for run in made
    ]
    columns = (_("Report"), _("Version"), _("State"), _("By"), _("When"), _("File"))
    return Panel(_("Reports"), columns, rows)


# -- what waits for whom ---------------------------------------------------------------
def _count(permission: Permission, **conditions: Any) -> Any:
    def count(account: Account) -> int:
        reach = access.scope(account, permission)
        return PayoutBatch.objects.filter(reach, **conditions).count()

    return count


def _sealed(account: Account, permission: Permission) -> list[PayoutBatch]:
    """Sealed batches the account has not approved yet; they are few at any time."""
    sealed = PayoutBatch.objects.filter(
        access.scope(account, permission), state=BatchState.SEALED
    ).exclude(approvals__account=account, approvals__round=F("round"))
    return list(sealed[:200])


def _to_check(account: Account) -> int:
    sealed = _sealed(account, Permission.BATCH_CHECK)
    return sum(1 for batch in sealed if step_done(*CHECKS)(batch, account) is None)


def _to_release(account: Account) -> int:
    return sum(
        1
        for batch in _sealed(account, Permission.BATCH_RELEASE)
        if step_done(*RELEASES)(batch, account) is None and not_checked(batch, account) is None
    )


def _to_pay(account: Account) -> int:
    waiting = Entitlement.objects.unpaid().filter(access.scope(account, Permission.BATCH_MAKE))
    return candidates.fresh(waiting).count()


def _failed(account: Account) -> int:
    """Failed or returned payments whose entitlement nobody has issued again yet."""
    waiting = Entitlement.objects.unpaid().filter(access.scope(account, Permission.BATCH_MAKE))
    return waiting.filter(lines__state__in=UNPAID).distinct().count()


def _list(state: str) -> Any:
    return lambda: list_url(PayoutBatch, state__exact=state)


desk.add_queue(
    desk.Queue(
        _("People who wait for their money"),
        Permission.BATCH_MAKE,
        _to_pay,
        lambda: reverse("admin:disbursement_payoutbatch_assemble"),
    ),
    desk.Queue(
        _("Batches to seal"),
        Permission.BATCH_MAKE,
        _count(Permission.BATCH_MAKE, state=BatchState.DRAFT),
        _list(BatchState.DRAFT),
    ),
    desk.Queue(
        _("Failed payments to issue again"),
        Permission.BATCH_MAKE,
        _failed,
        lambda: list_url(Entitlement, payment="failed"),
    ),
    desk.Queue(_("Batches to check"), Permission.BATCH_CHECK, _to_check, _list(BatchState.SEALED)),
    desk.Queue(
        _("Batches to release"), Permission.BATCH_RELEASE, _to_release, _list(BatchState.SEALED)
    ),
    desk.Queue(
        _("Batches to close"),
        Permission.BATCH_SETTLE,
        _count(Permission.BATCH_SETTLE, state=BatchState.RECONCILED),
        _list(BatchState.RECONCILED),
    ),
)
