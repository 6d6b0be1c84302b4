"""A printed report says what its rows say: ids, amounts, order, sums, page numbers (C5)."""

import re
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pikepdf
import pytest

from tests.reports import pdftools, sample
from union_portal.kit.money import in_words, yuan
from welfare.disbursement.reporting.content import Disagreement, PayeeLine
from welfare.disbursement.reporting.document import CELLS_UP_TO
from welfare.disbursement.reporting.wording import Wording

RARE = "䶮㛃𠅤喆堃犇㼆𬭚𬀩𫖯𡋾﨑〇"
HOSTILE = (
    "<b>李</b>",
    "&lt;i&gt;",
    "<script>x</script>",
    "</pre></td><img src=http://127.0.0.1:9/>",
    "=HYPERLINK(1)",
    "&amp;&lt;b&gt;",
    "王" * 60,
    "\\\";}@import'x'",
    "{{ settings.SECRET_KEY }}",
)
NAMES = (*(f"李{character}" for character in RARE), "买买提·艾力", *HOSTILE)
SHORT, LONG = 260, CELLS_UP_TO + 150

Printer = Callable[[int], tuple[list[PayeeLine], Path, list[str]]]


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> Printer:
    """(lines, file, pages of text) of a report of so many lines; each is printed once."""
    made: dict[int, tuple[list[PayeeLine], Path, list[str]]] = {}

    def get(count: int) -> tuple[list[PayeeLine], Path, list[str]]:
        if count not in made:
            lines = sample.payees(count, names=NAMES)
            result = sample.print_report(lines, tmp_path_factory.mktemp("report"))
            assert result.peak_kb < 200 * 1024
            made[count] = lines, result.path, pdftools.texts(result.path)
        return made[count]

    return get


def list_pages(pages: list[str]) -> list[str]:
    """The pages of the list of payees: each has identity numbers on it."""
    return [page for page in pages if re.search(r"\d{3}\*{11}", page)]


def rows(page: str) -> list[tuple[int, str, str, str]]:
    """(number, masked identity, masked account, amount) of each row of a page."""
    found = re.findall(
        r"^ *(\d+) .*?(\d{3}\*{11}[\dX]{4}) .*?(\*{12}\d{4}) +([\d,]+\.\d\d) ", page, re.MULTILINE
    )
    return [(int(number), *rest) for number, *rest in found]


@pytest.mark.parametrize("count", [SHORT, LONG])
def test_ids_accounts_amounts_and_order_are_those_of_the_rows(printed, count):
    lines, _path, pages = printed(count)
    assert [row for page in list_pages(pages) for row in rows(page)] == [
        (line.sequence, line.identity, line.account, yuan(line.amount_fen)) for line in lines
    ]


@pytest.mark.parametrize("count", [SHORT, LONG])
def test_each_page_adds_up_and_carries_the_sum_so_far(printed, count):
    _lines, _path, pages = printed(count)
    listed = list_pages(pages)
    fen = [[int(re.sub(r"\D", "", row[3])) for row in rows(page)] for page in listed]
    sums = [pdftools.amounts(page)[-2:] for page in listed]
    assert sums == [
        [yuan(sum(own)), yuan(running)]
        for own, running in zip(fen, accumulate(map(sum, fen)), strict=True)
    ]


@pytest.mark.parametrize("count", [SHORT, LONG])
def test_every_county_has_its_subtotal(printed, count):
    lines, _path, pages = printed(count)
    listed = "\n".join(list_pages(pages))
    for county in sample.figures(lines).counties:
        line = next(
            text
            for text in listed.splitlines()
            if text.startswith(county.name) and pdftools.amounts(text)
        )
        assert pdftools.amounts(line) == [yuan(county.all.fen)]
        assert f"{county.all.lines:,}" in line


