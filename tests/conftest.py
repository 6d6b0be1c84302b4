"""What every test finds ready: private folders, English messages, the cast."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.backends.signals import connection_created
from django.utils import translation

from tests import migrated, searching
from tests.cast import Cast, Tree, make_cast, make_tree
from tests.roles import AS_OWNER, playing, serving, work_as_worker

searching.register()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long walks of the web begin first, so that no core waits for them at the end."""
    items.sort(key=lambda item: "tests/web/" not in item.nodeid)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Messages are compared by their English ids, whatever the default language."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _private_folders(settings: Any, tmp_path: Path) -> None:
    """No test writes below var/."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.REGISTER_DIR = tmp_path / "register"
    settings.BANK_DIR = tmp_path / "bank"


@pytest.fixture(autouse=True)
def _plain_http(settings: Any) -> None:
    """The test client speaks HTTP; the redirect to HTTPS has a test of its own."""
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture(autouse=True)
def _own_cache(settings: Any) -> None:
    """Counted attempts and used codes stay with the test, whoever shares the server."""
    prefix = uuid4().hex
    settings.CACHES = {name: {**one, "KEY_PREFIX": prefix} for name, one in settings.CACHES.items()}


@pytest.fixture
def tree(db: None) -> Tree:
    """榆林市总工会, twelve counties and three grassroots unions."""
    return make_tree()


@pytest.fixture
def cast(tree: Tree) -> Cast:
    """Lin, Qiao, Shi, the Fengs, Gao, Wei and the others, each with the role of the name."""
    return make_cast(tree)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: Any
) -> None:
    """The database of this process is a copy of one that was migrated once."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated.template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Once the tables stand, every connection of every test has the rights of a worker."""
    connection_created.connect(work_as_worker)
    with django_db_blocker.unblock():
        connection.close()
    yield
    connection_created.disconnect(work_as_worker)
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(autouse=True, scope="session")
def _pages_are_served_as_web() -> Iterator[None]:
    """Whatever answers a request has the rights of a web process, row security included."""
    answered = BaseHandler.get_response

    def get_response(self: BaseHandler, request: Any) -> Any:
        with serving():
            return answered(self, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseHandler, "get_response", get_response)
        yield


@pytest.fixture
def as_owner(db: None) -> Iterator[None]:
    """Be the owner of the tables, as migrations are."""
    with playing("none"):
        yield


# What a migration seeded, or `migrate` writes again, stays between tests that commit.
SEEDED = {"union_portal_holiday", "django_content_type", "auth_permission"}


@pytest.fixture(autouse=True, scope="session")
def _flush_past_the_guards() -> Iterator[None]:
    """Tests that commit are cleaned up by deleting, which the guards of history refuse.

    TRUNCATE would make a file anew for each of a thousand tables and indexes, nearly all empty.
    Like it, the lock waits for whoever still writes.
    """

    def sql_flush(self: Any, style: Any, tables: list[str], **more: Any) -> list[str]:
        assert not any(more.values()), "neither sequences nor tables of others are cleaned up"
        emptied = [self.quote_name(name) for name in tables if name not in SEEDED]
        return [
            AS_OWNER,
            "SET LOCAL session_replication_role = replica",
            f"LOCK TABLE {', '.join(emptied)}",
            "; ".join(f"DELETE FROM {name}" for name in emptied),
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield
