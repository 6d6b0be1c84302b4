"""Reports are set in the bundled fonts, reach for nothing outside, and never crash a worker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from tests.reports.pdftools import poppler
from union_portal.kit import pdf

ROOT = Path(__file__).resolve().parents[2]
RARE = "䶮㛃𠅤喆堃犇㼆𬭚𬀩𫖯𡋾﨑·〇"
PAGE = (
    f'<!doctype html><html lang="zh-CN"><body><p>榆林市总工会 {RARE}</p><b>合计</b></body></html>'
)


@pytest.fixture(autouse=True)
def _same_fontconfig_after() -> Iterator[None]:
    before = os.environ.get("FONTCONFIG_FILE")
    yield
    os.environ.pop("FONTCONFIG_FILE", None)
    if before is not None:
        os.environ["FONTCONFIG_FILE"] = before


@pytest.fixture
def fonts(tmp_path: Path) -> pdf.FontFiles:
    return pdf.report_fonts([PAGE], tmp_path)


needs_pango = pytest.mark.skipif(
    not pdf._loads("libpangoft2-1.0.so.0"), reason=f"needs: {pdf.PANGO_APT_LINE}"
)


def test_the_bundled_fonts_hold_the_rare_characters_of_names() -> None:
    assert pdf.missing_characters(RARE + "榆林") == ""


def test_characters_without_a_glyph_are_named_once() -> None:
    assert pdf.missing_characters("林\U0002a700\U0002a700李\U00030000\n") == "\U0002a700\U00030000"


def test_report_fonts_are_small_and_keep_what_they_need(fonts: pdf.FontFiles) -> None:
    from fontTools.ttLib import TTFont

    for path in (fonts.regular, fonts.bold):
        assert path.stat().st_size < 400_000
        font = TTFont(path)
        covered = font.getBestCmap()
        assert all(ord(character) in covered for character in RARE + "榆0１页")
        features = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
        assert "locl" in features


def test_finding_the_fonts_imports_nothing_heavy() -> None:
    code = (
        "import sys; from union_portal.kit import pdf; pdf.bundled_font('bold');"
        "print(*[m for m in ('weasyprint','uharfbuzz','fontTools','noto_cjk_sans_jp_bold')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_a_machine_without_pango_is_told_the_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_loads", lambda _: False)
    with pytest.raises(pdf.PangoMissing, match=r"libpango-1\.0\.so\.0 is missing") as refusal:
        pdf.require_pango()
    assert pdf.PANGO_APT_LINE in str(refusal.value)


@needs_pango
def test_a_report_embeds_the_bundled_font_and_its_text_can_be_selected(
    tmp_path: Path, fonts: pdf.FontFiles
) -> None:
    out = tmp_path / "report.pdf"
    pdf.render(PAGE, out, fonts=fonts, cache_dir=tmp_path / "cache")
    assert _fonts_of(out) == {"Union-Report", "Union-Report-Bold"}
    text = poppler("pdftotext", str(out), "-")
    assert "榆林市总工会" in text
    assert all(character in text for character in "䶮𠅤𬭚")


def _fonts_of(path: Path) -> set[str]:
    with pikepdf.open(path) as document:
        return {
            str(each.BaseFont)[1:].partition("+")[2] or str(each.BaseFont)[1:]
            for page in document.pages
            for each in dict(page.Resources.Font.items()).values()
        }


@needs_pango
@pytest.mark.parametrize(
    "reach",
    [
        '<img src="https://example.org/a.png">',
        '<img src="file:///etc/hostname">',
        '<link rel="stylesheet" href="http://127.0.0.1:1/a.css">',
        '<style>@import "file:///etc/passwd";</style>',
        "<style>p{background:url(ftp://example.org/x)}</style>",
        '<object data="file:///etc/passwd"></object>',
    ],
)
def test_a_report_reaches_for_nothing_outside(
    tmp_path: Path, fonts: pdf.FontFiles, reach: str
) -> None:
    out = tmp_path / "report.pdf"
    with pytest.raises(pdf.ResourceDenied, match="outside itself"):
        pdf.render(PAGE.replace("<p>", reach + "<p>"), out, fonts=fonts, cache_dir=tmp_path)
    assert not list(tmp_path.glob("*report.pdf*"))


@needs_pango
def test_files_that_are_named_and_data_may_be_used(tmp_path: Path, fonts: pdf.FontFiles) -> None:
    chart = tmp_path / "图 1.svg"
    chart.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    page = PAGE.replace(
        "<p>", f'<img src="{chart.as_uri()}"><img src="data:image/svg+xml,<svg/>"><p>'
    )
    out = tmp_path / "report.pdf"
    pdf.render(page, out, fonts=fonts, cache_dir=tmp_path, allowed=[chart])
    assert out.stat().st_size > 1000


def test_a_report_without_its_language_is_refused(tmp_path: Path, fonts: pdf.FontFiles) -> None:
    with pytest.raises(ValueError, match="zh-CN"):
        pdf.render("<html><p lang='zh-CN'>", tmp_path / "x.pdf", fonts=fonts, cache_dir=tmp_path)


CRASH = """
import sys
from pathlib import Path
from union_portal.kit import pdf
folder = Path(sys.argv[1])
fonts = pdf.report_fonts(["榆林"], folder)
page = '<html lang="zh-CN"><p style="font-family:Nowhere">榆林 漏掉的字</p></html>'
pdf.render(page, folder / "report.pdf", fonts=fonts, cache_dir=folder / "cache")
"""


@needs_pango
@pytest.mark.parametrize("configuration", ["empty", "absent"])
def test_a_machine_without_any_font_still_renders(tmp_path: Path, configuration: str) -> None:
    empty = tmp_path / "empty.conf"
    if configuration == "empty":
        empty.write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "FONTCONFIG_FILE": str(empty), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert _fonts_of(tmp_path / "report.pdf") == {"Noto-Sans-CJK-JP"}


PLAIN = """
import sys
from pathlib import Path
from union_portal.kit import pdf
if sys.argv[2] == "prepared":
    pdf.ensure_fontconfig(Path(sys.argv[1]))
import weasyprint
weasyprint.HTML(string="<p>榆林").write_pdf(sys.argv[1] + "/plain.pdf")
"""


@needs_pango
def test_fontconfig_alone_keeps_pango_from_crashing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.conf"
    empty.write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(tmp_path), "prepared"],
        cwd=ROOT,
        env={**os.environ, "FONTCONFIG_FILE": str(empty)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_fontconfig_is_prepared_once_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", "/somewhere/own.conf")
    first = pdf.ensure_fontconfig(tmp_path)
    content = first.read_text()
    assert pdf.ensure_fontconfig(tmp_path) == first
    assert first.read_text() == content
    assert "/somewhere/own.conf" in content
    assert os.environ["FONTCONFIG_FILE"] == str(first)