@pytest.mark.parametrize("count", [SHORT, LONG])
def test_pages_count_themselves_and_name_batch_and_digest(printed, count):
    _lines, _path, pages = printed(count)
    for number, page in enumerate(pages, start=1):
        head, foot = page.strip().splitlines()[0], page.rstrip().splitlines()[-1]
        assert "P20260000007" in head
        assert sample.DIGEST[:16] in head
        assert [int(n) for n in re.findall(r"\d+", foot)] == [number, len(pages)]


def test_the_cover_tells_the_total_in_figures_and_words(printed):
    lines, _path, pages = printed(SHORT)
    total = sample.tally(lines)
    assert f"¥{yuan(total.fen)}" in pages[0]
    assert in_words(total.fen, prefix=True) in pages[0]
    assert "LM-2026" in pages[0]
    plain = re.sub(r"\s", "", pages[0])
    assert sample.DIGEST in plain
    assert sample.DIGEST[::-1] in plain


def test_every_county_is_drawn_as_well_as_listed(printed):
    lines, _path, pages = printed(SHORT)
    for county in sample.figures(lines).counties:
        name = county.name.removesuffix("总工会")
        assert len(re.findall(rf"{name}.*{yuan(county.all.fen)}", pages[1])) == 2


def test_failures_name_the_batch_that_pays_them(printed):
    lines, _path, pages = printed(SHORT)
    text = "\n".join(pages)
    for failure in sample.failures(lines):
        again = rf"{failure.again_batch} / {failure.again_sequence}\b"
        assert re.search(rf"^ *{failure.sequence} .*{failure.reason}.*{again}", text, re.MULTILINE)


@pytest.mark.parametrize("count", [SHORT, LONG])
def test_rare_names_are_drawn_and_can_be_copied_out(printed, count):
    _lines, path, pages = printed(count)
    text = "\n".join(pages)
    assert [character for character in RARE if f"李{character}" not in text] == []
    assert "买买提·" in text
    fonts = pdftools.fonts(path)
    assert {name.split("+")[-1] for name, _e, _u in fonts} == {"Union-Report", "Union-Report-Bold"}
    assert all(embedded and mapped for _name, embedded, mapped in fonts)


@pytest.mark.parametrize("count", [SHORT, LONG])
def test_hostile_names_are_only_text(printed, count):
    _lines, path, pages = printed(count)
    text = re.sub(r"\s", "", "\n".join(list_pages(pages)))
    for name in ("<b>李</b>", "&lt;i&gt;", "<script"):
        assert name in text
    assert text.count("王") >= 60
    assert b"127.0.0.1" not in b"".join(_links(path))


def _links(path: Path) -> list[bytes]:
    with pikepdf.open(path) as document:
        return [
            str(annotation).encode()
            for page in document.pages
            for annotation in page.obj.get("/Annots", [])
        ]


@pytest.mark.parametrize("count", [SHORT, LONG])
def test_the_tag_tree_holds_every_page_and_a_table_row_for_each_payment(printed, count):
    _require_tags(*printed(count))


def test_many_sections_are_joined_by_groups_into_the_same_document(tmp_path, monkeypatch):
    monkeypatch.setattr("union_portal.kit.pdf_assembly.GROUP", 2)
    monkeypatch.setattr("welfare.disbursement.reporting.document.PAGES_OF_CELLS", 1)
    lines = sample.payees(120)
    path = sample.print_report(lines, tmp_path).path
    pages = pdftools.texts(path)
    assert (tmp_path / "sections" / "group-00002.pdf").exists()
    assert [row[0] for page in list_pages(pages) for row in rows(page)] == list(range(1, 121))
    _require_tags(lines, path, pages)


def _require_tags(lines: list[PayeeLine], path: Path, pages: list[str]) -> None:
    with pikepdf.open(path) as document:
        assert str(document.Root.Lang) == "zh-CN"
        assert bool(document.Root.MarkInfo.Marked)
        root = document.Root.StructTreeRoot
        numbers = [int(n) for n in list(root.ParentTree.Nums)[::2]]
        assert sorted(int(page.StructParents) for page in document.pages) == list(range(len(pages)))
        assert numbers == sorted(set(numbers))
        kinds = _kinds(root)
    assert kinds["/TR"] > len(lines)
    assert kinds["/Table"] >= len(list_pages(pages))
    assert kinds["/Figure"] == 1


