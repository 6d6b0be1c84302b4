"""What every test finds ready: private folders, English messages, the cast."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from tests.cast import Cast, Tree, make_cast, make_tree


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


@pytest.fixture
def tree(db: None) -> Tree:
    """榆林市总工会, twelve counties and three grassroots unions."""
    return make_tree()


@pytest.fixture
def cast(tree: Tree) -> Cast:
    """Lin, Qiao, Shi, the Fengs, Gao, Wei and the others, each with the role of the name."""
    return make_cast(tree)
