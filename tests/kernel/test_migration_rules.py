"""Migrations that can be run while the portal runs, and taken back.

The linter of django-migration-linter judges the SQL of each; a few rules of our own the rest.
Before the first release every table is empty, so what has to touch tables may be excused below
with a reason; after it, what the linter warns of is done in two steps instead.
"""

import ast
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlparse
from django.apps import apps
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model
from django_migration_linter.migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import PostgresqlAnalyser
from django_migration_linter.sql_analyser.analyser import analyse_sql_statements

from tests.architecture.sources import APPS, ROOT

EMPTY = "no installation has rows yet"
# {"app.name": {"code of the linter": reason}}
EXCUSED: dict[str, dict[str, str]] = {
    "disbursement.0007_payees": {"CREATE_INDEX": EMPTY, "CREATE_INDEX_EXCLUSIVE": EMPTY},
    "members.0002_staged_rows": {"CREATE_INDEX": EMPTY, "CREATE_INDEX_EXCLUSIVE": EMPTY},
    "members.0005_memberships": {"CREATE_INDEX": EMPTY, "CREATE_INDEX_EXCLUSIVE": EMPTY},
    "members.0007_merchants_and_offers": {
        "ADD_UNIQUE": EMPTY,
        "CREATE_INDEX": EMPTY,
        "CREATE_INDEX_EXCLUSIVE": EMPTY,
        "DROP_INDEX": "one confirmed account is one of a payee now, made again in the same step",
    },
    "members.0011_roster": {"DROP_COLUMN": EMPTY, "NOT_NULL": EMPTY},
    "members.0012_searches_that_stop": {"CREATE_INDEX": EMPTY},
    "members.0013_searches_beside_filters": {"CREATE_INDEX": EMPTY},
    "union_portal.0003_cache_table": {
        "CREATE_INDEX": "of the table that it makes",
        "NOT_NULL": "of the table that it makes",
    },
    "welfare.0001_settlements": {"CREATE_INDEX": EMPTY, "CREATE_INDEX_EXCLUSIVE": EMPTY},
    "union_portal.0005_sessions_and_reviews": {"NOT_NULL": EMPTY},
}
DATA = ("INSERT ", "UPDATE ", "DELETE ")


def _ours() -> list[str]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    labels = {one.label for one in apps.get_app_configs() if one.name.split(".")[0] in APPS}
    return sorted(f"{app}.{name}" for app, name in loader.disk_migrations if app in labels)


OURS = _ours()


def migration(name: str) -> migrations.Migration:
    app, _dot, rest = name.partition(".")
    return MigrationLoader(None, ignore_no_migrations=True).disk_migrations[(app, rest)]


def findings(statements: list[str]) -> set[str]:
    errors, _ignored, warnings = analyse_sql_statements(PostgresqlAnalyser, statements)
    return {issue.code for issue in [*errors, *warnings]}


@pytest.mark.django_db
@pytest.mark.parametrize("name", OURS)
def test_the_linter_finds_nothing_but_what_is_excused(name: str):
    connection.ensure_connection()
    sql = MigrationLinter(no_cache=True, no_output=True).get_sql(*name.split(".", 1))
    assert findings(sql) == set(EXCUSED.get(name, {}))


def test_only_what_is_there_is_excused():
    assert set(EXCUSED) - set(OURS) == set()


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("ALTER TABLE x ADD COLUMN y integer NOT NULL;", "NOT_NULL"),
        ("ALTER TABLE x DROP COLUMN y;", "DROP_COLUMN"),
        ("ALTER TABLE x RENAME TO y;", "RENAME_TABLE"),
        ('CREATE INDEX i ON "x" (y);', "CREATE_INDEX"),
    ],
)
def test_the_linter_finds(sql: str, code: str):
    assert code in findings([sql])


@pytest.mark.parametrize("name", OURS)
def test_every_step_can_be_taken_back(name: str):
    assert [str(one) for one in migration(name).operations if not one.reversible] == []


def moves_data(step: migrations.operations.base.Operation) -> Iterator[bool]:
    """Of each statement of a step, whether it writes rows rather than the shape of tables."""
    if isinstance(step, migrations.RunSQL):
        yield from (said.upper().startswith(DATA) for said in statements(step.sql))
    elif isinstance(step, migrations.SeparateDatabaseAndState):
        for one in step.database_operations:
            yield from moves_data(one)
    else:
        yield isinstance(step, migrations.RunPython)


