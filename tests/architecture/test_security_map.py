"""`docs/security.md` misses no item of the standards, and what it names exists."""

from __future__ import annotations

import re

import pytest

from tests.architecture import security_map
from tests.architecture.security_map import (
    ASVS,
    DENGBAO,
    NO,
    OPERATIONS,
    PAPER,
    TABLE,
    YES,
    Item,
    items,
)
from tests.architecture.sources import ROOT
from tests.architecture.test_papers import TESTS

ROWS = items()
HEADINGS = {
    line.removeprefix("## ")
    for line in (ROOT / "docs/runbook.md").read_text("utf-8").splitlines()
    if line.startswith("## ")
}
# What no test can show stays rare.
OPERATORS_AT_MOST = 15


def of(standard: str) -> list[Item]:
    return [row for row in ROWS if row.standard == standard]


def test_the_list_of_requirements_is_that_of_the_standard():
    levels = list(security_map.requirements().values())
    assert [levels.count(level) for level in "123"] == [70, 183, 92]


def test_every_requirement_of_levels_1_and_2_stands_there_once_in_order():
    known = security_map.requirements()
    told = [row.item for row in of(ASVS)]
    assert [number for number in known if known[number] in "12" and number not in told] == []
    assert told == [number for number in known if number in set(told)]
    assert [row.item for row in of(ASVS) if row.level != known[row.item]] == []


def test_every_clause_of_the_national_standard_stands_there_once_in_order():
    assert [row.item for row in of(DENGBAO)] == security_map.clauses()


def test_twelve_of_level_3_at_least_are_shown():
    assert len([row for row in of(ASVS) if row.level == "3" and row.applies == YES]) >= 12


def test_what_applies_is_shown_by_tests_that_exist():
    shown = [row for row in ROWS if row.applies == YES]
    assert [row.item for row in shown if not row.names or not row.how or row.reason] == []
    missing = {(row.item, name) for row in shown for name in row.names if name not in TESTS}
    assert missing == set()


def test_what_does_not_apply_has_its_reason_and_no_test():
    wrong = [
        row.item for row in ROWS if row.applies == NO and (not row.reason or row.tests or row.how)
    ]
    assert wrong == []


def test_what_the_operator_does_stands_in_the_runbook_and_is_rare():
    theirs = [row for row in ROWS if row.applies == OPERATIONS]
    for row in theirs:
        section = re.fullmatch(r"docs/runbook\.md(?:, | 之 )(.+)", row.how)
        assert section is not None and section[1] in HEADINGS, row.item
        assert row.reason and not row.tests, row.item
    assert len(theirs) <= OPERATORS_AT_MOST


def test_every_row_says_what_is_asked_in_one_line_that_fits_a_table():
    faulty = [
        row.item
        for row in ROWS
        if not row.asked
        or row.applies not in {YES, NO, OPERATIONS}
        or any("|" in text or "\n" in text for text in vars(row).values())
        or not re.fullmatch(r"(?:test_\w+;?)*", row.tests)
    ]
    assert faulty == []


def test_the_page_is_made_from_the_table():
    assert security_map.paper(security_map.front(), ROWS) == PAPER.read_text("utf-8")


@pytest.mark.parametrize("path", [TABLE, PAPER])
def test_table_and_page_end_with_a_line(path):
    assert path.read_text("utf-8").endswith("|\n" if path == PAPER else "\n")
