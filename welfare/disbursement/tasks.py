"""The engine's tasks: each calls one action. The batch row, not the message, holds the work."""

import logging
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from union_portal import outages
from welfare.disbursement import claims, formats, probes, returns, unknowns
from welfare.disbursement.models import BankFile
from welfare.disbursement.simulator import Bank, Habits

log = logging.getLogger(__name__)


@shared_task(name="disbursement.wake")
def wake() -> None:
    """Drive every waiting batch; in the demo the bank then answers at once."""
    claims.wake()
    if settings.EMBEDDED:
        simulate_bank()
    collect_returns()


@shared_task(name="disbursement.collect_returns")
@outages.outlived()
def collect_returns() -> None:
    returns.collect()


@shared_task(name="disbursement.mark_unanswered")
@outages.outlived()
def mark_unanswered() -> None:
    unknowns.mark(today=timezone.localdate())


@shared_task(name="disbursement.check_invariants")
@outages.outlived()
def check_invariants() -> None:
    """Every night: what is broken stands in the log, on the health page and in the figures."""
    broken = [result.code for result in probes.check_invariants() if not result.holds]
    if broken:
        log.error("the money does not agree with the books: %s", ", ".join(broken))


@shared_task(name="disbursement.simulate_bank")
def simulate_bank() -> None:
    """Let the made-up bank read the outgoing files and answer; only in the demo."""
    if not settings.EMBEDDED:
        return
    folder = Path(settings.BANK_DIR)
    names = [file.name for file in (folder / "outgoing").glob("*") if file.is_file()]
    for sent in BankFile.objects.filter(name__in=names).select_related("batch__bank_format"):
        bank = Bank(folder, formats.layout(sent.batch.bank_format), Habits())
        bank.answer(folder / "outgoing" / sent.name)
