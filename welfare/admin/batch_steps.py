"""The buttons of a payout batch: what they show first, what they do, why they are closed."""

from typing import Any

from django import forms
from django.db.models import Sum
from django.http import FileResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from union_portal import reports
from union_portal.access import Permission
from union_portal.admin.buttons import Button, Text, every, only_in
from union_portal.admin.fields import ReasonForm
from union_portal.admin.pages import Panel
from union_portal.downloads import UNKNOWN, download
from union_portal.forms import YuanField
from union_portal.kit import money
from union_portal.models import Account
from welfare.actions import bank_files
from welfare.admin import payees
from welfare.admin.returns import import_return, return_form
from welfare.admin.shown import yuan
from welfare.disbursement import batches, candidates, gate
from welfare.disbursement.models import BatchApproval, BatchStep, PayoutBatch
from welfare.disbursement.states import UNPAID, BatchState, DiscrepancyState, LineState, MotionState

CHECKS = (BatchStep.CHECKER, BatchStep.SECOND_CHECKER)
RELEASES = (BatchStep.RELEASER, BatchStep.SECOND_RELEASER)
AT_THE_BANK = (BatchState.DELIVERED, BatchState.RECONCILED, BatchState.CLOSED)
BEFORE_THE_FILE = (BatchState.DRAFT, BatchState.SEALED, BatchState.APPROVED)


# -- what the confirm pages show --------------------------------------------------------
def totals(batch: PayoutBatch) -> tuple[int, int, str]:
    """Count, sum and digest: frozen ones, or those of a draft as it is now."""
    if batch.state == BatchState.DRAFT:
        return batches.content(batch)
    return batch.lines_count, batch.total_fen, batch.digest


def content_facts(batch: PayoutBatch, account: Account) -> list[tuple[Any, Any]]:
    """Control totals: the same from approval to bank file, return file and report."""
    count, total, digest = totals(batch)
    return [
        (_("Batch"), batch.number),
        (_("Fund"), batch.fund),
        (_("Payments"), count),
        (_("Sum"), yuan(total)),
        (_("Sum in words"), money.in_words(total, prefix=True)),
        (_("Payment date"), batch.pay_on),
        (_("May not be paid any more"), batches.unpayable(batch).count()),
        (_("Digest"), digest),
    ]


def _payees(batch: PayoutBatch, account: Account) -> list[Panel]:
    return [payees.panel_of(batch)]


def _reissue_facts(batch: PayoutBatch, account: Account) -> list[tuple[Any, Any]]:
    return [
        (_("Failed or returned payments"), batch.lines.filter(state__in=UNPAID).count()),
        (_("of these not issued again yet"), candidates.failed_in(batch).count()),
        (
            _("of these ready to be issued again"),
            candidates.again(batch, today=timezone.localdate()).count(),
        ),
    ]


def _close_facts(batch: PayoutBatch, account: Account) -> list[tuple[Any, Any]]:
    booked = batch.lines.filter(state__in=[LineState.PAID, LineState.RETURNED])
    return [
        (_("Payments"), batch.lines_count),
        (_("Sum"), yuan(batch.total_fen)),
        (
            _("Paid or returned, by the return files"),
            yuan(booked.aggregate(fen=Sum("amount_fen"))["fen"] or 0),
        ),
    ]


class LookedForm(forms.Form):
    looked = forms.BooleanField(label=_("I have looked at the list, the sum and the digest"))


class StatementForm(forms.Form):
    statement_debit_fen = YuanField(
        label=_("Debit on the bank statement"),
        help_text=_("What the bank took from the payer's account for this batch, in yuan."),
    )


# -- what the buttons do ---------------------------------------------------------------
def page_of(batch: PayoutBatch) -> str:
    return reverse("admin:disbursement_payoutbatch_change", args=[batch.pk])


