"""The same rows as a spreadsheet, for machines, filters and screen readers."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from union_portal import reports
from union_portal.kit.money import in_words, plain_yuan
from union_portal.kit.sheets import SheetData, write_xlsx
from welfare.disbursement.models import BatchStep
from welfare.disbursement.reporting.content import (
    BatchFigures,
    ContentDigest,
    CountyFigures,
    FailureLine,
    Issue,
    Outcome,
    PayeeLine,
)
from welfare.disbursement.reporting.wording import Wording

Cells = tuple[str | int | Decimal | None, ...]


def write(
    out: Path,
    figures: BatchFigures,
    payees: Iterable[PayeeLine],
    failures: Iterable[FailureLine],
    issue: Issue,
    *,
    words: Wording,
) -> str:
    """Totals, counties, payees, failures, approvals. Memory does not grow with the rows.

    Numbers of people and accounts are text; amounts are numbers. Returns the content digest.
    """
    content = ContentDigest(figures)
    labels = {outcome: words.plain(outcome.label) for outcome in Outcome}
    write_xlsx(
        out,
        [
            SheetData(
                words.chinese(_("Totals")),
                [words.plain(_("Item")), words.plain(_("Value"))],
                _totals(figures, issue, words),
                (28, 70),
            ),
            SheetData(
                words.chinese(_("Summary by county")),
                _county_heads(words),
                _counties(figures, words),
                (24, *(12, 18) * 4),
            ),
            SheetData(
                words.chinese(_("List of payees by county")),
                [words.plain(head) for head in _PAYEE_HEADS],
                (_payee(row, labels) for row in content.passing(payees)),
                (8, 26, 20, 20, 36, 22, 26, 20, 14, 10),
            ),
            SheetData(
                words.chinese(_("Payments that failed, and their re-issue")),
                [words.plain(head) for head in _FAILURE_HEADS],
                (_failure(row, labels) for row in content.passing(failures)),
                (8, 26, 20, 20, 20, 14, 10, 40, 20, 10, 10),
            ),
            SheetData(
                words.chinese(_("Approvals")),
                [words.plain(head) for head in (_("Step"), _("Name"), _("Time"), _("Digest"))],
                _approvals(figures, content, words),
                (28, 20, 24, 70),
            ),
        ],
    )
    return content.hexdigest()


_PAYEE_HEADS = (
    _("No."),
    _("Reference"),
    _("County"),
    _("Payee"),
    _("Union"),
    _("ID or credit code"),
    _("Bank"),
    _("Account"),
    _("Amount (¥)"),
    _("Result"),
)
_FAILURE_HEADS = (
    _("No."),
    _("Reference"),
    _("County"),
    _("Payee"),
    _("Account"),
    _("Amount (¥)"),
    _("Result"),
    _("Reason given by the bank"),
    _("Re-issued in batch"),
    _("No. there"),
    _("Now"),
)


def _amount(fen: int) -> Decimal:
    return Decimal(plain_yuan(fen))


def _totals(figures: BatchFigures, issue: Issue, words: Wording) -> Iterator[Cells]:
    yield words.plain(_("Disbursement report")), figures.number
    yield words.plain(_("Rule set")), figures.rule_title
    yield words.plain(_("Clause")), figures.rule_clause
    yield words.plain(_("Period")), figures.period
    yield words.plain(_("Fund")), f"{figures.fund_name}（{figures.fund_code}）"
    yield words.plain(_("Payments")), figures.control.lines
    yield words.plain(_("Amount (¥)")), _amount(figures.control.fen)
    yield words.plain(_("in words")), in_words(figures.control.fen, prefix=True)
    yield words.plain(_("Digest (SHA-256)")), figures.digest
    if figures.bank_file is not None:
        yield words.plain(_("Bank file")), figures.bank_file.name
        yield words.plain(_("Digest of the bank file")), figures.bank_file.sha256
    yield words.plain(reports.WITNESS), issue.witness


def _county_heads(words: Wording) -> list[str]:
    counted = (_("Payments"), _("Amount (¥)"))
    parts = (_("Due"), _("Paid out"), _("Failed or came back"), _("Waiting for the bank"))
    return [
        words.plain(_("County")),
        *(f"{words.plain(part)} · {words.plain(label)}" for part in parts for label in counted),
    ]


def _counties(figures: BatchFigures, words: Wording) -> Iterator[Cells]:
    yield from map(_county, figures.counties)
    total = CountyFigures(words.plain(_("Total")), figures.control, figures.paid, figures.failed)
    yield _county(total)


def _county(county: CountyFigures) -> Cells:
    parts = (county.all, county.paid, county.failed, county.waiting)
    return (county.name, *(cell for part in parts for cell in (part.lines, _amount(part.fen))))


def _approvals(figures: BatchFigures, content: ContentDigest, words: Wording) -> Iterator[Cells]:
    """Who approved what; last, because only now all rows are in the digest."""
    for approval in figures.approvals:
        step = words.plain(BatchStep(approval.step).label)
        yield step, approval.name, words.moment(approval.at), approval.digest
    yield words.plain(_("Content digest (SHA-256)")), None, None, content.hexdigest()


def _payee(row: PayeeLine, labels: dict[Outcome, str]) -> Cells:
    return (
        row.sequence,
        row.reference,
        row.county,
        row.name,
        row.union,
        row.identity,
        row.bank,
        row.account,
        _amount(row.amount_fen),
        labels[row.outcome],
    )


def _failure(row: FailureLine, labels: dict[Outcome, str]) -> Cells:
    return (
        row.sequence,
        row.reference,
        row.county,
        row.name,
        row.account,
        _amount(row.amount_fen),
        labels[row.outcome],
        row.reason,
        row.again_batch,
        row.again_sequence,
        labels[row.again_outcome] if row.again_outcome else "",
    )
