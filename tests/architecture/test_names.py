"""Every table and every column has a name that its reader understands, in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Field, Model
from django.db.models.options import camel_case_to_spaces
from django.utils import translation
from django.utils.functional import Promise

from tests.architecture.sources import APPS, python_files, tree
from union_portal import files, notifications
from union_portal.admin import trail
from union_portal.admin.jobs import BY_ITSELF


def models() -> Iterator[type[Model]]:
    for model in apps.get_models():
        if model._meta.app_config.name.split(".")[0] in APPS:
            yield model


def columns() -> Iterator[tuple[str, "Field[Any, Any]"]]:
    for model in models():
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            if not field.auto_created:
                yield f"{model._meta.label}.{field.name}", field


def test_every_column_is_named():
    assert [
        label for label, field in columns() if not isinstance(field.verbose_name, Promise)
    ] == []


def test_every_table_is_named_for_one_and_for_many():
    assert [
        model._meta.label
        for model in models()
        if not isinstance(model._meta.verbose_name, Promise)
        or not isinstance(model._meta.verbose_name_plural, Promise)
    ] == []


def test_no_name_is_english_on_a_chinese_page():
    with translation.override("zh-hans"):
        named = [(label, field.verbose_name, field.name) for label, field in columns()]
        for model in models():
            default = camel_case_to_spaces(model._meta.object_name)
            named.append((model._meta.label, model._meta.verbose_name, default))
            named.append((model._meta.label, model._meta.verbose_name_plural, default + "s"))
        english = [
            label for label, name, default in named if str(name) == default.replace("_", " ")
        ]
        no_chinese = [label for label, name, _default in named if str(name).isascii()]
    assert english == []
    assert no_chinese == []


def acts() -> Iterator[str]:
    """What the code writes into the audit log by a name of its own."""
    for path in python_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                (".record", ".record_ref")
            ):
                match node.args:
                    case [ast.Constant(value=str(action)), *_]:
                        yield action


def test_every_act_in_the_audit_log_has_words():
    found = set(acts())
    assert len(found) > 50
    assert sorted(found - set(trail.ACTS)) == []


def test_every_purpose_of_a_file_has_words():
    # Tests in this process may have purposes of their own.
    ours = {name: label for name, label in files.labels().items() if not name.startswith("tests.")}
    assert len(ours) > 4
    assert [name for name, label in ours.items() if not isinstance(label, Promise)] == []


def constants(path: Path) -> dict[str, str]:
    """The module's names that stand for a text."""
    found = {}
    for node in tree(path).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
            ):
                found[name] = text
    return found


def topics() -> Iterator[str]:
    """What messages are queued under."""
    for path in python_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and "queue_" in ast.unparse(node.func):
                for given in node.keywords:
                    if given.arg == "topic":
                        yield given_text(given.value, constants(path))


def given_text(value: ast.expr, known: dict[str, str]) -> str:
    return (
        str(value.value)
        if isinstance(value, ast.Constant)
        else known.get(ast.unparse(value), ast.unparse(value))
    )


def test_every_topic_of_a_message_has_words():
    found = set(topics())
    assert {"subsidy", "audit_witness"} <= found
    assert sorted((found | {"login_code"}) - set(notifications.topics())) == []


def machines() -> Iterator[str]:
    for path in python_files():
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(args=[ast.Constant(value=str(name)), *_]) if (
                    ast.unparse(node.func).split(".")[-1] == "Machine"
                ):
                    yield name


def test_every_actor_that_is_no_person_has_words():
    found = set(machines())
    assert len(found) > 5
    assert sorted(found - set(trail.MACHINES)) == []


def test_everything_that_runs_by_itself_has_words():
    assert sorted(set(settings.CELERY_BEAT_SCHEDULE) - set(BY_ITSELF)) == []
