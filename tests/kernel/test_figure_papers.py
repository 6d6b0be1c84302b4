"""The headline figures as PDF and as a spreadsheet: asked for by staff, kept by version."""

from datetime import date

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from tests.cast import Cast
from tests.reports import pdftools
from tests.web.test_money_desk import browser, press
from union_portal import figure_reports, figures, files, queue
from union_portal.models import CountedFigure, ReportRun

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setattr(figures, "_figures", {})
    figures.figure("lamps", title="灯", about="亮着的灯。", looks_back=True)(lambda day: day.day)
    figures.figure("lamp_fen", title="灯的花费", unit=figures.FEN)(lambda day: 12_345)
    figures.keep(today=DAY)
    figures.look_back(today=DAY, months=2)


def made(cast: Cast, kind: str, tmp_path):
    run = figure_reports.ask(kind=kind, day=DAY, by=cast.qiao)
    queue.run_job(run.job.pk)
    run.refresh_from_db()
    path = tmp_path / run.file.name
    with files.open_for(run.file) as stream:
        path.write_bytes(stream.read())
    return run, path


def test_the_paper_tells_each_figure_with_its_day_and_how_it_is_counted(counted, cast, tmp_path):
    run, path = made(cast, figure_reports.PDF_KIND, tmp_path)
    text = "".join(pdftools.texts(path))
    for told in ("灯", "亮着的灯。", "2026-03-02", "123.45", "2026-02", "28", run.digest[:16]):
        assert told in text.replace("\n", ""), told


def test_the_sheet_holds_the_same_with_sums_in_yuan_and_the_months_behind(counted, cast, tmp_path):
    run, path = made(cast, figure_reports.XLSX_KIND, tmp_path)
    book = openpyxl.load_workbook(path)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[0] == ("Code", "Figure", "Value", "Day", "How it is counted")
    assert rows[1] == ("lamps", "灯", 2, "2026-03-02", "亮着的灯。")
    assert rows[2][:4] == ("lamp_fen", "灯的花费", 123.45, "2026-03-02")
    months = [row[:3] for row in book.worksheets[1].iter_rows(values_only=True)]
    assert ("lamps", "2026-02", 28) in months
    again, _path = made(cast, figure_reports.XLSX_KIND, tmp_path)
    assert (again.version, again.digest) == (run.version + 1, run.digest)


def test_a_clerk_has_it_printed_for_the_union_and_fetches_it_from_the_figures_page(counted, cast):
    qiao, figure = browser(cast.qiao), CountedFigure.objects.get(key="lamps", day=DAY)
    page = reverse("admin:union_portal_countedfigure_change", args=[figure.pk])
    answer = press(qiao, reverse("admin:union_portal_countedfigure_do", args=[figure.pk, "pdf"]))
    assert answer.status_code == 302
    queue.run_waiting()
    run = ReportRun.objects.get()
    assert (run.organization, run.parameters) == (cast.tree.union, {"day": "2026-03-02"})
    shown = qiao.get(page).content.decode()
    assert "亮着的灯。" in shown
    assert reverse("portal:file", args=[run.file_id]) in shown


def test_members_ask_for_no_papers(counted, cast):
    with pytest.raises(PermissionDenied):
        figure_reports.ask(kind=figure_reports.PDF_KIND, day=DAY, by=cast.lin)
