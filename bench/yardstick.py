"""Measure the house rules: `python -m bench.yardstick`.

Prints, for the product's own code: file and function lengths, import rings, imports hidden in
functions, floats, states written outside the lifecycle, and URLs without a permission.
Exit status 1 if a rule with a limit is broken.
"""

import ast
import os
import sys
from collections import defaultdict
from pathlib import Path

from tests.architecture.sources import APPS, ROOT, python_files, tree, where

LONGEST_FILE, LONGEST_FUNCTION = 400, 60
# Hidden imports that Django's start-up order asks for.
STARTUP = ("apps.py", "manage.py")


def file_lengths() -> list[tuple[int, str]]:
    return sorted(
        (
            (len(path.read_text(encoding="utf-8").splitlines()), str(path.relative_to(ROOT)))
            for path in python_files()
        ),
        reverse=True,
    )


def function_lengths() -> list[tuple[int, str]]:
    found = []
    for path in python_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
                length = node.end_lineno - node.lineno + 1
                found.append((length, f"{where(path, node)} {node.name}"))
    return sorted(found, reverse=True)


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def hidden_imports() -> list[str]:
    """Imports of our own modules inside functions, outside the start-up files."""
    found = []
    for path in python_files():
        if path.name in STARTUP:
            continue
        for outer in ast.walk(tree(path)):
            if not isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(outer):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in APPS:
                    found.append(where(path, node))
    return sorted(set(found))


def import_rings() -> list[list[str]]:
    """Strongly connected groups of modules by their top-level imports (Tarjan).

    `from package import module` ties to the module, not to the package's face.
    """
    modules = {module_name(path): path for path in python_files()}
    graph: dict[str, set[str]] = defaultdict(set)
    for name, path in modules.items():
        for node in tree(path).body:
            targets: list[str] = []
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = names if modules.keys() >= set(names) else [node.module, *names]
            graph[name] |= {target for target in targets if target in modules and target != name}
    return [ring for ring in _components(graph) if len(ring) > 1]


def _components(graph: dict[str, set[str]]) -> list[list[str]]:
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            cut = stack.index(node)
            found.append(sorted(stack[cut:]))
            del stack[cut:]

    for node in list(graph):
        if node not in order:
            visit(node)
    return found


def floats() -> list[str]:
    return [
        where(path, node)
        for path in python_files()
        if not str(path.relative_to(ROOT)).startswith(("union_portal/embedded", "union_portal/kit"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]


def states_written_elsewhere() -> list[str]:
    return [
        where(path, node)
        for path in python_files()
        if path.name != "lifecycle.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Attribute) and t.attr == "state" for t in node.targets)
    ]


def urls_without_permission() -> list[str]:
    """Models on the staff site whose page names no permission to look."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "union_portal.settings")
    import django

    django.setup()
    from django.contrib import admin

    return [
        model._meta.label
        for model, page in admin.site._registry.items()
        if not getattr(page, "view_permissions", ())
    ]


def main() -> int:
    longest_files, longest_functions = file_lengths(), function_lengths()
    over_files = [row for row in longest_files if row[0] > LONGEST_FILE]
    over_functions = [row for row in longest_functions if row[0] > LONGEST_FUNCTION]
    rows: list[tuple[str, list[object], bool]] = [
        (f"files over {LONGEST_FILE} lines", list(over_files), False),
        (f"functions over {LONGEST_FUNCTION} lines", list(over_functions), False),
        ("import rings", list(import_rings()), True),
        ("imports hidden in functions", list(hidden_imports()), False),
        ("floats", list(floats()), False),
        ("states written outside the lifecycle", list(states_written_elsewhere()), True),
        ("URLs without a permission", list(urls_without_permission()), True),
    ]
    lines = sum(length for length, _name in longest_files)
    print(f"{len(longest_files)} files, {lines} lines, {len(longest_functions)} functions")
    print(f"longest file: {longest_files[0]}; longest function: {longest_functions[0]}")
    for title, found, _is_law in rows:
        print(f"{title}: {len(found)}")
        for row in found[:12]:
            print(f"   {row}")
    return int(any(found for _title, found, is_law in rows if is_law))


if __name__ == "__main__":
    sys.exit(main())
