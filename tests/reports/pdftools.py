"""What a reader's program sees in a PDF."""

import re
import subprocess
from pathlib import Path

import pikepdf
import pytest

from union_portal.embedded import libraries


def poppler(*command: str) -> str:
    """What a program of poppler prints; `./portal test` installs it, or says that it is missing."""
    if not libraries.has_poppler():
        pytest.skip(libraries.apt_line(*libraries.POPPLER_PACKAGES))
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def texts(path: Path) -> list[str]:
    """The text of each page, laid out as printed."""
    return poppler("pdftotext", "-layout", str(path), "-").split("\f")[:-1]


def fonts(path: Path) -> list[tuple[str, bool, bool]]:
    """(name, embedded, with a map to Unicode) of every font."""
    rows = [line.split() for line in poppler("pdffonts", str(path)).splitlines()[2:]]
    return [(row[0], row[-5] == "yes", row[-3] == "yes") for row in rows]


def amounts(text: str) -> list[str]:
    return re.findall(r"\d{1,3}(?:,\d{3})*\.\d\d", text)


def bookmarks(path: Path) -> list[tuple[str, int]]:
    """(title, page from 0) of the outline, in order."""
    with pikepdf.open(path) as document, document.open_outline() as outline:
        pages = {page.obj.objgen: number for number, page in enumerate(document.pages)}
        found, waiting = [], list(outline.root)
        while waiting:
            item = waiting.pop(0)
            found.append((item.title, pages[item.destination[0].objgen]))
            waiting = list(item.children) + waiting
    return found
