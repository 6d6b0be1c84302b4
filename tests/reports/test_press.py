"""The rendering process: bounded, walled in, and no danger to the worker that drives it."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.processes import children
from tests.reports import sample
from union_portal import papers
from union_portal.kit.pdf_join import Details
from union_portal.kit.pdf_press import Press, RenderFailed
from welfare.disbursement.reporting import pages
from welfare.disbursement.reporting.wording import Wording

DETAILS = Details(title="t", author="a", made_at="2026-01-24T09:12:00+08:00")


def assembly(folder, html, pages_expected=1, *, is_guess=False):
    figures = sample.figures(sample.payees(3))
    made = papers.begin(
        folder,
        style=pages.STYLE,
        furniture=lambda first, total: pages.page_style(
            figures, Wording(), first=first, total=total
        ),
    )
    made.add("one", html, pages_expected, [], is_guess=is_guess)
    return made


@pytest.mark.parametrize(
    "html",
    ['<img src="file:///etc/hostname">', "<style>@import url(http://127.0.0.1:9/x.css);</style>"],
)
def test_nothing_but_the_fonts_is_ever_opened(tmp_path, html):
    made = assembly(tmp_path, html)
    with pytest.raises(RenderFailed, match="outside itself"):
        made.print(tmp_path / "out.pdf", details=DETAILS, progress=lambda *_: None)


def test_a_wrong_guess_of_pages_is_corrected(tmp_path):
    made = assembly(tmp_path, "<p>1</p><p style='break-before:page'>2</p>", 1)
    printed = made.print(tmp_path / "out.pdf", details=DETAILS, progress=lambda *_: None)
    assert printed.pages == 2
    assert made.sections[0].printed_as == (1, 2)


def test_a_section_that_crashes_fails_alone_and_says_so(tmp_path):
    with Press(tmp_path, cache_dir=tmp_path) as press:
        request = {"work": "print", "out": str(tmp_path / "gone.pdf")}
        number = press._send(request)
        deadline = time.monotonic() + 30
        while not (started := children(press.process.pid)):
            assert time.monotonic() < deadline
        os.kill(started[0], signal.SIGKILL)
        with pytest.raises(RenderFailed, match=r"gone ended with|KeyError"):
            press._answer(request, press._ended()["status"])
        assert number == "gone"


def test_stopping_the_report_stops_what_it_renders(tmp_path):
    class Stop(Exception):
        pass

    def stop(done, total):
        raise Stop

    made = assembly(tmp_path, "<p>x</p>")
    before = children(os.getpid())
    with pytest.raises(Stop):
        made.print(tmp_path / "out.pdf", details=DETAILS, progress=stop)
    assert children(os.getpid()) == before


def test_the_rendering_process_gets_no_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("PORTAL_SECRET_KEY", "s" * 40)
    with Press(tmp_path, cache_dir=tmp_path) as press:
        environment = Path(f"/proc/{press.process.pid}/environ").read_bytes()
    assert b"s" * 40 not in environment
    assert b"DATABASE_URL" not in environment
