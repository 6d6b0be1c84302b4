"""Words that have no business in the product: what trusts bytes, scripts and foreign forms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.sources import ROOT, python_files, tree, where
from tests.web.walk import forms

TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
SCRIPTS = [path for path in (ROOT / "static").rglob("*.js") if ".min." not in path.name]
PRIVATE = "union_portal/embedded/"
# Published lists of leaked passwords name them by this hash, which protects nothing there.
NAMES_BY_SHA1 = "union_portal/passwords.py"


def ours(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def calls() -> list[tuple[Path, ast.Call, str]]:
    return [
        (path, node, ast.unparse(node.func))
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
    ]


def imported() -> Iterator[tuple[str, str]]:
    for path in python_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                yield from ((ours(path), alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield ours(path), node.module
                yield from ((ours(path), f"{node.module}.{alias.name}") for alias in node.names)


def users_of(*modules: str) -> set[str]:
    """The files that import one of these, without the private servers, which stay at home."""
    return {
        name
        for name, module in imported()
        if any(module == one or module.startswith(one + ".") for one in modules)
        and not name.startswith(PRIVATE)
    }


def test_no_program_is_started_through_a_shell():
    """Who starts programs at all: uploads in a child, reports in theirs, the backup.

    That none of them names a shell is a rule of test_forbidden.py, "data is not run".
    """
    assert users_of("subprocess") == {
        "union_portal/kit/confined.py",
        "union_portal/kit/pdf_press.py",
        "union_portal/management/commands/backup.py",
    }


def test_no_bytes_from_elsewhere_become_objects(settings: Any):
    """What the libraries are told; that nothing of ours does is a rule of test_forbidden.py."""
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    assert settings.SESSION_SERIALIZER.endswith("JSONSerializer")
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_SERIALIZER == "json"


def test_xml_is_read_with_everything_off():
    readers = users_of("xml", "lxml", "defusedxml")
    found = {
        f"{ours(path)}: {ast.unparse(node)}"
        for path, node, name in calls()
        if name.endswith(("XMLParser", "iterparse")) and not ours(path).startswith(PRIVATE)
    }
    for parser in found:
        assert "resolve_entities=False" in parser and "no_network=True" in parser, parser
    # Beside them: fontconfig's settings are written, and a scanner refuses document types.
    beside = {"union_portal/kit/pdf.py", "union_portal/kit/sheets/cell_scan.py"}
    assert found
    assert readers <= {line.split(":")[0] for line in found} | beside
    assert "StartDoctypeDeclHandler" in (ROOT / "union_portal/kit/sheets/cell_scan.py").read_text()


def test_no_weak_cipher_hash_or_mode_is_named():
    weak = re.compile(r"\b(md5|sha1|MD5|SHA1|RC4|ARC4|DES|TripleDES|ECB|CBC|Blowfish)\b")
    offenders = [
        where(path, node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if ours(path) != NAMES_BY_SHA1
        if (isinstance(node, ast.Attribute) and weak.fullmatch(node.attr))
        or (isinstance(node, ast.Name) and weak.fullmatch(node.id))
        or (isinstance(node, ast.Constant) and str(node.value) in {"md5", "sha1"})
    ]
    assert offenders == []
    uses = re.findall(r"sha1\(.*", (ROOT / NAMES_BY_SHA1).read_text(encoding="utf-8"))
    assert uses and all("usedforsecurity=False" in use for use in uses)
    assert users_of("cryptography") == {"union_portal/kit/crypto.py"}


def test_secrets_are_compared_in_constant_time():
    """A digest that a stranger supplies is never met with ==."""
    named = re.compile(r"(code_hash|signature|token|mac)$")
    offenders = [
        where(path, node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Compare)
        and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        and any(
            isinstance(side, ast.Attribute | ast.Name)
            and named.search(side.attr if isinstance(side, ast.Attribute) else side.id)
            for side in (node.left, *node.comparators)
        )
    ]
    assert offenders == []


def test_no_template_is_made_from_what_somebody_wrote():
    made = {"Template", "engines", "from_string", "Engine"}
    offenders = [where(p, n) for p, n, name in calls() if name.split(".")[-1] in made]
    assert offenders == []


def test_no_help_text_is_written_by_somebody():
    offenders = [
        f"{form.__module__}.{name}"
        for form in forms()
        for name, field in form.base_fields.items()
        if "<" in str(field.help_text) and form.__module__.split(".")[0] in
        {"union_portal", "members", "welfare", "awards", "events"}
    ]  # fmt: skip
    assert offenders == []


def _is_asked(value: ast.AST) -> bool:
    return ast.unparse(value).startswith("request.")


def test_no_form_takes_every_column():
    offenders = [
        where(path, node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Assign) and ast.unparse(node) in {"fields = '__all__'"})
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "exclude")
        or (isinstance(node, ast.keyword) and node.arg is None and _is_asked(node.value))
    ]
    assert offenders == []


def test_what_was_asked_and_what_was_sent_are_never_mixed():
    mixed = re.compile(r"request\.(REQUEST|GET\s*\|\s*\w*\.POST|POST\s*\|\s*\w*\.GET)"
                       r"|POST\.get\([^)]*GET\.get|GET\.get\([^)]*POST\.get")  # fmt: skip
    assert [ours(p) for p in python_files() if mixed.search(p.read_text("utf-8"))] == []


def test_no_script_of_ours_writes_markup_or_keeps_anything_in_the_browser():
    bad = re.compile(
        r"innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
        r"|localStorage|sessionStorage|indexedDB|document\.cookie|postMessage|__proto__"
        r"|setTimeout\(\s*[\"']|window\.name|WebSocket|EventSource|XMLHttpRequest"
    )
    text = {path: path.read_text("utf-8") for path in [*SCRIPTS, *TEMPLATES] if path.is_file()}
    assert [ours(path) for path, said in text.items() if bad.search(said)] == []
    assert SCRIPTS


INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>\s*\S|[\s\"'/]on[a-z]+\s*=(?!=)|javascript:", re.IGNORECASE
)


def test_no_page_brings_a_script_or_a_handler_in_its_text():
    pages = [path for path in TEMPLATES if path.suffix == ".html"]
    assert {ours(path).split("/")[1] for path in pages} >= {"admin", "awards", "union_portal"}
    assert [ours(p) for p in pages if INLINE.search(p.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    ["<script>go()</script>", "<script defer>\ngo()", '<a onclick="go()">', "<img\nonerror=go()>",
     '<p class="x"onpointerdown = "go()">', "<svg/onload=go()>", '<a href="JavaScript:go()">'],
)  # fmt: skip
def test_a_script_in_the_text_is_found(text: str):
    assert INLINE.search(text)


def test_no_field_forbids_pasting_or_password_managers():
    forbids = re.compile(r"onpaste|oncopy|autocomplete=[\"']?off")
    files = [*TEMPLATES, *SCRIPTS, *python_files()]
    assert [ours(p) for p in files if forbids.search(p.read_text("utf-8", "ignore"))] == []


# The end of a repetition within another: each of them may take what the other could.
NESTED = re.compile(r"\([^()]*[+*]\??\)[+*{]")


def patterns() -> Iterator[tuple[str, str]]:
    """Every pattern: as a module holds it, put together, and those written where they are used."""
    for path in python_files():
        if "re.compile(" in path.read_text("utf-8"):
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    yield f"{ours(path)}: {name}", str(value.pattern)
    for path, node, name in calls():
        if name.startswith("re.") and node.args and isinstance(node.args[0], ast.Constant):
            yield where(path, node), str(node.args[0].value)


def test_no_pattern_takes_forever():
    """No repetition of a repetition, in none of the patterns that meet foreign text."""
    found = dict(patterns())
    assert len(found) > 40
    # Put together of parts, which their source does not show.
    for held in ("kit/scrub.py: _RULES", "kit/names.py: _DOT_BY_HAN", "writing.py: _FORMULA"):
        assert [place for place in found if place.endswith(held)], held
    assert [(place, one) for place, one in found.items() if NESTED.search(one)] == []


@pytest.mark.parametrize("pattern", ["(a+)+", "(?:a*)*", "(x|[a-z]+)+$", "(a+?)*", r"(\s*){2,}"])
def test_a_repetition_of_a_repetition_is_found(pattern: str):
    assert NESTED.search(pattern)


@pytest.mark.parametrize("place", ["static", "templates"])
def test_nothing_old_runs_in_the_browser(place: str):
    dead = re.compile(
        r"<(applet|object|embed|marquee|frameset)\b|classid=|\.swf|jquery-[12]\.", re.I
    )
    files = [p for p in (ROOT / place).rglob("*") if p.suffix in {".html", ".js", ".svg"}]
    assert [ours(p) for p in files if dead.search(p.read_text("utf-8", "ignore"))] == []
