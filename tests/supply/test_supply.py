"""What we are made of is pinned, hashed, listed with its licence, and billed."""

import json
import re
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from tests.supply import licences, sbom
from tests.supply.lock import DEVELOPMENT, PRODUCTION, VENDORED, canonical, copied, locked
from union_portal.embedded.places import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
ASKED = {
    PRODUCTION: PROJECT["project"]["dependencies"],
    DEVELOPMENT: [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]],
}


@pytest.mark.parametrize("lock", ASKED, ids=lambda path: path.name)
def test_every_package_is_pinned_by_version_and_hash_and_every_wanted_one_is_there(lock: Path):
    packages = {one.name: one for one in locked(lock)}
    wanted = {canonical(re.match(r"[A-Za-z0-9._-]+", one)[0]) for one in ASKED[lock]}
    assert wanted - set(packages) == set()
    assert "://" not in lock.read_text("utf-8")


def test_what_production_runs_is_what_the_tests_run():
    tested = {one.name: one.version for one in locked(DEVELOPMENT)}
    assert {one.name: one.version for one in locked()}.items() <= tested.items()


@pytest.mark.parametrize(
    "block",
    [
        "django>=5.2 \\\n    --hash=sha256:" + "0" * 64,
        "django==5.2",
        "django==5.2 \\\n    --hash=md5:" + "0" * 32,
        "django @ https://host/django.whl \\\n    --hash=sha256:" + "0" * 64,
    ],
)
def test_what_is_not_pinned_by_version_and_hash_is_found(block: str, tmp_path: Path):
    (tmp_path / "lock").write_text(block)
    with pytest.raises(ValueError, match="not pinned"):
        locked(tmp_path / "lock")


def test_the_list_of_licences_is_up_to_date():
    assert licences.LISTED.read_text("utf-8") == licences.table(), (
        "write it anew: python -m tests.supply licences"
    )


def test_every_licence_is_one_we_take():
    found = {one.name: licences.of_package(one) for one in locked()}
    found |= {one.file: one.licence for one in copied()}
    assert {name: one for name, one in found.items() if not licences.is_allowed(one)} == {}


@pytest.mark.parametrize(
    ("licence", "taken"),
    [
        ("MIT", True), ("Apache-2.0 OR GPL-2.0-only", True), ("MIT AND Proprietary", False),
        ("GPL-2.0-only", False), ("", False), ("Other/Proprietary License", False),
    ],
)  # fmt: skip
def test_of_alternatives_one_is_enough_of_several_all_are_needed(licence: str, taken: bool):
    assert licences.is_allowed(licence) is taken


def test_every_copied_file_is_the_one_that_is_listed():
    lying = {path.name for path in VENDORED.parent.iterdir() if path.suffix in {".css", ".js"}}
    assert {one.file for one in copied()} == lying
    for one in copied():
        assert sha256(one.path.read_bytes()).hexdigest() == one.sha256, one.file


def test_the_bill_lists_exactly_what_is_locked_and_copied_with_hashes_and_no_host():
    text = sbom.bill()  # raises where it does not fit its schema
    told = json.loads(text)
    assert told["bomFormat"] == "CycloneDX"
    billed = {(one["name"], one["version"]) for one in told["components"]}
    assert billed == {
        *((one.name, one.version) for one in locked()),
        *((one.file, one.version) for one in copied()),
    }
    hashes = {
        one["name"]: {held["content"] for held in one["hashes"]} for one in told["components"]
    }
    assert all(hashes[one.name] == set(one.hashes) for one in locked())
    assert all(one.get("licenses") for one in told["components"])
    assert set(re.findall(r"\w+://[\w.]+", text)) <= {"http://cyclonedx.org"}
    assert sbom.bill() == text
