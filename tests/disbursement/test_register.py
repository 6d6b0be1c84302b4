"""The sent register holds what left, in order, once, and shows when somebody changed it."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from welfare.disbursement import archive, claims
from welfare.disbursement.register import (
    NameTaken,
    RegisterBroken,
    SentRegister,
    drop_old_drafts,
    put_once,
)


def note(register: SentRegister, number: int, content: str = "a" * 64):
    return register.append(
        batch_number=f"B{number}",
        file_name=f"B{number}.csv",
        content_sha256=content,
        lines=3,
        total_fen=90000,
        sent_at="2026-03-02T01:30:00Z",
    )


def test_marks_are_numbered_without_a_gap(tmp_path):
    register = SentRegister(tmp_path)
    assert [note(register, n).sequence for n in (1, 2, 3)] == [1, 2, 3]
    assert register.head() == 3


def test_the_same_batch_again_is_the_same_mark(tmp_path):
    register = SentRegister(tmp_path)
    assert note(register, 1) == note(register, 1)
    assert register.head() == 1


def test_the_same_batch_with_other_bytes_stops_everything(tmp_path):
    register = SentRegister(tmp_path)
    note(register, 1)
    with pytest.raises(RegisterBroken):
        note(register, 1, content="b" * 64)


@pytest.mark.parametrize("what", ["change", "cut", "swap"])
def test_a_changed_register_is_noticed(tmp_path, what):
    register = SentRegister(tmp_path)
    for number in (1, 2, 3):
        note(register, number)
    lines = register.path.read_text().splitlines(keepends=True)
    if what == "change":
        row = json.loads(lines[1]) | {"total_fen": 1}
        lines[1] = json.dumps(row, sort_keys=True) + "\n"
    elif what == "cut":
        del lines[1]
    else:
        lines[0], lines[1] = lines[1], lines[0]
    register.path.write_text("".join(lines))
    with pytest.raises(RegisterBroken):
        register.marks()


def test_a_line_torn_by_a_crash_was_never_sent(tmp_path):
    register = SentRegister(tmp_path)
    note(register, 1)
    with register.path.open("a") as stream:
        stream.write('{"sequence": 2, "batch')
    assert register.head() == 1
    assert note(register, 2).sequence == 2


def test_many_at_once_leave_no_gap_and_no_double(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: note(SentRegister(tmp_path), n % 10), range(40)))
    marks = SentRegister(tmp_path).marks()
    assert sorted(mark.batch_number for mark in marks) == sorted(f"B{n}" for n in range(10))
    assert [mark.sequence for mark in marks] == list(range(1, 11))


def test_many_processes_at_once_leave_no_gap(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from welfare.disbursement.register import SentRegister\n"
        "for n in range(5):\n"
        "    SentRegister(Path(sys.argv[1])).append(batch_number=f'{sys.argv[2]}-{n}',"
        " file_name='f', content_sha256='a', lines=1, total_fen=1, sent_at='t')\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(w)]) for w in range(4)
    ]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
    assert SentRegister(tmp_path).head() == 20


def test_a_file_is_offered_once_and_identical_bytes_again_are_success(tmp_path):
    first = put_once(tmp_path, "B1.csv", b"abc")
    assert put_once(tmp_path, "B1.csv", b"abc") == first
    with pytest.raises(NameTaken):
        put_once(tmp_path, "B1.csv", b"abd")
    assert [path.name for path in tmp_path.iterdir()] == ["B1.csv"]


def test_drafts_of_processes_that_died_do_not_stay(tmp_path):
    (tmp_path / ".B1.csv.4711.part").write_bytes(b"half of the payees")
    (tmp_path / ".B2.csv.4711.part").write_bytes(b"of another file")
    put_once(tmp_path, "B1.csv", b"abc")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".B2.csv.4711.part", "B1.csv"]


def test_old_drafts_of_files_that_others_offered_do_not_stay_either(tmp_path, monkeypatch):
    """However wrong the clock of the host is that looks."""
    put_once(tmp_path, "B1.csv", b"abc")
    for name, age in ((".B1.csv.4711.part", 151), (".B2.csv.4712.part", 100)):
        (tmp_path / name).write_bytes(b"payees")
        then = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (then, then))
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert drop_old_drafts(tmp_path, seconds=150) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".B2.csv.4712.part", "B1.csv"]
    assert drop_old_drafts(tmp_path / "missing", seconds=0) == 0


def test_a_worker_that_wakes_clears_old_drafts_away(office, settings):
    settings.QUEUE_LEASE_SECONDS = 0
    outgoing = Path(settings.BANK_DIR) / "outgoing"
    for folder in (outgoing, archive.folder()):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".B1.csv.4711.part").write_bytes(b"payees")
        os.utime(folder / ".B1.csv.4711.part", (0, 0))
    claims.wake()
    assert [*outgoing.glob(".*.part"), *archive.folder().glob(".*.part")] == []


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("welfare.disbursement.register.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        put_once(tmp_path, "B1.csv", b"abc")
    assert list(tmp_path.iterdir()) == []
