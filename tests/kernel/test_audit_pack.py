"""A third party checks the audit log with a pack and Python alone."""

import json
import subprocess
import sys
import zipfile

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import cast
from union_portal import audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def pack(tmp_path):
    tree = cast.make_tree()
    for index in range(3):
        for turn in range(4):
            audit.record(
                "thing.done", tree.city, by=audit.WORKER, reason=f"因{index}{turn}", n=turn
            )
        audit.seal()
    out = tmp_path / "pack.zip"
    call_command("audit_pack", out)
    with zipfile.ZipFile(out) as packed:
        packed.extractall(tmp_path / "open")
    return tmp_path / "open"


def run(folder):
    return subprocess.run(
        [sys.executable, "-I", "verify.py"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_an_untouched_pack_holds_and_names_the_last_block(pack):
    done = run(pack)
    assert done.returncode == 0, done.stdout
    assert json.loads((pack / "blocks.json").read_text())[-1]["digest"] in done.stdout


@pytest.mark.parametrize("what", ["change", "remove", "swap", "cut", "insert"])
def test_a_pack_that_was_touched_does_not_hold(pack, what):
    file = pack / "entries.jsonl"
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    if what == "change":
        rows[5] = rows[5].replace("thing.done", "thing.gone")
    elif what == "remove":
        del rows[5]
    elif what == "swap":
        rows[5], rows[6] = rows[6], rows[5]
    elif what == "insert":
        rows.insert(5, rows[4])
    else:
        blocks = json.loads((pack / "blocks.json").read_text())
        (pack / "blocks.json").write_text(json.dumps(blocks[1:]))
    file.write_text("".join(rows), encoding="utf-8")
    assert run(pack).returncode == 1


def test_a_pack_never_overwrites_a_file(tmp_path):
    (tmp_path / "there.zip").write_text("mine")
    with pytest.raises(CommandError):
        call_command("audit_pack", tmp_path / "there.zip")
