"""The script `./portal`: finds a Python, makes .venv once, survives being cut short."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from union_portal.embedded import places

NO_INDEX = {"PIP_NO_INDEX": "1", "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}
FINE = "# nothing to install\n"
IMPOSSIBLE = f"no-such-package-anywhere==1.0 \\\n    --hash=sha256:{'0' * 64}\n"


class Checkout:
    """A copy of the script with a program that says that it was reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(places.CHECKOUT / "portal", folder)
        package = folder / "union_portal" / "embedded"
        package.mkdir(parents=True)
        code = "import os, sys; print('reached', sys.argv[1:], os.environ['PORTAL_CALLED_FROM'])"
        (package / "__main__.py").write_text(code)
        (package.parent / "__init__.py").touch()
        (package / "__init__.py").touch()
        self.lock(FINE)

    def lock(self, text: str) -> None:
        (self.folder / "requirements-dev.lock").write_text(text)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        base = {"PATH": os.environ["PATH"], "PYTHON": sys.executable} | NO_INDEX
        return subprocess.run(
            [self.folder / "portal", *arguments],
            capture_output=True,
            text=True,
            cwd=environment.pop("cwd", "/"),
            env=base | environment,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    return Checkout(folder)


def test_the_second_run_goes_straight_to_the_program(checkout: Checkout) -> None:
    first = checkout.run("status")
    assert "making .venv" in first.stderr
    assert first.stdout.startswith("reached ['status']")
    second = checkout.run("demo", "--out", "some where", cwd=str(checkout.folder.parent))
    assert second.stderr == ""
    assert second.stdout == f"reached ['demo', '--out', 'some where'] {checkout.folder.parent}\n"


def test_a_changed_lock_is_installed(checkout: Checkout) -> None:
    checkout.run("status")
    checkout.lock(FINE + "# changed\n")
    again = checkout.run("status")
    assert "installing" in again.stderr
    assert "making .venv" not in again.stderr


def test_an_install_that_failed_is_begun_anew(checkout: Checkout) -> None:
    checkout.lock(IMPOSSIBLE)
    failed = checkout.run("status")
    assert failed.returncode != 0
    assert "could not be installed" in failed.stderr
    assert "reached" not in failed.stdout
    left_behind = checkout.folder / ".venv" / "half-installed"
    left_behind.touch()
    checkout.lock(FINE)
    mended = checkout.run("status")
    assert "making .venv" in mended.stderr
    assert mended.stdout.startswith("reached")
    assert not left_behind.exists()


def test_an_install_that_was_killed_is_begun_anew(checkout: Checkout) -> None:
    checkout.run("status")
    (checkout.folder / ".venv" / "portal-unfinished").touch()
    (checkout.folder / "var" / "installing").symlink_to("999999999")
    mended = checkout.run("status")
    assert "making .venv" in mended.stderr
    assert mended.stdout.startswith("reached")
    assert not (checkout.folder / "var" / "installing").is_symlink()


def test_a_copied_checkout_is_made_to_fit_its_place(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run("status")
    moved = tmp_path / "moved"
    shutil.copytree(checkout.folder, moved, symlinks=True)
    done = subprocess.run(
        [moved / "portal", "status"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable} | NO_INDEX,
        check=False,
    )
    assert done.stdout.startswith("reached")
    assert str(moved) in (moved / ".venv" / "portal-installed").read_text()


def test_a_linked_venv_is_refused_and_the_other_checkout_keeps_its_own(
    checkout: Checkout, tmp_path: Path
) -> None:
    other = tmp_path / "others-venv"
    other.mkdir()
    (other / "kept").touch()
    (checkout.folder / ".venv").symlink_to(other)
    done = checkout.run("status")
    assert done.returncode == 1 and "remove the link" in done.stderr
    assert (other / "kept").exists()


def test_a_name_that_does_not_run_is_passed_over(checkout: Checkout) -> None:
    """Shims of version managers exist for versions that are not installed."""
    programs = checkout.folder / "bin"
    programs.mkdir()
    for name in ("python3.13", "python3.12"):
        (programs / name).write_text("#!/bin/sh\necho not installed >&2\nexit 127\n")
        (programs / name).chmod(0o755)
    (programs / "python3.11").symlink_to(sys.executable)
    done = checkout.run("status", PYTHON="", PATH=f"{programs}:/usr/bin:/bin")
    assert done.stdout.startswith("reached"), done.stderr
    assert "not installed" not in done.stderr


def test_without_a_python_the_remedy_is_named(checkout: Checkout) -> None:
    programs = checkout.folder / "bin"
    programs.mkdir()
    for name in ("sh", "cksum", "dirname", "pwd", "ln", "rm", "mkdir", "readlink", "cat", "grep"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    done = checkout.run("status", PYTHON="", PATH=str(programs))
    assert done.returncode == 1
    assert "apt-get install python3" in done.stderr
    assert not (checkout.folder / "var" / "installing").is_symlink()


def test_a_python_named_by_the_user_must_work(checkout: Checkout) -> None:
    done = checkout.run("status", PYTHON="/bin/false")
    assert done.returncode == 1
    assert "PYTHON=/bin/false" in done.stderr


def test_a_python_without_venv_gets_the_line_that_brings_it(checkout: Checkout) -> None:
    """Debian packs it apart."""
    bare = checkout.folder / "bare-python"
    bare.write_text(
        f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"\n'
    )
    bare.chmod(0o755)
    done = checkout.run("status", PYTHON=str(bare), PATH="/usr/bin:/bin")
    assert done.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt-get install python{version}-venv" in done.stderr
