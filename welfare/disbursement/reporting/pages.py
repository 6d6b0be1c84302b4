"""The pages around the lists: cover, summary, closing; and what stands on every page."""

import re
from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from union_portal import reports
from union_portal.kit.money import in_words, yuan
from welfare.disbursement.models import BatchStep
from welfare.disbursement.reporting.chart import Bar, bars
from welfare.disbursement.reporting.content import (
    Approval,
    BatchFigures,
    CountyFigures,
    FailureLine,
    Issue,
    Occurrence,
    Outcome,
    PayeeLine,
    Tally,
)
from welfare.disbursement.reporting.listing import Column, Layout
from welfare.disbursement.reporting.typesetting import cut, set_width
from welfare.disbursement.reporting.wording import Wording
from welfare.disbursement.states import BatchState

Fact = tuple[SafeString, str]
STYLE = "reports/report.css"

SIGNATURES = (
    _("Prepared by"),
    _("Checked by"),
    _("Approved by"),
    _("Finance"),
    _("Seal of the unit"),
)

HEADER_UNITS = 130
_UNION_ENDING = re.compile("(工会)?委员会(?=$|（)")
REPORT_TITLE = _("Disbursement report")
FRONT_TITLE = _("Cover and summary")
CLOSING_TITLE = _("Approvals and signatures")
PAYEES_TITLE = _("List of payees by county")
FAILURES_TITLE = _("Payments that failed, and their re-issue")


def payee_layout(words: Wording) -> Layout[PayeeLine]:
    """The list of payees: 122 half widths of 8.5 points are 183 mm."""
    outcomes = {outcome: words.chinese(outcome.label) for outcome in Outcome}
    return Layout(
        columns=(
            Column(_("No."), 6, lambda row: str(row.sequence), is_right=True),
            Column(_("Payee"), 12, lambda row: row.name),
            Column(_("ID or credit code"), 18, lambda row: row.identity),
            Column(_("Union"), 22, _short_union, is_cut=True),
            Column(_("Bank"), 16, lambda row: row.bank, is_cut=True),
            Column(_("Account"), 16, lambda row: row.account),
            Column(_("Amount (¥)"), 12, lambda row: yuan(row.amount_fen), is_right=True),
            Column(_("Result"), 6, lambda row: outcomes[row.outcome]),
        ),
        group=lambda row: row.county,
        tally=lambda row: Tally(1, row.amount_fen),
        amount=6,
    )


def failure_layout(words: Wording) -> Layout[FailureLine]:
    """The list of failures: the same width."""
    outcomes = {outcome: words.chinese(outcome.label) for outcome in Outcome}

    def again(row: FailureLine) -> str:
        if not row.again_batch:
            return "—" * 2
        return f"{row.again_batch} / {row.again_sequence}"

    return Layout(
        columns=(
            Column(_("No."), 6, lambda row: str(row.sequence), is_right=True),
            Column(_("Payee"), 12, lambda row: row.name),
            Column(_("Account"), 16, lambda row: row.account),
            Column(_("Amount (¥)"), 12, lambda row: yuan(row.amount_fen), is_right=True),
            Column(_("Result"), 6, lambda row: outcomes[row.outcome]),
            Column(_("Reason given by the bank"), 26, lambda row: row.reason),
            Column(_("Re-issued in batch / no."), 24, again),
            Column(
                _("Now"),
                6,
                lambda row: outcomes[row.again_outcome] if row.again_outcome else "",
            ),
        ),
        group=lambda row: row.county,
        tally=lambda row: Tally(1, row.amount_fen),
        amount=3,
    )


def _short_union(row: PayeeLine) -> str:
    """Without the county it stands under and the words every union's name ends with."""
    place = row.county.removesuffix("总工会")
    return _UNION_ENDING.sub("", row.union.removeprefix(place)) or row.union


