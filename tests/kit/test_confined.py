"""What is read for others is read in a process that can lose nothing but itself."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from union_portal.kit import confined, confined_process
from union_portal.kit.confined import MEBIBYTE, Answer, Bounds
from union_portal.kit.refusals import Refused

ROOT = Path(__file__).resolve().parents[2]
SMALL = Bounds(memory=48 * MEBIBYTE, seconds=2)
ROOMY = replace(SMALL, files=16, file_bytes=MEBIBYTE)


class Broken(Refused):
    """A refusal of the tests."""


def write(size: int) -> int:
    with tempfile.TemporaryFile() as file:
        return file.write(bytes(size))


# What a reader that was taken over would try. Each tells what it could do.
TRIES = {
    "much": lambda: len(bytearray(500 * MEBIBYTE)),
    "endless": lambda: [None for _ in iter(int, 1)],
    "busy": lambda: all(True for _ in iter(int, 1)),
    "network": lambda: socket.create_connection(("127.0.0.1", 9), 1),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "read": lambda: Path("/etc/hostname").read_text(),
    "write": tempfile.mkstemp,
    "write little": lambda: write(1),
    "write much": lambda: write(2 * MEBIBYTE),
    "program": lambda: os.execv("/bin/true", ["true"]),
    "fork and program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "crash": os.abort,
    "leave": lambda: os._exit(0),
    "fault": lambda: 1 / 0,
    "environment": lambda: sorted(os.environ),
    "limits": lambda: os.sysconf("SC_OPEN_MAX"),
}


def refuse() -> None:
    raise Refused("%(what)s is wrong.", "Mend it.", {"what": "x"})


TRIES["refusal"] = refuse


def attempt(_content: bytes, *, what: str) -> Iterator[Answer]:
    yield Answer({"result": repr(TRIES[what]())})


@pytest.fixture
def trying(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process of its own in which the tries are one of the works."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "process.py"
        script.write_text(
            f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n"
            "import types; bare = types.ModuleType('union_portal')\n"
            f"bare.__path__ = [{str(ROOT / 'union_portal')!r}]\n"
            "sys.modules['union_portal'] = bare\n"
            "from tests.kit import test_confined\n"
            "from union_portal.kit import confined_process\n"
            "confined_process.WORKS['attempt'] = test_confined.attempt\n"
            "confined_process.main()\n"
        )
        fresh = confined._Process()
        monkeypatch.setattr(confined, "_PROCESS", script)
        monkeypatch.setattr(confined, "_process", fresh)
        loaded()
        yield
        fresh.stop()


def loaded() -> None:
    """Wait until the process has its readers: that takes as long as it takes."""
    confined.peak_bytes()


def result(what: str, bounds: Bounds = SMALL) -> str:
    answer = confined.ask("attempt", b"", bounds=bounds, refusal=Broken, what=what)
    return str(answer.told["result"])


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("much", "memory"),
        ("endless", "killed|memory"),
        ("network", "PermissionError|OSError"),
        ("listen", "PermissionError|OSError"),
        ("read", "OSError"),
        ("write", "FileNotFoundError|OSError|PermissionError"),
        ("program", "PermissionError"),
        ("fork and program", "PermissionError|BlockingIOError|OSError"),
        ("crash", "killed"),
        ("leave", "killed"),
        ("fault", "ZeroDivisionError"),
    ],
)
def test_what_a_reader_may_not_ends_itself_and_nobody_else(trying: None, what: str, how: str):
    with pytest.raises(confined.Failed, match=how):
        result(what)
    assert result("limits")


def test_network_stays_closed_even_where_files_may_be_opened(trying: None):
    """A workbook is unpacked into files; the kernel's filter still knows no network."""
    assert "'" in result("read", ROOMY)
    for what in ("network", "listen", "program"):
        with pytest.raises(confined.Failed, match="PermissionError"):
            result(what, ROOMY)


def test_processor_time_ends_what_takes_no_memory(trying: None):
    with pytest.raises(confined.Failed, match="killed"):
        result("busy", replace(SMALL, seconds=1))
    assert result("limits")


def test_a_file_grows_to_its_bound_and_no_further(trying: None):
    assert result("write little", ROOMY) == "1"
    with pytest.raises(confined.Failed, match=r"OSError|killed"):
        result("write much", ROOMY)


def test_nothing_of_our_environment_is_there(trying: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORTAL_SECRET_KEY", "never told")
    told = result("environment")
    assert "PORTAL" not in told and "DATABASE" not in told
    assert "TMPDIR" in told


def test_a_refusal_arrives_with_its_message_remedy_and_values(trying: None):
    with pytest.raises(Broken) as refused:
        result("refusal")
    assert str(refused.value) == "x is wrong. Mend it."


def test_the_process_that_died_is_started_again(trying: None):
    assert result("limits")
    confined._process._running.kill()
    confined._process._running.wait()
    loaded()
    assert result("limits")


def test_many_at_once_each_get_their_own_answer(trying: None):
    told: list[str] = []
    threads = [threading.Thread(target=lambda: told.append(result("limits"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == 12


def test_it_is_gone_with_its_owner():
    """Killed outright, an owner leaves nobody behind."""
    owner = subprocess.run(
        [
            sys.executable, "-c",
            "import os; from union_portal.kit import confined, images; confined.peak_bytes();"
            "print(confined._process._running.pid, flush=True); os.kill(os.getpid(), 9)",
        ],
        capture_output=True, cwd=ROOT, check=False,
    )  # fmt: skip
    pid = int(owner.stdout)
    gone = threading.Event()
    for _ in range(200):
        if is_over(pid):
            break
        gone.wait(0.05)
    else:
        pytest.fail(f"process {pid} lives on")


def is_over(pid: int) -> bool:
    """Whether a process has ended, whether or not anybody has asked how."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_the_filter_of_the_kernel_is_known_for_this_machine():
    assert os.uname().machine in confined_process._MACHINES
