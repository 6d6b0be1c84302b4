"""What a reader's program sees in a PDF."""

import re
import subprocess
from pathlib import Path

import pikepdf


def texts(path: Path) -> list[str]:
    """The text of each page, laid out as printed."""
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode().split("\f")[:-1]


def fonts(path: Path) -> list[tuple[str, bool, bool]]:
    """(name, embedded, with a map to Unicode) of every font."""
    done = subprocess.run(["pdffonts", str(path)], capture_output=True, check=True)
    rows = [line.split() for line in done.stdout.decode().splitlines()[2:]]
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
