"""System libraries and programs that no Python package brings: Pango; for tests Chromium, poppler.

Root on Debian gets them installed; everybody else gets the one line to run.
"""

import ctypes
import ctypes.util
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

PANGO_PACKAGES: Final = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")
PANGO_LIBRARIES: Final = {
    "libpango-1.0.so.0": "pango-1.0",
    "libpangoft2-1.0.so.0": "pangoft2-1.0",
}
CHROMIUM_PACKAGES: Final = ("chromium",)
CHROMIUM_NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# What a reader's program sees in a PDF: the tests of reports ask these.
POPPLER_PACKAGES: Final = ("poppler-utils",)
POPPLER_PROGRAMS: Final = ("pdftotext", "pdffonts")
OS_RELEASE: Final = Path("/etc/os-release")


def has_pango() -> bool:
    """Whether PDF reports can be made here."""
    return all(_loads(*names) for names in PANGO_LIBRARIES.items())


def _loads(soname: str, name: str) -> bool:
    for candidate in (soname, ctypes.util.find_library(name)):
        if candidate is None:
            continue
        try:
            ctypes.CDLL(candidate)
        except OSError:
            continue
        return True
    return False


def chromium() -> str | None:
    """The Chromium (or Chrome) of this machine."""
    return next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)


def has_poppler() -> bool:
    """Whether this machine reads PDFs as the tests of reports do."""
    return all(map(shutil.which, POPPLER_PROGRAMS))


def apt_line(*packages: str) -> str:
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install --yes --no-install-recommends {' '.join(packages)}"


def may_install(release: Path = OS_RELEASE) -> bool:
    """Whether we are root on a Debian, where apt brings what we need."""
    return os.geteuid() == 0 and is_debian(release) and shutil.which("apt-get") is not None


def is_debian(release: Path = OS_RELEASE) -> bool:
    """Debian itself or a system that calls itself like it."""
    try:
        lines = release.read_text("utf-8").splitlines()
    except OSError:
        return False
    fields: Mapping[str, str] = dict(line.split("=", 1) for line in lines if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    return "debian" in names


def apt_install(*packages: str, say: Callable[[str], None]) -> bool:
    """Install with apt; whether that succeeded."""
    say(f"installing with apt: {' '.join(packages)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends"]
    install += ["-o", "DPkg::Lock::Timeout=120", *packages]
    # The lists may be missing or old: fetch them only if installing fails without.
    for command in (install, ["apt-get", "update", "--quiet"], install):
        done = subprocess.run(
            command,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        if done.returncode == 0 and command is install:
            return True
    return False


def ensure_pango(say: Callable[[str], None]) -> bool:
    """Whether PDF reports can be made, after installing what was missing if we may."""
    if has_pango():
        return True
    if may_install() and apt_install(*PANGO_PACKAGES, say=say) and has_pango():
        return True
    say("Pango is missing: everything works but PDF reports, which wait for it. To have them:")
    say(f"    {apt_line(*PANGO_PACKAGES)}")
    return False


def ensure_chromium(say: Callable[[str], None]) -> str | None:
    """The browser for the journeys, after installing it if we may."""
    if found := chromium():
        return found
    if may_install() and apt_install(*CHROMIUM_PACKAGES, say=say) and (found := chromium()):
        return found
    say("Chromium is missing: THE BROWSER JOURNEYS ARE SKIPPED. To run them:")
    say(f"    {apt_line(*CHROMIUM_PACKAGES)}")
    return None


def ensure_poppler(say: Callable[[str], None]) -> bool:
    """Whether the tests can read PDFs, after installing what was missing if we may."""
    if has_poppler():
        return True
    if may_install() and apt_install(*POPPLER_PACKAGES, say=say) and has_poppler():
        return True
    say("poppler is missing: THE TESTS THAT READ PDFS ARE SKIPPED. To run them:")
    say(f"    {apt_line(*POPPLER_PACKAGES)}")
    return False
