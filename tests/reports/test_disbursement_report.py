"""Reports as staff ask for them: what they say equals what the database holds (C5)."""

import hashlib
import re

import openpyxl
import pytest

from tests.cast import make_payee
from tests.reports import pdftools
from union_portal import files, queue
from union_portal.kit.money import in_words, yuan
from union_portal.models import Job
from welfare.disbursement import batches
from welfare.disbursement.models import PayoutLine


@pytest.fixture
def batch(office):
    """Eight payments in two counties: two fail, six arrive."""
    office.owe_one(make_payee(office.cast, name="王䶮"))
    office.owe_one(make_payee(office.cast, name="=1+1"))
    office.owe_one(make_payee(office.cast, name="阿卜杜拉·买买提艾力"))
    office.owe(2, union=office.cast.tree.other_union)
    batch = office.delivered(3)
    office.answer(batch, *office.says(batch, *["failed"] * 2, *["paid"] * 6))
    batch.refresh_from_db()
    return batch


def test_the_pdf_equals_the_database(office, batch, ask):
    failed = list(PayoutLine.objects.filter(batch=batch, state="failed").order_by("e2e"))
    for line in failed:
        office.correct_account(line.entitlement.person)
    again = batches.reissue(batch=batch, by=office.cast.feng, today=batch.pay_on)
    made = ask("disbursement_pdf", batch)
    pages = pdftools.texts(made.path)
    text = "\n".join(pages)
    assert len(pages) == made.run.pages
    for line in batch.lines.select_related("entitlement__person"):
        identity = re.escape(line.entitlement.person.national_id_shown)
        account = re.escape(f"************{line.account_last_four}")
        row = rf"^ *{line.position} .*{identity}.*{account} +{yuan(line.amount_fen)} "
        assert len(re.findall(row, text, re.MULTILINE)) == 1
    for line in failed:
        successor = PayoutLine.objects.get(entitlement=line.entitlement, attempt=2)
        assert f"{again.number} / {successor.position}" in text
    assert f"¥{yuan(batch.total_fen)}" in text
    assert in_words(batch.total_fen, prefix=True) in text
    plain = re.sub(r"\s", "", text)
    for digest in (batch.digest, batch.bank_file.sha256, made.run.digest):
        assert digest in plain
    for approval in batch.approvals.select_related("account"):
        assert approval.account.name in text


def test_asking_again_is_a_new_version_that_names_the_first_and_its_readers(office, batch, ask):
    first = ask("disbursement_pdf", batch)
    files.fetch(file=first.run.file, by=office.cast.gao).close()
    second = ask("disbursement_pdf", batch)
    assert [first.run.version, second.run.version] == [1, 2]
    assert first.run.digest == second.run.digest
    for made in (first, second):
        assert made.run.file.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
        assert made.run.job.done_count == made.run.job.total_count == made.run.pages
    assert office.cast.gao.name in pdftools.texts(second.path)[-1]
    cast = office.cast
    file = second.run.file
    assert all(files.may_fetch(who, file) for who in (cast.feng, cast.gao))
    assert not any(files.may_fetch(who, file) for who in (cast.qiao, cast.wei, cast.lin))


def test_the_spreadsheet_holds_the_same_rows_as_text(batch, ask):
    made = ask("disbursement_xlsx", batch)
    made.path.rename(made.path.with_suffix(".xlsx"))
    book = openpyxl.load_workbook(made.path.with_suffix(".xlsx"))
    listed = list(book.worksheets[2].iter_rows(min_row=2))
    held = {line.position: line for line in batch.lines.all()}
    assert sorted(row[0].value for row in listed) == sorted(held)
    for row in listed:
        line = held[row[0].value]
        assert row[1].value == line.e2e
        assert row[3].value == line.payee_name
        assert row[7].value == f"************{line.account_last_four}"
        assert row[8].value * 100 == line.amount_fen
        assert {cell.data_type for cell in row[1:8]} == {"s"}
    assert len(list(book.worksheets[3].iter_rows(min_row=2))) == 2


def test_spreadsheet_and_pdf_carry_one_content_digest(batch, ask):
    digests = {ask(kind, batch).run.digest for kind in ("disbursement_pdf", "disbursement_xlsx")}
    assert len(digests) == 1


def test_each_payment_that_arrived_has_a_voucher(batch, ask):
    book = ask("payment_voucher", batch)
    pages = pdftools.texts(book.path)
    paid = PayoutLine.objects.filter(batch=batch, state="paid")
    assert len(pages) == book.run.pages == paid.count()
    for line in paid:
        (page,) = [page for page in pages if line.e2e in page]
        assert in_words(line.amount_fen, prefix=True) in page
        assert f"************{line.account_last_four}" in page
        assert "Festival gift" in page
    one = ask("payment_voucher", paid[0])
    assert one.run.pages == 1
    assert paid[0].e2e in pdftools.texts(one.path)[0]


def test_a_payment_that_failed_has_no_voucher(batch, ask):
    made = ask("payment_voucher", PayoutLine.objects.filter(batch=batch, state="failed")[0])
    assert made.run.state == "failed"
    assert "No payment has arrived yet" in made.run.error


def test_a_draft_is_refused_with_a_remedy(office, ask):
    office.owe(1)
    draft = office.assemble()
    made = ask("disbursement_pdf", draft)
    assert made.run.state == "failed"
    assert "Seal the batch" in made.run.error
    batches.seal(batch=draft, by=office.cast.feng)


def test_without_pango_the_report_waits_and_says_what_to_run(office, ask, monkeypatch):
    batch = office.sealed(1)
    with monkeypatch.context() as without:
        without.setattr("union_portal.kit.pdf._loads", lambda name: False)
        made = ask("disbursement_pdf", batch)
    assert made.run.state == "failed"
    assert "apt-get install libpango" in made.run.error
    queue.retry(job=Job.objects.get(pk=made.run.job.pk), by=office.cast.feng)
    queue.run_job(made.run.job.pk)
    made.run.refresh_from_db()
    assert made.run.state == "ready"


def test_without_the_font_the_report_waits_too(office, ask, monkeypatch):
    monkeypatch.setattr("union_portal.kit.pdf.find_spec", lambda name: None)
    made = ask("disbursement_pdf", office.sealed(1))
    assert made.run.state == "failed"
    assert "report font" in made.run.error