def statements(sql: str | Sequence[str | Sequence[Any]]) -> list[str]:
    """What a step says, taken apart: a text, or a list of texts, each with values or without."""
    texts = (
        [sql] if isinstance(sql, str) else [one if isinstance(one, str) else one[0] for one in sql]
    )
    return [
        said
        for text in texts
        for said in sqlparse.split(sqlparse.format(text, strip_comments=True))
        if said.strip()
    ]


def is_mixed(steps: list[migrations.operations.base.Operation]) -> bool:
    return len({moves for step in steps for moves in moves_data(step)}) > 1


@pytest.mark.parametrize("name", OURS)
def test_rows_are_moved_in_a_migration_of_their_own(name: str):
    """In one transaction with a change of shape, the table is closed for as long as it takes."""
    assert not is_mixed(migration(name).operations)


def test_a_mixed_migration_is_found():
    shape = migrations.RunSQL("CREATE VIEW v AS SELECT 1", "DROP VIEW v")
    rows = migrations.RunSQL("UPDATE x SET y = 1", migrations.RunSQL.noop)
    assert is_mixed([shape, rows])
    assert is_mixed([migrations.RunPython(lambda *_: None), shape])
    assert is_mixed([migrations.RunSQL(["UPDATE x SET y = 1"]), shape])
    assert is_mixed([migrations.RunSQL(["CREATE VIEW v AS SELECT 1", ("DELETE FROM x", [])])])
    assert is_mixed(
        [migrations.RunSQL("CREATE VIEW v AS SELECT 1; -- so\nINSERT INTO x DEFAULT VALUES")]
    )
    assert is_mixed([migrations.SeparateDatabaseAndState([rows]), shape])
    assert not is_mixed([rows, rows])
    assert not migrations.RunPython(lambda *_: None).reversible


def _files() -> list[Path]:
    return sorted(path for app in APPS for path in (ROOT / app).rglob("migrations/0*.py"))


def models_of_today(module: ast.Module) -> set[str]:
    """What a migration takes of the models in the code: it knows those of its own day alone.

    It asks `apps.get_model` for them. What stands beside the models, such as a column's type or an
    index, is harmless; a module of them, under a name of its own, is not.
    """
    taken, used = set(), set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            taken |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            taken |= {alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.Attribute):
            used.add(ast.unparse(node))
    return {name for name in taken if _is_model(name) or _holds_models(name)} | {
        name for name in used if _is_model(name)
    }


def _is_model(name: str) -> bool:
    found = _named(name)
    return isinstance(found, type) and issubclass(found, Model)


def _holds_models(name: str) -> bool:
    return "models" in name.split(".") and isinstance(_named(name), ModuleType)


def _named(name: str) -> object:
    """What of ours has this full name; nothing if it has none."""
    module, _dot, last = name.rpartition(".")
    try:
        return getattr(import_module(module), last) if name.partition(".")[0] in APPS else None
    except (ImportError, AttributeError):
        return None


def test_no_migration_uses_the_models_of_today():
    assert len(_files()) > 5
    found = {path.name: models_of_today(ast.parse(path.read_text("utf-8"))) for path in _files()}
    assert {name: taken for name, taken in found.items() if taken} == {}


@pytest.mark.parametrize(
    "code",
    [
        "from members.models import Person",
        "from members.models.people import Person as P",
        "from members import models",
        "from members.models import people",
        "import members.models as m",
        "import members.models\nmembers.models.Person.objects.all()",
        "import members.models.people\nmembers.models.people.Person",
    ],
)
def test_a_model_of_today_is_found(code: str):
    assert models_of_today(ast.parse(code)) != set()


@pytest.mark.parametrize(
    "code",
    [
        "import members.models.people\nmembers.models.people.Bigrams('name')",
        "from django.db import migrations, models\nmodels.Model",
        "apps.get_model('members', 'Person')",
    ],
)
def test_what_stands_beside_the_models_is_left_alone(code: str):
    assert models_of_today(ast.parse(code)) == set()