def front(figures: BatchFigures, issue: Issue, words: Wording, content_digest: str) -> str:
    """Cover and summary by county."""
    return render_to_string(
        "reports/front.html",
        {
            "words": Labels(words),
            "figures": figures,
            "issue": issue,
            "edition": words.chinese(
                _("Batch %(number)s · version %(version)s"),
                number=figures.number,
                version=issue.version,
            ),
            "sample": words(_("Sample rules, not the federation's own")),
            "made_on": words.moment(issue.made_at),
            "is_bilingual": words.is_bilingual,
            "total": yuan(figures.control.fen),
            "total_in_words": in_words(figures.control.fen, prefix=True),
            "count": f"{figures.control.lines:,}",
            "results": _results(figures, words),
            "outcomes": [words(outcome.label) for outcome in Outcome],
            "facts": _facts(figures, words),
            "controls": _controls(figures, words, content_digest),
            "chart": _chart(figures, words),
            "counties": [_county_row(county) for county in figures.counties],
            "all_counties": _county_row(
                CountyFigures(
                    words.chinese(_("Total")), figures.control, figures.paid, figures.failed
                )
            ),
        },
    )


def closing(figures: BatchFigures, issue: Issue, words: Wording, content_digest: str) -> str:
    """Approvals, return files, signature blocks, versions and downloads."""
    return render_to_string(
        "reports/closing.html",
        {
            "words": Labels(words),
            "figures": figures,
            "issue": issue,
            "approvals": [_approval_row(approval, words) for approval in figures.approvals],
            "return_files": _occurrences(figures.return_files, words),
            "signatures": [words(label) for label in SIGNATURES],
            "earlier": _occurrences(issue.earlier, words),
            "downloads": _occurrences(issue.downloads, words),
            "made_on": words.moment(issue.made_at),
            "content_digest": content_digest,
            "is_bilingual": words.is_bilingual,
            "no_failures": not figures.failed.lines,
        },
    )


def page_style(figures: BatchFigures, words: Wording, *, first: int, total: int) -> str:
    """Header, footer and page numbers of one section that begins with page `first`."""
    counted = words.chinese(_("Page {page} of {total}")).replace("{total}", str(total))
    before, _page, after = f"{figures.office}    {counted}".partition("{page}")
    return render_to_string(
        "reports/page.css",
        {
            "header": mark_safe(css_text(_header(figures, words))),
            "number": mark_safe(f"{css_text(before)} counter(page) {css_text(after)}"),
            "first": first,
        },
    )


def _header(figures: BatchFigures, words: Wording) -> str:
    """One padded line: a margin box costs as much as a row, and every page has its header."""
    left = words.chinese(_("Batch %(number)s"), number=figures.number)
    right = words.chinese(_("Digest %(digest)s"), digest=figures.digest[:16])
    room = HEADER_UNITS - set_width(left) - set_width(right)
    title = cut(figures.rule_title, max(room - 4, 0))
    before = max(room - set_width(title), 2) // 2
    after = max(room - set_width(title) - before, 1)
    return f"{left}{' ' * before}{title}{' ' * after}{right}"


def css_text(text: str) -> str:
    """A CSS string literal that ends where it should."""
    safe = "".join(c if c.isprintable() and c not in '\\"<>&' else f"\\{ord(c):x} " for c in text)
    return f'"{safe}"'


class Labels:
    """Looks up the labels of a template by name, in the words of this report."""

    TEXTS: dict[str, str | Promise] = {
        "report": _("Disbursement report"),
        "amount": _("Amount disbursed"),
        "in_words": _("in words"),
        "payments": _("payments"),
        "basis": _("Basis and fund"),
        "control": _("Control totals"),
        "stage": _("Stage"),
        "count": _("Payments"),
        "sum": _("Amount (¥)"),
        "digest": _("Digest (SHA-256)"),
        "made_on": _("Date of this report"),
        "summary": _("Summary by county"),
        "county": _("County"),
        "all": _("Due"),
        "paid": _("Paid out"),
        "failed": _("Failed or came back"),
        "waiting": _("Waiting for the bank"),
        "lines": _("Payments"),
        "outcomes": _("Words of the column Result"),
        "approvals": _("Approvals"),
        "step": _("Step"),
        "name": _("Name"),
        "time": _("Time"),
        "approved_digest": _("Digest approved"),
        "returns": _("Return files read"),
        "file": _("File"),
        "by": _("By"),
        "no_returns": _("No return file has been read yet."),
        "no_failures": _("No payment of this batch failed or came back."),
        "signatures": _("Signatures"),
        "date_line": _("Date:"),
        "versions": _("Versions and downloads"),
        "version": _("Version"),
        "downloads": _("Downloads of earlier versions"),
        "content_digest": _("Content digest (SHA-256)"),
        "witness": reports.WITNESS,
        "digest_note": _(
            "The digest of the file itself is recorded in the register of reports when the"
            " file is complete; it can be compared there."
        ),
        "seal": _("Seal of the unit"),
        "voucher": _("Payment voucher"),
        "number": _("Voucher number"),
        "payee": _("Payee"),
        "identity": _("ID or credit code"),
        "bank": _("Bank"),
        "account": _("Account"),
        "figures": _("in figures"),
        "purpose": _("Purpose"),
        "explained": _("How the sum was found"),
        "decision": _("Decision"),
        "clause": _("Clause"),
        "fund": _("Fund"),
        "paid_on": _("Confirmed by the bank"),
        "bank_reference": _("Reference of the bank"),
        "batch_line": _("Batch / no."),
        "rule": _("rule"),
        "corrected_by": _("Failed payments were started again in"),
    }

    def __init__(self, words: Wording) -> None:
        self._words = words

    def __getitem__(self, name: str) -> SafeString:
        return self._words(self.TEXTS[name])


