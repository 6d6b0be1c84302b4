"""On a phone a row is a card: every cell of a table of three columns or more names its column."""

import re

from tests.architecture.sources import ROOT

TABLE = re.compile(r"<table\b[^>]*class=\"[^\"]*\b(?:st-table|cards)\b.*?</table>", re.DOTALL)
CELL = re.compile(r"<td\b(?:[^>{]|{%.*?%}|{{.*?}})*>")


def tables() -> list[tuple[str, str]]:
    return [
        (path.name, table)
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for table in TABLE.findall(path.read_text(encoding="utf-8"))
    ]


def test_every_cell_names_its_column():
    found = tables()
    assert len(found) > 5
    assert [
        (name, cell)
        for name, table in found
        for cell in CELL.findall(table)
        if "data-label=" not in cell and "colspan=" not in cell
    ] == []


def test_every_table_of_the_staff_pages_has_the_look_that_turns_rows_into_cards():
    classes = {
        (path.name, name)
        for folder in ("admin", "awards", "disbursement")
        for path in (ROOT / "templates" / folder).rglob("*.html")
        for name in re.findall(r"<table(?: class=\"([\w -]*)\")?", path.read_text("utf-8"))
    }
    known = {"st-table", "st-table part", "table cards", "st-bars", "sum"}
    assert sorted(one for one in classes if one[1] not in known) == []
