"""Children of a run are tended while it lives and gone when it ends, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.launcher.conftest import is_alive
from union_portal.embedded import held, places, processes
from union_portal.embedded.places import LauncherError
from union_portal.embedded.processes import Processes

PYTHON = sys.executable
SLEEP = ["sleep", "600"]
STUBBORN = [
    *(PYTHON, "-c"),
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('deaf', flush=True)\n"
    "while True: time.sleep(600)",
]


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def children(tmp_path: Path) -> Processes:
    return Processes(tmp_path / "run", environment=os.environ, cwd=tmp_path)


def test_a_child_ends_with_the_run(children: Processes) -> None:
    with children:
        child = children.start("worker", SLEEP)
        assert is_alive(child.process.pid)
    assert not is_alive(child.process.pid)


def test_a_child_ends_when_the_run_fails(children: Processes) -> None:
    with pytest.raises(RuntimeError), children:
        child = children.start("worker", SLEEP)
        raise RuntimeError
    assert not is_alive(child.process.pid)


def test_a_child_that_ignores_the_request_is_killed(
    children: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    with children:
        child = children.start("worker", STUBBORN)
        wait_for(lambda: "deaf" in children.log("worker").read_text())
    assert child.process.returncode == -signal.SIGKILL


def test_grandchildren_go_too(children: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    with children:
        children.start("worker", ["sh", "-c", "sleep 600 & echo $!; wait"])
        wait_for(lambda: children.log("worker").read_text().endswith("\n"))
        grandchild = int(children.log("worker").read_text())
        assert is_alive(grandchild)
    assert not is_alive(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked in Linux's way")
def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "from union_portal.embedded.processes import Processes\n"
        "run = pathlib.Path(sys.argv[1])\n"
        "children = Processes(run, environment=os.environ, cwd=run.parent)\n"
        "children.__enter__()\n"
        "print(children.start('worker', ['sleep', '600']).process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run(
        [PYTHON, "-c", code, str(tmp_path / "run")],
        cwd=places.CHECKOUT,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert parent.returncode == -signal.SIGKILL
    wait_for(lambda: not is_alive(int(parent.stdout)))


def test_what_a_killed_run_left_is_ended_by_the_next(children: Processes) -> None:
    # A process that, unlike our own children, does not hear of its parent's death.
    (children.run_folder / "log").mkdir(parents=True)
    claim_path = children.run_folder / "worker.claim"
    claim = held.try_lock(claim_path)
    assert claim is not None
    with subprocess.Popen(SLEEP, pass_fds=(claim,), start_new_session=True) as left:
        os.close(claim)
        claim_path.write_text(str(left.pid))
        with children:
            assert left.wait(10) == -signal.SIGKILL
            children.start("worker", SLEEP)


def test_a_number_from_an_old_file_is_never_killed(children: Processes) -> None:
    """The process that bears the number now is a stranger: the lock is free."""
    children.run_folder.mkdir()
    with subprocess.Popen(SLEEP, start_new_session=True) as stranger:
        (children.run_folder / "worker.claim").write_text(str(stranger.pid))
        with children:
            assert is_alive(stranger.pid)
        stranger.kill()


def test_a_child_that_died_is_started_again(children: Processes) -> None:
    with children:
        child = children.start("worker", SLEEP)
        first = child.process.pid
        os.kill(first, signal.SIGKILL)
        child.process.wait()
        children.tend()
        assert child.process.pid != first
        assert is_alive(child.process.pid)


def test_one_that_dies_again_and_again_is_reported_with_its_last_words(
    children: Processes,
) -> None:
    with children:
        child = children.start("worker", ["sh", "-c", "echo no broker; exit 3"])
        with pytest.raises(LauncherError, match=r"worker ended 6 times(?s:.*)no broker"):
            while True:
                child.process.wait()
                children.tend()


def test_a_command_gives_its_status_and_the_others_are_tended_meanwhile(
    children: Processes,
) -> None:
    with children:
        child = children.start("worker", SLEEP)
        first = child.process.pid
        script = f"kill -9 {first}; while kill -0 {first}; do sleep 0.05; done; exit 7"
        assert children.run(["sh", "-c", script]) == 7
        assert child.process.pid != first