def _results(figures: BatchFigures, words: Wording) -> list[dict[str, Any]]:
    parts = [
        ("paid", _("Paid out"), figures.paid),
        ("failed", _("Failed or came back"), figures.failed),
        ("waiting", _("Waiting for the bank"), figures.waiting),
    ]
    return [
        {
            "kind": kind,
            "label": words(label),
            "amount": yuan(tally.fen),
            "count": words(_("%(count)s payments"), count=f"{tally.lines:,}"),
        }
        for kind, label, tally in parts
    ]


def _facts(figures: BatchFigures, words: Wording) -> list[Fact]:
    fund = f"{figures.fund_name}（{figures.fund_code}）"
    rule = words.chinese(
        _("%(title)s, version %(version)s"),
        title=figures.rule_title,
        version=figures.rule_version,
    )
    facts: list[tuple[str | Promise, str]] = [
        (_("Unit"), figures.organization),
        (_("Period"), figures.period),
        (_("Fund"), fund),
        (_("Source of the money"), figures.fund_source),
        (_("Rule set"), rule),
        (_("Clause"), figures.rule_clause),
        (_("Issued by"), figures.rule_issuer),
        (_("Payment date"), words.day(figures.pay_on)),
        (_("State of the batch"), words.plain(BatchState(figures.state).label)),
    ]
    if figures.corrects:
        facts.append((_("Re-issues failures of batch"), figures.corrects))
    if figures.corrected_by:
        facts.append((_("Failures re-issued in batch"), "、".join(figures.corrected_by)))
    return [(words(label), value) for label, value in facts if value]


def _controls(figures: BatchFigures, words: Wording, content_digest: str) -> list[dict[str, str]]:
    rows = [(words(_("Batch as sealed")), figures.control, figures.digest)]
    if figures.bank_file is not None:
        stage = format_html("{} {}", words(_("Bank file")), figures.bank_file.name)
        rows.append((stage, figures.bank_file.content, figures.bank_file.sha256))
    rows.append((words(_("List in this report")), figures.control, content_digest))
    return [
        {
            "stage": stage,
            "count": f"{tally.lines:,}",
            "sum": yuan(tally.fen),
            "digest": _in_groups(digest),
        }
        for stage, tally, digest in rows
    ]


def _in_groups(digest: str) -> str:
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _chart(figures: BatchFigures, words: Wording) -> SafeString:
    return bars(
        words.plain(_("Amount by county: paid out, and failed or waiting")),
        [
            Bar(
                county.name.removesuffix("总工会"),
                county.paid.fen,
                county.all.fen - county.paid.fen,
                yuan(county.all.fen),
            )
            for county in figures.counties
        ],
    )


def _county_row(county: CountyFigures) -> dict[str, Any]:
    parts = (county.all, county.paid, county.failed, county.waiting)
    return {
        "name": county.name,
        "cells": [
            text
            for tally in parts
            for text in ((f"{tally.lines:,}", yuan(tally.fen)) if tally.lines else ("–", "–"))
        ],
    }


def _approval_row(approval: Approval, words: Wording) -> dict[str, str]:
    return {
        "step": words(BatchStep(approval.step).label),
        "name": approval.name,
        "at": words.moment(approval.at),
        "digest": _in_groups(approval.digest),
    }


def _occurrences(rows: Sequence[Occurrence], words: Wording) -> list[dict[str, str]]:
    return [
        {"what": row.what, "who": row.who, "at": words.moment(row.at), "note": row.note}
        for row in rows
    ]
