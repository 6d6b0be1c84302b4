from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True, scope="module")
def _english() -> Iterator[None]:
    """Messages are compared by their English ids, whatever the default language."""
    with translation.override("en"):
        yield
