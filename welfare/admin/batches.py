"""Payout batches: made, checked and released by three people on one digest."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from union_portal import access, reports
from union_portal.access import Permission
from union_portal.admin import desk
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.fields import ReasonForm, union_field
from union_portal.admin.pages import Fact, Panel
from union_portal.admin.reports import download_link
from union_portal.admin.scoped import ScopedModelAdmin
from union_portal.admin.trail import Step, trail_of
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.models import Account, ReportRun
from welfare.actions import bank_files
from welfare.admin.funds import yuan
from welfare.admin.returns import ReturnFileForm, import_return
from welfare.disbursement import batches, candidates
from welfare.disbursement.models import BatchApproval, BatchStep, Entitlement, Fund, PayoutBatch
from welfare.disbursement.states import UNPAID, BatchState, LineState

LINES_SHOWN = 20
LEFT_SHOWN = 50


# -- what the confirm pages show --------------------------------------------------------
def content_facts(batch: PayoutBatch, account: Account) -> list[tuple[Any, Any]]:
    """Control totals: the same from approval to bank file, return file and report."""
    if batch.state == BatchState.DRAFT:
        count, total, digest = batches.content(batch)
    else:
        count, total, digest = batch.lines_count, batch.total_fen, batch.digest
    return [
        (_("Batch"), batch.number),
        (_("Fund"), batch.fund),
        (_("Payments"), count),
        (_("Sum"), yuan(total)),
        (_("Sum in words"), money.in_words(total)),
        (_("Digest"), digest),
        (_("May not be paid any more"), batches.unpayable(batch).count()),
    ]


class DigestForm(forms.Form):
    """The digest travels with the form: what is approved is what was looked at."""

    digest = forms.CharField(widget=forms.HiddenInput)
    looked = forms.BooleanField(
        label=_("I have looked at the list, the sum and the digest"), required=True
    )


def digest_form(batch: PayoutBatch, account: Account) -> type[forms.Form]:
    class Filled(DigestForm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs["initial"] = {"digest": batch.digest}
            super().__init__(*args, **kwargs)

    return Filled


class StatementForm(forms.Form):
    statement_debit_fen = YuanField(
        label=_("Debit on the bank statement"),
        help_text=_("What the bank took from the payer's account for this batch, in yuan."),
    )


def assemble_form(obj: None, by: Account) -> type[forms.Form]:
    """What waits, as one choice per fund, scheme and period."""
    waiting = (
        Entitlement.objects.unpaid()
        .filter(access.scope(by, Permission.BATCH_MAKE))
        .order_by("fund", "scheme", "period")
        .values_list("fund", "fund__name", "scheme", "period")
        .annotate(people=Count("pk"), total=Sum("amount_fen"))
    )
    choices = [
        (
            f"{fund}|{scheme}|{period}",
            gettext("%(fund)s · %(scheme)s · %(period)s: %(people)s people, %(sum)s")
            % {
                "fund": name,
                "scheme": scheme_name(scheme),
                "period": period,
                "people": people,
                "sum": yuan(total),
            },
        )
        for fund, name, scheme, period, people, total in waiting
    ]

    class AssembleForm(forms.Form):
        what = forms.ChoiceField(
            label=_("What waits to be paid"), choices=choices, widget=forms.RadioSelect
        )
        organization = union_field(by, Permission.BATCH_MAKE)

    return AssembleForm


def scheme_name(scheme: str) -> str:
    """The scheme as people call it: the title of its newest rule set."""
    from union_portal.models import RuleSet

    newest = RuleSet.objects.filter(scheme=scheme).order_by("-version").first()
    return newest.title if newest else scheme


# -- what the buttons do ---------------------------------------------------------------
def _assemble(obj: None, by: Account, data: dict[str, Any]) -> str:
    fund, scheme, period = data["what"].split("|")
    batch = batches.assemble(
        fund=Fund.objects.get(pk=fund),
        scheme=scheme,
        period=period,
        organization=data["organization"],
        by=by,
        today=timezone.localdate(),
    )
    return _page(batch)


def _reissue(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> str:
    return _page(batches.reissue(batch=batch, by=by, today=timezone.localdate()))


def _check(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> None:
    batches.check(batch=batch, by=by, digest=data["digest"])


def _release(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> None:
    batches.release(batch=batch, by=by, digest=data["digest"])


def _fetch(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> HttpResponse:
    name, content = bank_files.fetch(batch=batch, by=by, **data)
    answer = HttpResponse(content, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def report_form(batch: PayoutBatch, by: Account) -> type[forms.Form]:
    made = [
        (name, kind.title)
        for name, kind in reports.kinds().items()
        if name.startswith("disbursement") and access.may(by, kind.permission, batch.organization)
    ]

    class ReportForm(forms.Form):
        kind = forms.ChoiceField(label=_("Report"), choices=made)

    return ReportForm


def _report(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> str:
    run = reports.request(kind=data["kind"], subject=batch, by=by, organization=batch.organization)
    return reverse("portal:job", args=[run.job_id])


def _page(batch: PayoutBatch) -> str:
    return reverse("admin:disbursement_payoutbatch_change", args=[batch.pk])


# -- why a button is closed ---------------------------------------------------------------
def _not_maker(batch: PayoutBatch, account: Account) -> Text | None:
    if batch.made_by_id != account.pk:
        return _("Only whoever made the batch seals it.")
    return None


def taken(batch: PayoutBatch) -> dict[str, BatchApproval]:
    """The approvals of the current round by step."""
    held = batch.approvals.filter(round=batch.round).select_related("account")
    return {approval.step: approval for approval in held}


def _approved_already(batch: PayoutBatch, account: Account) -> Text | None:
    if any(approval.account_id == account.pk for approval in taken(batch).values()):
        return _("You have approved this batch in another step: a colleague takes this one.")
    return None


def _not_checked(batch: PayoutBatch, account: Account) -> Text | None:
    done = taken(batch)
    checks = (BatchStep.CHECKER, BatchStep.SECOND_CHECKER)
    if any(step in batch.required_steps and step not in done for step in checks):
        return _("A checker looks at it first.")
    return None


def _step_taken(*steps: BatchStep) -> Any:
    def why_not(batch: PayoutBatch, account: Account) -> Text | None:
        done = taken(batch)
        if all(step in done for step in steps if step in batch.required_steps):
            return _("This step is done.")
        return None

    return why_not


def _nothing_failed(batch: PayoutBatch, account: Account) -> Text | None:
    if not batch.lines.filter(state__in=UNPAID).exists():
        return _("No payment of this batch failed.")
    return None


def _not_closable(batch: PayoutBatch, account: Account) -> Text | None:
    if batch.discrepancies.filter(state="open").exists():
        return _("A discrepancy with the bank is open.")
    return None


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ScopedModelAdmin):
    section = "money"
    icon = "account_balance_wallet"
    order = 30
    view_permissions = (Permission.BATCH_VIEW,)
    list_display = (
        "number",
        "scheme",
        "period",
        "count",
        "total",
        "paid",
        "failed",
        "made_by",
        "state",
    )
    list_filter = ("state", "scheme", "period", "fund")
    list_select_related = ("fund", "organization", "made_by")
    search_fields = ("=number",)
    fields = (
        "number",
        "fund",
        "scheme",
        "period",
        "organization",
        "bank_format",
        "pay_on",
        "corrects",
        "made_by",
        "made_at",
        "sealed_at",
        "approved_at",
        "delivered_at",
        "reconciled_at",
        "closed_at",
        "digest",
        "held_reason",
        "state",
    )
    readonly_fields = fields
    list_buttons = (
        Button(
            name="assemble",
            label=_("Assemble a batch"),
            permission=Permission.BATCH_MAKE,
            act=_assemble,
            explain=_("Everybody who can be paid goes in; the page shows who is left out and why."),
            done=_("The batch is a draft: look at it, then seal it."),
            form_for=assemble_form,
            reauth=True,
        ),
    )
    buttons = (
        Button(
            name="seal",
            label=_("Seal"),
            permission=Permission.BATCH_MAKE,
            act=lambda obj, by, data: batches.seal(batch=obj, by=by) and None,
            explain=_("The content is frozen and you approve it as its maker."),
            done=_("The batch is sealed and waits for its checker."),
            why_not=every(only_in(BatchState.DRAFT), _not_maker),
            facts=content_facts,
            reauth=True,
        ),
        Button(
            name="check",
            label=_("Check and approve"),
            permission=Permission.BATCH_CHECK,
            act=_check,
            explain=_("You approve exactly this content as its checker."),
            done=_("The batch is checked and waits for its releaser."),
            why_not=every(
                only_in(BatchState.SEALED),
                _approved_already,
                _step_taken(BatchStep.CHECKER, BatchStep.SECOND_CHECKER),
            ),
            facts=content_facts,
            form_for=digest_form,
            reauth=True,
        ),
        Button(
            name="release",
            label=_("Release the money"),
            permission=Permission.BATCH_RELEASE,
            act=_release,
            explain=_("The workers write the bank file and hand it to the bank. No way back."),
            done=_("The batch is released: the workers write and deliver the bank file."),
            why_not=every(only_in(BatchState.SEALED), _not_checked, _approved_already),
            facts=content_facts,
            form_for=digest_form,
            reauth=True,
        ),
        Button(
            name="reopen",
            label=_("Reopen"),
            permission=Permission.BATCH_MAKE,
            act=lambda obj, by, data: batches.reopen(batch=obj, by=by, **data) and None,
            explain=_("It becomes a draft again; approvals given so far count no more."),
            why_not=only_in(BatchState.SEALED),
            form=ReasonForm,
            danger=True,
        ),
        Button(
            name="return",
            label=_("Import a return file"),
            permission=Permission.BATCH_SETTLE,
            act=import_return,
            explain=_("It is read whole or refused whole. The same file twice changes nothing."),
            done=_("The return file is imported."),
            why_not=only_in(BatchState.DELIVERED, BatchState.RECONCILED, BatchState.CLOSED),
            form=ReturnFileForm,
        ),
        Button(
            name="reissue",
            label=_("Issue the failed ones again"),
            permission=Permission.BATCH_MAKE,
            act=_reissue,
            explain=_(
                "A new batch, linked to this one, for failed payments whose account was"
                " corrected and confirmed. It is checked and released like any other."
            ),
            done=_("The new batch is a draft: look at it, then seal it."),
            why_not=every(
                only_in(BatchState.DELIVERED, BatchState.RECONCILED, BatchState.CLOSED),
                _nothing_failed,
            ),
            reauth=True,
        ),
        Button(
            name="close",
            label=_("Close"),
            permission=Permission.BATCH_SETTLE,
            act=lambda obj, by, data: batches.close(batch=obj, by=by, **data) and None,
            explain=_("Only when every payment is answered and the bank statement agrees."),
            done=_("The batch is closed."),
            why_not=every(only_in(BatchState.RECONCILED), _not_closable),
            form=StatementForm,
            reauth=True,
        ),
        Button(
            name="report",
            label=_("Make the report"),
            permission=Permission.REPORT_DISBURSEMENT,
            act=_report,
            explain=_("A worker makes it; you may leave and come back. Earlier versions stay."),
            done=_("The report is being made."),
            why_not=lambda obj, account: (
                _("There is nothing to report before the batch is sealed.")
                if obj.state == BatchState.DRAFT
                else None
            ),
            form_for=report_form,
        ),
        Button(
            name="bank-file",
            label=_("Fetch the bank file"),
            permission=Permission.BATCH_SETTLE,
            act=_fetch,
            explain=_("The file that was handed over, byte for byte. Each fetch is logged."),
            why_not=only_in(*bank_files.SENT),
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
        Button(
            name="void",
            label=_("Move to void"),
            permission=Permission.BATCH_CHECK,
            act=lambda obj, by, data: batches.void(batch=obj, by=by, **data) and None,
            explain=_("Only before the bank file is written; the releaser carries it out."),
            done=_("The motion waits for a second person."),
            why_not=only_in(BatchState.DRAFT, BatchState.SEALED, BatchState.APPROVED),
            form=ReasonForm,
            danger=True,
            reauth=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                alive=Count("lines", filter=~Q(lines__state=LineState.VOID)),
                alive_fen=Sum("lines__amount_fen", filter=~Q(lines__state=LineState.VOID)),
                paid_lines=Count("lines", filter=Q(lines__state=LineState.PAID)),
                failed_lines=Count("lines", filter=Q(lines__state__in=UNPAID)),
            )
        )

    @admin.display(description=_("payments"))
    def count(self, batch: Any) -> int:
        return int(batch.alive)

    @admin.display(description=_("sum"))
    def total(self, batch: Any) -> str:
        return yuan(batch.alive_fen or 0)

    @admin.display(description=_("paid"))
    def paid(self, batch: Any) -> int:
        return int(batch.paid_lines)

    @admin.display(description=_("failed"))
    def failed(self, batch: Any) -> int:
        return int(batch.failed_lines)

    def facts(self, request: HttpRequest, obj: Any) -> list[Fact]:
        total = obj.alive_fen or 0
        told = [
            Fact(_("State"), obj.get_state_display(), "good" if obj.state == "closed" else "wait"),
            Fact(_("Payments"), obj.alive),
            Fact(_("Sum"), yuan(total)),
            Fact(_("Sum in words"), money.in_words(total)),
            Fact(_("paid"), obj.paid_lines),
            Fact(_("failed"), obj.failed_lines, "bad" if obj.failed_lines else ""),
        ]
        if obj.held_reason:
            told.append(Fact(_("Why it is held"), obj.held_reason, "bad"))
        return told

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        shown = [
            self._approvals(obj),
            self._left_out(obj),
            self._lines(obj),
            self._files(obj),
            self._reports(obj),
        ]
        return [panel for panel in shown if panel is not None]

    def _approvals(self, batch: PayoutBatch) -> Panel:
        done = taken(batch)
        steps = batch.required_steps or [str(step) for step in batches.THREE]
        rows = [
            (
                BatchStep(step).label,
                done[step].account if step in done else "–",
                f"{done[step].approved_at:%Y-%m-%d %H:%M}" if step in done else _("waiting"),
                done[step].digest[:16] if step in done else "",
            )
            for step in steps
        ]
        return Panel(_("Approvals"), (_("Step"), _("By"), _("When"), _("Digest")), rows)

    def _left_out(self, batch: PayoutBatch) -> Panel | None:
        if batch.state != BatchState.DRAFT:
            return None
        left: QuerySet[Any] = batches.left_out(
            fund=batch.fund,
            scheme=batch.scheme,
            period=batch.period,
            organization=batch.organization,
            today=batch.pay_on,
        ).select_related("person")
        rows = [
            (
                entitlement,
                entitlement.person,
                yuan(entitlement.amount_fen),
                candidates.LeftOut(entitlement.because).label,
                entitlement.because_text,
            )
            for entitlement in left[:LEFT_SHOWN]
        ]
        counted = "; ".join(
            f"{candidates.LeftOut(code).label}: {count}"
            for code, count in candidates.counted(left).items()
        )
        columns = (_("Entitlement"), _("Person"), _("Amount"), _("Why"), _("In detail"))
        return Panel(_("Left out, and why"), columns, rows, note=counted)

    def _lines(self, batch: PayoutBatch) -> Panel:
        failed_first = batch.lines.order_by("position")
        if batch.lines.filter(state__in=UNPAID).exists():
            failed_first = batch.lines.filter(state__in=UNPAID).order_by("position")
        rows = [
            (
                line.position,
                format_html(
                    '<a href="{}">{}</a>',
                    reverse("admin:disbursement_payoutline_change", args=[line.pk]),
                    line.payee_name,
                ),
                f"{line.bank_name} …{line.account_last_four}",
                yuan(line.amount_fen),
                line.get_state_display(),
            )
            for line in failed_first[:LINES_SHOWN]
        ]
        columns = (_("Line"), _("Payee"), _("Account"), _("Amount"), _("State"))
        return Panel(
            _("Payments"),
            columns,
            rows,
            note=gettext("The first %(count)s; failed ones come first.") % {"count": LINES_SHOWN},
            link=reverse("admin:disbursement_payoutline_changelist")
            + f"?batch__id__exact={batch.pk}",
            link_text=_("All payments of this batch"),
        )

    def _files(self, batch: PayoutBatch) -> Panel | None:
        if not hasattr(batch, "bank_file"):
            return None
        file = batch.bank_file
        rows: list[tuple[Any, ...]] = [
            (_("bank file"), file.name, file.lines_count, yuan(file.total_fen), file.sha256[:16])
        ]
        rows += [
            (
                _("return file"),
                format_html(
                    '<a href="{}">{}</a>',
                    reverse("admin:disbursement_returnfile_change", args=[returned.pk]),
                    returned.name,
                ),
                returned.rows_count,
                yuan(returned.total_fen),
                returned.sha256[:16],
            )
            for returned in batch.return_files.all()
        ]
        columns = (_("Kind"), _("Name"), _("Rows"), _("Sum"), _("Digest"))
        return Panel(_("Bank file and answers"), columns, rows)

    def _reports(self, batch: PayoutBatch) -> Panel:
        made = ReportRun.objects.filter(
            subject_type=batch._meta.label_lower, subject_id=str(batch.pk)
        ).select_related("file", "job", "requested_by")
        rows = [
            (
                run.title,
                run.version,
                run.get_state_display(),
                run.requested_by or "–",
                run.requested_at.strftime("%Y-%m-%d %H:%M"),
                download_link(run),
            )
            for run in made
        ]
        columns = (_("Report"), _("Version"), _("State"), _("By"), _("When"), _("File"))
        return Panel(_("Reports"), columns, rows)

    def trail(self, request: HttpRequest, obj: Any) -> list[Step]:
        return trail_of(obj, *obj.motions.all())


def _count(permission: Permission, **conditions: Any) -> Any:
    def count(account: Account) -> int:
        reach = access.scope(account, permission)
        return PayoutBatch.objects.filter(reach, **conditions).count()

    return count


def _to_check(account: Account) -> int:
    reach = access.scope(account, Permission.BATCH_CHECK)
    sealed = PayoutBatch.objects.filter(reach, state=BatchState.SEALED)
    return sum(1 for batch in sealed if _step_taken(BatchStep.CHECKER)(batch, account) is None)


def _to_release(account: Account) -> int:
    reach = access.scope(account, Permission.BATCH_RELEASE)
    sealed = PayoutBatch.objects.filter(reach, state=BatchState.SEALED)
    return sum(1 for batch in sealed if _not_checked(batch, account) is None)


def _to_pay(account: Account) -> int:
    return Entitlement.objects.unpaid().filter(access.scope(account, Permission.BATCH_MAKE)).count()


def _list(state: str) -> Any:
    return lambda: reverse("admin:disbursement_payoutbatch_changelist") + f"?state__exact={state}"


desk.add_queue(
    desk.Queue(
        _("People who wait for their money"),
        Permission.BATCH_MAKE,
        _to_pay,
        lambda: reverse("admin:disbursement_payoutbatch_list_do", args=["assemble"]),
    ),
    desk.Queue(
        _("Batches to seal"),
        Permission.BATCH_MAKE,
        _count(Permission.BATCH_MAKE, state=BatchState.DRAFT),
        _list("draft"),
    ),
    desk.Queue(_("Batches to check"), Permission.BATCH_CHECK, _to_check, _list("sealed")),
    desk.Queue(_("Batches to release"), Permission.BATCH_RELEASE, _to_release, _list("sealed")),
    desk.Queue(
        _("Batches to close"),
        Permission.BATCH_SETTLE,
        _count(Permission.BATCH_SETTLE, state=BatchState.RECONCILED),
        _list("reconciled"),
    ),
)
