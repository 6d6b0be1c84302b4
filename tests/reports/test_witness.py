"""Whatever report is printed, it bears the head of the audit log: paper is a witness."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from members.actions import statistics
from members.queries.privacy import COPY_KINDS
from tests.cast import NOW, TODAY, make_person
from tests.disbursement.conftest import Office
from tests.kernel.test_notifications import queue_all
from tests.members.cards import make_card
from tests.reports import pdftools
from tests.welfare.shop import FEBRUARY, make_shop, use
from union_portal import account_reviews, audit, figures, files, queue, reports
from union_portal.downloads import XLSX
from welfare.actions import settlements
from welfare.models import MerchantStatement

PRINTED = "application/pdf"


def _batch(office: Office):
    return office.settled("paid", "failed")


def _letters(office: Office):
    make_person(office.cast.tree.union, phone=False)
    queue_all()
    return office.cast.tree.city


def _figures(office):
    figures.keep(today=TODAY)
    return office.cast.tree.city


def _statistics(office: Office):
    return statistics.count(organization=office.cast.tree.county, year=TODAY.year, now=NOW)


def _statement(office: Office):
    shop = make_shop(office.cast)
    use(shop, make_card(office.cast.lin_person))
    settlements.issue(month=FEBRUARY, by=shop.officer, now=NOW, today=TODAY)
    return MerchantStatement.objects.get()


# What a report of each kind is about. A new kind needs its line here.
SUBJECTS: dict[str, Callable] = {
    "disbursement_pdf": _batch,
    "disbursement_xlsx": _batch,
    "payment_voucher": _batch,
    "figures_pdf": _figures,
    "figures_xlsx": _figures,
    "letters": _letters,
    "my_data_pdf": lambda office: office.cast.lin_person,
    "my_data_json": lambda office: office.cast.lin_person,
    "union_statistics_pdf": _statistics,
    "union_statistics_xlsx": _statistics,
    "merchant_statement_pdf": _statement,
    "merchant_statement_xlsx": _statement,
    "account_review": lambda office: account_reviews.open_review(
        by=office.cast.security_admin, today=TODAY, due_on=TODAY + timedelta(days=30)
    ),
}


# What is asked for with it.
MORE = {kind: {"language": "zh-hans"} for kind in COPY_KINDS}


@pytest.mark.parametrize("kind", sorted(k for k in reports.kinds() if not k.startswith("tests.")))
def test_every_report_prints_the_head_of_the_log(kind, office, tmp_path):
    subject = SUBJECTS[kind](office)
    audit.seal()
    head = audit.head()
    run = reports.request(
        kind=kind, subject=subject, by=audit.WORKER, organization=office.cast.tree.city,
        **MORE.get(kind, {}),
    )  # fmt: skip
    queue.run_job(run.job.pk)
    run.refresh_from_db()
    assert run.file is not None, run.error
    path = tmp_path / run.file.name
    with files.open_for(run.file) as stream:
        path.write_bytes(stream.read())
    pages = _pages(path, run.file.content_type)
    shown = [page for page in pages if f"{head.number}{head.digest}" in re.sub(r"\s", "", page)]
    assert shown
    if kind in {"letters", "payment_voucher"}:  # each sheet goes to another reader
        assert len(shown) == len(pages)


def test_before_the_first_block_a_report_says_that_there_is_none(db):
    assert reports.witness() == "–"


def _pages(path: Path, content_type: str) -> list[str]:
    """What is read in the file: by the page if it has pages."""
    if content_type == PRINTED:
        return pdftools.texts(path)
    return [_cells(path) if content_type == XLSX else path.read_text()]


def _cells(path: Path) -> str:
    book = openpyxl.load_workbook(path, read_only=True)
    return "\n".join(
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row
    )