def _kinds(root: pikepdf.Object) -> dict[str, int]:
    """How many structure elements of each kind hang together from the root."""
    counted: dict[str, int] = {}
    waiting = list(root.K)
    while waiting:
        element = waiting.pop()
        if not isinstance(element, pikepdf.Dictionary) or "/S" not in element:
            continue
        counted[str(element.S)] = counted.get(str(element.S), 0) + 1
        kids = element.get("/K", [])
        for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary):
                assert kid.P.objgen == element.objgen
                waiting.append(kid)
    return counted


def test_the_outline_leads_to_each_county(printed):
    lines, path, pages = printed(LONG)
    counties = [county.name for county in sample.figures(lines).counties]
    places = dict(pdftools.bookmarks(path))
    assert [name for name in places if name in counties] == counties
    for name in counties:
        assert re.search(rf"^{name}$", pages[places[name]], re.MULTILINE)


def test_fonts_are_stored_once_however_many_sections_there_are(printed):
    _lines, path, _pages = printed(LONG)
    with pikepdf.open(path) as document:
        files = {
            descendant.FontDescriptor.FontFile3.objgen
            for page in document.pages
            for font in page.Resources.Font.values()
            for descendant in font.DescendantFonts
        }
    assert len(files) == 2


def test_cells_and_padded_lines_look_the_same(printed):
    """Rows and columns stand at the same places in both ways of setting."""
    places = [_words(printed(count)[1], 3) for count in (SHORT, LONG)]
    rows, long_rows = (
        {w: (x, y) for w, x, y in words if w.isdecimal() and x < 75} for words in places
    )
    compared = 0
    for number in set(rows) & set(long_rows):
        compared += 1
        assert rows[number] == pytest.approx(long_rows[number], abs=1.5), number
    assert compared > 15
    columns, long_columns = ({round(x) for w, x, _y in words if "*" in w} for words in places)
    assert columns == long_columns
    assert len(columns) == 2


def _words(path: Path, page: int) -> list[tuple[str, float, float]]:
    """(word, right edge, baseline) of a page."""
    told = pdftools.poppler("pdftotext", "-bbox", "-f", str(page), "-l", str(page), str(path), "-")
    words = re.findall(r'xMax="([\d.]+)" yMax="([\d.]+)">([^<]+)<', told)
    return [(word, float(x), float(y)) for x, y, word in words]


def test_the_english_version_is_chinese_first_with_english_beside_it(tmp_path):
    lines = sample.payees(60)
    result = sample.print_report(lines, tmp_path, language="en")
    text = "\n".join(pdftools.texts(result.path))
    for label in ("Control totals", "Summary by county", "ID or credit code", "Running total"):
        assert label in text
    assert in_words(sample.tally(lines).fen, prefix=True) in text
    words = Wording("en")
    assert words.plain("Payee").endswith("Payee")


def test_the_same_content_gives_the_same_file(tmp_path):
    lines = sample.payees(60)
    first, second = (sample.print_report(lines, tmp_path / name) for name in "ab")
    assert first.digest == second.digest


@pytest.mark.parametrize("change", ["drop", "raise"])
def test_a_list_that_does_not_add_up_is_not_printed(tmp_path, change):
    lines = sample.payees(30)
    figures = sample.figures(lines)
    changed = lines[:-1] if change == "drop" else [*lines[:-1], _dearer(lines[-1])]
    with pytest.raises(Disagreement, match="control totals"):
        sample.print_report(changed, tmp_path, changed=figures)


def _dearer(line: PayeeLine) -> PayeeLine:
    return PayeeLine(**{**vars(line), "amount_fen": line.amount_fen + 1})
