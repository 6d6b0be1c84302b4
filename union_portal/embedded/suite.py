"""`./portal test`: every check and every test, on private servers of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from union_portal.embedded import libraries, places
from union_portal.embedded.processes import run_in_foreground
from union_portal.embedded.surroundings import surroundings

PYTHON: Final = sys.executable
MANAGE: Final = (PYTHON, "manage.py")
CHECKS: Final[Mapping[str, Sequence[str]]] = {
    "ruff check": (PYTHON, "-m", "ruff", "check", "."),
    "ruff format --check": (PYTHON, "-m", "ruff", "format", "--check", "."),
    "bandit": (
        *(PYTHON, "-m", "bandit", "--quiet", "--recursive", "--configfile", "pyproject.toml"),
        *("union_portal", "members", "welfare", "awards", "events"),
    ),
    "lint-imports": (PYTHON, str(Path(PYTHON).parent / "lint-imports")),
    "mypy": (PYTHON, "-m", "mypy", "."),
    "manage.py makemigrations --check": (
        *MANAGE,
        "makemigrations",
        "--check",
        "--dry-run",
    ),
    "manage.py check": (*MANAGE, "check"),
}
PYTEST: Final = (PYTHON, "-m", "pytest")
JOURNEYS: Final = "tests/journeys"
# Journeys drive browsers against the clock: they run after the rest, one in each core.
PARTS: Final[Mapping[str, Sequence[str]]] = {
    # In the order of the folders: by their number the files of one long test would all come last.
    "tests": (
        "tests",
        f"--ignore={JOURNEYS}",
        "-n",
        "3",
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
    ),
    "browser journeys": (JOURNEYS, "-n", "2"),
}
COUNTS: Final = ("failed", "passed", "skipped", "errors")
NO_TESTS_COLLECTED: Final = 5
# Commands that change tables rather than rows.
OF_THE_OWNER: Final = frozenset({"migrate", "grant_roles"})


def say(line: str) -> None:
    print(f"portal: {line}", flush=True)


def is_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def suite(arguments: Sequence[str]) -> int:
    """Run everything, or with arguments pytest alone with them; the exit status."""
    browser = _browser_environment()
    libraries.ensure_pango(say)
    _need_poppler()
    with surroundings("test", say=say) as around:
        environment = dict(around.environment) | browser
        if arguments:
            return run_in_foreground([*PYTEST, *arguments], environment, cwd=places.CHECKOUT)
        failed = [name for name in CHECKS if not _check(name, environment)]
        return _tests(environment, around.var, failed)


def _browser_environment() -> dict[str, str]:
    """What the journeys must know. Raises LauncherError: CI would skip them."""
    browser = libraries.ensure_chromium(say)
    if browser:
        return {"PORTAL_CHROMIUM": browser}
    if is_ci():
        raise places.LauncherError(
            "In CI nothing is skipped, and the browser journeys need Chromium:\n"
            f"    {libraries.apt_line(*libraries.CHROMIUM_PACKAGES)}"
        )
    return {"PORTAL_NO_BROWSER": "1"}


def _need_poppler() -> None:
    """Raises LauncherError in CI, where nothing is skipped."""
    if not libraries.ensure_poppler(say) and is_ci():
        raise places.LauncherError(
            "In CI nothing is skipped, and the tests of reports read PDFs with poppler:\n"
            f"    {libraries.apt_line(*libraries.POPPLER_PACKAGES)}"
        )


def _check(name: str, environment: Mapping[str, str]) -> bool:
    say(name)
    return run_in_foreground(CHECKS[name], environment, cwd=places.CHECKOUT) == 0


def _tests(environment: Mapping[str, str], var: Path, failed: list[str]) -> int:
    began = time.monotonic()
    totals = dict.fromkeys(COUNTS, 0)
    for name, arguments in PARTS.items():
        if not (places.CHECKOUT / arguments[0]).is_dir():
            say(f"{name}: there are none in {arguments[0]}")
            continue
        say(f"pytest: {name}")
        report = var / f"{name.replace(' ', '-')}.xml"
        report.unlink(missing_ok=True)
        command = [
            *PYTEST,
            *arguments,
            f"--junitxml={report}",
            "-o",
            "junit_family=xunit2",
        ]
        status = run_in_foreground(command, environment, cwd=places.CHECKOUT)
        if status not in (0, NO_TESTS_COLLECTED):
            failed.append(f"pytest: {name}")
        for count, number in read_counts(report).items():
            totals[count] += number
    say("all checks passed" if not failed else f"FAILED: {', '.join(failed)}")
    print(summary_line(totals, time.monotonic() - began), flush=True)
    return 1 if failed else 0


def read_counts(report: Path) -> dict[str, int]:
    """How many tests ended how, from pytest's own report; empty if it never wrote one."""
    if not report.exists():
        return {}
    tree = ElementTree.parse(report)  # noqa: S314 (pytest wrote it just now)
    suites = list(tree.getroot().iter("testsuite"))
    told = {
        count: sum(int(each.get(count, 0)) for each in suites)
        for count in ("tests", "failures", "skipped", "errors")
    }
    passed = told["tests"] - told["failures"] - told["skipped"] - told["errors"]
    return {
        "failed": told["failures"],
        "passed": passed,
        "skipped": told["skipped"],
        "errors": told["errors"],
    }


def summary_line(totals: Mapping[str, int], seconds: float) -> str:
    """All parts in one line, in pytest's form."""
    said = ", ".join(_counted(totals[name], name) for name in COUNTS if totals[name])
    return f" {said or 'no tests ran'} in {seconds:.2f}s ".center(80, "=")


def _counted(number: int, name: str) -> str:
    return f"{number} {name.removesuffix('s') if number == 1 else name}"


def bench(arguments: Sequence[str]) -> int:
    """`python -m bench.NAME` on private servers that write as those of production do."""
    scripts = (places.CHECKOUT / "bench").glob("[a-z]*.py")
    names = sorted(path.stem for path in scripts if "__main__" in path.read_text("utf-8"))
    if not arguments or arguments[0] not in names:
        raise places.LauncherError(f"Name a benchmark: {', '.join(names)}")
    libraries.ensure_pango(say)
    with surroundings("bench", say=say) as around:
        command = [PYTHON, "-m", f"bench.{arguments[0]}", *arguments[1:]]
        return run_in_foreground(command, around.environment, cwd=places.CHECKOUT)


def manage(arguments: Sequence[str], *, called_from: Path) -> int:
    """`manage.py` with the private servers of the demo, as the role that the command is for."""
    with surroundings("demo", say=say) as around:
        command = [PYTHON, str(places.CHECKOUT / "manage.py"), *arguments]
        role = {} if set(arguments[:1]) & OF_THE_OWNER else around.as_worker
        environment = {"PORTAL_LOG_LEVEL": "WARNING", **around.environment, **role}
        return subprocess.call(command, env=environment, cwd=called_from)
