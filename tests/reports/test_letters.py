"""Whoever has no phone gets a letter that staff print and post (X13)."""

import pytest

from tests.cast import make_person
from tests.kernel.test_notifications import queue_all
from tests.reports import pdftools
from union_portal import files, queue, reports
from union_portal.models import Message


@pytest.fixture
def ask_letters(cast, tmp_path):
    def ask(organization):
        run = reports.request(
            kind="letters", subject=organization, by=cast.officer, organization=organization
        )
        queue.run_job(run.job.pk)
        run.refresh_from_db()
        if run.file is None:
            return run, []
        path = tmp_path / f"letters-{run.pk}.pdf"
        with files.open_for(run.file) as stream:
            path.write_bytes(stream.read())
        return run, pdftools.texts(path)

    return ask


def test_each_waiting_letter_of_the_office_is_a_sheet(cast, ask_letters):
    home, away = cast.tree.union, cast.tree.other_union
    told = [
        make_person(home, name="李䶮", phone=False, address="榆阳区长城路 1 号\n3 单元"),
        make_person(home, name="王芳", phone=False, employer="驼城运输公司"),
    ]
    make_person(home, name="张有话")
    make_person(away, name="赵远", phone=False)
    queue_all()
    run, pages = ask_letters(cast.tree.county)
    own = [page for page in pages if any(p.name in page for p in told)]
    assert len(own) == 2
    assert run.pages == len(pages)
    assert not any("张有话" in page or "赵远" in page for page in pages)
    letter = next(page for page in own if "李䶮" in page)
    assert "榆阳区长城路" in letter
    assert "300.00 yuan went to your account" in letter
    assert f"L{Message.objects.get(recipient=told[0].pk).pk:08d}" in letter


def test_without_letters_nothing_is_printed(cast, ask_letters):
    run, pages = ask_letters(cast.tree.city)
    assert run.state == "failed"
    assert "No letter waits" in run.error
    assert pages == []


def test_a_log_in_code_is_never_printed(cast, ask_letters):
    make_person(cast.tree.union, phone=False)
    queue_all()
    Message.objects.filter(channel="letter").update(topic="login_code")
    run, _pages = ask_letters(cast.tree.city)
    assert run.state == "failed"
