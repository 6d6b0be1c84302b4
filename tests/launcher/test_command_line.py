"""What the sub-commands accept, refuse and answer."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from union_portal.embedded import demo, libraries, places, running, suite
from union_portal.embedded.demo import choose_web_port, make_out
from union_portal.embedded.places import LauncherError
from union_portal.embedded.ports import address, is_free
from union_portal.embedded.surroundings import read_or_make_keys, surroundings


def portal(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "union_portal.embedded", *arguments],
        cwd=places.CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_sub_command() -> None:
    told = portal("help").stdout
    for name in ("demo", "test", "bench", "manage", "status", "stop"):
        assert name in told


def test_an_unknown_benchmark_is_answered_with_those_there_are() -> None:
    done = portal("bench", "dance")
    assert done.returncode == 1
    _before, _asked, names = done.stderr.partition("Name a benchmark: ")
    told = names.strip().split(", ")
    assert told == sorted(told)
    assert {"export_people", "import_people", "member_list", "payouts"} <= {*told}
    assert "measuring" not in told, "what the benchmarks share is none"


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("demo", "--people", "0"), "'0' is not a whole number of at least 1"),
        (("demo", "--people", "many"), "'many' is not a whole number of at least 1"),
        (("demo", "--port", "70000"), "70000 is not a port"),
        (("dance",), "invalid choice: 'dance'"),
    ],
)
def test_a_wrong_word_is_named(arguments: tuple[str, ...], remedy: str) -> None:
    done = portal(*arguments)
    assert done.returncode == 2
    assert remedy in done.stderr


def test_a_taken_port_is_refused_when_wished_and_passed_over_when_not() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as theirs:
        taken = theirs.getsockname()[1]
        with pytest.raises(LauncherError, match=f"Port {taken} is in use"):
            choose_web_port(taken)
    assert is_free(choose_web_port(None))


def test_the_site_is_named_as_browsers_need_it_for_passkeys() -> None:
    assert address(8000) == "http://localhost:8000/"
    told = (Path(demo.__file__).read_text(), Path(running.__file__).read_text())
    assert not [text for text in told if re.search(r"say\(.*127\.0\.0\.1|SITE.*127", text)]


def test_a_folder_for_results_that_cannot_be_made_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LauncherError, match="cannot be made"):
        make_out(tmp_path / "file" / "out")
    with pytest.raises(LauncherError, match="is a file"):
        make_out(tmp_path / "file")


def test_a_folder_that_is_there_is_used_and_one_that_is_not_is_made(tmp_path: Path) -> None:
    make_out(tmp_path)
    make_out(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_is_not_ours_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o500)
    if os.geteuid() == 0:  # root may write everywhere: the system is made to say no
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(LauncherError, match="may not write"):
        make_out(tmp_path)


def test_wishes_travel_to_the_demo_itself() -> None:
    wish = demo.Wish(people=500, out=Path("/results"))
    assert wish.demo_arguments() == ["--people", "500", "--out", "/results"]
    assert demo.Wish().demo_arguments() == []


class TestOneDemo:
    def test_a_second_demo_is_refused_and_told_where_the_first_is(self, tmp_path: Path) -> None:
        with running.only_run(tmp_path, port=8042):
            assert running.running_demo(tmp_path) == {"pid": os.getpid(), "port": 8042}
            second = running.only_run(tmp_path, port=8043)
            with pytest.raises(LauncherError, match="localhost:8042"):
                second.__enter__()
        assert running.running_demo(tmp_path) is None

    def test_the_place_of_a_killed_demo_is_free(self, tmp_path: Path) -> None:
        code = (
            "import os, pathlib, signal, sys\n"
            "from union_portal.embedded import running\n"
            "running.only_run(pathlib.Path(sys.argv[1]), port=1).__enter__()\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        run = [sys.executable, "-c", code, str(tmp_path)]
        subprocess.run(run, cwd=places.CHECKOUT, check=False)
        assert running.running_demo(tmp_path) is None
        with running.only_run(tmp_path, port=None):
            pass


class TestOwnServers:
    def test_with_database_url_nothing_private_starts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgres://me:secret@db.example/mine")
        monkeypatch.setenv("REDIS_URL", "redis://cache.example/4")
        said: list[str] = []
        with surroundings("demo", say=said.append, checkout=tmp_path) as around:
            given = around.environment
        assert given["DATABASE_URL"] == "postgres://me:secret@db.example/mine"
        assert given["REDIS_URL"] == "redis://cache.example/4"
        assert not (tmp_path / "var/demo/servers.json").exists()
        assert "mine on db.example" in said[0]
        assert "secret" not in said[0]

    def test_half_named_servers_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgres://me@db.example/mine")
        monkeypatch.delenv("REDIS_URL", raising=False)
        entered = surroundings("demo", say=lambda line: None, checkout=tmp_path)
        with pytest.raises(LauncherError, match="Set REDIS_URL too"):
            entered.__enter__()


class TestKeys:
    def test_they_are_made_once_and_kept_private(self, tmp_path: Path) -> None:
        keys = read_or_make_keys(tmp_path)
        assert read_or_make_keys(tmp_path) == keys
        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
        assert keys["PORTAL_KEYRING"].startswith("1:aes:")

    def test_data_whose_keys_are_gone_is_not_overlaid_with_new_ones(self, tmp_path: Path) -> None:
        (tmp_path / "servers.json").write_text("{}")
        with pytest.raises(LauncherError, match="cannot be read without its keys"):
            read_or_make_keys(tmp_path)


class TestSuite:
    def test_the_last_line_adds_up_all_parts(self, tmp_path: Path) -> None:
        report = tmp_path / "report.xml"
        report.write_text(
            '<testsuites><testsuite tests="10" failures="2" skipped="1" errors="1"/></testsuites>'
        )
        counts = suite.read_counts(report)
        assert counts == {"failed": 2, "passed": 6, "skipped": 1, "errors": 1}
        assert "2 failed, 6 passed, 1 skipped, 1 error in 3.50s" in suite.summary_line(counts, 3.5)

    def test_a_part_that_never_reported_adds_nothing(self, tmp_path: Path) -> None:
        assert suite.read_counts(tmp_path / "missing.xml") == {}

    def test_ci_does_not_go_on_without_a_browser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(libraries, "ensure_chromium", lambda say: None)
        monkeypatch.setenv("CI", "true")
        with pytest.raises(LauncherError, match="apt-get install"):
            suite._browser_environment()
        monkeypatch.delenv("CI")
        assert suite._browser_environment() == {"PORTAL_NO_BROWSER": "1"}

    def test_ci_does_not_go_on_without_poppler(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(libraries, "ensure_poppler", lambda say: False)
        monkeypatch.setenv("CI", "true")
        with pytest.raises(LauncherError, match="poppler-utils"):
            suite._need_poppler()
        monkeypatch.delenv("CI")
        suite._need_poppler()


class TestLibraries:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('ID=debian\nVERSION_ID="12"\n', True),
            ("ID=ubuntu\nID_LIKE=debian\n", True),
            ('ID="linuxmint"\nID_LIKE="ubuntu debian"\n', True),
            ("ID=fedora\n", False),
        ],
    )
    def test_debian_is_told_from_others(self, tmp_path: Path, text: str, expected: bool) -> None:
        (tmp_path / "os-release").write_text(text)
        assert libraries.is_debian(tmp_path / "os-release") is expected

    def test_missing_pango_names_one_line_and_lets_the_site_run(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(libraries, "has_pango", lambda: False)
        monkeypatch.setattr(libraries, "may_install", lambda: False)
        said: list[str] = []
        assert libraries.ensure_pango(said.append) is False
        assert "apt-get install" in said[-1]
        assert "libpango-1.0-0" in said[-1]


def test_a_request_to_end_is_answered_with_its_own_status() -> None:
    code = (
        "import os, signal, sys\n"
        "from union_portal.embedded import __main__ as command_line\n"
        "command_line.main = lambda argv: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(command_line.run([]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=places.CHECKOUT, check=False)
    assert done.returncode == 128 + signal.SIGTERM


def test_a_request_that_comes_during_the_clean_up_waits_for_its_end() -> None:
    code = (
        "import os, signal\n"
        "from union_portal.embedded.signals import Interrupted, listen, undisturbed\n"
        "listen()\n"
        "try:\n"
        "    with undisturbed():\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        print('cleaned up', flush=True)\n"
        "except Interrupted as request:\n"
        "    print('then ended by', request)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=places.CHECKOUT, stdout=subprocess.PIPE, check=False
    )
    assert done.stdout == b"cleaned up\nthen ended by SIGINT\n"
