"""The house rules that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from tests.architecture.sources import APPS, ROOT, python_files, tree, where
from union_portal import lifecycle, queue
from union_portal.fields import FenField, StateField

# Many lines move at once: their table of steps is a statement trigger.
STEPS_BY_STATEMENT = {"disbursement.payoutline": "payout_line_moved"}
STATE_WRITERS = {"union_portal/lifecycle.py"}
RAW_STATE = re.compile(r"\bset\s+(?:\w+\s*=[^,]*,\s*)*\"?state\"?\s*=", re.IGNORECASE)


def test_a_state_is_written_only_by_the_lifecycle():
    offenders = []
    for path in python_files():
        if str(path.relative_to(ROOT)) in STATE_WRITERS:
            continue
        for node in ast.walk(tree(path)):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(t, ast.Attribute) and t.attr == "state" for t in targets):
                offenders.append(where(path, node))
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"update", "bulk_update"}
                and any(keyword.arg == "state" for keyword in node.keywords)
            ):
                offenders.append(where(path, node))
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and RAW_STATE.search(node.value)
            ):
                offenders.append(where(path, node))
    assert offenders == []


def test_every_model_with_a_state_has_its_table_of_steps_and_its_trigger():
    missing = []
    for model in apps.get_models():
        if model._meta.app_config.name.split(".")[0] not in APPS:
            continue
        if not any(isinstance(field, StateField) for field in model._meta.local_fields):
            continue
        label = model._meta.label_lower
        table = lifecycle.TABLES.get(label)
        triggers = {trigger.name for trigger in getattr(model._meta, "triggers", [])}
        wanted = STEPS_BY_STATEMENT.get(label) or (table and f"{table.name}_steps")
        if table is None or wanted not in triggers:
            missing.append(label)
    assert missing == []


def test_no_float_comes_near_the_code():
    """Money is integer fen; ratios for drawing are integers per mille or Decimal."""
    allowed = {"union_portal/settings.py"}
    offenders = []
    for path in python_files():
        name = str(path.relative_to(ROOT))
        if name in allowed or name.startswith(("union_portal/embedded/", "union_portal/kit/")):
            continue
        for node in ast.walk(tree(path)):
            is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_cast = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "float"
            )
            if is_cast or (is_literal and "timeout" not in ast.unparse(node)):
                offenders.append(where(path, node))
    assert offenders == []


def test_no_sentence_tells_a_time_of_another_zone():
    """The database's instants are UTC: `localtime` or `localdate` stands before any wording."""
    offenders = [
        where(path, node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FormattedValue)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr.endswith("_at")
    ]
    assert offenders == []


def test_every_amount_column_holds_fen():
    offenders = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_config.name.split(".")[0] in APPS
        for field in model._meta.local_fields
        if field.name.endswith("_fen") != isinstance(field, FenField)
    ]
    assert offenders == []


def _called_with_name(function: str) -> list[tuple[str, str]]:
    found = []
    for path in python_files():
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == function
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                found.append((node.args[0].value, where(path, node)))
    return found


def test_every_enqueued_name_is_a_registered_work():
    from union_portal.celery import app

    app.loader.import_default_modules()
    unknown = [place for name, place in _called_with_name("enqueue") if name not in queue.names()]
    assert unknown == []


def test_every_scheduled_task_exists():
    from union_portal.celery import app

    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled - set(app.tasks) == set()


def test_no_template_is_unused():
    """A template is named by Python, by another template, or by a library that it dresses."""
    dressed = (
        "account/", "mfa/", "usersessions/", "allauth/", "unfold/", "admin/", "registration/",
    )  # fmt: skip
    standard = {"400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"}
    corpus = "\n".join(
        path.read_text(encoding="utf-8")
        for path in [*python_files(), *(ROOT / "templates").rglob("*.*")]
        if path.suffix in {".py", ".html", ".txt", ".xml", ".css", ".svg"}
    )
    unused = [
        name
        for path in (ROOT / "templates").rglob("*.html")
        if (name := str(path.relative_to(ROOT / "templates"))) not in standard
        and not name.startswith(dressed)
        and name not in corpus
    ]
    assert unused == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_names_no_host(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert all("--hash=" in block for block in re.split(r"\n(?=\S)", text.strip()))


def test_no_page_loads_anything_from_another_host():
    pattern = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def committed_files() -> list[Path]:
    """What git knows; in a copy without git, everything but what running leaves behind."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listed.returncode == 0:
        return [ROOT / name for name in filter(None, listed.stdout.split("\0"))]
    left_behind = {"var", ".venv", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and path.relative_to(ROOT).parts[0] not in left_behind
    ]


def test_no_committed_file_names_a_path_of_somebodys_machine():
    # Assembled so that this file does not name them itself.
    words = ["/" + "work/main", "/" + "work/shared", "/" + "root/"]
    offenders = []
    for path in committed_files():
        if path.suffix in {".py", ".md", ".toml", ".yml", ".html", ".sh", ".txt", ".po"}:
            text = path.read_text(encoding="utf-8", errors="ignore")
            offenders += [str(path) for word in words if word in text]
    assert offenders == []


DOORS = {"views", "api", "tasks", "resources", "reports", "admin", "forms", "urls"}
# Doors that are made of other doors.
MADE_OF = {
    ("urls", "views"), ("urls", "api"), ("views", "forms"), ("admin", "forms"),
    ("admin", "resources"),
}  # fmt: skip


def _imports(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module
            for alias in node.names:
                yield node, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name


def _room(module: str) -> tuple[str, str]:
    """("awards", "views") of awards.views.portal; the engine is an app of its own."""
    parts = module.removeprefix("welfare.disbursement").split(".")
    app = "welfare.disbursement" if module.startswith("welfare.disbursement") else parts[0]
    return app, parts[1] if len(parts) > 1 else ""


def _own_imports():
    for path in python_files():
        here = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node, module in _imports(path):
            if module.split(".")[0] in APPS:
                yield path, node, _room(here), _room(module), module


def test_higher_apps_see_of_welfare_the_engine_and_its_reads_only():
    offenders = [
        where(path, node)
        for path, node, here, there, module in _own_imports()
        if here[0] in {"awards", "events"}
        and there[0] == "welfare"
        and module != "welfare"
        and there[1] not in {"disbursement", "queries"}
    ]
    assert offenders == []


def test_no_door_imports_another_door_and_no_action_imports_a_door():
    kernel_doors = {"views", "admin", "reports", "forms", "api"}
    offenders = [
        f"{where(path, node)} imports {module}"
        for path, node, here, there, module in _own_imports()
        if there[1] in DOORS
        and here[1] in DOORS | {"actions", "queries", "models", "rules"}
        and here != there
        and (here[1], there[1]) not in MADE_OF
        # The kernel's doors are frames for everybody's.
        and not (there[0] == "union_portal" and there[1] in kernel_doors and here[1] in DOORS)
    ]
    assert offenders == []


def test_the_walls_stand():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
