"""A voucher per payment that arrived: one half of a sheet each, alone or all of a batch."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from union_portal import papers, reports
from union_portal.kit.money import in_words, yuan
from union_portal.kit.pdf_assembly import Bookmark, Printed, Progress
from union_portal.kit.pdf_join import Details
from union_portal.kit.pdf_press import SLOTS
from welfare.disbursement.models import BatchStep
from welfare.disbursement.reporting.content import BatchFigures, ContentDigest, Voucher
from welfare.disbursement.reporting.pages import Labels, css_text
from welfare.disbursement.reporting.wording import Wording

PER_SECTION = 120
TAGS_UP_TO = 1_000

TITLE = _("Payment voucher")


class VoucherBook:
    """Vouchers in the making, one page each; what it writes on the way lies in `folder`."""

    def __init__(
        self, figures: BatchFigures, *, folder: Path, words: Wording, made_on: str, witness: str
    ) -> None:
        self.figures = figures
        self.words = words
        self.count = 0
        self.content_digest = ""
        self._made_on = made_on
        self._witness = witness
        self._content = ContentDigest(figures)
        self._paper = papers.begin(
            folder,
            style="reports/voucher.css",
            furniture=self._furniture,
            is_tagged=figures.paid.lines <= TAGS_UP_TO,
        )

    def lay_out(self, vouchers: Iterable[Voucher]) -> None:
        """Take every voucher once, in order."""
        coming = self._content.passing(vouchers)
        while run := list(islice(coming, PER_SECTION)):
            html = "".join(map(self._page, run))
            marks: list[Bookmark] = [
                (f"{voucher.payment.sequence} {voucher.payment.name}", page, 0)
                for page, voucher in enumerate(run)
            ]
            self._paper.add("vouchers", html, len(run), marks)
            self.count += len(run)
        self.content_digest = self._content.hexdigest()

    def print(self, out: Path, *, made_at: str, progress: Progress, slots: int = SLOTS) -> Printed:
        """Render what was laid out into `out`. Errors: see `Assembly.print`."""
        title = f"{self.words.chinese(TITLE)} {self.figures.number}"
        details = Details(title=title, author=self.figures.office, made_at=made_at)
        return self._paper.print(out, details=details, progress=progress, slots=slots)

    def _furniture(self, first: int, total: int) -> str:
        note = self.words.chinese(
            _("Batch %(number)s · digest %(digest)s · made on %(at)s"),
            number=self.figures.number,
            digest=self.figures.digest[:16],
            at=self._made_on,
        )
        note += f"\n{self.words.chinese(reports.WITNESS)} {self._witness}"
        return render_to_string("reports/voucher_page.css", {"note": mark_safe(css_text(note))})

    def _page(self, voucher: Voucher) -> str:
        amount = voucher.payment.amount_fen
        return render_to_string(
            "reports/voucher.html",
            {
                "words": Labels(self.words),
                "figures": self.figures,
                "approvals": [
                    (self.words(BatchStep(approval.step).label), approval.name)
                    for approval in self.figures.approvals
                ],
                "voucher": voucher,
                "payment": voucher.payment,
                "amount": yuan(amount),
                "amount_in_words": in_words(amount, prefix=True),
                "paid_on": self.words.moment(voucher.paid_at),
                "decided_on": self.words.day(voucher.decided_on),
                "steps": [
                    (step, yuan(step.amount_fen) if step.amount_fen else "")
                    for step in voucher.steps
                ],
            },
        )
