"""What is read for others is read in a process that can lose nothing but itself."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from union_portal.kit import confined, confined_process
from union_portal.kit.confined import MEBIBYTE, Answer, Bounds
from union_portal.kit.refusals import Refused

ROOT = Path(__file__).resolve().parents[2]
SMALL = Bounds(memory=48 * MEBIBYTE, seconds=2)


class Broken(Refused):
    """A refusal of the tests."""


# What a reader that was taken over would try. Each tells what it could do.
TRIES = {
    "much": lambda: len(bytearray(500 * MEBIBYTE)),
    "endless": lambda: [None for _ in iter(int, 1)],
    "network": lambda: socket.create_connection(("127.0.0.1", 9), 1),
    "listen": lambda: socket.create_server(("127.0.0.1", 0)),
    "read": lambda: Path("/etc/hostname").read_text(),
    "write": tempfile.mkstemp,
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
        yield
        fresh.stop()


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
    roomy = Bounds(memory=48 * MEBIBYTE, seconds=2, files=16, file_bytes=MEBIBYTE)
    assert "'" in result("read", roomy)
    for what in ("network", "listen", "program"):
        with pytest.raises(confined.Failed, match="PermissionError"):
            result(what, roomy)


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
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text():
            break
        gone.wait(0.05)
    else:
        pytest.fail(f"process {pid} lives on")


def test_the_filter_of_the_kernel_is_known_for_this_machine():
    assert os.uname().machine in confined_process._MACHINES