def _reissue(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> str:
    return page_of(batches.reissue(batch=batch, by=by, today=timezone.localdate()))


def _check(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> None:
    """The confirm page refuses a row that changed since: its digest is the one looked at."""
    batches.check(batch=batch, by=by, digest=batch.digest)


def _release(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> None:
    batches.release(batch=batch, by=by, digest=batch.digest)


def _released(batch: PayoutBatch) -> Text:
    batch.refresh_from_db(fields=["state"])
    if batch.state == BatchState.SEALED:
        return _("Your release is recorded; another releaser has to release it too.")
    return _("The batch is released: the workers hand it to the bank now.")


def _fetch(batch: PayoutBatch, by: Account, data: dict[str, Any]) -> FileResponse:
    name, content = bank_files.fetch(batch=batch, by=by, **data)
    return download(content, name=name, content_type=UNKNOWN)


def asks_for(kind: str) -> Any:
    """Ask a worker for a report about the row, then show its progress."""

    def ask(subject: Any, by: Account, data: dict[str, Any]) -> str:
        batch = subject if isinstance(subject, PayoutBatch) else subject.batch
        run = reports.request(kind=kind, subject=subject, by=by, organization=batch.organization)
        return reverse("portal:job", args=[run.job_id])

    return ask


# -- why a button is closed ---------------------------------------------------------------
def taken(batch: PayoutBatch) -> dict[str, BatchApproval]:
    """The approvals of the current round by step."""
    held = batch.approvals.filter(round=batch.round).select_related("account")
    return {approval.step: approval for approval in held}


def missing(batch: PayoutBatch) -> list[str]:
    """The steps that the current round still needs, in their order."""
    done = taken(batch)
    return [step for step in batch.required_steps if step not in done]


def _not_maker(batch: PayoutBatch, account: Account) -> Text | None:
    if batch.made_by_id != account.pk:
        return _("Only whoever made the batch seals it.")
    return None


def _approved_already(batch: PayoutBatch, account: Account) -> Text | None:
    if any(approval.account_id == account.pk for approval in taken(batch).values()):
        return _("You have approved this batch already: a colleague takes the next step.")
    return None


def not_checked(batch: PayoutBatch, account: Account) -> Text | None:
    if set(missing(batch)) & set(CHECKS):
        return _("A checker looks at it first.")
    return None


def step_done(*steps: BatchStep) -> Any:
    def why_not(batch: PayoutBatch, account: Account) -> Text | None:
        return None if set(missing(batch)) & set(steps) else _("This step is done.")

    return why_not


def _gate_shut(batch: PayoutBatch, account: Account) -> Text | None:
    if gate.row().is_shut:
        return _("Safe mode: nothing is sent until two people lift the restore gate.")
    return None


def _nothing_to_issue_again(batch: PayoutBatch, account: Account) -> Text | None:
    if not batch.lines.filter(state__in=UNPAID).exists():
        return _("No payment of this batch failed.")
    if candidates.failed_in(batch).exists():
        if candidates.again(batch, today=timezone.localdate()).exists():
            return None
        return _(
            "None of its failed payments is ready: have the account corrected and confirmed, or"
            " let two people approve another try, on the page of each payment."
        )
    later = batch.corrected_by.exclude(state=BatchState.VOID).order_by("pk")
    numbers = ", ".join(later.values_list("number", flat=True))
    if not numbers:
        return _("No failed payment of this batch is owed any more.")
    return _("Its failed payments were issued again in %(batches)s.") % {"batches": numbers}


def _open_discrepancy(batch: PayoutBatch, account: Account) -> Text | None:
    if batch.discrepancies.filter(state=DiscrepancyState.OPEN).exists():
        return _("A discrepancy with the bank is open.")
    return None


def _moved_already(batch: PayoutBatch, account: Account) -> Text | None:
    if batch.motions.filter(state=MotionState.MOVED).exists():
        return _("It is moved already and waits for a second person.")
    return None


def _not_sealed_yet(batch: PayoutBatch, account: Account) -> Text | None:
    if batch.state == BatchState.DRAFT:
        return _("There is nothing to report before the batch is sealed.")
    return None


def _nothing_paid(batch: PayoutBatch, account: Account) -> Text | None:
    if not batch.lines.filter(state=LineState.PAID).exists():
        return _("No payment has arrived yet.")
    return None


def _void(permission: Permission, name: str) -> Button:
    """Checker and releaser void together; either of them moves it."""
    return Button(
        name=name,
        label=_("Move to void"),
        permission=permission,
        act=lambda obj, by, data: batches.void(batch=obj, by=by, **data) and None,
        explain=_(
            "Only before the bank file is written. Checker and releaser do it together: one"
            " moves it, the other carries it out."
        ),
        done=_("The motion waits for a second person."),
        why_not=every(only_in(*BEFORE_THE_FILE), _moved_already),
        facts=content_facts,
        form=ReasonForm,
        danger=True,
        reauth=True,
    )


STEPS = (
    Button(
        name="seal",
        label=_("Seal"),
        permission=Permission.BATCH_MAKE,
        act=lambda obj, by, data: batches.seal(batch=obj, by=by) and None,
        explain=_(
            "The content is frozen and you approve it as its maker. Whoever may not be paid"
            " any more leaves the batch."
        ),
        done=_("The batch is sealed and waits for its checker."),
        why_not=every(only_in(BatchState.DRAFT), _not_maker),
        facts=content_facts,
        panels=_payees,
        reauth=True,
    ),
    Button(
        name="check",
        label=_("Check and approve"),
        permission=Permission.BATCH_CHECK,
        act=_check,
        explain=_("You approve exactly this content as its checker."),
        done=_("The batch is checked and waits for its releaser."),
        why_not=every(only_in(BatchState.SEALED), _approved_already, step_done(*CHECKS)),
        facts=content_facts,
        panels=_payees,
        form=LookedForm,
        reauth=True,
    ),
    Button(
        name="release",
        label=_("Release the money"),
        permission=Permission.BATCH_RELEASE,
        act=_release,
        explain=_("The workers write the bank file and hand it to the bank. No way back."),
        done=_released,
        why_not=every(only_in(BatchState.SEALED), not_checked, _approved_already, _gate_shut),
        facts=content_facts,
        panels=_payees,
        form=LookedForm,
        reauth=True,
    ),
    Button(
        name="return",
        label=_("Import a return file"),
        permission=Permission.BATCH_SETTLE,
        act=import_return,
        explain=_("It is read whole or refused whole. The same file twice changes nothing."),
        done=_("The return file is imported."),
        why_not=only_in(*AT_THE_BANK),
        form_for=return_form,
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
        why_not=every(only_in(*AT_THE_BANK), _nothing_to_issue_again),
        facts=_reissue_facts,
        reauth=True,
    ),
    Button(
        name="close",
        label=_("Close the batch"),
        permission=Permission.BATCH_SETTLE,
        act=lambda obj, by, data: batches.close(batch=obj, by=by, **data) and None,
        explain=_("Only when every payment is answered and the bank statement agrees."),
        done=_("The batch is closed."),
        why_not=every(only_in(BatchState.RECONCILED), _open_discrepancy),
        facts=_close_facts,
        form=StatementForm,
        reauth=True,
    ),
    Button(
        name="report-pdf",
        label=_("Report as PDF"),
        permission=Permission.REPORT_DISBURSEMENT,
        act=asks_for("disbursement_pdf"),
        explain=_("A worker makes it; you may leave and come back. Earlier versions stay."),
        done=_("The report is being made."),
        why_not=_not_sealed_yet,
        reauth=True,
    ),
    Button(
        name="report-xlsx",
        label=_("Report as a sheet"),
        permission=Permission.REPORT_DISBURSEMENT,
        act=asks_for("disbursement_xlsx"),
        explain=_("A worker makes it; you may leave and come back. Earlier versions stay."),
        done=_("The report is being made."),
        why_not=_not_sealed_yet,
        danger=True,
        reauth=True,
    ),
    Button(
        name="vouchers",
        label=_("Vouchers of all payments"),
        permission=Permission.REPORT_DISBURSEMENT,
        act=asks_for("payment_voucher"),
        explain=_("One voucher for each payment that arrived, in one PDF."),
        done=_("The vouchers are being made."),
        why_not=every(_not_sealed_yet, _nothing_paid),
        danger=True,
        reauth=True,
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
        name="reopen",
        label=_("Reopen"),
        permission=Permission.BATCH_MAKE,
        act=lambda obj, by, data: batches.reopen(batch=obj, by=by, **data) and None,
        explain=_("It becomes a draft again; approvals given so far count no more."),
        done=_("The batch is a draft again."),
        why_not=only_in(BatchState.SEALED),
        form=ReasonForm,
        danger=True,
    ),
    _void(Permission.BATCH_CHECK, "void"),
    _void(Permission.BATCH_RELEASE, "void-as-releaser"),
)
