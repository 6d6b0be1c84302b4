"""What the papers promise is shown by tests that exist."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

NAMES = Counter(
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^ *def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
)
TESTS = set(NAMES)
PAPERS = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "bench/README.md"]


def test_no_two_tests_have_one_name() -> None:
    """Papers name them: a name that stands for two shows nothing."""
    assert [name for name, count in NAMES.items() if count > 1] == []


def test_bad_input_names_its_tests() -> None:
    rows = [
        line
        for line in (ROOT / "docs/bad-input.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| Input")
    ]
    assert len(rows) > 35
    assert [line for line in rows if "`test_" not in line] == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_that_a_paper_names_exists(paper: Path) -> None:
    assert set(re.findall(r"`(test_\w+)`", paper.read_text("utf-8"))) - TESTS == set()


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_page_that_a_paper_leads_to_exists(paper: Path) -> None:
    led_to = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", paper.read_text("utf-8"))
    assert [one for one in led_to if not (paper.parent / one).exists()] == []
