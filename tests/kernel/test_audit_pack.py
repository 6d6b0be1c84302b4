"""A third party checks the audit log with a pack and Python alone."""

import json
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests import cast
from union_portal import audit, witnesses

pytestmark = pytest.mark.django_db


@pytest.fixture
def told():
    """What the command printed while it made the pack."""
    return StringIO()


@pytest.fixture
def pack(tmp_path, told):
    tree = cast.make_tree()
    for index in range(3):
        for turn in range(4):
            audit.record(
                "thing.done", tree.city, by=audit.WORKER, reason=f"因{index}{turn}", n=turn
            )
        audit.seal()
    out = tmp_path / "pack.zip"
    call_command("audit_pack", out, stdout=told)
    with zipfile.ZipFile(out) as packed:
        packed.extractall(tmp_path / "open")
    return tmp_path / "open"


def run(folder, *arguments):
    """Where there is nothing but Python: no packages, no environment, no database."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", *arguments],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_an_untouched_pack_holds_and_names_the_last_block(pack, told):
    done = run(pack)
    assert done.returncode == 0, done.stdout + done.stderr
    head = audit.head()
    assert f"{head.number}:{head.digest}" in done.stdout
    assert f"{head.number}:{head.digest}" in told.getvalue()


def _lines(change):
    """Change the list of entries."""

    def touch(pack):
        file = pack / "entries.jsonl"
        rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(change(rows)), encoding="utf-8")

    return touch


def _blocks(change):
    """Change the list of blocks."""

    def touch(pack):
        file = pack / "blocks.json"
        file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return touch


def _later(block):
    return {**block, "sealed_at": block["sealed_at"].replace("T", "T0", 1)}


TOUCHES = {
    "an entry changed": _lines(
        lambda rows: [*rows[:5], rows[5].replace("done", "gone"), *rows[6:]]
    ),
    "an entry removed": _lines(lambda rows: rows[:5] + rows[6:]),
    "an entry slipped in": _lines(lambda rows: [*rows[:5], rows[4], *rows[5:]]),
    "two entries of a block swapped": _lines(lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]]),
    "a block moved to the end of the file": _lines(lambda rows: rows[4:8] + rows[:4] + rows[8:]),
    "the first block missing": _blocks(lambda blocks: blocks[1:]),
    "a block missing in the middle": _blocks(lambda blocks: [blocks[0], blocks[2]]),
    "the last block missing, its entries left": _blocks(lambda blocks: blocks[:2]),
    "blocks in another order": _blocks(lambda blocks: [blocks[1], blocks[0], blocks[2]]),
    "the time of a sealing moved": _blocks(lambda blocks: [_later(blocks[0]), *blocks[1:]]),
    "a file without a line": _lines(lambda rows: []),
    "a file that is no list": _blocks(lambda blocks: {"blocks": blocks}),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_a_pack_that_was_touched_does_not_hold(pack, touch):
    TOUCHES[touch](pack)
    done = run(pack)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_pack_rewritten_as_a_whole_is_found_by_what_was_seen_elsewhere(pack):
    _, second, third = json.loads((pack / "blocks.json").read_text())
    seen = f"{third['number']}:{third['digest']}"
    assert run(pack, seen, f"{second['number']}:{second['digest']}").returncode == 0
    _lines(lambda rows: rows[:8])(pack)
    _blocks(lambda blocks: blocks[:2])(pack)
    assert run(pack).returncode == 0  # a chain that was cut off still links
    done = run(pack, seen)
    assert done.returncode == 1
    assert f"block {third['number']} is not the one that was seen" in done.stdout


def test_blocks_that_a_restore_lost_are_named_and_do_not_break_the_pack(pack, tmp_path):
    lost = witnesses.Head(5, "a" * 64)
    witnesses.write_down(lost)
    audit.declare_lost(by=audit.WORKER, reason="the disk failed")
    assert audit.seal().number == 6
    out = tmp_path / "later.zip"
    call_command("audit_pack", out, stdout=StringIO())
    with zipfile.ZipFile(out) as packed:
        packed.extractall(tmp_path / "later")
    done = run(tmp_path / "later", f"{lost.number}:{lost.digest}")
    assert done.returncode == 0, done.stdout
    assert "blocks 4 to 5 were lost in a restore" in done.stdout


def test_an_exchanged_script_is_not_the_one_that_was_told_when_the_pack_was_made(pack, told):
    script = pack / "verify.py"
    digest = re.search(r"verify\.py: ([0-9a-f]{64})", told.getvalue())[1]
    assert digest == sha256(script.read_bytes()).hexdigest()
    assert digest in run(pack).stdout
    script.write_text(script.read_text(encoding="utf-8") + "\n# 1", encoding="utf-8")
    assert digest not in run(pack).stdout


def test_the_pack_explains_itself_in_both_languages(pack):
    about = (pack / "README.txt").read_text(encoding="utf-8")
    for words in ("python3 verify.py", "核验", "见证", "unpack", "SHA-256"):
        assert words.lower() in about.lower()


def test_a_pack_never_overwrites_a_file(tmp_path):
    (tmp_path / "there.zip").write_text("mine")
    with pytest.raises(CommandError):
        call_command("audit_pack", tmp_path / "there.zip")
